#include "sources/cloudwatch/cloudwatch.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_query.h"
#include "core/error.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t timeout_ms = 20000;

struct cloudwatch {
    struct loop *loop;
    const struct cloudwatch_target *target;
    struct aws *aws;
    char *form; /* what is being asked; NULL: nothing */
    size_t metrics;
    struct aws_query *query;
    void (*done)(void *arg, struct cloudwatch_result *result);
    void *arg;
};

struct cloudwatch *cloudwatch_open(
    struct loop *loop, const struct cloudwatch_target *target, const char *service, bool announce)
{
    struct cloudwatch *cloudwatch = xcalloc(1, sizeof *cloudwatch);
    cloudwatch->loop = loop;
    cloudwatch->target = target;
    char *session_name = xasprintf("stakeout-%s", service);
    cloudwatch->aws = aws_open(&(struct aws_setup){.loop = loop,
        .wishes = {target->role, target->external_id, session_name},
        .region = target->region,
        .find_region = true,
        .announce = announce});
    free(session_name);
    return cloudwatch;
}

void cloudwatch_close(struct cloudwatch *cloudwatch)
{
    if (!cloudwatch)
        return;
    aws_query_cancel(cloudwatch->query);
    aws_close(cloudwatch->aws);
    free(cloudwatch->form);
    free(cloudwatch);
}

bool cloudwatch_is_asking(const struct cloudwatch *cloudwatch)
{
    return cloudwatch->form != NULL;
}

char *cloudwatch_series(const struct cloudwatch_target *target, const char *metric)
{
    return target->name ? xasprintf("rds.%s.%s", target->name, metric)
                        : xasprintf("rds.%s", metric);
}

static void answered(void *arg, const struct aws_query_answer *answer)
{
    struct cloudwatch *cloudwatch = arg;
    struct cloudwatch_result result = {.region = answer->region};
    const struct http_result *http = answer->http;
    cloudwatch->query = NULL;
    if (http) {
        cloudwatch_lines_init(&result.lines, cloudwatch->metrics);
        cloudwatch_judge(cloudwatch->target, answer->region,
            &(struct cloudwatch_answer){.outcome = http->outcome,
                .status = http->status,
                .error = http->error->text,
                .body = http->body.data,
                .size = http->body.size},
            &result.lines, &result.verdict);
    } else {
        result.verdict.outcome = answer->may_recover ? CLOUDWATCH_RETRY : CLOUDWATCH_REFUSED;
        snprintf(
            result.verdict.reason, sizeof result.verdict.reason, "CloudWatch: %s", answer->reason);
    }
    free(cloudwatch->form);
    cloudwatch->form = NULL;
    cloudwatch->done(cloudwatch->arg, &result);
}

/* https://docs.aws.amazon.com/general/latest/gr/cw_region.html */
void cloudwatch_ask(struct cloudwatch *cloudwatch, const struct cloudwatch_query *query,
    void (*done)(void *arg, struct cloudwatch_result *result), void *arg)
{
    const struct cloudwatch_target *target = cloudwatch->target;
    cloudwatch->form = cloudwatch_form(target, query);
    cloudwatch->metrics = query->count;
    cloudwatch->done = done;
    cloudwatch->arg = arg;
    cloudwatch->query = aws_query_ask(cloudwatch->loop,
        &(struct aws_query_question){.aws = cloudwatch->aws,
            .service = "monitoring",
            .title = "AWS CloudWatch",
            .region = target->region,
            .endpoint = target->endpoint,
            .variable = "AWS_ENDPOINT_URL_CLOUDWATCH",
            .ca_file = target->ca_file,
            .form = cloudwatch->form,
            .timeout_ms = timeout_ms,
            .max_answer_bytes = CLOUDWATCH_ANSWER_MAX},
        answered, cloudwatch);
}
