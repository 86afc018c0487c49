#include "commands/where.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void since_is_a_duration_a_date_or_a_time(void **state)
{
    (void)state;
    const int64_t now_ms = INT64_C(1795446241000); /* 2026-11-23T15:04:01Z */
    static const struct {
        const char *text;
        int64_t since_ms;
    } cases[] = {
        {"7d", INT64_C(1794841441000)},
        {"500ms", INT64_C(1795446240500)},
        {"2026-11-23", INT64_C(1795392000000)},
        {"2026-11-23T15:04:01Z", INT64_C(1795446241000)},
        {"2026-11-23T15:04:01.250+01:00", INT64_C(1795442641250)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        int64_t since_ms;
        if (where_read_since(cases[i].text, now_ms, &since_ms, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(since_ms, cases[i].since_ms);
    }
    static const char *const bad[] = {"", "yesterday", "7", "2026-02-30", "2026-11-23T15:04", "-7d",
        "2026-11-23T15:04:01ZT00:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err;
        int64_t since_ms;
        if (where_read_since(bad[i], now_ms, &since_ms, &err) == 0)
            fail_msg("%s was accepted", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(since_is_a_duration_a_date_or_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
