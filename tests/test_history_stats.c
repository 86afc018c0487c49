#include "review/history/history_stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t minute_ms = 60000, day_ms = INT64_C(86400000),
                     start_ms = INT64_C(1790000000000);

enum { POINTS_MAX = 2000 };

/* The same for every run: a generator of its own (Park and Miller 1988, "minimal standard"). */
static double chance(uint32_t *seed)
{
    *seed = (uint32_t)(UINT64_C(48271) * *seed % 2147483647);
    return (double)*seed / 2147483647;
}

static double normal(uint32_t *seed)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += chance(seed);
    return sum - 6;
}

static void what_recurs_has_a_period(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        double jitter;  /* share of the period */
        double missing; /* share of the onsets that were not stored */
        int evening;    /* onsets of an evening, then none until the next; 0: all day */
        bool regular;
    } cases[] = {
        {6, 0, 0, 0, true},
        {14, 0.02, 0, 0, true},
        {100, 0.03, 0.3, 0, true},
        {60, 0.02, 0, 6, true},
        {5, 0, 0, 0, false}, /* too few */
        {100, 0.5, 0, 0, false},
        {1, 0, 0, 0, false},
        {0, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t times_ms[POINTS_MAX], at_ms = start_ms;
        uint32_t seed = 7;
        double period_s, jitter_s;
        for (size_t j = 0; j < cases[i].count; at_ms += 30 * minute_ms) {
            if (cases[i].evening && j % (size_t)cases[i].evening == 0 && j > 0 &&
                times_ms[j - 1] > at_ms - 40 * minute_ms)
                at_ms += 17 * 60 * minute_ms;
            if (chance(&seed) >= cases[i].missing)
                times_ms[j++] = at_ms + (int64_t)(cases[i].jitter * normal(&seed) * 1.8e6);
        }
        history_spacing(times_ms, cases[i].count, &period_s, &jitter_s);
        if (isfinite(period_s) != cases[i].regular)
            fail_msg("case %zu: %f", i, period_s);
        if (cases[i].regular) {
            assert_true(fabs(period_s - 1800) < 60);
            assert_true(jitter_s >= 0 && jitter_s < 150);
        }
    }
}

static void chance_has_no_period(void **state)
{
    (void)state;
    size_t found = 0;
    uint32_t seed = 11;
    for (int run = 0; run < 400; run++) {
        int64_t times_ms[12], at_ms = start_ms;
        double period_s, jitter_s;
        for (size_t j = 0; j < 12; j++)
            times_ms[j] = at_ms += (int64_t)(-log(chance(&seed) + 1e-9) * 1.8e6) + 1;
        history_spacing(times_ms, 12, &period_s, &jitter_s);
        found += isfinite(period_s) ? 1 : 0;
    }
    assert_true(found <= 4); /* 1 in 100 */
}

static void growth_is_told_from_noise(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        double days; /* between two */
        double week; /* growth, as a factor */
        double noise;
        bool trend;
    } cases[] = {
        {20, 1, 1.03, 0.005, true},
        {40, 1, 1.03, 0.02, true},
        {500, 0.1, 1.05, 0.03, true},
        {12, 7, 1.03, 0.03, true},
        {30, 1, 0.9, 0.02, true},
        {4, 7, 1.06, 0.001, true},
        {5, 7, 1.06, 0.002, true},
        {4, 7, 1.06, 0.03, false},
        {3, 7, 1.5, 0, false},      /* too few days */
        {200, 0.03, 1.5, 0, false}, /* less than a week */
        {60, 1, 1, 0.05, false},    /* noise */
        {60, 1, 1.004, 0, false},   /* less than 5% in all */
        {10, 1, 1.02, 0.2, false},  /* drowned in noise */
        {1, 1, 1, 0, false},
        {0, 1, 1, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t times_ms[POINTS_MAX];
        double values[POINTS_MAX];
        uint32_t seed = 3;
        struct history_trend trend;
        for (size_t j = 0; j < cases[i].count; j++) {
            double at = cases[i].days * (double)j;
            times_ms[j] = start_ms + (int64_t)(at * (double)day_ms);
            values[j] = 260e6 * pow(cases[i].week, at / 7) * exp(cases[i].noise * normal(&seed));
            if (j % 17 == 16)
                values[j] = NAN;
        }
        history_trend(times_ms, values, cases[i].count, &trend);
        if (isfinite(trend.week_percent) != cases[i].trend)
            fail_msg("case %zu: %f", i, trend.week_percent);
        if (!cases[i].trend)
            continue;
        double wanted = 100 * (cases[i].week - 1);
        assert_true(fabs(trend.week_percent - wanted) < 0.4 * fabs(wanted));
        assert_true((trend.now > trend.then) == (wanted > 0));
        assert_true(trend.now_ms > trend.then_ms);
        if (cases[i].days >= 1) /* what was measured, and not the line */
            assert_true(fabs(trend.now / values[cases[i].count - 1] - 1) < 1e-9 &&
                        fabs(trend.then / values[0] - 1) < 1e-9);
    }
}

/* One outlier, one daily cycle, one step within a day: nothing of this is a trend. */
static void chance_has_no_trend(void **state)
{
    (void)state;
    size_t found = 0, few = 0;
    uint32_t seed = 5;
    for (int run = 0; run < 500; run++) {
        int64_t times_ms[60];
        double values[60];
        struct history_trend trend;
        for (size_t j = 0; j < 60; j++) {
            times_ms[j] = start_ms + (int64_t)j * day_ms / 3;
            values[j] = exp(0.3 * normal(&seed) + 0.5 * sin(2.1 * (double)(j % 3)));
        }
        history_trend(times_ms, values, 60, &trend);
        found += isfinite(trend.week_percent) ? 1 : 0;
        for (size_t j = 0; j < 7; j++)
            times_ms[j] = start_ms + (int64_t)j * 3 * day_ms;
        for (size_t count = 4; count < 8; count++) {
            history_trend(times_ms, values, count, &trend);
            few += isfinite(trend.week_percent) ? 1 : 0;
        }
    }
    assert_true(found <= 5); /* 1 in 100 */
    assert_true(few <= 20);
}

static void the_longest_pause_is_that_of_late(void **state)
{
    (void)state;
    int64_t times_ms[HISTORY_PAUSES + 3] = {0, 1000000};
    for (int i = 2; i < HISTORY_PAUSES + 3; i++)
        times_ms[i] = times_ms[i - 1] + 10 + (i == 9);
    assert_int_equal(history_longest_pause(times_ms, HISTORY_PAUSES + 3), 11);
    assert_int_equal(history_longest_pause(times_ms, 2), 1000000);
    assert_int_equal(history_longest_pause(times_ms, 1), 0);
    assert_int_equal(history_longest_pause(times_ms, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_recurs_has_a_period),
        cmocka_unit_test(chance_has_no_period),
        cmocka_unit_test(growth_is_told_from_noise),
        cmocka_unit_test(chance_has_no_trend),
        cmocka_unit_test(the_longest_pause_is_that_of_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
