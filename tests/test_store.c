#include "core/alloc.h"
#include "core/fs.h"
#include "core/incident.h"
#include "review/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct store_filter all = {.since_ms = INT64_MIN};
static const struct s3_settings no_settings;

/* A store in a temporary folder. */
struct place {
    char path[64];
    struct store *store;
};

static int set_up(void **state)
{
    struct place *place = xcalloc(1, sizeof *place);
    strcpy(place->path, "/tmp/test-store-XXXXXX");
    struct error err;
    if (!mkdtemp(place->path))
        return -1;
    place->store = store_open(place->path, &no_settings, &err);
    *state = place;
    return place->store ? 0 : -1;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    store_close(place->store);
    int status = fs_remove(place->path, NULL);
    free(place);
    return status;
}

static void put(const struct place *place, const char *path, const char *text)
{
    struct error err = {""};
    char *full = xasprintf("%s/%s", place->path, path);
    char *folder = xstrndup(full, (size_t)(strrchr(full, '/') - full));
    assert_int_equal(fs_make_folders(folder, &err), 0);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(folder);
    free(full);
}

static char *json_of(const char *service, const char *id)
{
    return xasprintf("{\"schema\": 1, \"id\": \"%s\", \"service\": \"%s\", \"kind\": \"spike\", "
                     "\"fired\": \"%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.500Z\"}",
        id, service, id, id + 4, id + 6, id + 9, id + 11, id + 13);
}

static void put_incident(const struct place *place, const char *service, const char *id)
{
    char *folder = incident_folder(service, id);
    char *path = xasprintf("%s/incident.json", folder);
    char *json = json_of(service, id);
    put(place, path, json);
    free(json);
    free(path);
    free(folder);
}

/* What a listing told, one line each. */
struct told {
    struct buf lines;
    size_t count, broken, stop_after;
};

static int tell(void *arg, const struct store_incident *stored)
{
    struct told *told = arg;
    told->count++;
    told->broken += stored->incident == NULL;
    buf_printf(
        &told->lines, "%s %s%s\n", stored->service, stored->id, stored->incident ? "" : " broken");
    return told->count == told->stop_after;
}

static struct told list(struct place *place, const struct store_filter *filter)
{
    struct told told = {.count = 0};
    struct error err = {""};
    buf_init(&told.lines, 1 << 20);
    if (store_list(place->store, filter, tell, &told, &err) < 0)
        fail_msg("%s", err.text);
    return told;
}

static void expect_list(struct place *place, const struct store_filter *filter, const char *lines)
{
    struct told told = list(place, filter);
    assert_string_equal(told.lines.data, lines);
    buf_free(&told.lines);
}

static void the_newest_comes_first_across_services(void **state)
{
    put_incident(*state, "b", "20261122T235959Z-cpu-high-000001");
    put_incident(*state, "a", "20261123T120000Z-cpu-high-000002");
    put_incident(*state, "b", "20261123T130000Z-db-burst-000003");
    put_incident(*state, "a", "20261123T140000Z-cpu-high-000004");
    put_incident(*state, "b", "20251231T235959Z-manual-000005");
    expect_list(*state, &all,
        "a 20261123T140000Z-cpu-high-000004\n"
        "b 20261123T130000Z-db-burst-000003\n"
        "a 20261123T120000Z-cpu-high-000002\n"
        "b 20261122T235959Z-cpu-high-000001\n"
        "b 20251231T235959Z-manual-000005\n");
}

static void filters_narrow_it_down(void **state)
{
    put_incident(*state, "a", "20261122T235958Z-cpu-000001");
    put_incident(*state, "a", "20261122T235959Z-cpu-000002");
    put_incident(*state, "a", "20261123T000000Z-cpu-high-000003");
    put_incident(*state, "b", "20261123T000001Z-cpu-000004");
    expect_list(*state, &(struct store_filter){.service = "b", .since_ms = INT64_MIN},
        "b 20261123T000001Z-cpu-000004\n");
    expect_list(*state, &(struct store_filter){.service = "missing", .since_ms = INT64_MIN}, "");
    expect_list(*state, &(struct store_filter){.trigger = "cpu-high", .since_ms = INT64_MIN},
        "a 20261123T000000Z-cpu-high-000003\n");
    expect_list(*state, &(struct store_filter){.service = "a", .trigger = "cpu", .since_ms = 0},
        "a 20261122T235959Z-cpu-000002\n"
        "a 20261122T235958Z-cpu-000001\n");
}

static void since_is_exact_to_the_millisecond(void **state)
{
    int64_t second_ms = INT64_C(1795391999) * 1000;           /* 2026-11-22T23:59:59Z */
    put_incident(*state, "a", "20261122T235959Z-cpu-000002"); /* fired at .500 */
    put_incident(*state, "a", "20261123T000000Z-cpu-000003");
    struct told told = list(*state, &(struct store_filter){.since_ms = second_ms + 500});
    assert_int_equal(told.count, 2);
    buf_free(&told.lines);
    told = list(*state, &(struct store_filter){.since_ms = second_ms + 501});
    assert_int_equal(told.count, 1);
    buf_free(&told.lines);
    told = list(*state, &(struct store_filter){.since_ms = second_ms + 86400000});
    assert_int_equal(told.count, 0);
    buf_free(&told.lines);
}

/* A date that the filter leaves out is not even looked at: it cannot be read here. */
static void dates_before_since_are_not_touched(void **state)
{
    struct place *place = *state;
    put_incident(place, "a", "20261123T000000Z-cpu-000003");
    char *path = xasprintf("%s/service=a/date=2026-11-22", place->path);
    assert_int_equal(symlink("date=2026-11-22", path), 0); /* a loop: ELOOP when it is touched */
    struct error err;
    struct told told = {.count = 0};
    buf_init(&told.lines, 4096);
    assert_int_equal(store_list(place->store, &all, tell, &told, &err), -1);
    const struct store_filter since = {.since_ms = INT64_C(1795392000) * 1000};
    told.count = 0;
    assert_int_equal(store_list(place->store, &since, tell, &told, &err), 0);
    assert_int_equal(told.count, 1);
    buf_free(&told.lines);
    free(path);
}

static void what_is_not_complete_or_not_an_incident_is_not_seen(void **state)
{
    struct place *place = *state;
    put_incident(place, "a", "20261123T000000Z-cpu-000001");
    put(place, "service=a/date=2026-11-23/20261123T000001Z-cpu-000002/cpu.pb.gz", "x");
    put(place, "service=a/date=2026-11-23/20261123T000002Z-cpu-000003/.incident.json.1-0.tmp", "{");
    put(place, "service=a/date=2026-11-23/.20261123T000003Z-cpu-000004/incident.json", "{}");
    put(place, "service=a/date=2026-11-23/notes/incident.json", "{}");
    put(place, "service=a/date=2026-11-23/20261123T000004Z-cpu-000005", "a file");
    put(place, "service=a/date=2026-11-23/20261123T000005Z-cpu-000006/incident.json/x", "x");
    put(place, "service=a/date=.2026-11-2/20261123T000006Z-cpu-000007/incident.json", "{}");
    put(place, "service=a/date=2026-11-230/20261123T000006Z-cpu-000007/incident.json", "{}");
    put(place, "service=a/_state/baseline.json", "{}");
    put(place, "service=.a/date=2026-11-23/20261123T000006Z-cpu-000007/incident.json", "{}");
    put(place, "service=b", "a file");
    put(place, "_stakeout/probe", "x");
    put(place, ".service=c/date=2026-11-23/20261123T000006Z-cpu-000007/incident.json", "{}");
    expect_list(place, &all, "a 20261123T000000Z-cpu-000001\n");
}

static void broken_ones_are_told_and_do_not_end_the_listing(void **state)
{
    struct place *place = *state;
    put(place, "service=a/date=2026-11-23/20261123T000003Z-cpu-000003/incident.json", "{\"sch");
    put_incident(place, "a", "20261123T000002Z-cpu-000002");
    char *other = json_of("a", "20261123T000002Z-cpu-000002");
    put(place, "service=a/date=2026-11-23/20261123T000001Z-cpu-000001/incident.json", other);
    free(other);
    char *huge = xcalloc(3 << 20, 1);
    memset(huge, ' ', (3 << 20) - 1);
    put(place, "service=a/date=2026-11-23/20261123T000000Z-cpu-000000/incident.json", huge);
    free(huge);
    expect_list(place, &all,
        "a 20261123T000003Z-cpu-000003 broken\n"
        "a 20261123T000002Z-cpu-000002\n"
        "a 20261123T000001Z-cpu-000001 broken\n"
        "a 20261123T000000Z-cpu-000000 broken\n");
}

static void a_listing_ends_when_its_reader_has_enough(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 5; i++) {
        char id[40];
        snprintf(id, sizeof id, "2026112%dT000000Z-cpu-000000", i);
        put_incident(place, "a", id);
    }
    struct told told = {.stop_after = 2};
    struct error err;
    buf_init(&told.lines, 4096);
    assert_int_equal(store_list(place->store, &all, tell, &told, &err), 0);
    assert_int_equal(told.count, 2);
    buf_free(&told.lines);
}

static void two_thousand_incidents_come_in_order(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 2000; i++) {
        char id[48];
        snprintf(id, sizeof id, "202611%02dT%02d%02d00Z-cpu-high-%06x", 1 + i % 20, i % 24, i % 60,
            (unsigned)i);
        put_incident(place, i % 3 ? "web" : "worker", id);
    }
    struct told told = list(place, &all);
    assert_int_equal(told.count, 2000);
    assert_int_equal(told.broken, 0);
    char before[80] = "~";
    for (char *save = NULL, *line = strtok_r(told.lines.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        const char *id = strchr(line, ' ') + 1;
        assert_true(strcmp(id, before) < 0);
        snprintf(before, sizeof before, "%s", id);
    }
    buf_free(&told.lines);
}

static void one_is_found_by_its_id_alone(void **state)
{
    struct place *place = *state;
    struct error err;
    put_incident(place, "a", "20261123T000000Z-cpu-000001");
    put_incident(place, "b", "20261123T000000Z-cpu-000002");
    struct store_incident *stored = store_find(place->store, "20261123T000000Z-cpu-000002", &err);
    assert_non_null(stored);
    assert_string_equal(stored->service, "b");
    char *location = xasprintf(
        "%s/service=b/date=2026-11-23/20261123T000000Z-cpu-000002", place->path);
    assert_string_equal(stored->location, location);
    char *json = json_of("b", "20261123T000000Z-cpu-000002");
    assert_string_equal(stored->text.data, json);
    free(json);
    free(location);
    store_incident_free(stored);
}

static void one_that_cannot_be_shown_is_explained(void **state)
{
    struct place *place = *state;
    put(place, "service=a/date=2026-11-23/20261123T000003Z-cpu-000003/incident.json", "{}");
    put(place, "service=a/date=2026-11-23/20261123T000004Z-cpu-000004/cpu.pb.gz", "x");
    static const struct {
        const char *id, *reason;
    } cases[] = {
        {"20261123T000003Z-cpu-000003", "it has no schema number"},
        {"20261123T000004Z-cpu-000004", "there is no incident 20261123T000004Z-cpu-000004"},
        {"20261123T000005Z-cpu-000005", "there is no incident 20261123T000005Z-cpu-000005"},
        {"../../etc/passwd", "not the id of an incident"},
        {"", "not the id of an incident"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {""};
        assert_null(store_find(place->store, cases[i].id, &err));
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: said \"%s\"", cases[i].id, err.text);
    }
}

static void files_are_read_within_their_folder_only(void **state)
{
    struct place *place = *state;
    struct error err;
    struct buf buf;
    static const char folder[] = "service=a/date=2026-11-23/20261123T000000Z-cpu-000001";
    put(place, "secret", "s");
    put_incident(place, "a", "20261123T000000Z-cpu-000001");
    put(place, "service=a/date=2026-11-23/20261123T000000Z-cpu-000001/cpu.pb.gz", "profile");
    char *link = xasprintf("%s/%s/link", place->path, folder);
    assert_int_equal(symlink("../../../secret", link), 0);
    char *pipe = xasprintf("%s/%s/pipe", place->path, folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    struct store_incident *stored = store_find(place->store, "20261123T000000Z-cpu-000001", &err);
    assert_non_null(stored);
    assert_int_equal(store_read_file(place->store, stored, "cpu.pb.gz", 7, &buf, &err), 0);
    assert_string_equal(buf.data, "profile");
    buf_free(&buf);
    assert_int_equal(store_read_file(place->store, stored, "cpu.pb.gz", 6, &buf, &err), -1);
    buf_free(&buf);
    uint64_t size;
    int file = store_open_file(place->store, stored, "cpu.pb.gz", &size, &err);
    assert_true(file >= 0);
    assert_int_equal(size, 7);
    close(file);
    static const char *const bad[] = {"../../../secret", "..", "", "/etc/passwd", "link", "pipe",
        "missing", "..//secret", "a\nb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(store_read_file(place->store, stored, bad[i], 100, &buf, &err), -1);
        assert_int_equal(store_open_file(place->store, stored, bad[i], &size, &err), -1);
        buf_free(&buf);
    }
    store_incident_free(stored);
    free(link);
    free(pipe);
}

static void a_file_is_written_beside_an_incident_only(void **state)
{
    struct place *place = *state;
    struct error err = {""};
    struct buf buf;
    put_incident(place, "a", "20261123T000000Z-cpu-000001");
    struct store_incident *stored = store_find(place->store, "20261123T000000Z-cpu-000001", &err);
    assert_non_null(stored);
    assert_int_equal(store_write_file(place->store, stored, STORE_MARKS, "{}", 2, &err), 0);
    assert_int_equal(store_write_file(place->store, stored, STORE_MARKS, "{1}", 3, &err), 0);
    assert_int_equal(store_read_file(place->store, stored, STORE_MARKS, 9, &buf, &err), 0);
    assert_string_equal(buf.data, "{1}");
    buf_free(&buf);
    static const char *const bad[] = {"../x", "", ".hidden", "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(store_write_file(place->store, stored, bad[i], "x", 1, &err), -1);
    char *folder = xasprintf("%s/service=a", place->path);
    assert_int_equal(fs_remove(folder, &err), 0);
    assert_int_equal(store_write_file(place->store, stored, STORE_MARKS, "{}", 2, &err), -1);
    assert_non_null(strstr(err.text, "is not there any more"));
    assert_false(fs_exists(folder));
    free(folder);
    store_incident_free(stored);
}

static void a_services_state_is_read_and_written(void **state)
{
    struct place *place = *state;
    struct error err = {""};
    struct buf buf;
    assert_int_equal(store_read_state(place->store, "a", "known.json", 9, &buf, &err), 0);
    buf_free(&buf);
    assert_int_equal(store_write_state(place->store, "a", "known.json", "{}", 2, &err), 0);
    assert_int_equal(store_read_state(place->store, "a", "known.json", 9, &buf, &err), 1);
    assert_string_equal(buf.data, "{}");
    buf_free(&buf);
    assert_int_equal(store_read_state(place->store, "a", "known.json", 1, &buf, &err), -1);
    buf_free(&buf);
    assert_int_equal(store_write_state(place->store, "../b", "known.json", "{}", 2, &err), -1);
    assert_int_equal(store_write_state(place->store, "b", "../x", "{}", 2, &err), -1);
}

struct marks {
    const char *known; /* the id that is not wanted */
    struct buf lines;
};

static bool is_wanted(void *arg, const char *service, const char *id, uint64_t stamp)
{
    const struct marks *marks = arg;
    assert_true(stamp != 0);
    assert_string_equal(service, "a");
    return strcmp(id, marks->known) != 0;
}

static int tell_marks(void *arg, const struct store_incident *stored)
{
    struct marks *marks = arg;
    buf_printf(&marks->lines, "%s %s\n", stored->id, stored->marks.data);
    return 0;
}

static void marks_come_with_a_listing_and_what_is_known_is_not_read(void **state)
{
    struct place *place = *state;
    struct error err = {""};
    put_incident(place, "a", "20261123T000001Z-cpu-000001");
    put_incident(place, "a", "20261123T000002Z-cpu-000002");
    put_incident(place, "a", "20261123T000003Z-cpu-000003");
    put(place, "service=a/date=2026-11-23/20261123T000003Z-cpu-000003/review.json", "noted");
    struct marks marks = {.known = "20261123T000002Z-cpu-000002"};
    buf_init(&marks.lines, 4096);
    const struct store_filter filter = {
        .since_ms = INT64_MIN, .marks = true, .wanted = is_wanted, .arg = &marks};
    assert_int_equal(store_list(place->store, &filter, tell_marks, &marks, &err), 0);
    assert_string_equal(
        marks.lines.data, "20261123T000003Z-cpu-000003 noted\n20261123T000001Z-cpu-000001 \n");
    buf_free(&marks.lines);
}

static void a_service_of_the_filter_cannot_lead_elsewhere(void **state)
{
    struct place *place = *state;
    struct error err;
    static const char *const bad[] = {"../x", "a/../b", "", ".a", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct store_filter filter = {.service = bad[i], .since_ms = INT64_MIN};
        struct told told = {.count = 0};
        assert_int_equal(store_list(place->store, &filter, tell, &told, &err), -1);
    }
}

static void a_place_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *where, *reason;
    } cases[] = {
        {"", "empty"},
        {"/nonexistent/place", "cannot read the folder /nonexistent/place: No such file"},
        {"/etc/passwd", "is not a folder"},
        {"s3://", "names no bucket"},
        {"s3:///prefix", "names no bucket"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {""};
        assert_null(store_open(cases[i].where, &no_settings, &err));
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: said \"%s\"", cases[i].where, err.text);
    }
}

static void an_empty_folder_holds_nothing(void **state)
{
    expect_list(*state, &all, "");
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(the_newest_comes_first_across_services),
        IN_A_FOLDER(filters_narrow_it_down),
        IN_A_FOLDER(since_is_exact_to_the_millisecond),
        IN_A_FOLDER(dates_before_since_are_not_touched),
        IN_A_FOLDER(what_is_not_complete_or_not_an_incident_is_not_seen),
        IN_A_FOLDER(broken_ones_are_told_and_do_not_end_the_listing),
        IN_A_FOLDER(a_listing_ends_when_its_reader_has_enough),
        IN_A_FOLDER(two_thousand_incidents_come_in_order),
        IN_A_FOLDER(one_is_found_by_its_id_alone),
        IN_A_FOLDER(one_that_cannot_be_shown_is_explained),
        IN_A_FOLDER(files_are_read_within_their_folder_only),
        IN_A_FOLDER(a_file_is_written_beside_an_incident_only),
        IN_A_FOLDER(a_services_state_is_read_and_written),
        IN_A_FOLDER(marks_come_with_a_listing_and_what_is_known_is_not_read),
        IN_A_FOLDER(a_service_of_the_filter_cannot_lead_elsewhere),
        IN_A_FOLDER(an_empty_folder_holds_nothing),
        cmocka_unit_test(a_place_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
