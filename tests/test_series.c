/* A set of series that changes while samples are in it. */
#include "core/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rings_of_another_size_hold_the_newest(void **state)
{
    static const struct {
        size_t capacity, pushed, then, kept;
    } cases[] = {
        {4, 0, 8, 0},
        {4, 3, 8, 3},
        {4, 4, 8, 4},
        {4, 7, 8, 4},
        {8, 7, 4, 4},
        {8, 11, 4, 4},
        {8, 3, 4, 3},
        {8, 11, 8, 8},
        {8, 11, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct series_set set;
        series_set_init(&set, cases[i].capacity);
        struct series *series = series_set_add(&set, "cpu");
        for (size_t j = 0; j < cases[i].pushed; j++)
            series_push(series, (int64_t)j, (double)j);
        series_set_resize(&set, cases[i].then);
        assert_ptr_equal(series_set_find(&set, "cpu"), series);
        assert_int_equal(series->count, cases[i].kept);
        assert_int_equal(series->pushed, cases[i].pushed);
        for (size_t j = 0; j < cases[i].kept; j++)
            assert_int_equal(series_at(series, j)->time_ms, cases[i].pushed - 1 - j);
        for (size_t j = 0; j < 20; j++)
            series_push(series, 100 + (int64_t)j, 1);
        assert_int_equal(series->count, cases[i].then ? cases[i].then : 1);
        assert_int_equal(series_at(series, 0)->time_ms, 119);
        series_set_free(&set);
    }
}

static void one_is_taken_out(void **state)
{
    struct series_set set;
    (void)state;
    series_set_init(&set, 4);
    series_set_add(&set, "a");
    series_set_add(&set, "b");
    series_set_add(&set, "c");
    series_set_remove(&set, 1);
    assert_int_equal(set.count, 2);
    assert_null(series_set_find(&set, "b"));
    assert_non_null(series_set_find(&set, "a"));
    assert_non_null(series_set_find(&set, "c"));
    series_set_remove(&set, 1);
    series_set_remove(&set, 0);
    assert_int_equal(set.count, 0);
    series_set_add(&set, "b");
    series_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_of_another_size_hold_the_newest),
        cmocka_unit_test(one_is_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
