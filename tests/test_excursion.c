/* When the spike of an incident is over: how the detector follows the excursions of triggers. */
#include "agent/detection/excursion.h"

#include "agent/detection/detector.h"
#include "config_text.h"
#include "core/alloc.h"
#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "service: s\n"                                                                                 \
    "export: {directory: /captures}\n"                                                             \
    "app: {debug: 'http://h/'}\ntriggers:\n"
#define HIGH "  high: {metric: cpu, above: 80%, clear: 70%}\n"

enum { MAX_STEPS = 16, MAX_METRICS = 2, MAX_TRIGGERS = 4 };

struct bench {
    struct config *config;
    struct series_set set;
    struct detector *detector;
};

static void ignore(void *arg, const struct detector_event *event)
{
    (void)arg;
    (void)event;
}

static void start(struct bench *bench, const char *triggers)
{
    const struct detector_hooks hooks = {.event = ignore};
    char *text = xasprintf("%s%s", HEAD, triggers);
    bench->config = parse_config(text, (struct config_needs){.exporter = true});
    free(text);
    series_set_init(&bench->set, 64);
    bench->detector = detector_open(bench->config, &bench->set, false, &hooks);
}

static void finish(struct bench *bench)
{
    detector_close(bench->detector);
    series_set_free(&bench->set);
    config_free(bench->config, &config_kinds);
}

static void feed(struct bench *bench, const char *metric, int64_t second, double value)
{
    if (!isnan(value))
        series_push(series_set_add(&bench->set, metric), second * 1000, value);
}

/* A letter for how those named stand: u(ntold), l(asts), e(bbed), o(ver). */
static char letter(const struct bench *bench, const char *names, int64_t *ended_ms)
{
    bool among[MAX_TRIGGERS] = {false};
    for (size_t i = 0; i < bench->config->trigger_count; i++)
        among[i] = strstr(names, bench->config->triggers[i].name) != NULL;
    return "uoel"[detector_excursion(bench->detector, among, ended_ms)];
}

static void a_spike_is_over_with_the_last_of_its_triggers(void **state)
{
    (void)state;
    static const struct {
        const char *triggers, *names, *metrics[MAX_METRICS];
        double values[MAX_METRICS][MAX_STEPS]; /* a second apart, from second 1; NAN: none */
        const char *course;                    /* a letter a second */
        int64_t ended_s;                       /* at the end of it */
    } rows[] = {
        /* strictly beyond `clear`, and again with the next excursion */
        {HIGH, "high", {"cpu"}, {{10, 90, 90, 75, 70, 60, 60, 85, 90, 10}}, "ulllloollo", 10},
        /* one that does not belong to it tells nothing */
        {HIGH, "none", {"cpu"}, {{10, 90, 90, 75, 60}}, "uuuuu", 0},
        /* what is not measured lasts */
        {HIGH, "high", {"cpu", "memory"},
            {{10, 90, NAN, NAN, NAN, NAN, NAN, NAN, 10}, {1, 1, 1, 1, 1, 1, 1, 1, 1}}, "ulllllllo",
            9},
        /* a counter is a moment: it neither tells the end nor keeps a spike open */
        {"  killed: {metric: oom_kills, increases: 1}\n", "killed", {"oom_kills"},
            {{0, 0, 1, 1, 1}}, "uuuuu", 0},
        {HIGH "  killed: {metric: oom_kills, increases: 1}\n", "high killed", {"cpu", "oom_kills"},
            {{10, 90, 90, 10, 10}, {0, 0, 1, 1, 2}}, "ulloo", 4},
        /* two: with the last of them */
        {HIGH "  full: {metric: memory, above: 50%}\n", "high full", {"cpu", "memory"},
            {{10, 90, 90, 10, 10, 10, 10}, {10, 10, 60, 60, 60, 40, 40}}, "ulllloo", 6},
        /* of `all`, when one of them was true last; known when it is out */
        {HIGH "  full: {metric: memory, above: 50%}\n  both: {all: [high, full], within: 2s}\n",
            "both", {"cpu", "memory"},
            {{10, 90, 90, 90, 10, 10, 10, 10, 10}, {10, 10, 60, 60, 60, 60, 60, 40, 40}},
            "uullllooo", 4},
        /* of `any`, when the last of them was */
        {HIGH "  full: {metric: memory, above: 50%}\n  one: {any: [high, full], within: 1s}\n",
            "one", {"cpu", "memory"},
            {{10, 90, 90, 10, 10, 10, 10, 10}, {10, 10, 60, 60, 60, 40, 40, 40}}, "ullllloo", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        char course[MAX_STEPS + 1] = "";
        int64_t ended_ms = 0;
        start(&bench, rows[i].triggers);
        for (size_t step = 0; step < strlen(rows[i].course); step++) {
            for (size_t j = 0; j < MAX_METRICS && rows[i].metrics[j]; j++)
                feed(&bench, rows[i].metrics[j], (int64_t)step + 1, rows[i].values[j][step]);
            detector_check(bench.detector);
            course[step] = letter(&bench, rows[i].names, &ended_ms);
        }
        if (strcmp(course, rows[i].course) != 0)
            fail_msg("row %zu: %s instead of %s", i, course, rows[i].course);
        if (rows[i].ended_s && ended_ms != rows[i].ended_s * 1000)
            fail_msg("row %zu: over at %lld", i, (long long)ended_ms);
        finish(&bench);
    }
}

/* Seconds of `value`, with a little noise; the course of the trigger is appended. */
static int64_t play(struct bench *bench, int64_t second, int seconds, double value, char *course)
{
    int64_t ended_ms;
    for (int i = 0; i < seconds; i++, second++) {
        feed(bench, "cpu", second, value + (double)(second % 3) / 4);
        detector_check(bench->detector);
        course[strlen(course)] = letter(bench, "spike", &ended_ms);
    }
    return second;
}

static int64_t first(const char *course, char letter)
{
    const char *at = strchr(course, letter);
    return at ? at - course : -1;
}

/* The trigger itself waits for 20 s of calm. */
static void a_spike_ebbs_before_it_is_certainly_over(void **state)
{
    (void)state;
    struct bench bench;
    char course[600] = "", after[600] = "";
    int64_t ended_ms;
    start(&bench, "  spike: {metric: cpu, spike: {}}\n");
    int64_t second = play(&bench, 1, 400, 12, course);
    int64_t began = second;
    second = play(&bench, second, 10, 90, course);
    int64_t over = second;
    second = play(&bench, second, 40, 12, after);
    int64_t fired = first(course, 'l') + 1, ebbed = first(after, 'e') + over;
    int64_t certain = first(after, 'o') + over;
    assert_in_range(fired, began, began + 3);
    assert_in_range(ebbed, over + 4, over + 8);
    assert_in_range(certain, over + 19, over + 24);
    assert_int_equal(letter(&bench, "spike", &ended_ms), 'o');
    assert_in_range(ended_ms / 1000, over, over + 3);
    finish(&bench);
}

static void one_that_rises_again_goes_on(void **state)
{
    (void)state;
    struct bench bench;
    char course[600] = "";
    int64_t ended_ms;
    start(&bench, "  spike: {metric: cpu, spike: {}}\n");
    int64_t second = play(&bench, 1, 400, 12, course);
    second = play(&bench, second, 10, 90, course);
    second = play(&bench, second, 10, 12, course);
    assert_int_equal(letter(&bench, "spike", &ended_ms), 'e');
    second = play(&bench, second, 5, 90, course);
    assert_int_equal(letter(&bench, "spike", &ended_ms), 'l');
    play(&bench, second, 40, 12, course);
    assert_int_equal(letter(&bench, "spike", &ended_ms), 'o');
    assert_in_range(ended_ms / 1000, second, second + 3);
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spike_is_over_with_the_last_of_its_triggers),
        cmocka_unit_test(a_spike_ebbs_before_it_is_certainly_over),
        cmocka_unit_test(one_that_rises_again_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
