/* Polls CloudWatch for what triggers look at: the newest minutes, once a minute. */
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/rds_metric.h"
#include "core/series.h"
#include "sources/cloudwatch/cloudwatch.h"
#include "sources/source.h"

#include <stdlib.h>

/* What is late by more is no news, and the answer stays small. */
static const int64_t window_ms = 10 * 60 * 1000;

struct database {
    struct poller *poller;
    const struct cloudwatch_polling *polling;
    struct cloudwatch *cloudwatch;
    struct series **series; /* by metric */
    int64_t due_ms;         /* monotonic */
    struct error error;     /* "": the last answer was good */
};

struct poller {
    const struct source_setup *setup;
    struct database *databases;
    size_t count;
    int64_t opened_ms; /* monotonic: what is of long before is no news */
};

static void poller_close(void *self)
{
    struct poller *poller = self;
    for (size_t i = 0; i < poller->count; i++) {
        cloudwatch_close(poller->databases[i].cloudwatch);
        free(poller->databases[i].series);
    }
    free(poller->databases);
    free((void *)poller->setup);
    free(poller);
}

static void *poller_open(const struct source_setup *setup, struct error *err)
{
    (void)err;
    const struct cloudwatch_options *options = setup->options;
    struct poller *poller = xcalloc(1, sizeof *poller);
    struct source_setup *own = xcalloc(1, sizeof *own);
    *own = *setup;
    poller->setup = own;
    poller->opened_ms = clock_mono_ms();
    poller->count = options->count;
    poller->databases = xcalloc(options->count, sizeof *poller->databases);
    for (size_t i = 0; i < options->count; i++) {
        struct database *database = &poller->databases[i];
        const struct cloudwatch_polling *polling = &options->databases[i];
        database->poller = poller;
        database->polling = polling;
        database->cloudwatch = cloudwatch_open(
            setup->loop, &polling->target, polling->service, true);
        database->series = xcalloc(polling->count, sizeof *database->series);
        for (size_t j = 0; j < polling->count; j++) {
            char *name = cloudwatch_series(&polling->target, polling->metrics[j]);
            database->series[j] = series_set_add(setup->series, name);
            free(name);
        }
    }
    return poller;
}

/* Points are of wall time, samples of the monotonic clock's. Those that were pushed before do not
 * rise, and are left out: a clock that is set by less than a minute brings none of them twice. */
static bool push(const struct database *database, const struct cloudwatch_lines *lines)
{
    int64_t now_ms = clock_mono_ms(), offset_ms = clock_wall_ms() - now_ms;
    bool pushed = false;
    for (size_t i = 0; i < lines->count; i++) {
        struct series *series = database->series[i];
        const struct cloudwatch_line *line = &lines->all[i];
        for (size_t j = 0; j < line->count; j++) {
            const struct sample *newest = series_at(series, 0);
            int64_t time_ms = line->points[j].time_ms - offset_ms;
            if (time_ms < database->poller->opened_ms - RDS_LATE_MS || time_ms > now_ms ||
                (newest && time_ms < newest->time_ms + RDS_PERIOD_MS / 2))
                continue;
            series_push(series, time_ms, line->points[j].value);
            pushed = true;
        }
    }
    return pushed;
}

static void on_answer(void *arg, struct cloudwatch_result *result)
{
    struct database *database = arg;
    const struct cloudwatch_target *target = &database->polling->target;
    const struct source_setup *setup = database->poller->setup;
    char reason[CLOUDWATCH_REASON_SIZE];
    bool pushed = false;
    database->error.text[0] = '\0';
    if (result->verdict.outcome != CLOUDWATCH_ANSWERED) {
        error_set(&database->error, "%s", result->verdict.reason);
    } else if (!cloudwatch_lines_any(&result->lines)) {
        cloudwatch_no_data(target, result->region, &result->lines, reason);
        error_set(&database->error, "%s", reason);
    } else {
        pushed = push(database, &result->lines);
    }
    cloudwatch_lines_free(&result->lines);
    if (pushed)
        setup->sampled(setup->arg);
}

static void poll(struct database *database)
{
    int64_t wall_ms = clock_wall_ms();
    const struct cloudwatch_query query = {.metrics = database->polling->metrics,
        .count = database->polling->count,
        .from_ms = wall_ms - window_ms,
        .to_ms = wall_ms};
    cloudwatch_ask(database->cloudwatch, &query, on_answer, database);
}

static int poller_sample(void *self, int64_t now_ms, struct error *err)
{
    struct poller *poller = self;
    int status = 0;
    for (size_t i = 0; i < poller->count; i++) {
        struct database *database = &poller->databases[i];
        if (now_ms >= database->due_ms && !cloudwatch_is_asking(database->cloudwatch)) {
            database->due_ms = now_ms + RDS_PERIOD_MS;
            poll(database);
        }
        if (database->error.text[0] && status == 0)
            status = error_set(err, "%s", database->error.text);
    }
    return status;
}

static void poller_describe(void *self, void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct poller *poller = self;
    size_t count = 0;
    for (size_t i = 0; i < poller->count; i++)
        count += poller->databases[i].polling->count;
    char *sentence = xasprintf(
        "%zu metric%s of CloudWatch %s polled once a minute, as a trigger looks at %s, and comes "
        "minutes late; AWS counts %zu metrics a month for that",
        count, count == 1 ? "" : "s", count == 1 ? "is" : "are", count == 1 ? "it" : "them",
        count * 60 * 24 * 30);
    say(arg, sentence);
    free(sentence);
}

const struct source_kind source_cloudwatch = {
    .kind = {.name = "cloudwatch", .help = "RDS's metrics, from CloudWatch, once a minute"},
    .open = poller_open,
    .sample = poller_sample,
    .describe = poller_describe,
    .close = poller_close,
};
