#include "core/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void values_read_as_people_say_them(void **state)
{
    (void)state;
    static const struct {
        enum unit unit;
        double value;
        const char *text, *level;
    } cases[] = {
        {UNIT_NONE, 0, "0", "0"},
        {UNIT_NONE, 3.5, "3.5", "3.5"},
        {UNIT_NONE, 99999.4, "99999.4", "99999.4"},
        {UNIT_COUNT, 60000000, "60000000", "60000000"},
        {UNIT_COUNT, -1234567, "-1234567", "-1234567"},
        {UNIT_NONE, 1e15, "1e+15", "1e+15"},
        {UNIT_NONE, 1e300, "1e+300", "1e+300"},
        {UNIT_PERCENT, 93.14, "93.1%", "93.14%"},
        {UNIT_CORES, 1, "1.00 cores", "1 core"},
        {UNIT_BYTES, 10e6, "9.54 MiB", "10 MB"},
        {UNIT_RATE, 20e6, "20.0 MB/s", "20 MB/s"},
        {UNIT_SECONDS, 0, "0 ms", "0 s"},
        {UNIT_SECONDS, 0.0205, "20.5 ms", "20.5 ms"},
        {UNIT_SECONDS, 1.5, "1.5 s", "1.5 s"},
        {UNIT_SECONDS, 119, "119 s", "119 s"},
        {UNIT_SECONDS, 120, "2 min", "2 min"},
        {UNIT_SECONDS, 125.4, "2 min 5 s", "2 min 5 s"},
        {UNIT_SECONDS, 3599.4, "59 min 59 s", "59 min 59 s"},
        {UNIT_SECONDS, 3599.6, "1 h", "1 h"},
        {UNIT_SECONDS, 3600, "1 h", "1 h"},
        {UNIT_SECONDS, 12000, "3 h 20 min", "3 h 20 min"},
        {UNIT_SECONDS, 86399, "1 d", "1 d"},
        {UNIT_SECONDS, 86400, "1 d", "1 d"},
        {UNIT_SECONDS, 795446000, "9206 d 13 h", "9206 d 13 h"},
        {UNIT_SECONDS, 1e15, "1e+15 s", "1e+15 s"},
        {UNIT_SECONDS, -200, "-200 s", "-200 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[VALUE_TEXT_SIZE];
        assert_string_equal(metric_format(cases[i].unit, cases[i].value, text), cases[i].text);
        assert_string_equal(
            metric_format_level(cases[i].unit, cases[i].value, text), cases[i].level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_read_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
