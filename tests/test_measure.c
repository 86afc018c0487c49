#include "review/profile/measure.h"

#include "core/buf.h"

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

static void values_are_told_as_pprof_tells_them(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *from, *to, *expected;
    } cases[] = {
        {1536, "bytes", MEASURE_BEST, "1.50kB"},
        {0, "bytes", MEASURE_BEST, "0"},
        {0, "nanoseconds", "ms", "0"},
        {-1536, "bytes", "auto", "-1.50kB"},
        {1, "bytes", "MB", "0"},
        {INT64_MAX, "bytes", MEASURE_BEST, "8192PB"},
        {INT64_MIN, "bytes", MEASURE_BEST, "-9223372036854775808B"},
        {90, "seconds", "ms", "90000ms"},
        {5400, "s", MEASURE_BEST, "1.50hrs"},
        {10, "ns", "bytes", "0"},
        {7, "count", MEASURE_BEST, "7"},
        {7, "count", "count", "7"},
        {7, "objects", "objects", "7objects"},
        {7, "", "", "7"},
        {7, "Milliseconds", "Seconds", "0.01s"},
        {2048,
            "\xe2\x84\xaa"
            "B",
            "MB", "2MB"},
        {3, "\xce\xbcs", "us", "3us"}, /* its plural s is taken for one, in pprof as well */
        {3, "\xce\xbcss", "us", "3us"},
        {1500, "milliGCU", MEASURE_BEST, "1.50GCU"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf label;
        buf_init(&label, 100);
        measure_label(&label, cases[i].value, cases[i].from, cases[i].to);
        assert_string_equal(label.data, cases[i].expected);
        buf_free(&label);
    }
}

static void shares_are_told_as_pprof_tells_them(void **state)
{
    (void)state;
    static const struct {
        int64_t value, total;
        const char *expected;
    } cases[] = {{1, 3, "33.33%"}, {3, 3, "  100%"}, {9994, 10000, "99.94%"},
        {9996, 10000, "  100%"}, {2, 1, "200.00%"}, {0, 3, "    0%"}, {1, 0, "    0%"},
        {1, 200, "  0.5%"}, {1, 3000, "0.033%"}, {1, 1000000000, "1e-07%"}, {-1, 2, "50.00%"},
        {INT64_MAX, 1, "922337203685477580800.00%"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[MEASURE_PERCENT_SIZE];
        measure_percent(cases[i].value, cases[i].total, text);
        assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_of_one_measure_have_a_ratio),
        cmocka_unit_test(values_are_told_as_pprof_tells_them),
        cmocka_unit_test(shares_are_told_as_pprof_tells_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
