#include "core/aws/aws.h"

#include "core/alloc.h"
#include "core/aws/aws_region.h"
#include "core/aws/aws_run.h"
#include "core/aws/aws_temporary.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/reminder.h"

#include <stdlib.h>
#include <string.h>

/* While the kept ones work, a provider that failed is not asked more often; half as much again by
 * chance. */
enum { PAUSE_MS = 30000 };

struct aws_request {
    struct aws_request *next;
    struct aws *aws;
    uint64_t number; /* counts up */
    void (*done)(void *arg, const struct aws_answer *answer);
    void *arg;
};

struct aws {
    struct loop *loop;
    char *role, *external_id, *session_name, *region;
    bool find_region; /* still to be done */
    bool announce;
    struct aws_region_search *search;
    char *found_region;
    int64_t clock_offset_ms;     /* AWS's clock minus ours, once it mattered */
    struct reminder trouble;     /* with renewing */
    struct aws_request *waiting; /* oldest first */
    uint64_t asked;
    struct loop_timer *timer;   /* answers come from the loop, never from within aws_get */
    struct loop_timer *renewal; /* in the background: nobody should have to wait for it */
    struct aws_plan plan;       /* of the run */
    struct aws_run *run;
    struct aws_temporary kept; /* access_key NULL: none */
    char *origin;              /* of the kept ones */
    unsigned kept_number;
    bool kept_fixed;   /* of the environment: there is nothing to fetch */
    bool kept_refused; /* the service says that they have expired */
};

/* Answers who waits now, the first first. A callback may ask again or cancel another. */
static void answer_all(struct aws *aws, const struct aws_answer *answer)
{
    uint64_t last = aws->asked;
    while (aws->waiting && aws->waiting->number <= last) {
        struct aws_request *request = aws->waiting;
        aws->waiting = request->next;
        request->done(request->arg, answer);
        free(request);
    }
}

/* What is configured, what the environment or the profile say, what was found out. */
static const char *region_of(const struct aws *aws)
{
    if (aws->region)
        return aws->region;
    return aws->plan.region ? aws->plan.region : aws->found_region;
}

static void answer_kept(struct aws *aws)
{
    const struct sigv4_credentials credentials = {
        aws->kept.access_key, aws->kept.secret_key, aws->kept.session_token};
    answer_all(aws, &(struct aws_answer){.credentials = &credentials,
                        .origin = aws->origin,
                        .expires_ms = aws->kept.expires_ms,
                        .region = region_of(aws),
                        .number = aws->kept_number,
                        .reason = ""});
}

static int64_t now_ms(const struct aws *aws)
{
    return clock_wall_ms() + aws->clock_offset_ms;
}

static bool kept_work(const struct aws *aws)
{
    return aws->kept.access_key && !aws->kept_refused && now_ms(aws) < aws->kept.expires_ms;
}

static void plan_renewal(struct aws *aws)
{
    loop_timer_unset(aws->renewal);
    if (aws->kept.expires_ms == INT64_MAX)
        return;
    int64_t left_ms = aws->kept.expires_ms - now_ms(aws);
    if (left_ms > 0)
        loop_timer_set(
            aws->renewal, clock_mono_ms() + aws_renewal_ms(left_ms, arc4random_uniform(1001)));
}

/* Old credentials that still work are better than none. */
static void fail(struct aws *aws, bool may_recover, const struct error *err)
{
    if (!kept_work(aws)) {
        answer_all(aws, &(struct aws_answer){.may_recover = may_recover, .reason = err->text});
        return;
    }
    if (reminder_due(&aws->trouble, err->text, clock_mono_ms()))
        log_warn("AWS credentials could not be renewed, the old ones still work: %s", err->text);
    loop_timer_set(aws->renewal, clock_mono_ms() + PAUSE_MS + arc4random_uniform(PAUSE_MS / 2));
    answer_kept(aws);
}

static char *origin_of(const struct aws_plan *plan)
{
    if (plan->role_count == 0)
        return xstrdup(plan->origin);
    return xasprintf(
        "the role %s, assumed with %s", plan->roles[plan->role_count - 1].arn, plan->origin);
}

/* Which provider it is, once, and again when it is another. */
static void note_renewed(struct aws *aws, char *origin)
{
    char until[RFC3339_SIZE] = "never";
    bool fresh = !aws->origin || strcmp(aws->origin, origin) != 0;
    if (aws->kept.expires_ms != INT64_MAX)
        rfc3339_format(aws->kept.expires_ms, until);
    if (fresh && aws->announce)
        log_info("AWS credentials come from %s, access key %.4s..., expiry: %s", origin,
            aws->kept.access_key, until);
    else
        log_debug("AWS credentials renewed from %s, expiry: %s", origin, until);
    free(aws->origin);
    aws->origin = origin;
}

static void run_done(
    void *arg, struct aws_temporary *temporary, bool may_recover, const struct error *err)
{
    struct aws *aws = arg;
    aws->run = NULL;
    if (!temporary) {
        fail(aws, may_recover, err);
        return;
    }
    aws_temporary_free(&aws->kept);
    aws->kept = *temporary;
    aws->kept_number++;
    aws->kept_fixed = aws->plan.of_environment && aws->plan.role_count == 0;
    aws->kept_refused = false;
    if (reminder_over(&aws->trouble))
        log_info("AWS credentials can be renewed again");
    note_renewed(aws, origin_of(&aws->plan));
    plan_renewal(aws);
    answer_kept(aws);
}

static void start_run(struct aws *aws)
{
    const char *region = region_of(aws);
    aws->run = aws_run_start(&(struct aws_run_setup){.loop = aws->loop,
        .plan = &aws->plan,
        .region = region ? region : "us-east-1",
        .clock_offset_ms = &aws->clock_offset_ms,
        .done = run_done,
        .arg = aws});
}

static void region_found(void *arg, const char *region)
{
    struct aws *aws = arg;
    aws->search = NULL;
    aws->found_region = region ? xstrdup(region) : NULL;
    if (region)
        log_debug("AWS region: %s, as the metadata of where this runs says", region);
    start_run(aws);
}

/* The files may say something else by now. */
static void start(struct aws *aws)
{
    struct error err;
    const struct aws_wishes wishes = {aws->role, aws->external_id, aws->session_name};
    aws_plan_free(&aws->plan);
    if (aws_plan_make(&aws->plan, &wishes, &err) < 0) {
        fail(aws, false, &err);
    } else if (aws->find_region && !region_of(aws)) {
        aws->find_region = false;
        aws->search = aws_region_find(aws->loop, region_found, aws);
    } else {
        start_run(aws);
    }
}

static void renew(void *arg)
{
    struct aws *aws = arg;
    if (!aws->run && !aws->search)
        start(aws);
}

static void serve(void *arg)
{
    struct aws *aws = arg;
    if (!aws->waiting)
        return;
    if (kept_work(aws))
        answer_kept(aws);
    else
        renew(aws);
}

struct aws *aws_open(const struct aws_setup *setup)
{
    struct aws *aws = xcalloc(1, sizeof *aws);
    aws->loop = setup->loop;
    aws->role = xstrdup_or_null(setup->wishes.role);
    aws->external_id = xstrdup_or_null(setup->wishes.external_id);
    aws->session_name = xstrdup_or_null(setup->wishes.session_name);
    aws->region = xstrdup_or_null(setup->region);
    aws->find_region = setup->find_region;
    aws->announce = setup->announce;
    aws->timer = loop_timer_new(setup->loop, serve, aws);
    aws->renewal = loop_timer_new(setup->loop, renew, aws);
    return aws;
}

struct aws *aws_open_again(const struct aws *aws, struct loop *loop)
{
    struct aws *again = aws_open(&(struct aws_setup){.loop = loop,
        .wishes = {aws->role, aws->external_id, aws->session_name},
        .region = aws->region,
        .find_region = aws->find_region});
    again->found_region = xstrdup_or_null(aws->found_region);
    again->clock_offset_ms = aws->clock_offset_ms;
    again->kept = (struct aws_temporary){.access_key = xstrdup_or_null(aws->kept.access_key),
        .secret_key = xstrdup_or_null(aws->kept.secret_key),
        .session_token = xstrdup_or_null(aws->kept.session_token),
        .expires_ms = aws->kept.expires_ms};
    again->origin = xstrdup_or_null(aws->origin);
    again->kept_number = aws->kept_number;
    again->kept_fixed = aws->kept_fixed;
    again->kept_refused = aws->kept_refused;
    return again;
}

void aws_close(struct aws *aws)
{
    if (!aws)
        return;
    while (aws->waiting) {
        struct aws_request *request = aws->waiting;
        aws->waiting = request->next;
        free(request);
    }
    aws_run_cancel(aws->run);
    aws_region_cancel(aws->search);
    loop_timer_free(aws->timer);
    loop_timer_free(aws->renewal);
    aws_temporary_free(&aws->kept);
    aws_plan_free(&aws->plan);
    free(aws->origin);
    free(aws->role);
    free(aws->external_id);
    free(aws->session_name);
    free(aws->region);
    free(aws->found_region);
    free(aws);
}

struct aws_request *aws_get(
    struct aws *aws, void (*done)(void *arg, const struct aws_answer *answer), void *arg)
{
    struct aws_request *request = xcalloc(1, sizeof *request);
    *request = (struct aws_request){.aws = aws, .number = ++aws->asked, .done = done, .arg = arg};
    struct aws_request **last = &aws->waiting;
    while (*last)
        last = &(*last)->next;
    *last = request;
    loop_timer_set(aws->timer, clock_mono_ms());
    return request;
}

void aws_cancel(struct aws_request *request)
{
    if (!request)
        return;
    struct aws_request **at = &request->aws->waiting;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    free(request);
}

/* Several requests may have been under way with the same old ones: only the first of them has them
 * renewed. */
bool aws_renew(struct aws *aws, unsigned number)
{
    if (!aws->kept.access_key || (number == aws->kept_number && aws->kept_fixed))
        return false;
    aws->kept_refused = aws->kept_refused || number == aws->kept_number;
    return true;
}

int64_t *aws_clock_offset_ms(struct aws *aws)
{
    return &aws->clock_offset_ms;
}

bool aws_state(const struct aws *aws, struct aws_state *state)
{
    if (!aws->kept.access_key)
        return false;
    *state = (struct aws_state){aws->origin, aws->kept.expires_ms};
    return true;
}
