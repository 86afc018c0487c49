#include "core/s3/s3.h"

#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/s3/s3_request.h"
#include "core/s3/s3_xml.h"
#include "core/sha256.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_QUERY = 65536,
    MAX_LISTING = 16 << 20
}; /* a page of 1,000 encoded keys can pass 3 MiB */
/* How commands try: they have a person waiting. */
enum { ATTEMPTS = 4, FIRST_PAUSE_MS = 300, LONGEST_PAUSE_MS = 5000 };

/* One request of a command, which may take several attempts. */
struct command {
    bool done;
    enum s3_outcome outcome;
    int64_t retry_after_ms;
    struct buf *body; /* NULL: not wanted */
    struct error *err;
};

static void command_done(void *arg, const struct s3_result *result)
{
    struct command *command = arg;
    command->done = true;
    command->outcome = result->outcome;
    command->retry_after_ms = result->retry_after_ms;
    if (result->outcome != S3_OK)
        error_set(command->err, "%s", result->reason);
    else if (command->body) /* which holds as much as was asked for */
        buf_append(command->body, result->body->data, result->body->size);
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

/* Runs a request until it is answered; body may be NULL. */
static int run(struct s3 *s3, const struct s3_call *call, struct buf *body, struct error *err)
{
    struct command command = {.outcome = S3_RETRY};
    for (int attempt = 0; attempt < ATTEMPTS && command.outcome == S3_RETRY; attempt++) {
        if (attempt > 0)
            pause_before(s3, attempt, command.retry_after_ms);
        command = (struct command){.body = body, .err = err};
        s3_request_start(s3, call, command_done, &command);
        loop_run_until(s3->loop, &command.done, INT64_MAX);
    }
    return command.outcome == S3_OK ? 0 : -1;
}

int s3_get_bytes(struct s3 *s3, const char *key, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    const struct s3_call call = {.action = S3_GET_OBJECT, .key = key, .max_object = max};
    if (run(s3, &call, buf, err) == 0)
        return 0;
    return error_prefix(err, "cannot read s3://%s/%s", s3->address.bucket, key);
}

static int get_page(struct s3 *s3, const char *prefix, const char *delimiter, const char *token,
    struct s3_page *page, struct error *err)
{
    struct buf query, body;
    buf_init(&query, MAX_QUERY);
    buf_init(&body, MAX_LISTING);
    int status = sigv4_add_query(&query, "list-type", "2");
    status |= sigv4_add_query(&query, "encoding-type", "url");
    status |= sigv4_add_query(&query, "prefix", prefix);
    if (delimiter)
        status |= sigv4_add_query(&query, "delimiter", delimiter);
    if (token)
        status |= sigv4_add_query(&query, "continuation-token", token);
    const struct s3_call call = {
        .action = S3_LIST_BUCKET, .key = "", .query = query.data, .max_object = MAX_LISTING};
    if (status < 0)
        error_set(err, "the prefix is too long");
    if (status == 0)
        status = run(s3, &call, &body, err);
    if (status == 0)
        status = s3_xml_page(body.data, body.size, page, err);
    buf_free(&query);
    buf_free(&body);
    return status;
}

int s3_list(struct s3 *s3, const char *prefix, const char *delimiter,
    int (*each)(void *arg, const char *key), void *arg, struct error *err)
{
    char *token = NULL;
    int status = 0;
    for (bool more = true; more;) {
        struct s3_page page = {0};
        status = get_page(s3, prefix, delimiter, token, &page, err);
        if (status < 0)
            break;
        int stop = 0;
        for (size_t i = 0; i < page.count && !stop; i++)
            stop = each(arg, page.keys[i]);
        more = page.next && !stop;
        if (more && token && strcmp(token, page.next) == 0)
            status = error_set(err, "the store gives the same page again and again");
        free(token);
        token = page.next;
        page.next = NULL;
        s3_page_free(&page);
        if (status < 0)
            break;
    }
    free(token);
    return status < 0 ? error_prefix(err, "cannot list s3://%s/%s", s3->address.bucket, prefix) : 0;
}

int s3_put_bytes(struct s3 *s3, const char *key, const void *data, size_t size,
    const char *content_type, struct error *err)
{
    char sha256[SHA256_HEX_SIZE];
    const struct s3_call call = {.action = S3_PUT_OBJECT,
        .key = key,
        .data = data ? data : "",
        .size = size,
        .sha256 = sha256,
        .content_type = content_type};
    sha256_hash(call.data, size, sha256);
    if (run(s3, &call, NULL, err) == 0)
        return 0;
    return error_prefix(err, "cannot write s3://%s/%s", s3->address.bucket, key);
}
