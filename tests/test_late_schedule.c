#include "agent/late/late_schedule.h"

#include "sources/cloudwatch/cloudwatch_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The end of a minute, and a window that ends within that minute. */
static const int64_t minute_ms = INT64_C(1795446300000), window_ms = minute_ms - 20000;

static void tries_grow_apart_and_end(void **unused)
{
    (void)unused;
    static const int64_t after_s[] = {90, 180, 300, 420, 600};
    assert_int_equal(late_last_minute_ms(window_ms), minute_ms);
    assert_int_equal(late_last_minute_ms(minute_ms), minute_ms + 60000);
    for (unsigned i = 0; i < LATE_TRIES; i++)
        assert_int_equal(
            late_due_ms(window_ms, window_ms + 3000, i), minute_ms + after_s[i] * 1000);
    assert_int_equal(late_due_ms(window_ms, window_ms, LATE_TRIES), INT64_MAX);
}

/* Another run takes it up: at once, and then at the same distances. */
static void what_is_taken_up_late_has_all_tries(void **unused)
{
    (void)unused;
    int64_t began_ms = minute_ms + 3600000;
    assert_int_equal(late_due_ms(window_ms, began_ms, 0), began_ms);
    assert_int_equal(late_due_ms(window_ms, began_ms, 1), began_ms + 90000);
    assert_int_equal(late_due_ms(window_ms, began_ms, 4), began_ms + 510000);
    assert_int_equal(late_due_ms(window_ms, minute_ms + 60000, 0), minute_ms + 90000);
}

static void it_is_whole_when_all_that_came_has_the_last_minute(void **unused)
{
    (void)unused;
    struct cloudwatch_point early[] = {{minute_ms - 120000, 1}, {minute_ms - 60000, 2}};
    struct cloudwatch_point late[] = {{minute_ms - 60000, 1}, {minute_ms, 2}};
    const struct {
        struct cloudwatch_line all[3];
        bool partial, whole;
    } cases[] = {
        {{{NULL, 0}, {NULL, 0}, {NULL, 0}}, false, false},
        {{{late, 2}, {NULL, 0}, {late, 2}}, false, true},
        {{{late, 2}, {NULL, 0}, {early, 2}}, false, false},
        {{{early, 2}, {NULL, 0}, {NULL, 0}}, false, false},
        {{{late, 2}, {NULL, 0}, {NULL, 0}}, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cloudwatch_line all[] = {cases[i].all[0], cases[i].all[1], cases[i].all[2]};
        const struct cloudwatch_lines lines = {.all = all, .count = 3, .partial = cases[i].partial};
        assert_int_equal(late_is_whole(&lines, window_ms), cases[i].whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_grow_apart_and_end),
        cmocka_unit_test(what_is_taken_up_late_has_all_tries),
        cmocka_unit_test(it_is_whole_when_all_that_came_has_the_last_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
