#include "triggers/spike.h"

#include "core/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/spike_rig.h"

static void one_spike_fires_once(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"a plateau", .segments = {{60, 60, 60}, {60, 12, 12}}, .fires = 1, .clears = 1},
        {"a plateau that goes on", .segments = {{60, 60, 60}}, .fires = 1},
        {"a ramp, a plateau and a decay",
            .segments = {{5, 12, 60}, {30, 60, 60}, {60, 60, 12}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
        {"a slow decay", .segments = {{5, 12, 60}, {600, 60, 12}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
        {"two samples are a blip", .segments = {{2, 90, 90}, {60, 12, 12}}},
        {"three are none", .segments = {{3, 90, 90}, {60, 12, 12}}, .fires = 1, .clears = 1},
        {"a double peak", .segments = {{20, 60, 60}, {10, 30, 30}, {20, 60, 60}, {60, 12, 12}},
            .fires = 1, .clears = 1},
        {"a double peak with a dip to the bottom",
            .segments = {{20, 60, 60}, {15, 12, 12}, {20, 60, 60}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
        {"a double peak with a long shallow dip",
            .segments = {{20, 60, 60}, {60, 50, 50}, {20, 60, 60}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
        {"a saw-tooth",
            .segments = {{8, 20, 70}, {8, 20, 70}, {8, 20, 70}, {8, 20, 70}, {8, 20, 70},
                {8, 20, 70}, {8, 20, 70}, {60, 12, 12}},
            .fires = 1, .clears = 1},
        {"a drift is no spike", .segments = {{3000, 12, 20}}},
    };
    FOLLOW(courses);
}

static void a_second_spike_fires_again(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"after the first is over",
            .segments = {{20, 60, 60}, {25, 12, 12}, {20, 60, 60}, {60, 12, 12}}, .fires = 2,
            .clears = 2},
        {"out of a valley", .segments = {{20, 60, 60}, {40, 25, 25}, {20, 70, 70}, {60, 12, 12}},
            .fires = 2, .clears = 1},
        {"a larger one out of a small one",
            .segments = {{20, 24, 24}, {40, 17, 17}, {20, 70, 70}, {60, 12, 12}}, .fires = 2,
            .clears = 1},
        {"not on a plateau that rises",
            .segments = {{60, 40, 40}, {60, 40, 55}, {60, 55, 55}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
    };
    FOLLOW(courses);
}

static void the_direction_counts(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"up, a dip", .segments = {{30, 1, 1}, {30, 12, 12}}},
        {"down, a dip", .direction = DIRECTION_DOWN, .segments = {{30, 1, 1}, {30, 12, 12}},
            .fires = 1, .clears = 1},
        {"down, a spike", .direction = DIRECTION_DOWN, .segments = {{30, 60, 60}, {30, 12, 12}}},
        {"both", .direction = DIRECTION_BOTH,
            .segments = {{30, 60, 60}, {30, 12, 12}, {30, 1, 1}, {30, 12, 12}}, .fires = 2,
            .clears = 2},
    };
    FOLLOW(courses);
}

static void at_least_bounds_the_distance(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"near", .at_least = 20, .segments = {{30, 31, 31}, {30, 12, 12}}},
        {"far enough", .at_least = 20, .segments = {{30, 33, 33}, {30, 12, 12}}, .fires = 1,
            .clears = 1},
        {"down", .at_least = 20, .direction = DIRECTION_DOWN, .segments = {{30, 1, 1}}},
    };
    FOLLOW(courses);
}

static void it_says_when_the_rise_began(void **unused)
{
    (void)unused;
    static const struct segment rises[] = {{1, 60, 60}, {8, 12, 60}, {30, 12, 60}};
    for (size_t i = 0; i < sizeof rises / sizeof *rises; i++) {
        struct rig rig;
        rig_open(&rig, 1, DIRECTION_UP, 0);
        calm(&rig, CALM);
        int64_t began_ms = rig.time_ms;
        put_segment(&rig, &rises[i]);
        put_segment(&rig, &(struct segment){30, 60, 60});
        calm(&rig, 60);
        assert_int_equal(rig.fires, 1);
        assert_in_range(rig.onset_ms, began_ms, began_ms + 2000);
        assert_true(rig.fired_ms > rig.onset_ms);
        assert_true(rig.fired_ms - rig.onset_ms <= trigger_spike.lookback_ms(&rig.options, 1000));
        rig_close(&rig);
    }
}

/* From three samples beyond to twenty quiet seconds. */
static void it_fires_and_clears_in_time(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    calm(&rig, CALM);
    int64_t began_ms = rig.time_ms;
    put_segment(&rig, &(struct segment){30, 60, 60});
    assert_int_equal(rig.fired_ms, began_ms + 3000);
    assert_int_equal(rig.onset_ms, began_ms);
    int64_t ended_ms = rig.time_ms;
    calm(&rig, 40);
    /* The mean of three samples is high for two more. */
    assert_int_equal(rig.cleared_ms, ended_ms + 22000);
    rig_close(&rig);
}

static void it_learns_before_it_speaks(void **unused)
{
    (void)unused;
    struct rig rig;
    char phrase[REASON_SIZE];
    int64_t time_ms;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    assert_false(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    calm(&rig, 133);
    assert_true(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    assert_string_equal(phrase, "still learning: 2 min 10 s of 5 min");
    assert_int_equal(time_ms, rig.time_ms);
    put_segment(&rig, &(struct segment){30, 60, 60});
    calm(&rig, 300);
    assert_int_equal(rig.fires, 0);
    put_segment(&rig, &(struct segment){30, 60, 60});
    assert_int_equal(rig.fires, 1);
    rig_close(&rig);
}

/* The CPU at every second, the traffic half a second later. */
static void put_two(struct rig *rig, double cpu, double received, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        rig->time_ms += 500;
        say(rig, (double[]){cpu, NAN});
        rig->time_ms += 500;
        say(rig, (double[]){NAN, received});
    }
}

static void metrics_are_scored_together(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        double cpu, received;
        bool fires;
    } cases[] = {{"neither", 12.6, 1.3e6, false}, {"one", 30, 1e6, true},
        {"the other", 12, 1e8, true}, {"both a little", 13.95, 2.45e6, true},
        {"one of them a little", 13.95, 1e6, false}, {"the other one a little", 12, 2.45e6, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rig_open(&rig, 2, DIRECTION_UP, 0);
        put_two(&rig, LEVEL, 1e6, CALM);
        assert_int_equal(rig.fires, 0);
        put_two(&rig, cases[i].cpu, cases[i].received, 20);
        if (rig.fires != cases[i].fires)
            fail_msg("%s: %u fires", cases[i].name, rig.fires);
        rig_close(&rig);
    }
}

static void metrics_that_agree_are_quicker(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 2, DIRECTION_UP, 0);
    put_two(&rig, LEVEL, 1e6, CALM);
    int64_t began_ms = rig.time_ms;
    put_two(&rig, 60, 1e8, 20);
    assert_int_equal(rig.fired_ms, began_ms + 2000);
    rig_close(&rig);
}

/* A metric that is gone neither fires nor keeps the others from it. */
static void a_stale_metric_does_not_count(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 2, DIRECTION_UP, 0);
    put_two(&rig, LEVEL, 1e6, CALM);
    put_two(&rig, LEVEL, 1e8, 1); /* its last one is high */
    for (int i = 0; i < 30; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){LEVEL + noise(&rig), NAN});
    }
    assert_int_equal(rig.fires, 0);
    for (int i = 0; i < 10; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){60 + noise(&rig), NAN});
    }
    assert_int_equal(rig.fires, 1);
    assert_string_equal(rig.verdict.metric, "cpu");
    rig_close(&rig);
}

static void it_says_why(void **unused)
{
    (void)unused;
    struct rig rig;
    char phrase[REASON_SIZE];
    int64_t time_ms;
    rig_open(&rig, 2, DIRECTION_UP, 0);
    for (int i = 0; i < CALM; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){12, 1e6});
    }
    assert_true(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    assert_string_equal(phrase, "score 0.0 of 8: cpu 12.0%, usually 12.0%");
    for (int i = 0; i < 4; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){i < 3 ? 13.8 : 12, 1e6});
    }
    assert_true(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    assert_string_equal(phrase, "score 6.0 of 8: cpu 13.8%, usually 12.0%");
    assert_int_equal(time_ms, rig.time_ms - 1000);
    assert_true(fabs(rig.verdict.limit - 14.4) < 0.001);
    for (int i = 0; i < 3; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){18, 1e6});
    }
    assert_int_equal(rig.fires, 1);
    trigger_spike.explain(rig.trigger, &rig.verdict, phrase);
    assert_string_equal(phrase, "cpu 18.0%, usually 12.0%: score 20.0 above 8");
    assert_string_equal(rig.verdict.metric, "cpu");
    assert_int_equal(rig.verdict.unit, UNIT_PERCENT);
    assert_true(rig.verdict.value == 18);
    for (int i = 0; i < 3; i++) {
        rig.time_ms += 1000;
        say(&rig, (double[]){18, 5e6});
    }
    trigger_spike.explain(rig.trigger, &rig.verdict, phrase);
    assert_string_equal(phrase,
        "cpu 18.0%, usually 12.0%; db.received 5.00 MB/s, usually 1.00 MB/s: score 23.1 above 8");
    rig_close(&rig);
}

static void it_says_what_was_too_brief(void **unused)
{
    (void)unused;
    struct rig rig;
    char phrase[REASON_SIZE];
    int64_t time_ms;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    for (int i = 0; i < CALM; i++) {
        double value = i < CALM - 10 || i >= CALM - 8 ? 12 : 24;
        rig.time_ms += 1000;
        say(&rig, &value);
    }
    assert_int_equal(rig.fires, 0);
    assert_true(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    assert_string_equal(phrase, "score 26.7 above 8, but too briefly: cpu 24.0%, usually 12.0%");
    rig_close(&rig);
}

static void it_says_what_at_least_held_back(void **unused)
{
    (void)unused;
    struct rig rig;
    char phrase[REASON_SIZE];
    int64_t time_ms;
    rig_open(&rig, 1, DIRECTION_UP, 70);
    for (int i = 0; i < CALM; i++) {
        double value = i < CALM - 60 || i >= CALM - 30 ? 12 : 72;
        rig.time_ms += 1000;
        say(&rig, &value);
    }
    assert_int_equal(rig.fires, 0);
    assert_true(trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase));
    assert_string_equal(
        phrase, "score 200.0 above 8, but less than 70% away: cpu 72.0%, usually 12.0%");
    rig_close(&rig);
}

/* What waits for a cooldown must not fire while the spike dies away. */
static void it_holds_only_above_its_score(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    calm(&rig, CALM);
    for (int i = 0; i < 30; i++)
        put(&rig, 60);
    assert_true(rig.verdict.holds);
    for (int i = 0; i < 10; i++)
        put(&rig, 13.4); /* below the score, and above a third of it */
    assert_int_equal(rig.fires, 1);
    assert_int_equal(rig.clears, 0);
    assert_false(rig.verdict.holds);
    rig_close(&rig);
}

static void it_describes_itself(void **unused)
{
    (void)unused;
    static const struct {
        size_t metrics;
        int direction;
        double at_least;
        const char *text;
    } cases[] = {
        {1, DIRECTION_UP, 0, "cpu spikes: score above 8 against its own history"},
        {2, DIRECTION_UP, 10,
            "cpu and db.received spikes: score above 8 against their own history, at least 10% "
            "away"},
        {3, DIRECTION_BOTH, 0,
            "cpu, db.received and memory spikes and dips: score above 8 against their own "
            "history"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        char phrase[REASON_SIZE];
        rig_open(&rig, cases[i].metrics, cases[i].direction, cases[i].at_least);
        trigger_spike.describe(&rig.options, &rig.scope, phrase);
        assert_string_equal(phrase, cases[i].text);
        rig_close(&rig);
    }
}

static void a_distance_is_more_than_nothing(void **unused)
{
    (void)unused;
    const char *key = NULL;
    struct error err;
    struct spike_options options = {{.score = 8, .at_least = {.value = 0, .text = given}}};
    assert_int_equal(trigger_spike.kind.validate(&options, &key, &err), -1);
    assert_string_equal(key, "spike");
    options.spike.at_least.value = 1;
    assert_int_equal(trigger_spike.kind.validate(&options, &key, &err), 0);
    options.spike.at_least.text = NULL;
    assert_int_equal(trigger_spike.kind.validate(&options, &key, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_spike_fires_once),
        cmocka_unit_test(a_second_spike_fires_again),
        cmocka_unit_test(the_direction_counts),
        cmocka_unit_test(at_least_bounds_the_distance),
        cmocka_unit_test(it_says_when_the_rise_began),
        cmocka_unit_test(it_fires_and_clears_in_time),
        cmocka_unit_test(it_learns_before_it_speaks),
        cmocka_unit_test(metrics_are_scored_together),
        cmocka_unit_test(metrics_that_agree_are_quicker),
        cmocka_unit_test(a_stale_metric_does_not_count),
        cmocka_unit_test(it_says_why),
        cmocka_unit_test(it_says_what_was_too_brief),
        cmocka_unit_test(it_says_what_at_least_held_back),
        cmocka_unit_test(it_holds_only_above_its_score),
        cmocka_unit_test(it_describes_itself),
        cmocka_unit_test(a_distance_is_more_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
