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
            assert_true(fabs(scale->slope * 1000 - 0.02) < 1e-6 && scale->scatter < 0.01);
    }
    assert_false(rises.scales[RISES_SCALES - 1].rising);
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
        cmocka_unit_test(what_is_believed_of_a_sample),
        cmocka_unit_test(a_new_high_is_above_the_usual),
        cmocka_unit_test(a_new_process_has_no_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
