#include "triggers/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Stretches of ones, of which some have one value of their own. */
struct course {
    const char *name;
    unsigned stretches;
    unsigned peaks; /* the newest stretches but one that hold a peak */
    float peak;
    float high, low;
};

static void the_mean_of_the_most_extreme_is_usual(void **unused)
{
    (void)unused;
    static const struct course courses[] = {
        {"nothing but ones", 60, 0, 1, 1, 1},
        {"one stretch is all there is", 1, 1, 11, 11, 1},
        {"a peak among many stretches", 60, 1, 11, 3, 1},
        {"four of them", 60, 4, 11, 9, 1},
        {"a daily one", 60, 5, 11, 11, 1},
        {"a dip", 60, 1, -9, 1, -1},
        {"few stretches, few of them count", 13, 1, 11, 6, 1},
    };
    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++) {
        const struct course *course = &courses[i];
        struct records records = {0};
        for (unsigned stretch = 0; stretch < course->stretches; stretch++)
            for (unsigned value = 0; value < RECORDS_LENGTH; value++)
                records_add(&records,
                    stretch + course->peaks >= course->stretches && value == 7 ? course->peak : 1);
        assert_int_equal(records.count, course->stretches);
        if (fabsf(records.usual.high - course->high) > 1e-4f ||
            fabsf(records.usual.low - course->low) > 1e-4f)
            fail_msg("%s: from %g to %g", course->name, (double)records.usual.low,
                (double)records.usual.high);
    }
}

static void old_stretches_are_forgotten(void **unused)
{
    (void)unused;
    struct records records = {0};
    for (unsigned value = 0; value < 10 * RECORDS_LENGTH; value++)
        records_add(&records, 100);
    for (unsigned value = 0; value < RECORDS_STRETCHES * RECORDS_LENGTH; value++)
        records_add(&records, -2);
    assert_int_equal(records.count, RECORDS_STRETCHES);
    assert_true(records.usual.high == -2 && records.usual.low == -2);
}

static void a_stretch_counts_when_it_is_over(void **unused)
{
    (void)unused;
    struct records records = {0};
    for (unsigned value = 0; value < RECORDS_LENGTH - 1; value++)
        records_add(&records, 5);
    assert_int_equal(records.count, 0);
    records_add(&records, 6);
    assert_int_equal(records.count, 1);
    assert_true(records.usual.high == 6 && records.usual.low == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_of_the_most_extreme_is_usual),
        cmocka_unit_test(old_stretches_are_forgotten),
        cmocka_unit_test(a_stretch_counts_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
