#include "config/units.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct whole {
    const char *text;
    int64_t number;
    const char *formatted; /* NULL: as text */
};

static void durations_are_read_and_written(void **state)
{
    (void)state;
    static const struct whole cases[] = {
        {"500ms", 500, NULL},
        {"10s", 10000, NULL},
        {"5m", 300000, NULL},
        {"2h", 7200000, NULL},
        {"7d", 604800000, NULL},
        {"0s", 0, NULL},
        {"0ms", 0, "0s"},
        {"1500ms", 1500, NULL},
        {"1.5s", 1500, "1500ms"},
        {"0.5h", 1800000, "30m"},
        {"60s", 60000, "1m"},
        {"90s", 90000, NULL},
        {"24h", 86400000, "1d"},
        {"0.4ms", 0, "0s"},
        {"0.5ms", 1, "1ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[VALUE_TEXT_SIZE];
        int64_t ms = -1;
        assert_int_equal(units_read_duration(cases[i].text, &ms, NULL), 0);
        assert_int_equal(ms, cases[i].number);
        assert_string_equal(units_format_duration(ms, text),
            cases[i].formatted ? cases[i].formatted : cases[i].text);
    }
}

static void bytes_are_read_and_written(void **state)
{
    (void)state;
    static const struct whole cases[] = {
        {"512KiB", 512 << 10, NULL},
        {"64MiB", 64 << 20, NULL},
        {"10MB", 10000000, NULL},
        {"500KB", 500000, NULL},
        {"2GiB", INT64_C(2) << 30, NULL},
        {"3GB", INT64_C(3000000000), NULL},
        {"1TiB", INT64_C(1) << 40, NULL},
        {"1.5KiB", 1536, "1536B"},
        {"1536B", 1536, NULL},
        {"4096", 4096, "4KiB"},
        {"0", 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[VALUE_TEXT_SIZE];
        int64_t bytes = -1;
        assert_int_equal(units_read_bytes(cases[i].text, &bytes, NULL), 0);
        assert_int_equal(bytes, cases[i].number);
        assert_string_equal(units_format_bytes(bytes, text),
            cases[i].formatted ? cases[i].formatted : cases[i].text);
    }
}

struct refused {
    int (*read)(const char *text, int64_t *number, struct error *err);
    const char *text;
    const char *error;
};

#define NO_DURATION " is not a duration; write it like 500ms, 10s, 5m, 2h or 7d"
#define NO_BYTES    " is not a number of bytes; write it like 512KiB, 64MiB, 10MB or 4096"

static void what_is_no_number_is_refused_with_the_remedy(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {units_read_duration, "10", "10 has no unit; write 10s for seconds, 10d for days"},
        {units_read_duration, "0", "0 has no unit; write 0s for seconds, 0d for days"},
        {units_read_duration, "10 s", "\"10 s\"" NO_DURATION},
        {units_read_duration, "10S", "\"10S\"" NO_DURATION},
        {units_read_duration, "-5s", "\"-5s\"" NO_DURATION},
        {units_read_duration, "1h30m", "\"1h30m\"" NO_DURATION},
        {units_read_duration, ".5s", "\".5s\"" NO_DURATION},
        {units_read_duration, "5.s", "\"5.s\"" NO_DURATION},
        {units_read_duration, "1e3s", "\"1e3s\"" NO_DURATION},
        {units_read_duration, "0x10s", "\"0x10s\"" NO_DURATION},
        {units_read_duration, "inf", "\"inf\"" NO_DURATION},
        {units_read_duration, "nan", "\"nan\"" NO_DURATION},
        {units_read_duration, "", "\"\"" NO_DURATION},
        {units_read_duration, "99999999999999999999s", "\"99999999999999999999s\"" NO_DURATION},
        {units_read_duration, "104249991375d", "\"104249991375d\"" NO_DURATION},
        {units_read_bytes, "10mb", "10mb: units are in capitals; write 10MB"},
        {units_read_bytes, "1.5gib", "1.5gib: units are in capitals; write 1.5GiB"},
        {units_read_bytes, "10M", "\"10M\"" NO_BYTES},
        {units_read_bytes, "10 MB", "\"10 MB\"" NO_BYTES},
        {units_read_bytes, "-1", "\"-1\"" NO_BYTES},
        {units_read_bytes, "9007199254740993TiB", "\"9007199254740993TiB\"" NO_BYTES},
        {units_read_integer, "1.5", "\"1.5\" is not a whole number"},
        {units_read_integer, "-", "\"-\" is not a whole number"},
        {units_read_integer, "", "\"\" is not a whole number"},
        {units_read_integer, "+1", "\"+1\" is not a whole number"},
        {units_read_integer, " 1", "\" 1\" is not a whole number"},
        {units_read_integer, "9999999999999999999",
            "\"9999999999999999999\" is not a whole number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        int64_t number = 0;
        assert_int_equal(cases[i].read(cases[i].text, &number, &err), -1);
        assert_string_equal(err.text, cases[i].error);
    }
}

static void whole_numbers_are_read(void **state)
{
    (void)state;
    int64_t number;
    assert_int_equal(units_read_integer("-7", &number, NULL), 0);
    assert_int_equal(number, -7);
    assert_int_equal(units_read_integer("007", &number, NULL), 0);
    assert_int_equal(number, 7);
}

struct valued {
    const char *text;
    enum unit unit;
    double value;
    const char *error; /* NULL: none */
};

#define NO_RATE " is not a rate; m is in bytes a second, write it like 20MB/s or 20000000"

static void values_take_the_unit_of_their_metric(void **state)
{
    (void)state;
    static const struct valued cases[] = {
        {"80%", UNIT_PERCENT, 80, NULL},
        {"0.5%", UNIT_PERCENT, 0.5, NULL},
        {"80", UNIT_PERCENT, 0, "80 has no unit; m is in %, write 80%"},
        {"0.8", UNIT_PERCENT, 0, "0.8 has no unit; m is in %, write 80% (or 0.8%)"},
        {"0", UNIT_PERCENT, 0, "0 has no unit; m is in %, write 0%"},
        {"-1%", UNIT_PERCENT, 0, "\"-1%\" is not a share; m is in %, write it like 80%"},
        {"80 %", UNIT_PERCENT, 0, "\"80 %\" is not a share; m is in %, write it like 80%"},
        {"20MB/s", UNIT_RATE, 20e6, NULL},
        {"1.5GiB/s", UNIT_RATE, 1.5 * 1073741824, NULL},
        {"20000000", UNIT_RATE, 20e6, NULL},
        {"7B/s", UNIT_RATE, 7, NULL},
        {"20MB", UNIT_RATE, 0, "20MB is not a rate; m is in bytes a second, write 20MB/s"},
        {"20MB/m", UNIT_RATE, 0, "\"20MB/m\"" NO_RATE},
        {"20/s", UNIT_RATE, 0, "\"20/s\"" NO_RATE},
        {"80%", UNIT_RATE, 0, "\"80%\"" NO_RATE},
        {"20Mbit/s", UNIT_RATE, 0, "\"20Mbit/s\"" NO_RATE},
        {"512MiB", UNIT_BYTES, 536870912, NULL},
        {"1000", UNIT_BYTES, 1000, NULL},
        {"20MB/s", UNIT_BYTES, 0, "20MB/s is a rate; m is in bytes, write 20MB"},
        {"80%", UNIT_BYTES, 0, "\"80%\"" NO_BYTES},
        {"20ms", UNIT_SECONDS, 0.02, NULL},
        {"1.5s", UNIT_SECONDS, 1.5, NULL},
        {"0.02", UNIT_SECONDS, 0, "0.02 has no unit; m is a time, write 0.02s"},
        {"80%", UNIT_SECONDS, 0,
            "\"80%\" is not a time; m is in seconds, write it like 20ms or 1.5s"},
        {"3", UNIT_COUNT, 3, NULL},
        {"0.5", UNIT_CORES, 0.5, NULL},
        {"12.25", UNIT_NONE, 12.25, NULL},
        {"80%", UNIT_COUNT, 0, "\"80%\" is not a plain number; m takes one like 3 or 0.5"},
        {"many", UNIT_COUNT, 0, "\"many\" is not a number; m takes one like 3 or 0.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {.text = ""};
        double value = 0;
        int status = units_read_value(cases[i].text, cases[i].unit, "m", &value, &err);
        assert_int_equal(status, cases[i].error ? -1 : 0);
        assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
        if (!cases[i].error)
            assert_true(value == cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_and_written),
        cmocka_unit_test(bytes_are_read_and_written),
        cmocka_unit_test(what_is_no_number_is_refused_with_the_remedy),
        cmocka_unit_test(whole_numbers_are_read),
        cmocka_unit_test(values_take_the_unit_of_their_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
