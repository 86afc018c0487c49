#include "review/page/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_values_have_the_unit_that_people_use(void **state)
{
    static const struct {
        double value;
        const char *unit, *text;
    } cases[] = {
        {0, "nanoseconds", "0 ns"},
        {999, "nanoseconds", "999 ns"},
        {1500, "nanoseconds", "1.50 µs"},
        {12345678, "nanoseconds", "12.3 ms"},
        {9.999e9, "nanoseconds", "10.0 s"},
        {312e9, "nanoseconds", "312 s"},
        {900, "seconds", "15.0 min"},
        {7200 * 6, "seconds", "12.0 h"},
        {512, "bytes", "512 B"},
        {1024, "bytes", "1.00 KiB"},
        {325058560, "bytes", "310 MiB"},
        {2, "kilobytes", "2.00 KiB"},
        {3e15, "bytes", "2728 TiB"},
        {0, "count", "0"},
        {999, "count", "999"},
        {15000, "count", "15,000"},
        {1234567, "", "1,234,567"},
        {2.5, "frobs", "2.5"},
        {9.2e18, "count", "9.2e+18"},
        {-2048, "bytes",
            "\xe2\x88\x92"
            "2.00 KiB"},
    };
    char text[AMOUNT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(amount_text(text, cases[i].value, cases[i].unit), cases[i].text);
}

static void test_changes_have_signs(void **state)
{
    char text[AMOUNT_MAX];
    (void)state;
    assert_string_equal(amount_change(text, 2048, "bytes"), "+2.00 KiB");
    assert_string_equal(amount_change(text, 0, "bytes"), "0 B");
    assert_string_equal(amount_change(text, -3, "count"), "\xe2\x88\x92"
                                                          "3");
    assert_string_equal(amount_points(text, 60.94), "+60.9");
    assert_string_equal(amount_points(text, -0.04), "0.0");
    assert_string_equal(amount_points(text, -0.4), "\xe2\x88\x92"
                                                   "0.4");
    assert_string_equal(amount_percent(text, 61.24), "61.2%");
    assert_string_equal(amount_percent(text, 0.01), "<0.1%");
    assert_string_equal(amount_percent(text, 0), "0.0%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_have_the_unit_that_people_use),
        cmocka_unit_test(test_changes_have_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
