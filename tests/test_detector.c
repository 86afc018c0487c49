#include "agent/detection/detector.h"

#include "agent/kinds.h"
#include "config/config.h"
#include "core/error.h"
#include "core/series.h"
#include "traces.h"
#include "triggers/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_STEPS = 24, MAX_TRIGGERS = 2 };

/* A detector over threshold triggers "above 80" with all that it says written down. */
struct bench {
    struct threshold_options options[MAX_TRIGGERS];
    struct trigger_config triggers[MAX_TRIGGERS];
    struct config config;
    struct series_set set;
    struct detector *detector;
    bool running;
    const char *refusal, *failure;
    double known_up_to; /* what is known already, for trigger "a" */
    char asked[64];     /* of the open hook: "x", or "+" where it was told that it is asked again */
    char said[4096];    /* "a fire 5000 cooldown; ..." */
    char reason[512];
};

static void write_down(void *arg, const struct detector_event *event)
{
    static const char *const names[] = {"fire", "clear", "suppressed"};
    struct bench *bench = arg;
    size_t used = strlen(bench->said);
    snprintf(bench->said + used, sizeof bench->said - used, "%s%s %s %lld%s%s%s", used ? "; " : "",
        bench->triggers[event->trigger].name, names[event->type], (long long)event->time_ms,
        event->by ? " " : "", event->by ? event->by : "", event->joins ? " joins" : "");
    snprintf(
        bench->reason, sizeof bench->reason, "%lld %s", (long long)event->onset_ms, event->reason);
}

static bool is_running(void *arg, size_t app)
{
    assert_int_equal(app, 3);
    return ((struct bench *)arg)->running;
}

static const char *refuse(void *arg)
{
    return ((struct bench *)arg)->refusal;
}

static bool is_known(void *arg, const struct detector_event *event, char why[DETECTOR_WHY_SIZE])
{
    struct bench *bench = arg;
    assert_false(event->joins);
    snprintf(why, DETECTOR_WHY_SIZE, "it is known");
    return event->trigger == 0 && event->value <= bench->known_up_to;
}

static int open_incident(void *arg, const struct detector_event *event, struct error *err)
{
    struct bench *bench = arg;
    assert_int_equal(event->type, EVENT_FIRE);
    strcat(bench->asked, event->again ? "+" : "x");
    return bench->failure ? error_set(err, "%s", bench->failure) : 0;
}

static size_t threshold_index(void)
{
    size_t i = 0;
    while (trigger_kinds[i] != &trigger_threshold)
        i++;
    return i;
}

/* Triggers "a" on cpu and "b" on `metric`; no cooldown and room for 100 an hour, unless changed
 * before start(). */
static void prepare(struct bench *bench, const char *metric)
{
    static char given[] = "80%", a[] = "a", b[] = "b";
    static char other[32];
    static const char *const names[] = {"cpu", other};
    static const enum unit unit = UNIT_PERCENT;
    static size_t order[] = {0, 1};
    *bench = (struct bench){.running = false};
    snprintf(other, sizeof other, "%s", metric);
    for (size_t i = 0; i < MAX_TRIGGERS; i++) {
        bench->options[i].above = (struct level){.value = 80, .text = given};
        bench->triggers[i] = (struct trigger_config){.name = i ? b : a,
            .kind = threshold_index(),
            .options = &bench->options[i],
            .scope = {.metrics = &names[i], .units = &unit, .metric_count = 1},
            .app = 3};
    }
    bench->config = (struct config){
        .triggers = bench->triggers, .trigger_count = MAX_TRIGGERS, .trigger_order = order};
    bench->config.limits.per_hour = 100;
    series_set_init(&bench->set, 16);
}

static void start(struct bench *bench, bool limits)
{
    struct detector_hooks hooks = {.event = write_down,
        .running = is_running,
        .refusal = refuse,
        .known = is_known,
        .open = open_incident,
        .arg = bench};
    bench->detector = detector_open(&bench->config, &bench->set, limits, &hooks);
}

static void feed(struct bench *bench, const char *metric, int64_t time_ms, double value)
{
    series_push(series_set_add(&bench->set, metric), time_ms, value);
    detector_check(bench->detector);
}

static void finish(struct bench *bench)
{
    detector_close(bench->detector);
    series_set_free(&bench->set);
}

static void assert_said(struct bench *bench, const char *expected)
{
    assert_string_equal(bench->said, expected);
    bench->said[0] = '\0';
}

/* One trigger, one metric: what comes out of which samples under which limits. */
static void cooldowns_and_limits_hold_fires_back(void **unused)
{
    (void)unused;
    static const struct {
        int64_t cooldown_ms, per_hour;
        bool limits_off;
        struct {
            int64_t time_ms;
            double value;
        } samples[MAX_STEPS];
        const char *said;
    } cases[] = {
        {.per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 9}},
            .said = "a fire 1000; a clear 2000; a fire 3000; a clear 4000"},
        /* The end of a cooldown is not in it. */
        {.cooldown_ms = 5000,
            .per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {6000, 90}, {7000, 9}},
            .said = "a fire 1000; a clear 2000; a fire 6000; a clear 7000"},
        {.cooldown_ms = 5000,
            .per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {5999, 90}, {6000, 9}},
            .said = "a fire 1000; a clear 2000; a suppressed 5999 cooldown; a clear 6000"},
        /* Still holding when it ends: it fires then, and a new cooldown begins there. */
        {.cooldown_ms = 5000,
            .per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 90}, {5000, 90}, {6000, 95},
                {7000, 90}, {8000, 9}, {10000, 90}, {11000, 90}, {12000, 9}},
            .said = "a fire 1000; a clear 2000; a suppressed 3000 cooldown; a fire 6000; "
                    "a clear 8000; a suppressed 10000 cooldown; a fire 11000; a clear 12000"},
        /* At the level, it neither holds nor is it clear: the fire waits on. */
        {.cooldown_ms = 5000,
            .per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {6000, 80}, {7000, 90}},
            .said = "a fire 1000; a clear 2000; a suppressed 3000 cooldown; a fire 7000"},
        /* Clear before the end: the fire is dropped. */
        {.cooldown_ms = 5000,
            .per_hour = 9,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 9}, {6000, 9}, {7000, 90}},
            .said = "a fire 1000; a clear 2000; a suppressed 3000 cooldown; a clear 4000; "
                    "a fire 7000"},
        /* An incident exactly an hour old does not count any more. */
        {.per_hour = 2,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 9}, {3600999, 90}, {3601000, 90},
                {3601001, 9}, {3602999, 90}, {3603000, 9}},
            .said = "a fire 1000; a clear 2000; a fire 3000; a clear 4000; "
                    "a suppressed 3600999 limit; a fire 3601000; a clear 3601001; "
                    "a suppressed 3602999 limit; a clear 3603000"},
        /* The reason changes from one to the other: that is said once more. */
        {.cooldown_ms = 5000,
            .per_hour = 1,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 90}, {6000, 90}, {7000, 90},
                {3600999, 90}, {3601000, 90}},
            .said = "a fire 1000; a clear 2000; a suppressed 3000 cooldown; "
                    "a suppressed 6000 limit; a fire 3601000"},
        {.per_hour = 0,
            .samples = {{1000, 90}, {2000, 9}},
            .said = "a suppressed 1000 limit; a clear 2000"},
        {.cooldown_ms = 5000,
            .per_hour = 1,
            .limits_off = true,
            .samples = {{1000, 90}, {2000, 9}, {3000, 90}, {4000, 9}},
            .said = "a fire 1000; a clear 2000; a fire 3000; a clear 4000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        prepare(&bench, "memory");
        bench.triggers[0].cooldown_ms = cases[i].cooldown_ms;
        bench.config.limits.per_hour = cases[i].per_hour;
        start(&bench, !cases[i].limits_off);
        for (size_t k = 0; k < MAX_STEPS && cases[i].samples[k].time_ms; k++)
            feed(&bench, "cpu", cases[i].samples[k].time_ms, cases[i].samples[k].value);
        assert_said(&bench, cases[i].said);
        finish(&bench);
    }
}

static void reasons_say_what_held_it_back(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.options[0].for_ms = 2000;
    bench.triggers[0].cooldown_ms = 60000;
    bench.config.limits.per_hour = 1;
    start(&bench, true);
    for (int64_t second = 1; second <= 3; second++)
        feed(&bench, "cpu", second * 1000, 90);
    assert_string_equal(bench.reason, "1000 cpu 90.0% above 80% for 2 s");
    feed(&bench, "cpu", 4000, 62.5);
    assert_string_equal(bench.reason, "1000 cpu 62.5%, clear again after 3 s");
    for (int64_t second = 5; second <= 7; second++)
        feed(&bench, "cpu", second * 1000, 91);
    assert_string_equal(bench.reason,
        "5000 cpu 91.0% above 80% for 2 s; held back: its cooldown lasts another 56 s");
    for (int64_t second = 8; second <= 63; second++)
        feed(&bench, "cpu", second * 1000, 92);
    assert_string_equal(bench.reason,
        "5000 cpu 92.0% above 80% for 2 s; held back: limits.per_hour: 1; there is room in 59 min");
    finish(&bench);
}

/* A spike that rises beyond what is known fires when it does; one that joins costs nothing. */
static void what_is_known_is_held_back_until_it_is_worse(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.known_up_to = 92;
    bench.triggers[0].cooldown_ms = 60000;
    start(&bench, true);
    feed(&bench, "cpu", 1000, 90);
    assert_string_equal(bench.reason, "1000 cpu 90.0% above 80%; held back: it is known");
    feed(&bench, "cpu", 2000, 92);
    feed(&bench, "cpu", 3000, 9);
    feed(&bench, "cpu", 4000, 91);
    feed(&bench, "memory", 4000, 91);
    feed(&bench, "cpu", 5000, 93);
    assert_said(&bench, "a suppressed 1000 known; a clear 3000; a suppressed 4000 known; "
                        "b fire 4000; a fire 5000");
    feed(&bench, "cpu", 6000, 9);
    feed(&bench, "cpu", 70000, 9);
    bench.running = true;
    feed(&bench, "cpu", 71000, 90);
    assert_said(&bench, "a clear 6000; a fire 71000 joins");
    finish(&bench);
}

static void a_fire_joins_a_running_incident(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.triggers[1].cooldown_ms = 5000;
    bench.config.limits.per_hour = 1;
    start(&bench, true);
    feed(&bench, "cpu", 1000, 90);
    assert_said(&bench, "a fire 1000");
    bench.running = true;
    bench.refusal = "the spool is full";
    feed(&bench, "memory", 2000, 90); /* neither per_hour nor the refusal stops it */
    feed(&bench, "memory", 3000, 9);
    feed(&bench, "memory", 4000, 90); /* but the cooldown that it has started */
    assert_said(&bench, "b fire 2000 joins; b clear 3000; b suppressed 4000 cooldown");
    feed(&bench, "memory", 7000, 90);
    feed(&bench, "memory", 8000, 9);
    assert_said(&bench, "b fire 7000 joins; b clear 8000");

    bench.running = false;
    bench.refusal = NULL;
    feed(&bench, "memory", 3600999, 90);
    feed(&bench, "memory", 3601000, 90); /* the joins did not count: only the first incident did */
    assert_said(&bench, "b suppressed 3600999 limit; b fire 3601000");
    finish(&bench);
}

static void a_held_fire_joins_what_another_trigger_opens(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.config.limits.per_hour = 0;
    start(&bench, true);
    feed(&bench, "cpu", 1000, 90);
    bench.running = true;
    feed(&bench, "cpu", 2000, 90);
    feed(&bench, "cpu", 3000, 90);
    assert_said(&bench, "a suppressed 1000 limit; a fire 2000 joins");
    finish(&bench);
}

static void a_refusal_holds_back_like_a_limit(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    start(&bench, true);
    bench.refusal = "the spool is full: 256 MiB";
    feed(&bench, "cpu", 1000, 90);
    feed(&bench, "cpu", 2000, 90);
    assert_string_equal(
        bench.reason, "1000 cpu 90.0% above 80%; held back: the spool is full: 256 MiB");
    bench.refusal = NULL;
    feed(&bench, "cpu", 3000, 90);
    assert_said(&bench, "a suppressed 1000 limit; a fire 3000");
    finish(&bench);
}

static void a_fire_that_opens_nothing_costs_nothing_and_is_tried_again(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.triggers[0].cooldown_ms = 60000;
    bench.config.limits.per_hour = 1;
    start(&bench, true);
    bench.failure = "cannot make a folder: no space";
    feed(&bench, "cpu", 1000, 90);
    feed(&bench, "cpu", 2000, 90);
    feed(&bench, "cpu", 3000, 90);
    assert_said(&bench, "a suppressed 1000 failure");
    assert_string_equal(bench.asked, "x++");
    assert_string_equal(
        bench.reason, "1000 cpu 90.0% above 80%; held back: cannot make a folder: no space");
    feed(&bench, "cpu", 4000, 9); /* the spell ends, and with it the tries */
    feed(&bench, "cpu", 5000, 9);
    feed(&bench, "cpu", 6000, 90);
    assert_said(&bench, "a clear 4000; a suppressed 6000 failure");
    assert_string_equal(bench.asked, "x++x");

    struct detector_status status;
    detector_status(bench.detector, 0, &status);
    assert_int_equal(status.fires, 0);
    assert_true(status.last_fire_ms == INT64_MIN && status.cooldown_until_ms == INT64_MIN);

    bench.failure = NULL; /* neither the cooldown nor per_hour was used up */
    feed(&bench, "cpu", 7000, 90);
    feed(&bench, "memory", 8000, 90);
    assert_said(&bench, "a fire 7000; b suppressed 8000 limit");
    assert_string_equal(bench.asked, "x++x+");
    finish(&bench);
}

static void samples_that_piled_up_are_all_looked_at_in_order(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    start(&bench, true);
    struct series *cpu = series_set_add(&bench.set, "cpu");
    struct series *memory = series_set_add(&bench.set, "memory");
    series_push(memory, 1500, 90);
    series_push(memory, 3000, 9);
    series_push(cpu, 1000, 90);
    series_push(cpu, 2000, 9);
    series_push(cpu, 3000, 90);
    detector_check(bench.detector);
    assert_said(&bench, "a fire 1000; b fire 1500; a clear 2000; a fire 3000; b clear 3000");
    detector_check(bench.detector); /* nothing twice */
    assert_said(&bench, "");
    finish(&bench);
}

static void samples_that_the_ring_lost_are_passed_over(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    start(&bench, true);
    struct series *cpu = series_set_add(&bench.set, "cpu");
    for (int64_t i = 1; i <= 20; i++) /* the ring holds 16 */
        series_push(cpu, i * 1000, i <= 4 || i == 20 ? 90 : 9);
    detector_check(bench.detector);
    assert_said(&bench, "a fire 20000");
    finish(&bench);
}

static void two_triggers_of_one_metric_go_in_the_files_order(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "cpu");
    bench.config.limits.per_hour = 1;
    start(&bench, true);
    feed(&bench, "memory", 500, 99); /* nobody's */
    feed(&bench, "cpu", 1000, 90);
    assert_said(&bench, "a fire 1000; b suppressed 1000 limit");
    finish(&bench);
}

static void the_status_tells_what_happened(void **unused)
{
    (void)unused;
    struct bench bench;
    struct detector_status status;
    prepare(&bench, "memory");
    bench.triggers[0].cooldown_ms = 5000;
    start(&bench, true);
    detector_status(bench.detector, 0, &status);
    assert_false(status.holds);
    assert_false(status.has_nearest);
    assert_true(status.last_fire_ms == INT64_MIN && status.cooldown_until_ms == INT64_MIN);

    feed(&bench, "cpu", 1000, 74.2);
    feed(&bench, "cpu", 2000, 90);
    feed(&bench, "cpu", 3000, 9);
    feed(&bench, "cpu", 4000, 90);
    detector_status(bench.detector, 0, &status);
    assert_true(status.holds);
    assert_int_equal(status.fires, 1);
    assert_int_equal(status.suppressed, 1);
    assert_int_equal(status.last_fire_ms, 2000);
    assert_int_equal(status.cooldown_until_ms, 7000);
    assert_true(status.has_nearest);
    assert_int_equal(status.nearest_ms, 1000);
    assert_string_equal(status.nearest, "74.2%, 5.8 points below 80%");

    feed(&bench, "memory", 7000, 9);
    detector_status(bench.detector, 0, &status);
    assert_true(status.cooldown_until_ms == INT64_MIN);
    finish(&bench);
}

static void recorded_traces_say_what_they_should(void **unused)
{
    (void)unused;
    struct bench bench;
    prepare(&bench, "memory");
    bench.options[0].for_ms = 10000;
    bench.triggers[0].cooldown_ms = 65000;
    bench.options[1].above.value = 50;
    start(&bench, true);
    /* Three cells are empty from 50 s on; the fire at 100 s waits for the cooldown until 105 s. */
    trace_play("fixtures/traces/spike.csv", &bench.set, bench.detector);
    assert_said(&bench, "a fire 40000; a clear 70000; a suppressed 100000 cooldown; b fire 101000; "
                        "a fire 105000; a clear 110000");
    finish(&bench);

    prepare(&bench, "memory");
    bench.options[0].for_ms = 10000;
    start(&bench, true);
    trace_play("fixtures/traces/spacing-changes.csv", &bench.set,
        bench.detector); /* 10 s, then 1 s apart */
    assert_said(&bench, "a fire 221037");
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cooldowns_and_limits_hold_fires_back),
        cmocka_unit_test(reasons_say_what_held_it_back),
        cmocka_unit_test(what_is_known_is_held_back_until_it_is_worse),
        cmocka_unit_test(a_fire_joins_a_running_incident),
        cmocka_unit_test(a_held_fire_joins_what_another_trigger_opens),
        cmocka_unit_test(a_refusal_holds_back_like_a_limit),
        cmocka_unit_test(a_fire_that_opens_nothing_costs_nothing_and_is_tried_again),
        cmocka_unit_test(samples_that_piled_up_are_all_looked_at_in_order),
        cmocka_unit_test(samples_that_the_ring_lost_are_passed_over),
        cmocka_unit_test(two_triggers_of_one_metric_go_in_the_files_order),
        cmocka_unit_test(the_status_tells_what_happened),
        cmocka_unit_test(recorded_traces_say_what_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
