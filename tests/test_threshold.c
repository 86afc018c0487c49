#include "triggers/threshold.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/metric.h"
#include "triggers/trigger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_STEPS = 24 };

/* What the trigger says at a sample. */
enum said { NOTHING, HOLDS, FIRES, CLEARS };

struct step {
    int64_t time_ms;
    double value;
    enum said said;
    int64_t onset_ms; /* with FIRES, CLEARS and HOLDS */
};

/* A sample at which nothing is said. */
#define AT(time, number)                                                                           \
    {                                                                                              \
        time, number, NOTHING, 0                                                                   \
    }

struct timeline {
    const char *name;
    double above, below, clear; /* 0: not given */
    int64_t for_ms;
    struct step steps[MAX_STEPS]; /* to the first one at 0 ms */
};

static struct threshold_options options_of(const struct timeline *timeline)
{
    static char given[] = "given";
    struct threshold_options options = {.for_ms = timeline->for_ms};
    if (timeline->above != 0)
        options.above = (struct level){.value = timeline->above, .text = given};
    if (timeline->below != 0)
        options.below = (struct level){.value = timeline->below, .text = given};
    if (timeline->clear != 0)
        options.clear = (struct level){.value = timeline->clear, .text = given};
    return options;
}

/* What a trigger on one metric looks at. */
static struct trigger_scope scope_of(const char *const *metric, const enum unit *unit)
{
    return (struct trigger_scope){.metrics = metric, .units = unit, .metric_count = 1};
}

static void check_step(const struct timeline *timeline, void *trigger, const struct step *step)
{
    struct verdict verdict;
    memset(&verdict, 0x5a, sizeof verdict);
    trigger_threshold.check(trigger,
        &(struct trigger_input){.time_ms = step->time_ms, .values = &step->value}, &verdict);
    enum said said = verdict.fired     ? FIRES
                     : verdict.cleared ? CLEARS
                     : verdict.holds   ? HOLDS
                                       : NOTHING;
    if (said != step->said)
        fail_msg("%s: at %lld ms it said %d, not %d", timeline->name, (long long)step->time_ms,
            said, step->said);
    if (said == FIRES)
        assert_true(verdict.holds);
    if (said != NOTHING && verdict.onset_ms != step->onset_ms)
        fail_msg("%s: at %lld ms the onset is %lld", timeline->name, (long long)step->time_ms,
            (long long)verdict.onset_ms);
    assert_true(verdict.value == step->value);
    assert_true(verdict.limit == (timeline->above != 0 ? timeline->above : timeline->below));
    assert_int_equal(verdict.down, timeline->above == 0);
}

static void follow(const struct timeline *timelines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct threshold_options options = options_of(&timelines[i]);
        const char *metric = "cpu";
        enum unit unit = UNIT_PERCENT;
        struct trigger_scope scope = scope_of(&metric, &unit);
        void *trigger = trigger_threshold.open(&options, &scope);
        for (const struct step *step = timelines[i].steps; step->time_ms; step++)
            check_step(&timelines[i], trigger, step);
        trigger_threshold.close(trigger);
    }
}

#define FOLLOW(timelines) follow(timelines, sizeof(timelines) / sizeof *(timelines))

static void levels_are_strict(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"above", .above = 80,
            .steps = {AT(1000, 80), {2000, 80.001, FIRES, 2000}, {3000, 90, HOLDS, 2000},
                AT(4000, 80), {5000, 79.999, CLEARS, 2000}, AT(6000, 79)}},
        {"below", .below = 10,
            .steps = {AT(1000, 10), {2000, 9.9, FIRES, 2000}, AT(3000, 10),
                {4000, 10.1, CLEARS, 2000}, {5000, -5, FIRES, 5000}}},
        {"the first sample of all", .above = 80, .steps = {{1000, 81, FIRES, 1000}}},
        {"a level of one excursion more", .above = 80,
            .steps = {{1000, 81, FIRES, 1000}, {2000, 20, CLEARS, 1000}, {3000, 81, FIRES, 3000},
                {4000, 20, CLEARS, 3000}, AT(5000, 20)}},
    };
    FOLLOW(timelines);
}

static void for_counts_from_the_first_sample_beyond(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"exactly `for`", .above = 80, .for_ms = 3000,
            .steps = {AT(1000, 50), AT(2000, 90), AT(3000, 90), AT(4000, 90),
                {5000, 90, FIRES, 2000}, {6000, 90, HOLDS, 2000}}},
        {"one millisecond short of it", .above = 80, .for_ms = 3000,
            .steps = {AT(1000, 50), AT(2000, 90), AT(3000, 90), AT(4000, 90), AT(4999, 90),
                {6000, 90, FIRES, 2000}}},
        {"jittered times", .above = 80, .for_ms = 3000,
            .steps = {AT(1003, 50), AT(1998, 90), AT(3009, 90), AT(3991, 90), AT(4996, 90),
                {6004, 90, FIRES, 1998}}},
        {"a sample at the level starts over", .above = 80, .for_ms = 2000,
            .steps = {AT(1000, 90), AT(2000, 80), AT(3000, 90), AT(4000, 90),
                {5000, 90, FIRES, 3000}}},
        {"a short dip starts over, with `clear` too", .above = 80, .for_ms = 2000, .clear = 20,
            .steps = {AT(1000, 90), AT(2000, 90), AT(2900, 79), AT(4000, 90), AT(5000, 90),
                {6000, 90, FIRES, 4000}}},
        {"a restart in the middle of an excursion", .above = 80, .for_ms = 2000,
            .steps = {AT(1000, 99), AT(2000, 99), {3000, 99, FIRES, 1000}}},
        {"nothing fires, nothing clears", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 90), AT(2000, 90), AT(3000, 10), AT(4000, 10)}},
    };
    FOLLOW(timelines);
}

static void one_fire_an_excursion(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"between `clear` and the level is the same excursion", .above = 80, .clear = 70,
            .steps = {{1000, 90, FIRES, 1000}, AT(2000, 75), {3000, 90, HOLDS, 3000}, AT(4000, 70),
                {5000, 90, HOLDS, 5000}, {6000, 69.9, CLEARS, 1000}, AT(7000, 60),
                {8000, 90, FIRES, 8000}}},
        {"below, with `clear`", .below = 10, .clear = 20,
            .steps = {{1000, 5, FIRES, 1000}, AT(2000, 15), {3000, 5, HOLDS, 3000}, AT(4000, 20),
                {5000, 20.5, CLEARS, 1000}, {6000, 5, FIRES, 6000}}},
        {"`clear` at the level is the default", .above = 80, .clear = 80,
            .steps = {{1000, 90, FIRES, 1000}, AT(2000, 80), {3000, 90, HOLDS, 3000},
                {4000, 79, CLEARS, 1000}}},
        {"holding again takes `for` again", .above = 80, .clear = 70, .for_ms = 2000,
            .steps = {AT(1000, 90), AT(2000, 90), {3000, 90, FIRES, 1000}, AT(4000, 75),
                AT(5000, 90), AT(6000, 90), {7000, 90, HOLDS, 5000}, {8000, 60, CLEARS, 1000}}},
    };
    FOLLOW(timelines);
}

static void short_gaps_are_bridged_and_long_ones_start_over(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"3 spacings", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 50), AT(2000, 50), AT(3000, 90), AT(4000, 90), AT(7000, 90),
                {8000, 90, FIRES, 3000}}},
        {"3 spacings and jitter", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 50), AT(2000, 50), AT(3000, 90), AT(4000, 90), AT(7250, 90),
                {8000, 90, FIRES, 3000}}},
        {"more than that", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 50), AT(2000, 50), AT(3000, 90), AT(4000, 90), AT(7251, 90),
                AT(8000, 90), AT(9000, 90), AT(10000, 90), AT(11000, 90), AT(12000, 90),
                {13000, 90, FIRES, 7251}}},
        {"4 spacings, which end where it would have fired", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 50), AT(2000, 50), AT(3000, 90), AT(4000, 90), AT(8000, 90),
                AT(9000, 90), AT(12000, 90), {13000, 90, FIRES, 8000}}},
        {"a gap does not end an excursion that fired", .above = 80, .for_ms = 1000,
            .steps = {AT(1000, 50), AT(2000, 90), {3000, 90, FIRES, 2000}, AT(60000, 90),
                {61000, 90, HOLDS, 60000}, {62000, 10, CLEARS, 2000}}},
        {"without `for` a gap changes nothing but the onset", .above = 80,
            .steps = {AT(1000, 50), {2000, 90, FIRES, 2000}, {60000, 90, HOLDS, 60000}}},
        {"while no spacing is known nothing is a gap", .above = 80, .for_ms = 30000,
            .steps = {AT(1000, 90), {31000, 90, FIRES, 1000}}},
    };
    FOLLOW(timelines);
}

static void the_spacing_comes_from_the_samples(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"a minute apart", .above = 80, .for_ms = 300000,
            .steps = {AT(60000, 50), AT(120000, 90), AT(180000, 90), AT(360000, 90),
                {420000, 90, FIRES, 120000}}},
        {"100 ms apart", .above = 80, .for_ms = 1000,
            .steps = {AT(100, 50), AT(200, 50), AT(300, 90), AT(400, 90), AT(1000, 90),
                AT(1100, 90), AT(1400, 90), AT(1700, 90), AT(1900, 90), {2000, 90, FIRES, 1000}}},
        {"it grows: three distances later nothing is a gap any more", .above = 80, .for_ms = 20000,
            .steps = {AT(1000, 50), AT(2000, 50), AT(3000, 50), AT(4000, 50), AT(5000, 50),
                AT(6000, 50), AT(16000, 50), AT(26000, 50), AT(36000, 90), AT(46000, 90),
                {56000, 90, FIRES, 36000}}},
        {"it shrinks: what was a usual distance is a gap then", .above = 80, .for_ms = 10000,
            .steps = {AT(10000, 50), AT(20000, 50), AT(30000, 50), AT(31000, 50), AT(32000, 50),
                AT(33000, 90), AT(43000, 90), AT(44000, 90), AT(47000, 90), AT(50000, 90),
                AT(52000, 90), {53000, 90, FIRES, 43000}}},
        {"one long gap does not make the spacing", .above = 80, .for_ms = 5000,
            .steps = {AT(1000, 50), AT(101000, 90), AT(102000, 90), AT(103000, 90), AT(113000, 90),
                AT(114000, 90), AT(118000, 90), AT(119000, 90), AT(122000, 90),
                {123000, 90, FIRES, 118000}}},
    };
    FOLLOW(timelines);
}

/* What the nearest miss of a timeline is, after all its steps. */
static void assert_nearest(
    const struct timeline *timeline, enum unit unit, int64_t time_ms, const char *expected)
{
    struct threshold_options options = options_of(timeline);
    const char *metric = "cpu";
    struct trigger_scope scope = scope_of(&metric, &unit);
    void *trigger = trigger_threshold.open(&options, &scope);
    for (const struct step *step = timeline->steps; step->time_ms; step++)
        check_step(timeline, trigger, step);
    int64_t when_ms = 0;
    char phrase[REASON_SIZE] = "";
    bool known = trigger_threshold.nearest_miss(trigger, &when_ms, phrase);
    assert_int_equal(known, expected != NULL);
    if (expected)
        assert_string_equal(phrase, expected);
    assert_int_equal(when_ms, time_ms);
    trigger_threshold.close(trigger);
}

static void the_nearest_miss_is_told(void **unused)
{
    (void)unused;
    assert_nearest(&(struct timeline){"none yet", .above = 80}, UNIT_PERCENT, 0, NULL);
    assert_nearest(&(struct timeline){"value", .above = 80,
                       .steps = {AT(1000, 20), AT(2000, 74.2), AT(3000, 74.2), AT(4000, 30)}},
        UNIT_PERCENT, 2000, "74.2%, 5.8 points below 80%");
    assert_nearest(&(struct timeline){"value below", .below = 1e6,
                       .steps = {AT(1000, 5e6), AT(2000, 1.5e6), AT(3000, 2e6)}},
        UNIT_RATE, 2000, "1.50 MB/s, 500 KB/s above 1 MB/s");
    assert_nearest(
        &(struct timeline){"the level", .above = 80, .steps = {AT(1000, 20), AT(2000, 80)}},
        UNIT_PERCENT, 2000, "80%, the level itself and not above it");
    assert_nearest(&(struct timeline){"run", .above = 80, .for_ms = 10000,
                       .steps = {AT(1000, 90), AT(2000, 90), AT(3000, 9), AT(4000, 90),
                           AT(5000, 90), AT(6000, 90), AT(7000, 9), AT(8000, 90)}},
        UNIT_PERCENT, 6000, "above 80% for 2 s of 10 s");
    assert_nearest(
        &(struct timeline){"present run", .above = 80, .for_ms = 10000,
            .steps = {AT(1000, 90), AT(1500, 90), AT(2000, 9), AT(3000, 90), AT(4500, 90)}},
        UNIT_PERCENT, 4500, "above 80% for 1.5 s of 10 s");
    assert_nearest(&(struct timeline){"no run at all", .above = 80, .for_ms = 10000,
                       .steps = {AT(1000, 9), AT(2000, 10)}},
        UNIT_PERCENT, 2000, "10.0%, 70.0 points below 80%");
}

static void assert_explained(const struct timeline *timeline, const char *metric, enum unit unit,
    double value, const char *expected)
{
    struct threshold_options options = options_of(timeline);
    struct verdict verdict = {.metric = metric,
        .unit = unit,
        .value = value,
        .limit = timeline->above != 0 ? timeline->above : timeline->below};
    struct trigger_scope scope = scope_of(&metric, &unit);
    void *trigger = trigger_threshold.open(&options, &scope);
    char reason[REASON_SIZE];
    trigger_threshold.explain(trigger, &verdict, reason);
    assert_string_equal(reason, expected);
    trigger_threshold.close(trigger);
}

static void reasons_are_short(void **unused)
{
    (void)unused;
    assert_explained(&(struct timeline){.above = 80, .for_ms = 10000}, "cpu", UNIT_PERCENT, 93.14,
        "cpu 93.1% above 80% for 10 s");
    assert_explained(
        &(struct timeline){.above = 80}, "cpu", UNIT_PERCENT, 93.1, "cpu 93.1% above 80%");
    assert_explained(
        &(struct timeline){.above = 80}, "cpu", UNIT_PERCENT, 80.02, "cpu 80.02% above 80%");
    assert_explained(&(struct timeline){.above = 20e6, .for_ms = 500}, "db.received", UNIT_RATE,
        310e6, "db.received 310 MB/s above 20 MB/s for 500 ms");
    assert_explained(
        &(struct timeline){.below = 2.5}, "goroutines", UNIT_NONE, 1, "goroutines 1 below 2.5");
    assert_explained(&(struct timeline){.above = 512.0 * 1024 * 1024}, "memory.bytes", UNIT_BYTES,
        1024.0 * 1024 * 1024, "memory.bytes 1.00 GiB above 512 MiB");
    assert_explained(&(struct timeline){.above = 10e6, .for_ms = 3600000}, "memory.bytes",
        UNIT_BYTES, 11e6, "memory.bytes 10.5 MiB above 10 MB for 1 h");

    struct threshold_options options = options_of(&(struct timeline){.below = 5, .for_ms = 1500});
    const char *metric = "cpu";
    enum unit unit = UNIT_PERCENT;
    struct trigger_scope scope = scope_of(&metric, &unit);
    char phrase[REASON_SIZE];
    trigger_threshold.describe(&options, &scope, phrase);
    assert_string_equal(phrase, "cpu below 5% for 1.5 s");
}

static void options_that_make_no_sense_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        struct timeline given;
        const char *key; /* NULL: fine */
    } cases[] = {
        {{.above = 80}, NULL},
        {{.below = 80}, NULL},
        {{.above = 80, .clear = 80}, NULL},
        {{.above = 80, .clear = 70}, NULL},
        {{.below = 10, .clear = 10}, NULL},
        {{.below = 10, .clear = 20}, NULL},
        {{.above = 80, .clear = 80.1}, "clear"},
        {{.below = 10, .clear = 9}, "clear"},
        {{.above = 80, .below = 10}, "below"},
        {{.for_ms = 0}, "above"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct threshold_options options = options_of(&cases[i].given);
        const char *key = NULL;
        struct error err = {""};
        int status = trigger_threshold.kind.validate(&options, &key, &err);
        assert_int_equal(status, cases[i].key ? -1 : 0);
        if (cases[i].key)
            assert_string_equal(key, cases[i].key);
        assert_int_equal(err.text[0] != '\0', cases[i].key != NULL);
    }
}

static void without_clear_it_is_the_level(void **state)
{
    (void)state;
    static const struct {
        struct timeline given;
        double clear;
    } cases[] = {
        {{.above = 80}, 80},
        {{.below = 10}, 10},
        {{.above = 80, .clear = 70}, 70},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct threshold_options options = options_of(&cases[i].given);
        options.above.text = options.above.text ? xstrdup(options.above.text) : NULL;
        options.below.text = options.below.text ? xstrdup(options.below.text) : NULL;
        options.clear.text = options.clear.text ? xstrdup(options.clear.text) : NULL;
        trigger_threshold.kind.complete(&options);
        assert_true(options.clear.value == cases[i].clear);
        assert_non_null(options.clear.text);
        free(options.above.text);
        free(options.below.text);
        free(options.clear.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_strict),
        cmocka_unit_test(for_counts_from_the_first_sample_beyond),
        cmocka_unit_test(one_fire_an_excursion),
        cmocka_unit_test(short_gaps_are_bridged_and_long_ones_start_over),
        cmocka_unit_test(the_spacing_comes_from_the_samples),
        cmocka_unit_test(the_nearest_miss_is_told),
        cmocka_unit_test(reasons_are_short),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(without_clear_it_is_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
