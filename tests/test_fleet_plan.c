/* What a fleet decides: windows, slots, keys, verdicts. */
#include "agent/fleet/fleet_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };
static const int64_t noon_ms = (int64_t)1795435200 * 1000; /* 2026-11-23T12:00:00Z */

static void windows_have_no_gaps(void **state)
{
    (void)state;
    static const int64_t lengths_ms[] = {
        MINUTE_MS, 7 * MINUTE_MS, 10 * MINUTE_MS, 1440 * (int64_t)MINUTE_MS};
    for (size_t i = 0; i < sizeof lengths_ms / sizeof *lengths_ms; i++) {
        int64_t per_ms = lengths_ms[i], start_ms = fleet_plan_window_ms(noon_ms, per_ms);
        assert_true(start_ms <= noon_ms && noon_ms < start_ms + per_ms);
        assert_int_equal(fleet_plan_window_ms(start_ms, per_ms), start_ms);
        assert_int_equal(fleet_plan_window_ms(start_ms + per_ms - 1, per_ms), start_ms);
        assert_int_equal(fleet_plan_window_ms(start_ms + per_ms, per_ms), start_ms + per_ms);
        assert_int_equal(fleet_plan_window_ms(start_ms - 1, per_ms), start_ms - per_ms);
        assert_true(start_ms % MINUTE_MS != 0 || per_ms > 10 * MINUTE_MS);
    }
    assert_int_equal(fleet_plan_window_ms(noon_ms, 10 * MINUTE_MS), noon_ms - 370800);
    assert_int_equal(fleet_plan_window_ms(0, 10 * MINUTE_MS), -370800);
}

static void keys_are_as_documented(void **state)
{
    (void)state;
    char *key = fleet_plan_key("woogles", "cpu-high", noon_ms, "seen/0123");
    assert_string_equal(key, "service=woogles/_state/fleet/cpu-high/20261123T120000Z/seen/0123");
    free(key);
}

static void the_first_slot_is_by_the_id(void **state)
{
    (void)state;
    assert_int_equal(fleet_plan_first("20261123T120000Z-cpu-high-000000", 3), 0);
    assert_int_equal(fleet_plan_first("20261123T120000Z-cpu-high-00000a", 3), 1);
    assert_int_equal(fleet_plan_first("20261123T120000Z-cpu-high-ffffff", 7), 0xffffff % 7);
    assert_int_equal(fleet_plan_first("20261123T120000Z-cpu-high-ffffff", 1), 0);
    assert_int_equal(fleet_plan_first("", 5), 0);
}

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        enum fleet_answer answer;
        bool captured, another;
        enum fleet_verdict verdict;
    } cases[] = {
        {FLEET_SLOT, false, false, FLEET_KEEP},
        {FLEET_SLOT, true, true, FLEET_KEEP},
        {FLEET_NONE, false, false, FLEET_GIVE_UP},
        {FLEET_NONE, true, false, FLEET_LATER},
        {FLEET_NONE, false, true, FLEET_ASK_NEXT},
        {FLEET_NONE, true, true, FLEET_ASK_NEXT},
        {FLEET_UNKNOWN, false, false, FLEET_LATER},
        {FLEET_UNKNOWN, true, true, FLEET_LATER},
        {FLEET_UNABLE, false, false, FLEET_KEEP},
        {FLEET_UNABLE, true, true, FLEET_KEEP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fleet_plan_verdict(cases[i].answer, cases[i].captured, cases[i].another),
            cases[i].verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_have_no_gaps),
        cmocka_unit_test(keys_are_as_documented),
        cmocka_unit_test(the_first_slot_is_by_the_id),
        cmocka_unit_test(verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
