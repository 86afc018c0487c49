/* An incident's profiles, what they cover, and the peaks of its metrics. */
#include "core/error.h"
#include "full_incident.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void profiles_are_found_and_removed(void **state)
{
    (void)state;
    static const char *const names[] = {"cpu.slice-1", "cpu", "heap"};
    struct incident *incident = incident_new();
    for (size_t i = 0; i < 3; i++)
        incident_add_profile(incident, names[i])->file = xstrdup(names[i]);
    incident_remove_profile(incident, 0);
    assert_int_equal(incident->profile_count, 2);
    assert_null(incident_find_profile(incident, "cpu.slice-1"));
    assert_ptr_equal(incident_find_profile(incident, "heap"), &incident->profiles[1]);
    incident_remove_profile(incident, 1);
    assert_string_equal(incident->profiles[0].file, "cpu");
    incident_free(incident);
}

static void a_profile_covers_what_it_ran_at(void **state)
{
    (void)state;
    static const struct {
        int64_t requested_ms, finished_ms, onset_ms;
        enum profile_status status;
        bool covers;
    } cases[] = {
        {1000, 2000, 1500, PROFILE_OK, true},
        {1000, 2000, 1000, PROFILE_OK, true},
        {1000, 2000, 2000, PROFILE_TRUNCATED, true},
        {1000, 2000, 999, PROFILE_OK, false},
        {1000, 2000, 2001, PROFILE_OK, false},
        {1000, 2000, 1500, PROFILE_FAILED, false},
        {0, 2000, 0, PROFILE_OK, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident_profile profile = {.status = cases[i].status,
            .requested_ms = cases[i].requested_ms,
            .finished_ms = cases[i].finished_ms};
        assert_int_equal(incident_profile_covers(&profile, cases[i].onset_ms), cases[i].covers);
    }
}

static void what_fires_for_being_low_has_no_peak(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        double value, limit;
        bool down;
        double peak;
    } cases[] = {
        {"cpu", 90, 80, false, 97},
        {"cpu", 80, 100, false, 97}, /* a forecast: it is on its way */
        {"cpu", 5, 10, true, NAN},
        {"memory", 70, 60, false, 70}, /* nothing was measured in the capture */
        {NULL, NAN, NAN, false, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct incident *incident = full_incident();
        free(incident->trigger.metric);
        incident->trigger.metric = cases[i].metric ? xstrdup(cases[i].metric) : NULL;
        incident->trigger.value = cases[i].value;
        incident->trigger.limit = cases[i].limit;
        incident->trigger.down = cases[i].down;
        incident_clear_peaks(incident);
        incident_add_peak(incident, "cpu", 97);
        incident_add_peak(incident, "net.received", 1e9);
        char *text = incident_to_text(incident);
        struct incident *again = incident_from_text(text, strlen(text), &err);
        double peak = incident_peak(again);
        assert_true(peak == cases[i].peak || (isnan(peak) && isnan(cases[i].peak)));
        assert_int_equal(strstr(text, "\"direction\": \"down\"") != NULL, cases[i].down);
        free(text);
        incident_free(again);
        incident_free(incident);
    }
}

static void peaks_can_be_taken_anew(void **state)
{
    (void)state;
    struct incident *incident = full_incident();
    incident_clear_peaks(incident);
    incident_add_peak(incident, "memory", 61);
    json_t *json = incident_to_json(incident);
    const json_t *peaks = json_object_get(json_object_get(json, "metrics"), "peak");
    assert_int_equal(json_object_size(peaks), 1);
    assert_int_equal(json_integer_value(json_object_get(peaks, "memory")), 61);
    json_decref(json);
    incident_free(incident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_found_and_removed),
        cmocka_unit_test(a_profile_covers_what_it_ran_at),
        cmocka_unit_test(peaks_can_be_taken_anew),
        cmocka_unit_test(what_fires_for_being_low_has_no_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
