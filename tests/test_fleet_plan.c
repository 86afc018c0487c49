/* What a fleet decides: windows, slots, keys, verdicts. */
#include "agent/fleet/fleet_plan.h"

#include "core/alloc.h"
#include "core/incident.h"

#include <math.h>
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
        struct fleet_news news;
        enum fleet_verdict verdict;
    } cases[] = {
        {{FLEET_SLOT}, FLEET_KEEP},
        {{FLEET_SLOT, .captured = true, .another_has_joined = true}, FLEET_KEEP},
        {{FLEET_NONE}, FLEET_GIVE_UP},
        {{FLEET_NONE, .captured = true}, FLEET_LATER},
        {{FLEET_NONE, .another_has_joined = true}, FLEET_ASK_NEXT},
        {{FLEET_NONE, .captured = true, .another_has_joined = true}, FLEET_ASK_NEXT},
        {{FLEET_NONE, .unsure = true}, FLEET_LATER},
        {{FLEET_NONE, .unsure = true, .another_has_joined = true}, FLEET_LATER},
        {{FLEET_UNKNOWN}, FLEET_ASK_AGAIN},
        {{FLEET_UNKNOWN, .another_has_joined = true}, FLEET_ASK_AGAIN},
        {{FLEET_UNKNOWN, .captured = true}, FLEET_LATER},
        {{FLEET_UNKNOWN, .refused = true}, FLEET_LATER},
        {{FLEET_UNABLE}, FLEET_KEEP},
        {{FLEET_UNABLE, .captured = true, .another_has_joined = true}, FLEET_KEEP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fleet_plan_verdict(&cases[i].news), cases[i].verdict);
}

static void what_is_captured(void **state)
{
    (void)state;
    static const struct {
        enum profile_status status;
        double seconds;
        int64_t requested_ms; /* after the fire */
        bool captured;
    } cases[] = {
        {PROFILE_PENDING, 25, 0, false}, {PROFILE_OK, 25, 0, true},
        {PROFILE_TRUNCATED, 3, 900, true}, {PROFILE_FAILED, 25, 0, false},
        {PROFILE_OK, NAN, 0, false},  /* of a moment */
        {PROFILE_OK, 5, -4000, false} /* the recorder's */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident *incident = incident_new();
        incident->fired_ms = noon_ms;
        assert_false(fleet_plan_captured(incident));
        struct incident_profile *profile = incident_add_profile(incident, "cpu");
        profile->status = cases[i].status;
        profile->seconds = cases[i].seconds;
        profile->requested_ms = noon_ms + cases[i].requested_ms;
        assert_int_equal(fleet_plan_captured(incident), cases[i].captured);
        incident_free(incident);
    }
}

static void what_was_asked_for_by_hand_or_ends_with_its_app_is_kept(void **state)
{
    (void)state;
    struct incident *incident = incident_new();
    incident_add_joined(incident)->name = xstrdup("cpu-high");
    assert_false(fleet_plan_captured(incident));
    incident_add_joined(incident)->name = xstrdup("manual");
    assert_true(fleet_plan_captured(incident));
    incident_free(incident);
    incident = incident_new();
    incident->app_ended.time_ms = noon_ms;
    assert_true(fleet_plan_captured(incident));
    incident_free(incident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_have_no_gaps),
        cmocka_unit_test(keys_are_as_documented),
        cmocka_unit_test(the_first_slot_is_by_the_id),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(what_is_captured),
        cmocka_unit_test(what_was_asked_for_by_hand_or_ends_with_its_app_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
