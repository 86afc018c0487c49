/* A fleet's part of incident.json, and in words. */
#include "core/incident_fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void it_reads_and_writes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *again; /* NULL: the same */
        bool open;
    } cases[] = {
        {"{}", ""},
        {"{\"seen_by\": 12}", "seen by 12 copies"},
        {"{\"window\": \"2026-11-23T15:00:00.000Z\"}", "", NULL, true},
        {"{\"window\": \"2026-11-23T15:00:00.000Z\", \"slot\": 3, \"seen_by\": 1}",
            "seen by 1 copy"},
        {"{\"window\": \"2026-11-23T15:00:00.000Z\", \"duplicate\": true, \"seen_by\": 200}",
            "seen by 200 copies; a duplicate: other copies took it first"},
        {"{\"window\": \"2026-11-23T15:00:00.000Z\", \"duplicate\": true}",
            "a duplicate: other copies took it first"},
        {"{\"window\": 5, \"slot\": -1, \"duplicate\": \"yes\", \"seen_by\": \"many\"}", "", "{}"},
        {"[]", "", "{}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct incident_fleet fleet;
        char text[INCIDENT_FLEET_TEXT];
        json_t *json = json_loads(cases[i].json, 0, NULL);
        incident_fleet_from_json(json, &fleet);
        assert_string_equal(incident_fleet_text(&fleet, text), cases[i].text);
        assert_int_equal(incident_fleet_open(&fleet), cases[i].open);
        json_decref(json);
        json = incident_fleet_to_json(&fleet);
        char *written = json_dumps(json, 0);
        assert_string_equal(written, cases[i].again ? cases[i].again : cases[i].json);
        free(written);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_reads_and_writes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
