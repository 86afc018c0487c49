/* What incident.json says of the time of a spike: when it was over, how much of it each profile
 * covered, and what followed it. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "{\"schema\": 1, \"id\": \"20261123T150401Z-follow_up-1a2b3c\", \"service\": \"woogles\", "    \
    "\"kind\": \"follow_up\", \"fired\": \"2026-11-23T15:04:01Z\", \"profiles\": []"

static void a_profile_covers_a_share_of_the_spike(void **state)
{
    (void)state;
    static const struct {
        int64_t onset_ms, ended_ms, finished_ms; /* of the incident */
        int64_t from_ms, to_ms;                  /* of the profile */
        double seconds;
        enum profile_status status;
        double percent;
    } cases[] = {
        /* all of it, half of it, none of it */
        {10000, 20000, 40000, 10000, 35000, 25, PROFILE_OK, 100},
        {10000, 20000, 40000, 5000, 20000, 15, PROFILE_OK, 100},
        {10000, 20000, 40000, 15000, 40200, 25, PROFILE_OK, 50},
        {10000, 20000, 40000, 20000, 30000, 10, PROFILE_OK, 0},
        {10000, 20000, 40000, 2000, 9000, 7, PROFILE_OK, 0},
        /* in the middle of it, and to a tenth */
        {10000, 40000, 45000, 20000, 30000, 10, PROFILE_TRUNCATED, 33.3},
        /* no more than was recorded: the answer took its time, or there were gaps */
        {10000, 20000, 40000, 10000, 20000, 4, PROFILE_OK, 40},
        /* it lasts still: what was until the finish counts */
        {10000, 0, 35000, 15000, 35000, 20, PROFILE_OK, 80},
        /* nothing to tell */
        {10000, 20000, 40000, 12000, 12100, NAN, PROFILE_OK, NAN},
        {10000, 20000, 40000, 12000, 22000, 10, PROFILE_FAILED, NAN},
        {10000, 20000, 40000, 12000, 0, 10, PROFILE_PENDING, NAN},
        {0, 0, 40000, 12000, 22000, 10, PROFILE_OK, NAN},
        {10000, 0, 0, 12000, 22000, 10, PROFILE_OK, NAN},
        {10000, 10000, 40000, 12000, 22000, 10, PROFILE_OK, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident *incident = incident_new();
        incident->onset_ms = cases[i].onset_ms;
        incident->ended_ms = cases[i].ended_ms;
        incident->finished_ms = cases[i].finished_ms;
        struct incident_profile *profile = incident_add_profile(incident, "cpu");
        profile->requested_ms = cases[i].from_ms;
        profile->finished_ms = cases[i].to_ms;
        profile->seconds = cases[i].seconds;
        profile->status = cases[i].status;
        incident_note_coverage(incident);
        double percent = profile->covered_percent;
        if (isnan(percent) ? !isnan(cases[i].percent) : percent != cases[i].percent)
            fail_msg("case %zu: %g instead of %g", i, percent, cases[i].percent);
        incident_free(incident);
    }
}

static void what_it_follows_is_read_and_written(void **state)
{
    (void)state;
    static const char text[] = HEAD ", \"follows\": \"20261123T150001Z-cpu-high-1a2b3c\"}";
    struct error err;
    struct incident *incident = incident_from_text(text, strlen(text), &err);
    assert_non_null(incident);
    assert_string_equal(incident->follows, "20261123T150001Z-cpu-high-1a2b3c");
    char *again = incident_to_text(incident);
    assert_non_null(strstr(again, "\"follows\": \"20261123T150001Z-cpu-high-1a2b3c\""));
    free(again);
    incident_free(incident);
}

/* It becomes a link. */
static void what_it_follows_is_an_id(void **state)
{
    (void)state;
    static const char text[] = HEAD ", \"follows\": \"../../etc\"}";
    struct error err;
    assert_null(incident_from_text(text, strlen(text), &err));
    assert_non_null(strstr(err.text, "what it follows is no id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_covers_a_share_of_the_spike),
        cmocka_unit_test(what_it_follows_is_read_and_written),
        cmocka_unit_test(what_it_follows_is_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
