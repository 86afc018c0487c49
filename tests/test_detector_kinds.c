/* The detector over triggers as a configuration has them: several metrics, members, what recurs. */
#include "agent/detection/detector.h"

#include "config_text.h"
#include "core/error.h"
#include "core/series.h"
#include "traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "service: s\n"                                                                                 \
    "export: {directory: /captures}\n"                                                             \
    "database: {endpoint: 'd:1'}\n"
#define ONE_APP HEAD "app: {debug: 'http://h/'}\ntriggers:\n"

struct bench {
    struct config *config;
    struct series_set set;
    struct detector *detector;
    int64_t started_ms; /* what the `started` hook says */
    bool failing;       /* no incident can be opened */
    char said[4096];    /* "high fire 5; ...", in seconds */
};

static void write_down(void *arg, const struct detector_event *event)
{
    static const char *const names[] = {
        "fire", "clear", "suppressed", "hit", "miss", "recognised", "dormant", "arm"};
    struct bench *bench = arg;
    size_t used = strlen(bench->said);
    assert_true(event->reason && *event->reason);
    assert_int_equal(event->recurrence != NULL, event->type >= EVENT_HIT);
    snprintf(bench->said + used, sizeof bench->said - used, "%s%s %s %g%s%s", used ? "; " : "",
        bench->config->triggers[event->trigger].name, names[event->type],
        (double)event->time_ms / 1000, event->by ? " " : "", event->by ? event->by : "");
}

static int64_t started(void *arg, size_t app)
{
    (void)app;
    return ((struct bench *)arg)->started_ms;
}

static int open_incident(void *arg, const struct detector_event *event, struct error *err)
{
    assert_string_equal(event->reason, "oom_kills rose by 1 to 1");
    return ((struct bench *)arg)->failing ? error_set(err, "not now") : 0;
}

static void start(struct bench *bench, const char *text, bool limits)
{
    const struct detector_hooks hooks = {.event = write_down, .started = started, .arg = bench};
    *bench = (struct bench){.started_ms = INT64_MIN};
    bench->config = parse_config(text, (struct config_needs){.exporter = true});
    series_set_init(&bench->set, 64);
    bench->detector = detector_open(bench->config, &bench->set, limits, &hooks);
}

static void finish(struct bench *bench)
{
    detector_close(bench->detector);
    series_set_free(&bench->set);
    config_free(bench->config, &config_kinds);
}

static void push(struct bench *bench, const char *metric, double second, double value)
{
    series_push(series_set_add(&bench->set, metric), (int64_t)(second * 1000), value);
}

static void feed(struct bench *bench, const char *metric, double second, double value)
{
    push(bench, metric, second, value);
    detector_check(bench->detector);
}

static void assert_said(struct bench *bench, const char *expected)
{
    assert_string_equal(bench->said, expected);
    bench->said[0] = '\0';
}

static void members_are_asked_before_who_looks_at_them(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench,
        ONE_APP "  both: {all: [high, full], within: 5s}\n"
                "  high: {metric: cpu, above: 80%}\n"
                "  full: {metric: memory, above: 80%}\n",
        false);
    push(&bench, "cpu", 1, 10);
    push(&bench, "memory", 1, 10);
    push(&bench, "cpu", 2, 90);
    push(&bench, "memory", 2, 90);
    detector_check(bench.detector);
    assert_said(&bench, "high fire 2; full fire 2; both fire 2");
    feed(&bench, "cpu", 3, 10);
    assert_said(&bench, "high clear 3");
    feed(&bench, "memory", 4, 10);
    assert_said(&bench, "full clear 4");
    feed(&bench, "cpu", 9, 10);
    assert_said(&bench, "both clear 9");
    finish(&bench);
}

/* A metric whose samples come late is looked at when they come; nobody's time falls. */
static void late_samples_do_not_turn_time_back(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench,
        ONE_APP "  either: {any: [high, full]}\n"
                "  high: {metric: cpu, above: 80%}\n"
                "  full: {metric: memory, above: 80%}\n",
        false);
    feed(&bench, "memory", 10, 10);
    feed(&bench, "memory", 11, 10);
    feed(&bench, "cpu", 5, 90);
    assert_said(&bench, "high fire 5; either fire 11");
    finish(&bench);
}

/* A metric that is not there any more is no reason for anything. */
static void a_member_without_samples_is_not_true(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench,
        ONE_APP "  both: {all: [high, full], within: 5s}\n"
                "  high: {metric: cpu, above: 80%}\n"
                "  full: {metric: memory, above: 80%}\n",
        false);
    for (int second = 0; second < 60; second++) {
        if (second < 20)
            push(&bench, "cpu", second, 90);
        feed(&bench, "memory", second, second < 40 ? 10 : 90);
    }
    assert_said(&bench, "high fire 0; full fire 40");
    struct detector_status status;
    detector_status(bench.detector, 1, &status);
    assert_false(status.holds);
    finish(&bench);
}

static void each_counter_event_is_told(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, ONE_APP "  killed: {metric: oom_kills, increases: 1, cooldown: 10s}\n", true);
    for (int second = 0; second < 5; second++)
        feed(&bench, "oom_kills", second, second >= 3 ? 3 : second);
    feed(&bench, "oom_kills", 20, 4);
    assert_said(&bench,
        "killed fire 1; killed suppressed 2 cooldown; killed suppressed 3 cooldown; "
        "killed fire 20");
    finish(&bench);
}

static void quiet_follows_the_apps_own_start(void **unused)
{
    (void)unused;
    static const char text[] = HEAD "apps: {a: {debug: 'http://h/'}, b: {debug: 'http://h/'}}\n"
                                    "quiet: {after_start: 10s}\n"
                                    "triggers:\n"
                                    "  x: {metric: a.cpu, above: 80%, cooldown: 0s}\n"
                                    "  y: {metric: b.cpu, above: 80%, cooldown: 0s}\n";
    struct bench bench;
    start(&bench, text, true);
    feed(&bench, "a.cpu", 0, 90);
    assert_said(&bench, "x suppressed 0 quiet");
    feed(&bench, "a.cpu", 10, 90);
    assert_said(&bench, "x fire 10");
    push(&bench, "a.restarts", 20, 0);
    feed(&bench, "a.restarts", 21, 1);
    feed(&bench, "b.cpu", 22, 90); /* the other app was not restarted */
    push(&bench, "a.cpu", 22, 10);
    feed(&bench, "a.cpu", 23, 90);
    feed(&bench, "a.cpu", 31, 90);
    assert_said(&bench, "y fire 22; x clear 22; x suppressed 23 quiet; x fire 31");
    finish(&bench);

    start(&bench, text, true);
    bench.started_ms = -8000; /* known: long before the agent's */
    feed(&bench, "a.cpu", 1, 90);
    feed(&bench, "a.cpu", 2, 90);
    assert_said(&bench, "x suppressed 1 quiet; x fire 2");
    finish(&bench);
}

/* Excursions of 3 s every 20 s, from the first second on. */
static void play_rounds(struct bench *bench, int from_s, int rounds)
{
    for (int second = from_s; second < from_s + 20 * rounds; second++)
        feed(bench, "cpu", second, (second - from_s) % 20 < 3 ? 90 : 10);
}

static const char rounds_text[] = ONE_APP "  rounds: {recurs: {of: high, period: 10s..1m}}\n"
                                          "  high: {metric: cpu, above: 80%, cooldown: 1h}\n";

static void what_recurs_is_told_in_order(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, rounds_text, true);
    play_rounds(&bench, 0, 6);
    /* The onsets count, whatever the cooldown does to the fires. */
    const char *recognised = strstr(bench.said, "rounds recognised ");
    assert_non_null(recognised);
    const char *armed = strstr(recognised, "rounds arm "), *hit = strstr(recognised, "rounds hit ");
    assert_true(armed && hit && armed < hit);
    assert_null(strstr(bench.said, "rounds miss"));

    const struct recurrence *pattern = detector_pattern_of(bench.detector, 1);
    assert_non_null(pattern);
    assert_true(pattern->period_s > 19 && pattern->period_s < 21);
    assert_null(detector_pattern_of(bench.detector, 0));
    struct detector_status status;
    detector_status(bench.detector, 0, &status);
    assert_true(status.holds && status.recurrence && status.fires == 0);
    assert_string_equal(status.told, "");
    detector_status(bench.detector, 1, &status);
    assert_int_equal(status.fires, 1);
    assert_true(status.suppressed >= 4 && strstr(status.told, "cooldown"));

    bench.said[0] = '\0';
    for (int second = 120; second < 400; second++)
        feed(&bench, "cpu", second, 10);
    const char *miss = strstr(bench.said, "rounds miss"), *dormant = strstr(bench.said, "dormant");
    assert_true(miss && dormant && miss < dormant);
    assert_null(strstr(dormant, "arm"));
    assert_null(detector_pattern_of(bench.detector, 1));
    finish(&bench);
}

static void what_was_learned_can_be_taken_up(void **unused)
{
    (void)unused;
    struct bench bench, next;
    start(&bench, rounds_text, true);
    play_rounds(&bench, 0, 5);
    size_t count, none;
    const int64_t *onsets_ms = detector_learned(bench.detector, 0, &count);
    assert_int_equal(count, 5);
    assert_null(detector_learned(bench.detector, 1, &none));

    start(&next, rounds_text, true);
    detector_restore_onsets(next.detector, 0, onsets_ms, count);
    finish(&bench);
    feed(&next, "cpu", 99, 10);
    assert_said(&next, "rounds arm 99");
    play_rounds(&next, 100, 1);
    assert_non_null(strstr(next.said, "rounds hit 100"));
    finish(&next);
}

/* What was said of one trigger, with one word for each event. */
static void assert_heard(const struct bench *bench, const char *trigger, const char *expected)
{
    char heard[1024] = "", name[64];
    size_t length = (size_t)snprintf(name, sizeof name, "%s ", trigger);
    for (const char *at = bench->said; *at;) {
        size_t size = strcspn(at, ";");
        if (!strncmp(at, name, length))
            snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s%.*s",
                *heard ? " " : "", (int)strcspn(at + length, " "), at + length);
        at += size;
        at += strspn(at, "; ");
    }
    assert_string_equal(heard, expected);
}

/* The built-in set over recorded traces. rounds.csv: a sample every 10 s; rounds every 10 minutes
 * that begin up to 10 s early or late, of which the fifth is missed; leak.csv: memory is filled
 * within 100 s, and the process is killed for it. */
static void recorded_traces_say_what_they_should(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, HEAD "app: {debug: 'http://h/'}\n", false);
    trace_play("fixtures/traces/rounds.csv", &bench.set, bench.detector);
    assert_heard(
        &bench, "cpu-spike", "fire clear fire clear fire clear fire clear fire clear fire clear");
    assert_heard(
        &bench, "db-burst", "fire clear fire clear fire clear fire clear fire clear fire clear");
    assert_heard(&bench, "recurring", "recognised arm miss arm hit arm hit arm miss arm");
    assert_heard(&bench, "cpu-high", "");
    finish(&bench);

    start(&bench, HEAD "app: {debug: 'http://h/'}\n", false);
    trace_play("fixtures/traces/leak.csv", &bench.set, bench.detector);
    assert_said(&bench, "before-oom fire 285; killed fire 345; before-oom clear 346");
    finish(&bench);
}

/* It comes as an incident is just being completed, and holds for one sample. */
static void a_kill_that_opens_nothing_is_tried_again(void **unused)
{
    (void)unused;
    struct bench bench;
    start(&bench, ONE_APP "  killed: {metric: oom_kills, increases: 1}\n", false);
    const struct detector_hooks hooks = {.event = write_down, .open = open_incident, .arg = &bench};
    detector_close(bench.detector);
    bench.detector = detector_open(bench.config, &bench.set, true, &hooks);
    bench.failing = true;
    feed(&bench, "oom_kills", 1, 0);
    feed(&bench, "oom_kills", 2, 1);
    feed(&bench, "oom_kills", 3, 1);
    bench.failing = false;
    feed(&bench, "oom_kills", 4, 1);
    feed(&bench, "oom_kills", 5, 1);
    assert_said(&bench, "killed suppressed 2 failure; killed fire 4");
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_asked_before_who_looks_at_them),
        cmocka_unit_test(late_samples_do_not_turn_time_back),
        cmocka_unit_test(a_member_without_samples_is_not_true),
        cmocka_unit_test(each_counter_event_is_told),
        cmocka_unit_test(quiet_follows_the_apps_own_start),
        cmocka_unit_test(what_recurs_is_told_in_order),
        cmocka_unit_test(what_was_learned_can_be_taken_up),
        cmocka_unit_test(recorded_traces_say_what_they_should),
        cmocka_unit_test(a_kill_that_opens_nothing_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
