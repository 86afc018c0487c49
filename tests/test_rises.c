#include "triggers/rises.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A sample a second, each with the value given. */
static void add(struct rises *rises, int64_t *time_s, size_t count, double first, double step)
{
    for (size_t i = 0; i < count; i++)
        rises_add(rises, (struct point){(*time_s)++ * 1000, first + step * (double)i});
}

static void a_run_of_samples_is_a_rise(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        double values[6];
        bool rising;
        double slope_s;
        int64_t span_ms;
    } cases[] = {
        {"flat", {5, 5, 5, 5, 5, 5}, false, 0, 0},
        {"three rises", {5, 5, 5, 6, 7, 8}, true, 1, 3000},
        {"two are too few", {5, 5, 5, 5, 6, 7}, false, 0, 0},
        {"it goes on", {5, 5, 6, 7, 8, 9}, true, 1, 4000},
        {"the middle one of the slopes", {5, 5, 5, 6, 7, 90}, true, 1, 3000},
        {"a fall ends it", {5, 6, 7, 8, 9, 8}, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rises rises;
        rises_init(&rises, 60000);
        for (int64_t k = 0; k < 6; k++)
            assert_false(rises_add(&rises, (struct point){k * 1000, cases[i].values[k]}));
        const struct rises_scale *samples = &rises.scales[0];
        if (samples->rising != cases[i].rising)
            fail_msg("%s", cases[i].name);
        if (!samples->rising)
            continue;
        assert_true(fabs(samples->slope * 1000 - cases[i].slope_s) < 1e-9);
        assert_int_equal(samples->span_ms, cases[i].span_ms);
        assert_true(rises_newest(samples, 0)->value == cases[i].values[5]);
        assert_true(rises_newest(samples, 5)->value == cases[i].values[0]);
    }
}

/* A line rises on every scale that has seen enough of it, equally steeply. */
static void a_line_rises_on_all_scales(void **unused)
{
    (void)unused;
    struct rises rises;
    int64_t time_s = 0;
    rises_init(&rises, 60000);
    add(&rises, &time_s, 1000, 10, 0.02);
    for (unsigned i = 0; i < RISES_SCALES; i++) {
        const struct rises_scale *scale = &rises.scales[i];
        bool has_seen_enough = i == 0 || (937LL << (i - 1)) * 8 < 1000000;
        if (has_seen_enough)
            assert_true(scale->rising);
        if (scale->rising)
            assert_true(
                fabs(scale->slope * 1000 - 0.02) < 1e-6 && scale->jitter < 1e-6 && !scale->levels);
    }
    assert_false(rises.scales[RISES_SCALES - 1].rising);
}

/* Blocks of a second each: what becomes of 30 after noise. */
static void a_step_levels(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        double values[10];
        bool run_goes_on, blocks_go_on;
    } cases[] = {
        {"a line", {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, true, true},
        {"a step", {30.1, 30, 30.1, 30.2, 30.3, 30.4, 30.5, 90, 90.1, 90.2}, false, false},
        {"by a sample half-way, which blocks see later",
            {30.1, 30, 30.1, 30.2, 30.3, 30.4, 60, 90, 90.1, 90.2}, false, true},
        {"that has just been", {30.3, 30.2, 30.3, 30.1, 30.2, 30.1, 30.5, 30.6, 90, 90.1}, false,
            false},
        {"noise before it", {30.3, 30.2, 30.3, 30.1, 30.2, 30.1, 30.5, 30.6, 60, 90}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rises rises;
        rises_init(&rises, 64000);
        for (int64_t k = 0; k < 10; k++)
            rises_add(&rises, (struct point){k * 1000, cases[i].values[k]});
        const struct rises_scale *run = &rises.scales[0], *blocks = &rises.scales[1];
        if ((run->rising && !run->levels) != cases[i].run_goes_on ||
            (blocks->rising && !blocks->levels) != cases[i].blocks_go_on)
            fail_msg("%s", cases[i].name);
    }
}

/* A long scale still rises when a finer one has long been flat. */
static void a_finer_scale_tells_that_it_is_flat(void **unused)
{
    (void)unused;
    struct rises rises;
    int64_t time_s = 0;
    unsigned rising = 0;
    rises_init(&rises, 60000);
    add(&rises, &time_s, 1200, 10, 0.05);
    for (unsigned i = 1; i < RISES_SCALES; i++)
        if (rises.scales[i].rising)
            assert_false(rises_is_flat_since(&rises, i));
    add(&rises, &time_s, 300, 70, 0);
    for (unsigned i = 1; i < RISES_SCALES; i++)
        if (rises.scales[i].rising && !rises.scales[i].levels) {
            assert_true(rises_is_flat_since(&rises, i));
            rising++;
        }
    assert_true(rising > 0);
}

/* A scale finer than a tooth has the jitter of the peaks, not that of the teeth. */
static void the_jitter_is_that_of_the_peaks(void **unused)
{
    (void)unused;
    struct rises rises;
    int64_t time_s = 0;
    rises_init(&rises, 60000);
    for (int i = 0; i < 200; i++)
        add(&rises, &time_s, 10, 50 + i % 2, 1);
    assert_true(rises.scales[3].jitter > 1);
    assert_true(rises_jitter(&rises, 3) < 1);
}

static void what_is_believed_of_a_sample(void **unused)
{
    (void)unused;
    static const struct {
        double values[4];
        double credible;
    } cases[] = {
        {{5, 5, 5, 99}, 5},  /* an odd one */
        {{5, 5, 8, 11}, 11}, /* a rise goes on */
        {{5, 5, 8, 50}, 11}, /* and no faster */
        {{9, 8, 7, 6}, 6},   /* a fall */
        {{9, 9, 5, 50}, 5},  /* none after a fall */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rises rises;
        rises_init(&rises, 60000);
        for (int64_t k = 0; k < 4; k++)
            rises_add(&rises, (struct point){k * 1000, cases[i].values[k]});
        assert_true(rises_credible(&rises) == cases[i].credible);
    }
}

static void a_new_high_is_above_the_usual(void **unused)
{
    (void)unused;
    struct rises rises;
    int64_t time_s = 0;
    rises_init(&rises, 60000);
    assert_true(rises_is_new_high(&rises, 0, 100, 1));
    for (int i = 0; i < 200; i++)
        add(&rises, &time_s, 10, 50, 1); /* teeth from 50 to 59 */
    int64_t now_ms = time_s * 1000;
    assert_false(rises_is_new_high(&rises, now_ms, 100, 58));
    assert_false(rises_is_new_high(&rises, now_ms, 100, 59));
    assert_false(rises_is_new_high(&rises, now_ms, 100, 61)); /* by less than a 20th of 41 */
    assert_true(rises_is_new_high(&rises, now_ms, 100, 61.1));
    assert_true(rises_is_new_high(&rises, 0, 100, 50)); /* nothing was before */
    add(&rises, &time_s, 60, 80, 0);
    add(&rises, &time_s, 600, 55, 0);
    now_ms = time_s * 1000;
    /* One peak at 80 among many at 59: half as much again above the usual. */
    assert_false(rises_is_new_high(&rises, now_ms, 100, 89));
    assert_true(rises_is_new_high(&rises, now_ms, 100, 90.1));
}

static void a_new_process_has_no_past(void **unused)
{
    (void)unused;
    struct rises rises;
    int64_t time_s = 0;
    rises_init(&rises, 60000);
    add(&rises, &time_s, 300, 50, 0);
    /* One odd sample is none, nor is half of the lowest. */
    assert_false(rises_add(&rises, (struct point){time_s++ * 1000, 5}));
    assert_false(rises_add(&rises, (struct point){time_s++ * 1000, 25}));
    assert_false(rises_add(&rises, (struct point){time_s++ * 1000, 25}));
    assert_true(rises_add(&rises, (struct point){time_s++ * 1000, 5}) ||
                rises_add(&rises, (struct point){time_s++ * 1000, 5}));
    assert_int_equal(rises.begun_ms, (time_s - 1) * 1000);
    assert_int_equal(rises.scales[0].count, 1);
    assert_true(rises_is_new_high(&rises, time_s * 1000 - 1000, 100, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_of_samples_is_a_rise),
        cmocka_unit_test(a_line_rises_on_all_scales),
        cmocka_unit_test(a_step_levels),
        cmocka_unit_test(a_finer_scale_tells_that_it_is_flat),
        cmocka_unit_test(the_jitter_is_that_of_the_peaks),
        cmocka_unit_test(what_is_believed_of_a_sample),
        cmocka_unit_test(a_new_high_is_above_the_usual),
        cmocka_unit_test(a_new_process_has_no_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
