/* The end of an app in incident.json and in words. */
#include "core/alloc.h"
#include "core/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND_MS = 1000 };
static const int64_t at_ms = (int64_t)1795446249 * SECOND_MS; /* 2026-11-23T15:04:09Z */

static void it_reads_and_writes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *again; /* NULL: the same */
    } cases[] = {
        {"{}", "", NULL},
        {"{\"exit_code\": 1, \"oom_killed\": true}", "", "{}"},
        {"{\"time\": \"2026-11-23T15:04:09.000Z\", \"exit_code\": 137, \"oom_killed\": true, "
         "\"restarted\": \"2026-11-23T15:04:12.000Z\"}",
            "the app was OOM-killed at 15:04:09 UTC (exit status 137) and runs again since "
            "15:04:12 UTC",
            NULL},
        {"{\"time\": \"2026-11-23T15:04:09.000Z\", \"exit_code\": 0, \"oom_killed\": false}",
            "the app ended at 15:04:09 UTC (exit status 0)", NULL},
        {"{\"time\": \"2026-11-23T15:04:09.000Z\", \"oom_killed\": false}",
            "the app ended at 15:04:09 UTC", NULL},
        {"{\"time\": \"2026-11-23T15:04:09.000Z\", \"exit_code\": \"x\", \"oom_killed\": 1, "
         "\"restarted\": 5}",
            "the app ended at 15:04:09 UTC",
            "{\"time\": \"2026-11-23T15:04:09.000Z\", \"oom_killed\": false}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident_end end;
        char text[INCIDENT_END_TEXT];
        json_t *json = json_loads(cases[i].json, 0, NULL);
        incident_end_from_json(json, &end);
        assert_string_equal(incident_end_text(&end, text), cases[i].text);
        json_decref(json);
        json = incident_end_to_json(&end);
        char *written = json_dumps(json, 0);
        assert_string_equal(written, cases[i].again ? cases[i].again : cases[i].json);
        free(written);
        json_decref(json);
    }
}

static void it_is_a_field_of_the_incident(void **state)
{
    (void)state;
    struct error *nobody = NULL;
    struct incident *incident = incident_new();
    incident->id = xstrdup("20261123T150401Z-cpu-high-1a2b3c");
    incident->service = xstrdup("woogles");
    incident->kind = xstrdup("spike");
    incident->fired_ms = at_ms;
    json_t *json = incident_to_json(incident);
    assert_null(json_object_get(json, "app_ended"));
    json_decref(json);
    incident->app_ended = (struct incident_end){at_ms, 137, true, 0};
    json = incident_to_json(incident);
    struct incident *again = incident_from_json(json, nobody);
    assert_non_null(again);
    assert_int_equal(again->app_ended.time_ms, at_ms);
    assert_int_equal(again->app_ended.exit_code, 137);
    assert_true(again->app_ended.oom_killed);
    assert_int_equal(again->app_ended.restarted_ms, 0);
    json_decref(json);
    incident_free(incident);
    incident_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_and_writes),
        cmocka_unit_test(it_is_a_field_of_the_incident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
