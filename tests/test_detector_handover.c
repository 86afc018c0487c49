/* A detector that takes the place of another one, under another configuration. */
#include "agent/detection/detector.h"
#include "config_text.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 24 };

struct bench {
    struct config *config;
    struct series_set set;
    struct detector *detector;
    int64_t now_ms, started_ms;
    char said[2000]; /* "a fire 5; ..." */
};

static void write_down(void *arg, const struct detector_event *event)
{
    static const char *const names[] = {[EVENT_FIRE] = "fire",
        [EVENT_CLEAR] = "clear",
        [EVENT_SUPPRESSED] = "suppressed",
        [EVENT_ARM] = "arm"};
    struct bench *bench = arg;
    size_t used = strlen(bench->said);
    if (event->type <= EVENT_SUPPRESSED)
        snprintf(bench->said + used, sizeof bench->said - used, "%s%s %s %lld", used ? "; " : "",
            bench->config->triggers[event->trigger].name, names[event->type],
            (long long)event->time_ms / 1000);
}

static int64_t started(void *arg, size_t app)
{
    (void)app;
    return ((struct bench *)arg)->started_ms;
}

static struct config *parse(const char *rest)
{
    char *text = xasprintf(
        "service: x\napp: {debug: \"http://127.0.0.1:1/debug/pprof\"}\n%s", rest);
    struct config *config = parse_config(text, (struct config_needs){0});
    free(text);
    return config;
}

static struct detector *open_detector(struct bench *bench)
{
    struct detector_hooks hooks = {.event = write_down, .started = started, .arg = bench};
    return detector_open(bench->config, &bench->set, true, &hooks);
}

static void begin(struct bench *bench, const char *rest)
{
    *bench = (struct bench){.config = parse(rest), .started_ms = INT64_MIN};
    series_set_init(&bench->set, 4096);
    bench->detector = open_detector(bench);
}

/* The configuration before is gone after it. */
static void reload(struct bench *bench, const char *rest)
{
    struct detector *before = bench->detector;
    struct config *was = bench->config;
    bench->config = parse(rest);
    bench->detector = open_detector(bench);
    detector_take_over(bench->detector, before);
    detector_close(before);
    config_free(was, &config_kinds);
}

static void finish(struct bench *bench)
{
    detector_close(bench->detector);
    series_set_free(&bench->set);
    config_free(bench->config, &config_kinds);
}

static void feed(struct bench *bench, const char *metric, double value)
{
    series_push(series_set_add(&bench->set, metric), bench->now_ms, value);
}

static void step(struct bench *bench, double cpu)
{
    bench->now_ms += 1000;
    feed(bench, "cpu", cpu);
    detector_check(bench->detector);
}

static struct detector_status status_of(const struct bench *bench, const char *name)
{
    struct detector_status status = {0};
    for (size_t i = 0; i < bench->config->trigger_count; i++)
        if (!strcmp(bench->config->triggers[i].name, name))
            detector_status(bench->detector, i, &status);
    return status;
}

/* cpu a second; 0 ends the list. What is said is of both halves. */
static const struct {
    const char *what, *before, *after;
    double first[VALUES], then[VALUES];
    const char *said;
} cases[] = {
    {"an excursion that fired goes on", "a: {metric: cpu, above: 80%}",
        "a: {metric: cpu, above: 80%}", {9, 90, 90}, {90, 90, 9, 90},
        "a fire 2; a clear 6; a fire 7"},
    {"half of `for` is kept", "a: {metric: cpu, above: 80%, for: 4s}",
        "a: {metric: cpu, above: 80%, for: 4s}", {9, 90, 90}, {90, 90, 90}, "a fire 6"},
    {"another level begins anew and looks at nothing that is past", "a: {metric: cpu, above: 99%}",
        "a: {metric: cpu, above: 80%}", {9, 90, 90, 9}, {9, 90}, "a fire 6"},
    {"of an excursion under way, too", "a: {metric: cpu, above: 99%, for: 2s}",
        "a: {metric: cpu, above: 80%, for: 2s}", {90, 90, 90}, {90, 90, 90}, "a fire 6"},
    {"another name is another trigger", "a: {metric: cpu, above: 80%}",
        "b: {metric: cpu, above: 80%}", {9, 90, 90}, {90}, "a fire 2; b fire 4"},
    {"another order is none", "a: {metric: cpu, above: 80%}\n b: {metric: cpu, above: 95%}",
        "b: {metric: cpu, above: 95%}\n a: {metric: cpu, above: 80%}", {9, 90, 90}, {96, 9},
        "a fire 2; b fire 4; b clear 5; a clear 5"},
    {"what a fire does is not what is looked for", "a: {metric: cpu, above: 80%}",
        "a: {metric: cpu, above: 80%, capture: memory, cooldown: 1h}", {9, 90, 90}, {90, 9},
        "a fire 2; a clear 5"},
    {"another kind of the same name", "a: {metric: cpu, above: 80%}",
        "a: {metric: cpu, below: 20%}", {90, 90}, {90, 9}, "a fire 1; a fire 4"},
    {"members are those of the new one",
        "a: {metric: cpu, above: 80%}\n b: {metric: cpu, above: 90%}\n c: {all: [a, b]}",
        "z: {metric: cpu, above: 1%}\n b: {metric: cpu, above: 90%}\n a: {metric: cpu, above: "
        "80%}\n"
        " c: {all: [a, b]}",
        {9, 85, 85}, {95, 9},
        "a fire 2; z fire 4; b fire 4; c fire 4; b clear 5; a clear 5; c clear 5"},
    {"a composite goes on while it holds",
        "a: {metric: cpu, above: 80%}\n b: {metric: cpu, above: 90%}\n c: {any: [a, b]}",
        "b: {metric: cpu, above: 95%}\n a: {metric: cpu, above: 80%}\n c: {any: [a, b]}", {9, 91},
        {91, 9}, "a fire 2; b fire 2; c fire 2; a clear 4; c clear 4"},
};

static char *as_file(const char *triggers)
{
    return xasprintf("limits: {cooldown: 0s, per_hour: 100}\ntriggers:\n %s\n", triggers);
}

static void what_is_the_same_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        char *before = as_file(cases[i].before), *after = as_file(cases[i].after);
        begin(&bench, before);
        for (size_t j = 0; cases[i].first[j] > 0; j++)
            step(&bench, cases[i].first[j]);
        reload(&bench, after);
        for (size_t j = 0; cases[i].then[j] > 0; j++)
            step(&bench, cases[i].then[j]);
        if (strcmp(bench.said, cases[i].said) != 0)
            fail_msg("%s: \"%s\" and not \"%s\"", cases[i].what, bench.said, cases[i].said);
        finish(&bench);
        free(before);
        free(after);
    }
}

static void a_learned_baseline_is_kept(void **state)
{
    static const char same[] = "triggers:\n s: {metric: cpu, spike: {}}\n";
    static const char other[] = "triggers:\n s: {metric: cpu, spike: {score: 9}}\n";
    struct bench bench;
    (void)state;
    begin(&bench, same);
    for (int i = 0; i < 400; i++)
        step(&bench, 20 + i % 3);
    assert_null(strstr(status_of(&bench, "s").nearest, "learning"));
    reload(&bench, same);
    assert_null(strstr(status_of(&bench, "s").nearest, "learning"));
    for (int i = 0; i < 4; i++)
        step(&bench, 95);
    assert_non_null(strstr(bench.said, "s fire"));
    reload(&bench, other);
    assert_int_equal(status_of(&bench, "s").fires, 1);
    for (int i = 0; i < 30; i++)
        step(&bench, 20);
    assert_non_null(strstr(status_of(&bench, "s").nearest, "learning"));
    finish(&bench);
}

static void learned_onsets_are_kept(void **state)
{
    static const char before[] = "triggers:\n a: {metric: cpu, above: 80%}\n"
                                 " r: {recurs: {of: a, period: 1m..1h}}\n";
    static const char after[] = "triggers:\n z: {metric: cpu, above: 99%}\n"
                                " a: {metric: cpu, above: 85%, clear: 70%}\n"
                                " r: {recurs: {of: a, period: 1m..1h}}\n";
    struct bench bench;
    size_t count;
    (void)state;
    begin(&bench, before);
    for (int i = 0; i < 1500; i++)
        step(&bench, i % 300 < 10 ? 90 : 20);
    assert_non_null(detector_learned(bench.detector, 1, &count));
    assert_int_equal(count, 5);
    const struct recurrence *pattern = detector_pattern_of(bench.detector, 0);
    assert_non_null(pattern);
    int64_t expected_ms = pattern->expected_ms;
    reload(&bench, after);
    assert_non_null(detector_learned(bench.detector, 2, &count));
    assert_int_equal(count, 5);
    assert_non_null(detector_pattern_of(bench.detector, 1));
    assert_int_equal(detector_pattern_of(bench.detector, 1)->expected_ms, expected_ms);
    for (int i = 0; i < 20; i++)
        step(&bench, 90);
    detector_learned(bench.detector, 2, &count);
    assert_int_equal(count, 6);
    finish(&bench);
}

static void a_start_that_was_is_not_now(void **state)
{
    static const char quiet[] =
        "quiet: {after_start: 10s}\ntriggers:\n a: {metric: cpu, above: 80%}\n";
    struct bench bench;
    (void)state;
    begin(&bench, quiet);
    for (int i = 0; i < 6; i++)
        step(&bench, 9);
    assert_true(detector_is_quiet(bench.detector, 0));
    reload(&bench, quiet);
    for (int i = 0; i < 4; i++)
        step(&bench, 9);
    assert_true(detector_is_quiet(bench.detector, 0));
    step(&bench, 90);
    assert_string_equal(bench.said, "a fire 11");
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_the_same_goes_on),
        cmocka_unit_test(a_learned_baseline_is_kept),
        cmocka_unit_test(learned_onsets_are_kept),
        cmocka_unit_test(a_start_that_was_is_not_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
