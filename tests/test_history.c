#include "triggers/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The newest values, as a judge: sorted anew for each question. */
struct judge {
    double all[2 * HISTORY_SIZE + 100];
    size_t count;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t newest(const struct judge *judge, double sorted[HISTORY_SIZE])
{
    size_t count = judge->count < HISTORY_SIZE ? judge->count : HISTORY_SIZE;
    memcpy(sorted, judge->all + judge->count - count, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    return count;
}

static double judged_deviation(const struct judge *judge, double centre)
{
    double sorted[HISTORY_SIZE];
    size_t count = newest(judge, sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = fabs(sorted[i] - centre);
    qsort(sorted, count, sizeof *sorted, by_value);
    return sorted[(count + 1) / 2 - 1];
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Few distinct values (so that many are equal), many, and rising ones. */
static void quantiles_are_those_of_the_newest_values(void **unused)
{
    (void)unused;
    static const unsigned kinds[] = {1, 2, 5, 1000, 0};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        struct history history = {0};
        struct judge judge = {.count = 0};
        uint32_t random = 7;
        while (judge.count < sizeof judge.all / sizeof *judge.all) {
            double value = kinds[kind] ? next_random(&random) % kinds[kind]
                                       : (double)judge.count / 8;
            judge.all[judge.count++] = value;
            history_add(&history, (float)value);
            double sorted[HISTORY_SIZE];
            size_t count = newest(&judge, sorted);
            assert_int_equal(history.count, count);
            assert_true(history_quantile(&history, history_all(&history), 0) == sorted[0]);
            assert_true(history_quantile(&history, history_all(&history), 1) == sorted[count - 1]);
            double middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
            assert_true(
                fabs(history_quantile(&history, history_all(&history), 0.5) - middle) < 1e-6);
            assert_true(fabs(history_deviation(&history, history_all(&history), middle) -
                             judged_deviation(&judge, middle)) < 1e-6);
        }
    }
}

static void a_quantile_lies_between_two_values(void **unused)
{
    (void)unused;
    struct history history = {0};
    history_add(&history, 10);
    assert_true(history_quantile(&history, history_all(&history), 0.3) == 10);
    history_add(&history, 20);
    assert_true(fabs(history_quantile(&history, history_all(&history), 0.25) - 12.5) < 1e-6);
    history_clear(&history);
    history_add(&history, 3);
    assert_int_equal(history.count, 1);
    assert_true(history_quantile(&history, history_all(&history), 0.99) == 3);
    assert_true(history_deviation(&history, history_all(&history), 3) == 0);
}

/* Whatever the minority is, and on which side. */
static void the_densest_half_is_the_majority(void **unused)
{
    (void)unused;
    static const float others[] = {50, -50, 12};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct history history = {0};
        uint32_t random = 3;
        for (unsigned value = 0; value < 300; value++) {
            float noise = (float)next_random(&random) / 16777216.0f;
            history_add(&history, value % 10 < 4 ? others[i] + 20 * noise : 10 + noise);
        }
        struct history_part half = history_densest_half(&history);
        assert_int_equal(half.count, 151);
        assert_true(history_quantile(&history, half, 0) >= 10);
        assert_true(history_quantile(&history, half, 1) <= 11);
    }
}

static void a_part_has_quantiles_of_its_own(void **unused)
{
    (void)unused;
    struct history history = {0};
    for (int value = 1; value <= 100; value++)
        history_add(&history, (float)value);
    struct history_part part = history_between(&history, 11, 21);
    assert_int_equal(part.from, 10);
    assert_int_equal(part.count, 11);
    assert_true(history_quantile(&history, part, 0.5) == 16);
    assert_true(history_deviation(&history, part, 16) == 3);
    assert_true(history_quantile(&history, history_between(&history, 90, 1000), 1) == 100);
    assert_int_equal(history_between(&history, 30.2, 30.8).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_newest_values),
        cmocka_unit_test(a_quantile_lies_between_two_values),
        cmocka_unit_test(the_densest_half_is_the_majority),
        cmocka_unit_test(a_part_has_quantiles_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
