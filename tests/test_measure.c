#include "review/profile/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void units_of_one_measure_have_a_ratio(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        double ratio; /* 0: they are of different measures */
    } cases[] = {
        {"nanoseconds", "nanoseconds", 1},
        {"seconds", "ns", 1e9},
        {"ms", "Milliseconds", 1},
        {"hours", "s", 3600},
        {"MB", "kB", 1024},
        {"bytes", "B", 1},
        {"count", "count", 1},
        {"", "", 1},
        {"count", "bytes", 0},
        {"bytes", "seconds", 0},
        {"bytes", "", 0},
        {"a unit that is longer than any", "bytes", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double ratio;
        bool same = measure_ratio(cases[i].from, cases[i].to, &ratio);
        assert_int_equal(same, cases[i].ratio > 0);
        if (same)
            assert_true(ratio == cases[i].ratio);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(units_of_one_measure_have_a_ratio)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
