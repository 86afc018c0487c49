#include "agent/detection/gate.h"

#include "agent/kinds.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR_MS = 3600000 };

static size_t threshold_index(void)
{
    size_t i = 0;
    while (trigger_kinds[i] != &trigger_threshold)
        i++;
    return i;
}

/* A trigger "a" on cpu of a single app, with a cooldown of 5 min. */
struct bench {
    struct trigger_config trigger;
    struct app_config app;
    struct config config;
    struct gate *gate;
};

static const char *const cpu = "cpu";

static void start(struct bench *bench, int64_t per_hour, int64_t quiet_ms, bool limits)
{
    bench->trigger = (struct trigger_config){.kind = threshold_index(),
        .cooldown_ms = 300000,
        .scope = {.metrics = &cpu, .metric_count = 1}};
    bench->config = (struct config){.triggers = &bench->trigger,
        .trigger_count = 1,
        .apps = &bench->app,
        .app_count = 1,
        .quiet = {.after_start_ms = quiet_ms}};
    bench->config.limits.per_hour = per_hour;
    bench->gate = gate_open(&bench->config, limits);
}

static void assert_forbids(
    const struct bench *bench, int64_t time_ms, bool joins, const char *by, const char *why)
{
    char said[GATE_WHY_SIZE] = "";
    const char *what = gate_forbids(bench->gate, 0, time_ms, joins, said);
    assert_string_equal(what ? what : "nothing", by);
    assert_string_equal(said, why);
}

static void a_cooldown_runs_from_the_fire(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, 9, 0, true);
    assert_forbids(&bench, 1000, false, "nothing", "");
    gate_count_fire(bench.gate, 0, 1000);
    assert_forbids(&bench, 1000, false, "cooldown", "its cooldown lasts another 5 min");
    assert_forbids(&bench, 300999, true, "cooldown", "its cooldown lasts another 1 ms");
    assert_true(gate_cooldown_until_ms(bench.gate, 0, 300999) == 301000);
    assert_forbids(&bench, 301000, false, "nothing", "");
    assert_true(gate_cooldown_until_ms(bench.gate, 0, 301000) == INT64_MIN);
    assert_true(gate_last_fire_ms(bench.gate, 0) == 1000);
    gate_close(bench.gate);
}

static void the_hour_slides(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, 2, 0, true);
    gate_count_opening(bench.gate, 1000);
    assert_forbids(&bench, 2000, false, "nothing", "");
    gate_count_opening(bench.gate, 5000);
    assert_forbids(
        &bench, 6000, false, "limit", "limits.per_hour: 2; there is room in 59 min 55 s");
    assert_forbids(&bench, 6000, true, "nothing", ""); /* it opens no incident of its own */
    assert_forbids(
        &bench, 999 + HOUR_MS, false, "limit", "limits.per_hour: 2; there is room in 1 ms");
    assert_forbids(&bench, 1000 + HOUR_MS, false, "nothing", "");
    gate_count_opening(bench.gate, 1000 + HOUR_MS);
    assert_forbids(
        &bench, 4999 + HOUR_MS, false, "limit", "limits.per_hour: 2; there is room in 1 ms");
    assert_forbids(&bench, 5000 + HOUR_MS, false, "nothing", "");
    gate_close(bench.gate);
}

static void an_opening_that_was_none_makes_room_again(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, 2, 0, true);
    gate_uncount_opening(bench.gate, 1000); /* there is none */
    gate_count_opening(bench.gate, 1000);
    gate_count_opening(bench.gate, 5000);
    gate_uncount_opening(bench.gate, 5000);
    assert_forbids(&bench, 6000, false, "nothing", "");
    gate_count_opening(bench.gate, 7000);
    gate_uncount_opening(bench.gate, 1000); /* not the newest */
    assert_forbids(&bench, 8000, false, "nothing", "");
    gate_count_opening(bench.gate, 9000);
    assert_forbids(
        &bench, 10000, false, "limit", "limits.per_hour: 2; there is room in 59 min 57 s");
    gate_close(bench.gate);
}

static void without_limits_only_quiet_counts(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, 1, 60000, false);
    gate_app_started(bench.gate, 0, 0);
    gate_count_fire(bench.gate, 0, 70000);
    gate_count_opening(bench.gate, 70000);
    assert_forbids(&bench, 30000, false, "quiet",
        "the app has started just now; quiet.after_start lasts another 30 s");
    assert_forbids(&bench, 71000, false, "nothing", "");
    gate_close(bench.gate);
}

static void quiet_lasts_from_the_apps_start(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, 9, 180000, true);
    assert_forbids(&bench, 0, false, "nothing", ""); /* no start is known yet */
    gate_app_started(bench.gate, 0, -100000);        /* before the agent's */
    assert_forbids(&bench, 79999, false, "quiet",
        "the app has started just now; quiet.after_start lasts another 1 ms");
    assert_forbids(&bench, 79999, true, "quiet",
        "the app has started just now; quiet.after_start lasts another 1 ms");
    assert_forbids(&bench, 80000, false, "nothing", "");
    gate_app_started(bench.gate, 0, 500000); /* it was restarted */
    assert_forbids(&bench, 500000, false, "quiet",
        "the app has started just now; quiet.after_start lasts another 3 min");
    assert_forbids(&bench, 680000, false, "nothing", "");
    gate_close(bench.gate);
}

/* A kill and a restart are what begins the quiet. */
static void the_end_of_an_app_breaks_the_quiet(void **unused)
{
    (void)unused;
    static const char *const names[] = {"oom_kills", "restarts", "api.restarts", "memory"};
    struct bench bench;
    for (size_t i = 0; i < 4; i++) {
        start(&bench, 9, 180000, true);
        bench.trigger.scope.metrics = &names[i];
        gate_app_started(bench.gate, 0, 0);
        char why[GATE_WHY_SIZE];
        assert_int_equal(gate_forbids(bench.gate, 0, 1000, false, why) != NULL, i == 3);
        gate_close(bench.gate);
    }
}

/* What foresees the end of memory is never silenced; on another metric it is. */
static void memory_forecasts_break_the_quiet(void **unused)
{
    (void)unused;
    static const char *const names[] = {"memory", "memory.bytes", "api.memory", "cpu"};
    struct bench bench;
    size_t kind = 0;
    while (trigger_kinds[kind] && !trigger_kinds[kind]->foresees)
        kind++;
    assert_non_null(trigger_kinds[kind]);
    for (size_t i = 0; i < 4; i++) {
        start(&bench, 9, 180000, true);
        bench.trigger.kind = kind;
        bench.trigger.scope.metrics = &names[i];
        gate_app_started(bench.gate, 0, 0);
        char why[GATE_WHY_SIZE];
        assert_int_equal(gate_forbids(bench.gate, 0, 1000, false, why) != NULL, i == 3);
        gate_close(bench.gate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cooldown_runs_from_the_fire),
        cmocka_unit_test(the_hour_slides),
        cmocka_unit_test(an_opening_that_was_none_makes_room_again),
        cmocka_unit_test(without_limits_only_quiet_counts),
        cmocka_unit_test(quiet_lasts_from_the_apps_start),
        cmocka_unit_test(the_end_of_an_app_breaks_the_quiet),
        cmocka_unit_test(memory_forecasts_break_the_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
