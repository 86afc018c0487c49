#include "commands/check_cloudwatch.h"

#include "agent/sampling/rds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/rds_metric.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t patience_ms = 60000;
static const int64_t window_ms = 15 * 60 * 1000;

char *check_cloudwatch_part(const struct config *config, size_t database)
{
    const struct cloudwatch_config *cloudwatch = &config->databases[database].cloudwatch;
    return cloudwatch->instance ? xasprintf("cloudwatch instance %s", cloudwatch->instance)
                                : xasprintf("cloudwatch cluster %s", cloudwatch->cluster);
}

struct question {
    const struct cloudwatch_target *target;
    char **names;
    size_t count;
    char *came;
    struct error *err;
    int status;
    bool done;
};

/* Metrics of which nothing came: another engine's, say, or a name that RDS does not have. */
static void list_missing(
    const struct question *question, const struct cloudwatch_lines *lines, struct buf *list)
{
    for (size_t i = 0; i < lines->count; i++)
        if (!lines->all[i].count)
            buf_printf(list, "%s%s", list->size ? ", " : "", question->names[i]);
}

static void say_what_came(struct question *question, const struct cloudwatch_result *result)
{
    struct buf missing;
    size_t count = 0;
    buf_init(&missing, 120);
    list_missing(question, &result->lines, &missing);
    for (size_t i = 0; i < result->lines.count; i++)
        count += result->lines.all[i].count > 0;
    int64_t age_ms = clock_wall_ms() - cloudwatch_lines_newest_ms(&result->lines);
    snprintf(question->came, CHECK_CLOUDWATCH_SIZE,
        "%zu of %zu metric%s came from %.40s%s%s%s; the newest minute ended %lld s ago", count,
        question->count, question->count == 1 ? "" : "s", result->region,
        missing.size ? " (nothing of " : "", missing.data, missing.size ? ")" : "",
        (long long)(age_ms > 0 ? age_ms / 1000 : 0));
    buf_free(&missing);
}

static void on_answer(void *arg, struct cloudwatch_result *result)
{
    struct question *question = arg;
    char reason[CLOUDWATCH_REASON_SIZE];
    question->done = true;
    question->status = -1;
    if (result->verdict.outcome != CLOUDWATCH_ANSWERED) {
        error_set(question->err, "%s", result->verdict.reason);
    } else if (!cloudwatch_lines_any(&result->lines)) {
        cloudwatch_no_data(question->target, result->region, &result->lines, reason);
        error_set(question->err, "%s", reason);
    } else {
        say_what_came(question, result);
        question->status = 0;
    }
    cloudwatch_lines_free(&result->lines);
}

int check_cloudwatch(struct loop *loop, const struct config *config, size_t database,
    char came[CHECK_CLOUDWATCH_SIZE], struct error *err)
{
    struct cloudwatch_target target;
    rds_target(&config->databases[database], &target);
    struct question question = {.target = &target, .came = came, .err = err};
    question.names = rds_names(config, &config->databases[database], &question.count);
    struct cloudwatch *cloudwatch = cloudwatch_open(loop, &target, config->service, false);
    int64_t now_ms = clock_wall_ms();
    const struct cloudwatch_query query = {.metrics = (const char *const *)question.names,
        .count = question.count,
        .from_ms = now_ms - window_ms,
        .to_ms = now_ms};
    cloudwatch_ask(cloudwatch, &query, on_answer, &question);
    if (!loop_run_until(loop, &question.done, clock_mono_ms() + patience_ms))
        question.status = error_set(err, "CloudWatch does not answer: is there a way to it?");
    cloudwatch_close(cloudwatch);
    rds_free_names(question.names, question.count);
    return question.status;
}
