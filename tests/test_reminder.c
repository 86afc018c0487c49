#include "core/reminder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };

/* Asked every half minute for two days. */
static void what_goes_on_is_said_ever_more_rarely(void **state)
{
    (void)state;
    struct reminder reminder = {0};
    static const int minutes[] = {0, 5, 15, 35, 75, 155, 315, 635, 635 + 360, 635 + 720, 635 + 1080,
        635 + 1440, 635 + 1800, 635 + 2160};
    size_t said = 0;
    for (int i = 0; i < 2 * 2 * 1440 - 1; i++) {
        char cause[64];
        snprintf(
            cause, sizeof cause, "no answer after %d.%02d s (request %d)", 5 + i % 7, i % 90, i);
        if (!reminder_due(&reminder, cause, (int64_t)i * MINUTE_MS / 2))
            continue;
        assert_true(said < sizeof minutes / sizeof *minutes);
        assert_int_equal(i, 2 * minutes[said]);
        said++;
    }
    assert_int_equal(said, sizeof minutes / sizeof *minutes);
}

static void each_cause_is_said(void **state)
{
    (void)state;
    struct reminder reminder = {0};
    static const char *const causes[] = {"a", "b", "c", "d", "e"};
    for (int64_t i = 0; i < REMINDER_CAUSES; i++)
        assert_true(reminder_due(&reminder, causes[i], i));
    for (int64_t i = 0; i < REMINDER_CAUSES; i++)
        assert_false(reminder_due(&reminder, causes[i], 10));
    assert_true(reminder_due(&reminder, "e", 20)); /* in place of d */
    assert_false(reminder_due(&reminder, "a", 30));
    assert_true(reminder_due(&reminder, "d", 30));
}

static void what_begins_anew_is_said_anew(void **state)
{
    (void)state;
    struct reminder reminder = {0};
    assert_false(reminder_over(&reminder));
    assert_true(reminder_due(&reminder, "a", 0));
    assert_false(reminder_due(&reminder, "a", 1));
    assert_true(reminder_over(&reminder));
    assert_true(reminder_due(&reminder, "a", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_on_is_said_ever_more_rarely),
        cmocka_unit_test(each_cause_is_said),
        cmocka_unit_test(what_begins_anew_is_said_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
