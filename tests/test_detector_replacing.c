/* The detector where limits.per_hour is reached and a fire may take the place of an incident. */
#include "agent/detection/detector.h"

#include "agent/kinds.h"
#include "config/config.h"
#include "core/series.h"
#include "triggers/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    const char *refusal;
    char said[400];
};

static void write_down(void *arg, const struct detector_event *event)
{
    static const char *const names[] = {"fire", "clear", "suppressed"};
    struct bench *bench = arg;
    size_t used = strlen(bench->said);
    snprintf(bench->said + used, sizeof bench->said - used, "%lld %s%s%s%s%s; ",
        (long long)event->time_ms, names[event->type], event->by ? " by " : "",
        event->by ? event->by : "", event->replaces ? " replaces " : "",
        event->replaces ? event->replaces : "");
}

static const char *refuse(void *arg)
{
    return ((struct bench *)arg)->refusal;
}

static const char *replaceable(void *arg, const struct detector_event *event)
{
    (void)arg;
    return event->value > 95 ? "old" : NULL;
}

static void feed(
    struct detector *detector, struct series_set *series, int64_t time_ms, double value)
{
    series_push(series_set_add(series, "cpu"), time_ms, value);
    detector_check(detector);
}

/* What refuses all incidents, such as a full spool, refuses this one, too. */
static void a_worse_spike_fires_over_the_limit_an_hour(void **unused)
{
    (void)unused;
    static char given[] = "80%", name[] = "a";
    static const char *const metric = "cpu";
    static const enum unit unit = UNIT_PERCENT;
    size_t order = 0, kind = 0;
    while (trigger_kinds[kind] != &trigger_threshold)
        kind++;
    struct threshold_options options = {.above = {.value = 80, .text = given}};
    struct trigger_config trigger = {.name = name,
        .kind = kind,
        .options = &options,
        .scope = {.metrics = &metric, .units = &unit, .metric_count = 1}};
    struct config config = {.triggers = &trigger, .trigger_count = 1, .trigger_order = &order};
    config.limits.per_hour = 1;
    struct bench bench = {NULL};
    struct detector_hooks hooks = {
        .event = write_down, .refusal = refuse, .replaceable = replaceable, .arg = &bench};
    struct series_set series;
    series_set_init(&series, 8);
    struct detector *detector = detector_open(&config, &series, true, &hooks);
    feed(detector, &series, 1000, 97);
    feed(detector, &series, 2000, 70);
    feed(detector, &series, 3000, 90);
    bench.refusal = "the spool is full";
    feed(detector, &series, 4000, 96);
    bench.refusal = NULL;
    feed(detector, &series, 5000, 96);
    assert_string_equal(
        bench.said, "1000 fire; 2000 clear; 3000 suppressed by limit; 5000 fire replaces old; ");
    detector_close(detector);
    series_set_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worse_spike_fires_over_the_limit_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
