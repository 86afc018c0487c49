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

static struct incident *parse(const char *text, struct error *err)
{
    return incident_from_text(text, strlen(text), err);
}

static void an_id_is_made_of_time_trigger_and_chance(void **state)
{
    (void)state;
    char *first = incident_new_id((int64_t)FIRED_S * 1000 + 987, "cpu-high");
    char *second = incident_new_id((int64_t)FIRED_S * 1000 + 987, "cpu-high");
    assert_memory_equal(first, "20261123T150401Z-cpu-high-", 26);
    assert_int_equal(strlen(first), 32);
    assert_true(incident_id_valid(first));
    assert_string_not_equal(first, second);
    int64_t fired_ms;
    assert_int_equal(incident_id_time(first, &fired_ms), 0);
    assert_int_equal(fired_ms, (int64_t)FIRED_S * 1000);
    free(first);
    free(second);
}

static void the_folder_follows_from_service_and_id(void **state)
{
    (void)state;
    char *folder = incident_folder("woogles", id);
    assert_string_equal(folder, "service=woogles/date=2026-11-23/20261123T150401Z-cpu-high-1a2b3c");
    free(folder);
}

static void only_the_form_of_an_id_is_valid(void **state)
{
    (void)state;
    static const char *const valid[] = {id, "20261123T150401Z-follow_up-000000",
        "20240229T000000Z-a-ffffff", "20261123T150401Z-a.b_c-d-1a2b3c",
        "20261123T150401Z-..-1a2b3c",
        "20261123T150401Z-0123456789012345678901234567890123456789-1a2b3c"};
    static const char *const invalid[] = {"", "..", "/etc/passwd", "20261123T150401Z",
        "20261123T150401Z-1a2b3c", "20261123T150401Z--1a2b3c", "20261123T150401Z-cpu-1a2b3",
        "20261123T150401Z-cpu-1a2b3cd", "20261123T150401Z-cpu-1A2B3C",
        "20261123T150401Z-CPU-1a2b3c", "20261123T150401Z-../../x-1a2b3c",
        "20261123T150401Z-a/b-1a2b3c", "20261123T150401Z-a b-1a2b3c", "20261123T150401Z-a\n-1a2b3c",
        "20261323T150401Z-cpu-1a2b3c", "20260229T150401Z-cpu-1a2b3c", "20261123T250401Z-cpu-1a2b3c",
        "2026-11-23T15:04-cpu-1a2b3c", "20261123t150401z-cpu-1a2b3c",
        " 20261123T150401Z-cpu-1a2b3c",
        "20261123T150401Z-01234567890123456789012345678901234567890-1a2b3c"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        if (!incident_id_valid(valid[i]))
            fail_msg("%s should be valid", valid[i]);
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        if (incident_id_valid(invalid[i]))
            fail_msg("%s should not be valid", invalid[i]);
}

static void an_id_is_of_its_own_trigger_only(void **state)
{
    (void)state;
    assert_true(incident_id_is_of(id, "cpu-high"));
    assert_false(incident_id_is_of(id, "cpu"));
    assert_false(incident_id_is_of(id, "high"));
    assert_false(incident_id_is_of(id, "cpu-high-1"));
    assert_false(incident_id_is_of(id, ""));
}

static void only_plain_names_are_valid(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'a', sizeof longest);
    longest[129] = '\0';
    assert_false(incident_name_valid(longest));
    longest[128] = '\0';
    assert_true(incident_name_valid(longest));
    assert_true(incident_name_valid("cpu.pb.gz"));
    assert_true(incident_name_valid("-rf_"));
    static const char *const invalid[] = {
        "", ".", "..", ".hidden", "a/b", "/a", "a\\b", "a b", "a\n", "\x1b[2J", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(incident_name_valid(invalid[i]));
}

static const char full_text[] =
    "{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"woogles\", "
    "\"app\": \"api\", \"own_code\": [\"liwords/\"], \"kind\": \"spike\", \"trigger\": {\"name\": "
    "\"cpu-high\", \"metric\": "
    "\"cpu\", \"value\": 93.1, \"limit\": 80, \"reason\": \"cpu 93.1% above 80% for 10 s\"}, "
    "\"joined\": [{\"name\": \"db-burst\", \"metric\": \"db.received\", \"value\": 310000000, "
    "\"time\": \"2026-11-23T15:04:03.500Z\", \"reason\": \"db.received above 20 MB/s\"}], "
    "\"onset\": \"2026-11-23T15:03:51.000Z\", \"ended\": \"2026-11-23T15:04:21.000Z\", \"fired\": "
    "\"2026-11-23T15:04:01.000Z\", "
    "\"finished\": \"2026-11-23T15:04:27.123Z\", \"agent\": {\"version\": \"0.1.0\"}, "
    "\"target\": {\"revision\": \"7\", \"host\": \"ip-10-0-0-1\", \"started\": "
    "\"2026-11-23T14:04:01.000Z\"}, \"profiles\": [{\"name\": \"cpu\", \"file\": \"cpu.pb.gz\", "
    "\"status\": \"ok\", \"url\": \"http://localhost:8001/debug/pprof/profile\", "
    "\"http_status\": 200, \"seconds\": 25, \"requested\": \"2026-11-23T15:04:01.001Z\", "
    "\"finished\": \"2026-11-23T15:04:26.102Z\", \"bytes\": 8123, \"sha256\": "
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"attempts\": 1, "
    "\"onset_covered\": true, \"covered_percent\": 66.7, \"ended_early\": true, \"error\": null}, "
    "{\"name\": \"heap\", \"status\": \"failed\", "
    "\"http_status\": 404, \"attempts\": 2, \"error\": \"the endpoint does not know this "
    "profile\"}], \"metrics\": {\"file\": \"metrics.csv\", \"peak\": {\"cpu\": 97.25, "
    "\"db.received\": 310000000}, \"late_added\": \"2026-11-23T15:08:01.000Z\"}, \"recurrence\": "
    "{\"period_s\": 1800, \"jitter_s\": 12.5, "
    "\"onsets\": 5, \"next\": \"2026-11-23T15:34:01.000Z\"}, \"usage_during_capture\": "
    "{\"cpu_mean\": 91, \"memory_max\": 61.5}, "
    "\"suppressed_since_last\": 3, \"fleet\": {\"window\": \"2026-11-23T15:00:00.000Z\", "
    "\"slot\": 2, \"seen_by\": 12}, \"statements\": [{\"database\": \"games\", "
    "\"problem\": \"it has no extension\"}], \"replaced\": \"20261123T143401Z-cpu-high-1a2b3c\"}";

static void a_full_incident_is_written_as_specified(void **state)
{
    (void)state;
    struct incident *incident = full_incident();
    json_t *json = incident_to_json(incident);
    char *text = json_dumps(json, JSON_REAL_PRECISION(12));
    assert_string_equal(text, full_text);
    free(text);
    json_decref(json);
    incident_free(incident);
}

static void what_is_read_back_is_written_the_same(void **state)
{
    (void)state;
    struct incident *incident = full_incident();
    char *before = incident_to_text(incident);
    struct error err;
    struct incident *again = parse(before, &err);
    assert_non_null(again);
    char *after = incident_to_text(again);
    assert_string_equal(after, before);
    assert_int_equal(again->profiles[0].bytes, 8123);
    assert_int_equal(again->profiles[1].status, PROFILE_FAILED);
    assert_true(isnan(again->profiles[1].seconds));
    assert_true(isnan(again->joined[0].limit));
    assert_false(again->trigger.down);
    assert_int_equal(again->joined[0].time_ms, incident->joined[0].time_ms);
    free(before);
    free(after);
    incident_free(incident);
    incident_free(again);
}

static void what_does_not_apply_is_left_out(void **state)
{
    (void)state;
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("woogles");
    incident->kind = xstrdup("manual");
    incident->fired_ms = (int64_t)FIRED_S * 1000;
    incident->trigger.value = INFINITY;
    incident_add_peak(incident, "cpu", NAN);
    struct incident_profile *profile = incident_add_profile(incident, "goroutine");
    profile->seconds = -INFINITY;
    json_t *json = incident_to_json(incident);
    char *text = json_dumps(json, 0);
    assert_string_equal(text, "{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", "
                              "\"service\": \"woogles\", \"kind\": \"manual\", \"fired\": "
                              "\"2026-11-23T15:04:01.000Z\", \"profiles\": [{\"name\": "
                              "\"goroutine\", \"status\": \"pending\", \"onset_covered\": false, "
                              "\"error\": null}]}");
    struct error err;
    struct incident *again = parse(text, &err);
    assert_non_null(again);
    assert_int_equal(again->profiles[0].status, PROFILE_PENDING);
    assert_true(isnan(again->trigger.value));
    incident_free(again);
    free(text);
    json_decref(json);
    incident_free(incident);
}

static void more_fires_than_can_be_read_are_not_written(void **state)
{
    (void)state;
    struct error err;
    struct incident *incident = full_incident();
    while (incident->joined_count < 1200)
        incident_add_joined(incident)->name = xstrdup("db-burst");
    char *text = incident_to_text(incident);
    struct incident *again = parse(text, &err);
    assert_non_null(again);
    assert_int_equal(again->joined_count, 1000);
    free(text);
    incident_free(again);
    incident_free(incident);
}

static void text_that_is_not_utf8_costs_only_its_odd_bytes(void **state)
{
    (void)state;
    struct incident *incident = full_incident();
    free(incident->profiles[1].error);
    incident->profiles[1].error = xstrdup("the endpoint said \"caf\xe9\"");
    json_t *json = incident_to_json(incident);
    const json_t *heap = json_array_get(json_object_get(json, "profiles"), 1);
    assert_string_equal(
        json_string_value(json_object_get(heap, "error")), "the endpoint said \"caf\xef\xbf\xbd\"");
    json_decref(json);
    incident_free(incident);
}

#define HEAD                                                                                       \
    "\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"woogles\", "      \
    "\"kind\": \"spike\", \"fired\": \"2026-11-23T15:04:01Z\""

static void unknown_and_odd_optional_fields_do_no_harm(void **state)
{
    (void)state;
    struct error err;
    struct incident *incident = parse(
        "{" HEAD ", \"suspect\": {\"function\": \"f\"}, \"app\": 7, \"onset\": \"yesterday\", "
        "\"trigger\": [], \"joined\": {}, \"target\": \"x\", \"metrics\": {\"peak\": {\"cpu\": "
        "\"high\", \"memory\": 61}}, \"suppressed_since_last\": -4, \"profiles\": [{\"name\": "
        "\"cpu\", \"status\": \"ok\", \"bytes\": -1, \"sha256\": \"zz\", \"attempts\": "
        "99999999999, \"http_status\": 200.5, \"later\": true}]}",
        &err);
    assert_non_null(incident);
    assert_null(incident->app);
    assert_int_equal(incident->onset_ms, 0);
    assert_int_equal(incident->joined_count, 0);
    assert_int_equal(incident->suppressed_since_last, 0);
    assert_int_equal(incident->peak_count, 1);
    assert_int_equal(incident->profiles[0].bytes, 0);
    assert_int_equal(incident->profiles[0].attempts, INT32_MAX);
    assert_int_equal(incident->profiles[0].http_status, 0);
    assert_string_equal(incident->profiles[0].sha256, "");
    incident_free(incident);
}

static void what_is_no_incident_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "not JSON"},
        {"{" HEAD, "not JSON"},
        {"{" HEAD ", \"kind\": \"spike\"}", "not JSON: line 1"},
        {"{" HEAD ", \"app\": \"a\\u0000b\"}", "not JSON"},
        {"[]", "not a JSON object"},
        {"{}", "no schema number"},
        {"{\"schema\": \"1\"}", "no schema number"},
        {"{\"schema\": 2}", "its schema is 2"},
        {"{\"schema\": 1}", "its id"},
        {"{\"schema\": 1, \"id\": \"../../etc\"}", "its id"},
        {"{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"../a\"}",
            "its service"},
        {"{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"a\", "
         "\"kind\": \"odd\"}",
            "its kind"},
        {"{\"schema\": 1, \"id\": \"20261123T150401Z-cpu-high-1a2b3c\", \"service\": \"a\", "
         "\"kind\": \"spike\", \"fired\": 1795446241}",
            "when it fired"},
        {"{" HEAD ", \"profiles\": [7]}", "has no name"},
        {"{" HEAD ", \"profiles\": [{\"name\": \"cpu\", \"status\": \"great\"}]}", "the status"},
        {"{" HEAD ", \"profiles\": [{\"name\": \"cpu\", \"status\": \"ok\", \"file\": "
         "\"../../etc/passwd\"}]}",
            "plain name"},
        {"{" HEAD ", \"metrics\": {\"file\": \"/etc/passwd\"}}", "plain name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {""};
        assert_null(parse(cases[i].text, &err));
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: said \"%s\"", cases[i].text, err.text);
    }
}

static json_t *with_entries(const char *key, size_t count)
{
    json_t *json = json_loads("{" HEAD "}", 0, NULL);
    json_t *entries = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(entries, json_pack("{s:s, s:s}", "name", "cpu", "status", "failed"));
    json_object_set_new(json, key, entries);
    return json;
}

static void text_has_a_bound(void **state)
{
    (void)state;
    struct error err;
    size_t size = 1024 * 1024 + 1;
    char *text = xcalloc(size, 1);
    memset(text, ' ', size);
    assert_null(incident_from_text(text, size, &err));
    assert_non_null(strstr(err.text, "larger than 1048576 bytes"));
    free(text);
}

static void lists_have_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t max;
    } lists[] = {{"profiles", 128}, {"joined", 1000}};
    for (size_t i = 0; i < 2; i++) {
        struct error err;
        json_t *fits = with_entries(lists[i].key, lists[i].max);
        struct incident *incident = incident_from_json(fits, &err);
        assert_non_null(incident);
        incident_free(incident);
        json_t *more = with_entries(lists[i].key, lists[i].max + 1);
        assert_null(incident_from_json(more, &err));
        assert_non_null(strstr(err.text, i ? "1000" : "128"));
        json_decref(fits);
        json_decref(more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_made_of_time_trigger_and_chance),
        cmocka_unit_test(the_folder_follows_from_service_and_id),
        cmocka_unit_test(only_the_form_of_an_id_is_valid),
        cmocka_unit_test(an_id_is_of_its_own_trigger_only),
        cmocka_unit_test(only_plain_names_are_valid),
        cmocka_unit_test(a_full_incident_is_written_as_specified),
        cmocka_unit_test(what_is_read_back_is_written_the_same),
        cmocka_unit_test(what_does_not_apply_is_left_out),
        cmocka_unit_test(more_fires_than_can_be_read_are_not_written),
        cmocka_unit_test(text_that_is_not_utf8_costs_only_its_odd_bytes),
        cmocka_unit_test(unknown_and_odd_optional_fields_do_no_harm),
        cmocka_unit_test(what_is_no_incident_is_refused_with_a_reason),
        cmocka_unit_test(text_has_a_bound),
        cmocka_unit_test(lists_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
