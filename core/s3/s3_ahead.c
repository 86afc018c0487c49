#include "core/s3/s3_ahead.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <stdlib.h>
#include <string.h>

/* How commands try: they have a person waiting. */
enum { ATTEMPTS = 4, FIRST_PAUSE_MS = 300, LONGEST_PAUSE_MS = 5000 };

/* Beyond what callers begin at a time: it bounds connections and memory. */
enum { AHEAD_MAX = 64 };

struct s3_ahead {
    struct s3_ahead *next;
    enum s3_action action;
    char *key, *query;          /* query NULL: none */
    struct s3_request *request; /* NULL: answered */
    bool done;
    enum s3_outcome outcome;
    int64_t retry_after_ms;
    struct buf body;
    struct error err;
};

static void answered(void *arg, const struct s3_result *result)
{
    struct s3_ahead *ahead = arg;
    ahead->request = NULL;
    ahead->done = true;
    ahead->outcome = result->outcome;
    ahead->retry_after_ms = result->retry_after_ms;
    if (result->outcome != S3_OK)
        error_set(&ahead->err, "%s", result->reason);
    else /* which holds as much as was asked for */
        buf_append(&ahead->body, result->body->data, result->body->size);
}

static void begin(struct s3 *s3, struct s3_ahead *ahead, const struct s3_call *call)
{
    ahead->done = false;
    ahead->request = s3_request_start(s3, call, answered, ahead);
}

static struct s3_ahead *start(struct s3 *s3, const struct s3_call *call)
{
    struct s3_ahead *ahead = xcalloc(1, sizeof *ahead);
    ahead->action = call->action;
    ahead->key = xstrdup(call->key);
    ahead->query = call->query ? xstrdup(call->query) : NULL;
    buf_init(&ahead->body, call->max_object);
    begin(s3, ahead, call);
    return ahead;
}

static void ahead_free(struct s3_ahead *ahead)
{
    s3_cancel(ahead->request);
    free(ahead->key);
    free(ahead->query);
    buf_free(&ahead->body);
    free(ahead);
}

static bool is_for(const struct s3_ahead *ahead, const struct s3_call *call)
{
    const char *query = call->query ? call->query : "";
    return ahead->action == call->action && !strcmp(ahead->key, call->key) &&
           !strcmp(ahead->query ? ahead->query : "", query);
}

/* Where the one for this request hangs; *place is NULL when there is none. */
static struct s3_ahead **find(struct s3 *s3, const struct s3_call *call, size_t *count)
{
    struct s3_ahead **place = &s3->ahead;
    for (*count = 0; *place && !is_for(*place, call); place = &(*place)->next)
        ++*count;
    return place;
}

void s3_ahead_begin(struct s3 *s3, const struct s3_call *call)
{
    size_t count;
    struct s3_ahead **place = find(s3, call, &count);
    if (!*place && count < AHEAD_MAX)
        *place = start(s3, call);
}

static struct s3_ahead *take(struct s3 *s3, const struct s3_call *call)
{
    size_t count;
    struct s3_ahead **place = find(s3, call, &count), *ahead = *place;
    if (!ahead)
        return start(s3, call);
    *place = ahead->next;
    ahead->next = NULL;
    return ahead;
}

/* Waits before the next attempt: longer each time, at least what the store asked for. */
static void pause_before(struct s3 *s3, int attempt, int64_t retry_after_ms)
{
    const bool never = false;
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS << (2 * (attempt - 1));
    if (pause_ms < retry_after_ms)
        pause_ms = retry_after_ms;
    if (pause_ms > LONGEST_PAUSE_MS)
        pause_ms = LONGEST_PAUSE_MS;
    loop_run_until(s3->loop, &never, clock_mono_ms() + pause_ms);
}

int s3_ahead_run(struct s3 *s3, const struct s3_call *call, struct buf *body, struct error *err)
{
    struct s3_ahead *ahead = take(s3, call);
    loop_run_until(s3->loop, &ahead->done, INT64_MAX);
    for (int attempt = 1; attempt < ATTEMPTS && ahead->outcome == S3_RETRY; attempt++) {
        pause_before(s3, attempt, ahead->retry_after_ms);
        begin(s3, ahead, call);
        loop_run_until(s3->loop, &ahead->done, INT64_MAX);
    }
    int status = ahead->outcome == S3_OK ? 0 : -1;
    if (status < 0)
        error_set(err, "%s", ahead->err.text);
    else if (body)
        buf_append(body, ahead->body.data, ahead->body.size);
    ahead_free(ahead);
    return status;
}

void s3_ahead_end(struct s3 *s3)
{
    for (struct s3_ahead *ahead = s3->ahead, *next; ahead; ahead = next) {
        next = ahead->next;
        ahead_free(ahead);
    }
    s3->ahead = NULL;
}
