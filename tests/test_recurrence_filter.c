#include "triggers/recurrence_filter.h"

#include "triggers/recurrence_inner.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ONSETS = 24 };

struct expectation {
    const char *name;
    double from_s, to_s, noise_s;
    double onsets_s[MAX_ONSETS]; /* ended by 0 */
    double least, most;          /* odds after the last of them */
    double period_s, tolerance;  /* where odds >= least > 0 */
};

static int64_t ms(double seconds)
{
    return (int64_t)llround(seconds * 1000);
}

static void feed(struct recurrence_filter *filter, const double *onsets_s, double *last_s)
{
    *last_s = 0;
    for (size_t i = 0; i < MAX_ONSETS && onsets_s[i] != 0; i++) {
        *last_s = onsets_s[i];
        recurrence_filter_onset(filter, ms(*last_s));
    }
}

static void odds_and_period_follow_the_onsets(void **unused)
{
    (void)unused;
    static const struct expectation cases[] = {
        {"a single onset says nothing", 180, 28800, 0.5, {100}, 0, 0.01, 0, 0},
        {"nor do two", 180, 28800, 0.5, {100, 1900}, 0, 0.05, 0, 0},
        {"nor do three that are not alike", 180, 28800, 0.5, {100, 1900, 2900}, 0, 0.2, 0, 0},
        {"five on a clock", 180, 28800, 0.5, {100, 1900, 3700, 5500, 7300}, 0.95, 1, 1800, 0.005},
        {"six with a jitter of 2%", 180, 28800, 0.5, {100, 1930, 3700, 5460, 7300, 9100}, 0.95, 1,
            1800, 0.02},
        {"a round that was missed", 180, 28800, 0.5, {100, 1900, 5500, 7300, 9100, 10900}, 0.95, 1,
            1800, 0.01},
        {"an unrelated spike in between", 180, 28800, 0.5,
            {100, 1900, 2700, 3700, 5500, 7300, 9100}, 0.95, 1, 1800, 0.01},
        {"the short end of the range", 180, 28800, 0.5, {50, 230, 410, 590, 770, 950}, 0.95, 1, 180,
            0.02},
        {"the long end", 180, 28800, 0.5, {50, 28850, 57650, 86450, 115250, 144050}, 0.95, 1, 28800,
            0.02},
        {"seconds, coarsely sampled", 10, 60, 0.5, {20, 40, 61, 80, 101, 120}, 0.9, 1, 20, 0.03},
        {"days", 3600, 604800, 150, {86400, 172800, 259200, 345600, 432000, 518400, 604800}, 0.95,
            1, 86400, 0.01},
        {"random times", 180, 28800, 0.5, {100, 700, 3100, 3800, 4400, 7900, 8300, 11000}, 0, 0.5,
            0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expectation *c = &cases[i];
        struct recurrence_filter *filter = recurrence_filter_open(c->from_s, c->to_s);
        recurrence_filter_reset(filter, c->noise_s);
        double last_s;
        feed(filter, c->onsets_s, &last_s);
        struct recurrence_estimate estimate;
        recurrence_filter_estimate(filter, ms(last_s), &estimate);
        if (!(estimate.odds >= c->least && estimate.odds <= c->most))
            fail_msg("%s: odds %.4f", c->name, estimate.odds);
        if (c->least > 0 && fabs(estimate.period_s / c->period_s - 1) > c->tolerance)
            fail_msg("%s: a period of %.2f s", c->name, estimate.period_s);
        recurrence_filter_close(filter);
    }
}

static void silence_ends_a_pattern(void **unused)
{
    (void)unused;
    struct recurrence_filter *filter = recurrence_filter_open(180, 28800);
    recurrence_filter_reset(filter, 0.5);
    static const double onsets_s[MAX_ONSETS] = {600, 1200, 1800, 2400, 3000, 3600};
    double last_s;
    feed(filter, onsets_s, &last_s);
    double before = 1;
    for (int round = 1; round <= 5; round++) {
        struct recurrence_estimate estimate;
        recurrence_filter_estimate(filter, ms(last_s + 600 * (round + 0.49)), &estimate);
        assert_true(estimate.odds <= before);
        before = estimate.odds;
    }
    assert_true(before < 0.05);
    struct recurrence_estimate estimate;
    recurrence_filter_estimate(filter, ms(last_s + 365.0 * 86400), &estimate);
    assert_true(estimate.odds == 0);
    recurrence_filter_close(filter);
}

static void the_window_is_around_the_next_round(void **unused)
{
    (void)unused;
    struct recurrence_filter *filter = recurrence_filter_open(180, 28800);
    recurrence_filter_reset(filter, 0.5);
    static const double onsets_s[MAX_ONSETS] = {100, 700, 1300, 1900, 2500, 3100};
    double last_s;
    feed(filter, onsets_s, &last_s);
    struct recurrence_window window;
    for (int round = 1; round <= 2; round++) {
        double centre_s = last_s + 600 * round;
        assert_true(recurrence_filter_window(filter, ms(centre_s - 400), 600, 60, 0.25, &window));
        assert_int_equal(window.end_ms - window.start_ms, 60000);
        assert_true(window.start_ms < ms(centre_s - 10) && window.end_ms > ms(centre_s + 10));
        assert_true(window.chance > 0.25 && window.chance <= 1);
    }
    assert_false(recurrence_filter_window(filter, ms(last_s), 600, 60, 0.9999, &window));
    recurrence_filter_close(filter);
}

static void a_reset_forgets(void **unused)
{
    (void)unused;
    static const double onsets_s[MAX_ONSETS] = {100, 700, 1300, 1900, 2500, 3100};
    struct recurrence_filter *filter = recurrence_filter_open(180, 28800);
    struct recurrence_estimate first, second;
    double last_s;
    recurrence_filter_reset(filter, 0.5);
    feed(filter, onsets_s, &last_s);
    recurrence_filter_estimate(filter, ms(last_s), &first);
    recurrence_filter_reset(filter, 0.5);
    recurrence_filter_estimate(filter, ms(last_s), &second);
    assert_true(second.odds == 0 && second.period_s == 0);
    feed(filter, onsets_s, &last_s);
    recurrence_filter_estimate(filter, ms(last_s), &second);
    assert_memory_equal(&first, &second, sizeof first);
    recurrence_filter_close(filter);
}

/* Bytes that a filter takes. */
static size_t size_of(const struct recurrence_filter *filter)
{
    return sizeof *filter +
           filter->period_count * (KINDS * sizeof *filter->tracks + sizeof *filter->periods_s +
                                      sizeof *filter->mass + sizeof *filter->period_prior);
}

static void memory_follows_the_range(void **unused)
{
    (void)unused;
    struct recurrence_filter *filter = recurrence_filter_open(180, 28800);
    assert_true(size_of(filter) <= 600000);
    recurrence_filter_close(filter);
    filter = recurrence_filter_open(10, 60);
    assert_true(size_of(filter) <= 230000);
    recurrence_filter_close(filter);
    filter = recurrence_filter_open(5, 604800);
    assert_true(size_of(filter) <= 1300000);
    recurrence_filter_close(filter);
    recurrence_filter_close(NULL);
}

/* A reproducible number from 0 to 1. */
static double draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static void numbers_stay_finite(void **unused)
{
    (void)unused;
    struct recurrence_filter *filter = recurrence_filter_open(10, 60);
    recurrence_filter_reset(filter, 0.5);
    uint64_t seed = 7;
    int64_t now_ms = -1000000000;
    for (int i = 0; i < 5000; i++) {
        double apart_s = i % 1000 == 999 ? 365 * 86400 : i % 100 < 50 ? 20 : 1 + 60 * draw(&seed);
        now_ms += ms(apart_s);
        recurrence_filter_onset(filter, now_ms);
        if (i % 97)
            continue;
        struct recurrence_estimate estimate;
        struct recurrence_window window;
        recurrence_filter_estimate(filter, now_ms + i, &estimate);
        assert_true(estimate.odds >= 0 && estimate.odds <= 1);
        assert_true(estimate.alive >= 0 && estimate.alive <= 1);
        assert_true(isfinite(estimate.period_s) && isfinite(estimate.jitter_s));
        recurrence_filter_window(filter, now_ms, 20, 2, 0.25, &window);
        assert_true(window.chance >= 0 && window.chance <= 1.000001);
    }
    recurrence_filter_close(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odds_and_period_follow_the_onsets),
        cmocka_unit_test(silence_ends_a_pattern),
        cmocka_unit_test(the_window_is_around_the_next_round),
        cmocka_unit_test(a_reset_forgets),
        cmocka_unit_test(memory_follows_the_range),
        cmocka_unit_test(numbers_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
