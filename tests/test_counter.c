#include "triggers/counter.h"

#include "core/metric.h"
#include "triggers/trigger.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_STEPS = 24 };

struct step {
    int64_t time_ms;
    double value;
    int64_t onset_ms; /* 0: nothing is said */
};

struct timeline {
    const char *name;
    int64_t increases, within_ms;
    struct step steps[MAX_STEPS]; /* to the first one at 0 ms */
    const char *reason;           /* of the last fire */
    const char *miss;             /* in the end; NULL: none */
    int64_t miss_ms;
};

static void check_step(const struct timeline *timeline, void *trigger, const struct step *step,
    const char *metric, char reason[REASON_SIZE])
{
    struct verdict verdict;
    memset(&verdict, 0x5a, sizeof verdict);
    trigger_counter.check(trigger,
        &(struct trigger_input){.time_ms = step->time_ms, .values = &step->value}, &verdict);
    if (verdict.fired != (step->onset_ms != 0))
        fail_msg("%s: at %lld ms it %s", timeline->name, (long long)step->time_ms,
            verdict.fired ? "fired" : "did not fire");
    assert_int_equal(verdict.holds, verdict.fired);
    assert_false(verdict.cleared);
    assert_true(isnan(verdict.limit));
    assert_ptr_equal(verdict.metric, metric);
    if (!verdict.fired)
        return;
    assert_true(verdict.value == step->value);
    if (verdict.onset_ms != step->onset_ms)
        fail_msg("%s: at %lld ms the onset is %lld", timeline->name, (long long)step->time_ms,
            (long long)verdict.onset_ms);
    trigger_counter.explain(trigger, &verdict, reason);
}

static void follow(const struct timeline *timelines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct counter_options options = {timelines[i].increases, timelines[i].within_ms};
        const char *metric = "oom_kills";
        enum unit unit = UNIT_COUNT;
        struct trigger_scope scope = {.metrics = &metric, .units = &unit, .metric_count = 1};
        void *trigger = trigger_counter.open(&options, &scope);
        char reason[REASON_SIZE] = "", miss[REASON_SIZE] = "";
        int64_t miss_ms = 0;
        for (const struct step *step = timelines[i].steps; step->time_ms; step++)
            check_step(&timelines[i], trigger, step, metric, reason);
        if (timelines[i].reason)
            assert_string_equal(reason, timelines[i].reason);
        bool known = trigger_counter.nearest_miss(trigger, &miss_ms, miss);
        assert_int_equal(known, timelines[i].steps[0].time_ms != 0);
        if (timelines[i].miss) {
            assert_string_equal(miss, timelines[i].miss);
            assert_int_equal(miss_ms, timelines[i].miss_ms);
        }
        trigger_counter.close(trigger);
    }
}

#define FOLLOW(timelines) follow(timelines, sizeof(timelines) / sizeof *(timelines))

static void a_rise_from_one_sample_to_the_next_fires(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"no sample", 1, 0, {{0, 0, 0}}, NULL, NULL, 0},
        {"the first sample sets the base", 1, 0, {{1000, 3, 0}, {2000, 3, 0}}, NULL,
            "no increase so far (3)", 2000},
        {"every rise", 1, 0,
            {{1000, 0, 0}, {2000, 1, 2000}, {3000, 2, 3000}, {4000, 2, 0}, {5000, 5, 5000}},
            "oom_kills rose by 3 to 5", "no other increase so far (5)", 5000},
        {"exactly so much", 3, 0, {{1000, 10, 0}, {2000, 12, 0}, {3000, 15, 3000}, {4000, 15, 0}},
            "oom_kills rose by 3 to 15", "rose by 2 of 3", 2000},
        {"without `within` nothing adds up", 3, 0,
            {{1000, 0, 0}, {2000, 2, 0}, {3000, 4, 0}, {4000, 6, 0}}, NULL, "rose by 2 of 3", 2000},
        {"a gap does not matter", 2, 0, {{1000, 0, 0}, {2000, 0, 0}, {3600000, 2, 3600000}},
            "oom_kills rose by 2 to 2", NULL, 0},
        {"a missing value is a gap", 2, 0, {{1000, 0, 0}, {2000, NAN, 0}, {3000, 2, 3000}},
            "oom_kills rose by 2 to 2", NULL, 0},
        {"the spacing does not matter", 1, 0,
            {{60000, 0, 0}, {120000, 1, 120000}, {120100, 2, 120100}}, NULL, NULL, 0},
    };
    FOLLOW(timelines);
}

static void a_counter_that_falls_began_again_at_0(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"at 0", 1, 0, {{1000, 7, 0}, {2000, 0, 0}, {3000, 1, 3000}}, "oom_kills rose by 1 to 1",
            NULL, 0},
        {"above 0", 1, 0, {{1000, 7, 0}, {2000, 2, 2000}, {3000, 2, 0}},
            "oom_kills rose by 2 to 2, having begun again at 0", NULL, 0},
        {"too little", 3, 0, {{1000, 7, 0}, {2000, 2, 0}, {3000, 5, 3000}},
            "oom_kills rose by 3 to 5", "rose by 2 of 3", 2000},
        {"within a window", 4, 10000, {{1000, 5, 0}, {2000, 7, 0}, {3000, 2, 2000}, {4000, 3, 0}},
            "oom_kills rose by 4 to 2 within 10 s, having begun again at 0",
            "rose by 2 of 4 within 10 s", 2000},
    };
    FOLLOW(timelines);
}

static void within_adds_up(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"exactly `within`", 3, 10000, {{1000, 0, 0}, {2000, 1, 0}, {7000, 2, 0}, {12000, 3, 2000}},
            "oom_kills rose by 3 to 3 within 10 s", "rose by 2 of 3 within 10 s", 7000},
        {"a millisecond more", 3, 10000,
            {{1000, 0, 0}, {2000, 1, 0}, {7000, 2, 0}, {12001, 3, 0}, {13000, 4, 7000}}, NULL,
            "rose by 2 of 3 within 10 s", 7000},
        {"a burst is told once", 3, 60000,
            {{1000, 0, 0}, {2000, 2, 0}, {3000, 4, 2000}, {4000, 6, 0}, {5000, 6, 0},
                {6000, 7, 4000}, {7000, 7, 0}},
            "oom_kills rose by 3 to 7 within 60 s", NULL, 0},
        {"a rise across a gap counts where it is seen", 2, 10000,
            {{1000, 0, 0}, {2000, 1, 0}, {600000, 2, 0}, {601000, 3, 600000}},
            "oom_kills rose by 2 to 3 within 10 s", NULL, 0},
        {"spacing longer than `within`", 2, 1000,
            {{60000, 0, 0}, {120000, 1, 0}, {180000, 3, 180000}},
            "oom_kills rose by 2 to 3 within 1 s", "rose by 1 of 2 within 1 s", 120000},
        {"two looks at one time", 2, 1000, {{1000, 0, 0}, {2000, 1, 0}, {2000, 2, 2000}}, NULL,
            NULL, 0},
        {"a fire in the middle does not spoil the edge", 2, 10000,
            {{1000, 0, 0}, {2000, 2, 2000}, {3000, 3, 0}, {13001, 4, 0}, {13002, 5, 13001}}, NULL,
            NULL, 0},
    };
    FOLLOW(timelines);
}

/* Many more rises within the window than are kept one by one. */
static void a_busy_counter_is_bounded(void **unused)
{
    (void)unused;
    struct counter_options options = {1000, 3600000};
    const char *metric = "errors";
    enum unit unit = UNIT_NONE;
    struct trigger_scope scope = {.metrics = &metric, .units = &unit, .metric_count = 1};
    void *trigger = trigger_counter.open(&options, &scope);
    unsigned fires = 0;
    for (int64_t second = 0; second < 36000; second++) {
        /* In the first five hours 900 an hour, never 1000; then 3600 an hour. */
        double value = second < 18000 ? (double)(second / 4) : (double)(second - 13500);
        struct verdict verdict;
        trigger_counter.check(
            trigger, &(struct trigger_input){.time_ms = second * 1000, .values = &value}, &verdict);
        if (verdict.fired && second < 18000)
            fail_msg("fired at %lld s", (long long)second);
        fires += verdict.fired;
    }
    assert_in_range(fires, 18, 19);
    trigger_counter.close(trigger);
}

static void the_rule_is_told(void **unused)
{
    (void)unused;
    static const struct {
        struct counter_options options;
        enum unit unit;
        int64_t lookback_ms;
        const char *phrase;
    } cases[] = {
        {{1, 0}, UNIT_COUNT, 0, "oom_kills rises by 1 or more"},
        {{5, 60000}, UNIT_COUNT, 60000, "oom_kills rises by 5 or more within 60 s"},
        {{1048576, 0}, UNIT_BYTES, 0, "oom_kills rises by 1 MiB or more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *metric = "oom_kills";
        struct trigger_scope scope = {
            .metrics = &metric, .units = &cases[i].unit, .metric_count = 1};
        char phrase[REASON_SIZE];
        trigger_counter.describe(&cases[i].options, &scope, phrase);
        assert_string_equal(phrase, cases[i].phrase);
        assert_int_equal(
            trigger_counter.lookback_ms(&cases[i].options, 1000), cases[i].lookback_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rise_from_one_sample_to_the_next_fires),
        cmocka_unit_test(a_counter_that_falls_began_again_at_0),
        cmocka_unit_test(within_adds_up),
        cmocka_unit_test(a_busy_counter_is_bounded),
        cmocka_unit_test(the_rule_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
