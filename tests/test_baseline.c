#include "triggers/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/spike_rig.h"

static void any_spacing_will_do(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"100 ms", 100, .segments = {{300, 60, 60}, {400, 12, 12}}, .fires = 1, .clears = 1},
        {"100 ms, a blip of a second", 100, .segments = {{10, 60, 60}, {400, 12, 12}}},
        {"250 ms", 250, .segments = {{100, 60, 60}, {120, 12, 12}}, .fires = 1, .clears = 1},
        {"700 ms", 700, .segments = {{40, 60, 60}, {40, 12, 12}}, .fires = 1, .clears = 1},
        {"5 s", 5000, .segments = {{6, 60, 60}, {6, 12, 12}}, .fires = 1, .clears = 1},
        {"10 s", 10000, .segments = {{4, 60, 60}, {4, 12, 12}}, .fires = 1, .clears = 1},
        {"60 s", 60000, .segments = {{4, 60, 60}, {4, 12, 12}}, .fires = 1, .clears = 1},
        {"5 min", 300000, .segments = {{6, 60, 60}, {9, 12, 12}}, .fires = 1, .clears = 1},
    };
    FOLLOW(courses);
}

static void gaps_do_not_fire(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"a short one", .segments = {{30, NAN, NAN}, {60, 12, 12}}},
        {"in a spike", .segments = {{20, 60, 60}, {10, NAN, NAN}, {20, 60, 60}, {60, 12, 12}},
            .fires = 1, .clears = 1},
        {"a spike that ends in one", .segments = {{20, 60, 60}, {60, NAN, NAN}, {60, 12, 12}},
            .fires = 1, .clears = 1},
        {"hours, to another level", .segments = {{20000, NAN, NAN}, {600, 30, 30}}},
        {"and a spike later on",
            .segments = {{20000, NAN, NAN}, {600, 30, 30}, {20, 90, 90}, {60, 30, 30}}, .fires = 1,
            .clears = 1},
        {"hours, to the same level, and a spike",
            .segments = {{20000, NAN, NAN}, {600, 12, 12}, {20, 60, 60}, {60, 12, 12}}, .fires = 1,
            .clears = 1},
        {"every other sample is missing",
            .segments = {{1, NAN, NAN}, {1, 60, 60}, {1, NAN, NAN}, {1, 60, 60}, {1, NAN, NAN},
                {1, 60, 60}, {1, NAN, NAN}, {1, 60, 60}, {60, 12, 12}},
            .fires = 1, .clears = 1},
    };
    FOLLOW(courses);
}

static void what_lasts_is_the_new_level(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"it fires once, and then it is usual",
            .segments = {{1800, 40, 40}, {20, 90, 90}, {60, 40, 40}}, .fires = 2, .clears = 2},
        {"the way back fires nothing",
            .segments = {{1800, 40, 40}, {1800, 12, 12}, {20, 60, 60}, {60, 12, 12}}, .fires = 2,
            .clears = 2},
        {"a small step is learned, too", .segments = {{900, 14, 14}, {30, 60, 60}, {60, 14, 14}},
            .fires = 1, .clears = 1},
    };
    FOLLOW(courses);
}

static void spacing_may_change(void **unused)
{
    (void)unused;
    static const struct {
        int64_t from_ms, to_ms;
    } cases[] = {
        {1000, 10000}, {10000, 1000}, {1000, 100}, {100, 1000}, {300000, 1000}, {1000, 300000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rig_open(&rig, 1, DIRECTION_UP, 0);
        rig.spacing_ms = cases[i].from_ms;
        calm(&rig, 4000);
        rig.spacing_ms = cases[i].to_ms;
        calm(&rig, 4000);
        assert_int_equal(rig.fires, 0);
        put_segment(&rig, &(struct segment){60, 60, 60});
        calm(&rig, 300);
        assert_int_equal(rig.fires, 1);
        assert_int_equal(rig.clears, 1);
        rig_close(&rig);
    }
}

/* Nearly half of the time that it learns in is spikes: it sees those that follow all the same. */
static void spikes_while_it_learns_do_not_blind_it(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    for (int i = 0; i < 3; i++) {
        put_segment(&rig, &(struct segment){40, 40, 40});
        calm(&rig, 60);
    }
    calm(&rig, 60);
    unsigned before = rig.fires;
    put_segment(&rig, &(struct segment){20, 25, 25});
    calm(&rig, 60);
    assert_int_equal(rig.fires, before + 1);
    rig_close(&rig);
}

/* Five minutes apart, after four days: what happens now and then is told, what happens often is
 * usual. */
static void slow_metrics_have_a_usual_range(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        int every; /* samples from one peak to the next */
        unsigned fires_before;
        double peak, higher;
        bool fires;
    } cases[] = {
        {"now and then", 360, 4, 60, 60, true},
        {"twice a day is usual after some days", 144, 9, 60, 60, false},
        {"every half hour", 6, 0, 60, 60, false},
        {"every half hour, and a higher one", 6, 0, 60, 75, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rig_open(&rig, 1, DIRECTION_UP, 0);
        rig.spacing_ms = 300000;
        for (int sample = 1; sample < 5 * 288; sample++)
            put(&rig, sample % cases[i].every ? LEVEL : cases[i].peak);
        if (cases[i].fires_before)
            assert_true(rig.fires <= cases[i].fires_before);
        unsigned before = rig.fires;
        put(&rig, cases[i].higher);
        if ((rig.fires > before) != cases[i].fires)
            fail_msg("%s: %u fires after %u", cases[i].name, rig.fires, before);
        rig_close(&rig);
    }
}

/* A dozen of samples that are each within the range are not, together. */
static void slow_metrics_are_judged_by_what_lasts(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 1, DIRECTION_UP, 0);
    rig.spacing_ms = 300000;
    for (int sample = 1; sample < 4 * 288; sample++)
        put(&rig, sample % 20 ? LEVEL : 30);
    unsigned before = rig.fires;
    put_segment(&rig, &(struct segment){3, 16, 16});
    assert_int_equal(rig.fires, before);
    put_segment(&rig, &(struct segment){12, 16, 16});
    assert_int_equal(rig.fires, before + 1);
    rig_close(&rig);
}

static void a_constant_metric_has_a_scale(void **unused)
{
    (void)unused;
    static const struct {
        enum unit unit;
        double usual, near, far;
    } cases[] = {{UNIT_PERCENT, 0, 2, 3}, {UNIT_COUNT, 10, 14, 15}, {UNIT_COUNT, 1000, 1070, 1090},
        {UNIT_RATE, 0, 0, 100}, {UNIT_RATE, 1e6, 2.5e6, 4e6}, {UNIT_BYTES, 1e9, 1.07e9, 1.09e9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rig_open(&rig, 1, DIRECTION_UP, 0);
        trigger_spike.close(rig.trigger);
        rig.units[0] = cases[i].unit;
        rig.trigger = trigger_spike.open(&rig.options, &rig.scope);
        for (int second = 0; second < 430; second++) {
            rig.time_ms += 1000;
            say(&rig, second < 400   ? &cases[i].usual
                      : second < 408 ? &cases[i].near
                                     : &cases[i].far);
            if (second < 408)
                assert_int_equal(rig.fires, 0);
        }
        assert_int_equal(rig.fires, 1);
        rig_close(&rig);
    }
}

/* Whatever comes, at whatever times, it stays finite and says at most one thing at a time. */
static void anything_may_come(void **unused)
{
    (void)unused;
    static const double values[] = {0, 1, 50, 100, -1, 1e300, -1e300, 1e-300, 12, 12, 12, 12};
    static const int64_t distances_ms[] = {
        1000, 1000, 1000, 1000, 1000, 0, 1, 100, 300000, 90000000};
    for (int direction = DIRECTION_UP; direction <= DIRECTION_BOTH; direction++) {
        struct rig rig;
        char phrase[REASON_SIZE];
        int64_t time_ms;
        rig_open(&rig, 3, direction, direction == DIRECTION_DOWN ? 5 : 0);
        for (int i = 0; i < 20000; i++) {
            size_t far = sizeof distances_ms / sizeof *distances_ms;
            unsigned pick = (unsigned)((noise(&rig) + 0.5) * 1e6);
            rig.time_ms += distances_ms[i / 500 % 3 ? 0 : pick % far];
            double now[3];
            for (size_t metric = 0; metric < 3; metric++)
                now[metric] = pick / (1 + metric) % 7 == 0 ? NAN
                              : i / 900 % 2                ? LEVEL + noise(&rig)
                                                           : values[pick / (7 + metric) % 12];
            say(&rig, now);
            trigger_spike.explain(rig.trigger, &rig.verdict, phrase);
            assert_true(strlen(phrase) < REASON_SIZE);
            if (trigger_spike.nearest_miss(rig.trigger, &time_ms, phrase))
                assert_null(strstr(phrase, "nan"));
            if (rig.verdict.holds)
                assert_true(rig.verdict.onset_ms <= rig.time_ms);
        }
        assert_true(rig.fires >= rig.clears);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_spacing_will_do),
        cmocka_unit_test(gaps_do_not_fire),
        cmocka_unit_test(what_lasts_is_the_new_level),
        cmocka_unit_test(spacing_may_change),
        cmocka_unit_test(spikes_while_it_learns_do_not_blind_it),
        cmocka_unit_test(slow_metrics_have_a_usual_range),
        cmocka_unit_test(slow_metrics_are_judged_by_what_lasts),
        cmocka_unit_test(a_constant_metric_has_a_scale),
        cmocka_unit_test(anything_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
