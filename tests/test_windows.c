/* When an app is recorded: windows of several triggers. */
#include "agent/capture/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void they_open_linger_and_end(void **state)
{
    (void)state;
    static const struct {
        int64_t now_ms, change_ms;
        bool open;
    } cases[] = {
        {0, 100, false},
        {99, 100, false},
        {100, 170, true},
        {169, 170, true}, /* 20 after the end */
        {250, 300, false},
        {300, 420, true},
        {419, 420, true},
        {420, INT64_MAX, false},
    };
    struct windows windows;
    windows_init(&windows, 3, 20);
    assert_false(windows_any_open(&windows, 100));
    assert_int_equal(windows_next_change_ms(&windows, 0), INT64_MAX);
    windows_arm(&windows, 0, 100, 150);
    windows_arm(&windows, 2, 300, 400);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        windows_forget_ended(&windows, cases[i].now_ms);
        if (windows_any_open(&windows, cases[i].now_ms) != cases[i].open ||
            windows_next_change_ms(&windows, cases[i].now_ms) != cases[i].change_ms)
            fail_msg("at %d", (int)cases[i].now_ms);
    }
    windows_free(&windows);
}

static void those_that_meet_are_one(void **state)
{
    (void)state;
    struct windows windows;
    windows_init(&windows, 3, 20);
    assert_int_equal(windows_next(&windows).until_ms, INT64_MIN);
    windows_arm(&windows, 0, 100, 150);
    windows_arm(&windows, 1, 200, 250);
    windows_arm(&windows, 2, 140, 200);
    assert_int_equal(windows_next(&windows).from_ms, 100);
    assert_int_equal(windows_next(&windows).until_ms, 250);
    windows_disarm(&windows, 2);
    assert_int_equal(windows_next(&windows).until_ms, 150);
    windows_disarm(&windows, 0);
    assert_int_equal(windows_next(&windows).from_ms, 200);
    windows_free(&windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_open_linger_and_end),
        cmocka_unit_test(those_that_meet_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
