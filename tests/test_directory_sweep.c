/* What retention finds in a folder, and removes of it. */
#include "exporters/directory_sweep.h"

#include "core/clock.h"
#include "core/error.h"
#include "retention_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST  "20261120T100000Z-cpu-000001"
#define SECOND "20261120T110000Z-cpu-000002"
#define THIRD  "20261121T100000Z-baseline-000003"
#define NOTE   "{\"schema\": 1, \"note\": \"fixed in revision 8\"}"

static struct sweep sweep;

static int setup(void **state)
{
    (void)state;
    if (rig_open() < 0)
        return -1;
    sweep_init(&sweep, rig_path, "woogles");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sweep_free(&sweep);
    return fs_remove(rig_path, NULL);
}

static void look(void)
{
    struct error err;
    sweep_free(&sweep);
    sweep_init(&sweep, rig_path, "woogles");
    assert_int_equal(sweep_begin(&sweep, &err), 0);
    while (sweep_next_date(&sweep))
        continue;
}

static enum sweep_outcome remove_one(const char *id)
{
    struct retained incident = {.complete = true};
    struct error err = {0};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    return sweep_remove(&sweep, &incident, &err);
}

static void what_is_there_is_listed_oldest_first(void **state)
{
    (void)state;
    look();
    assert_int_equal(sweep.count, 0);
    rig_add("woogles", SECOND);
    rig_add("woogles", THIRD);
    rig_add("woogles", FIRST);
    rig_add("other", FIRST);
    rig_put("woogles", "20261119T100000Z-cpu-000000", "cpu.pb.gz", "not whole yet");
    rig_put("woogles", SECOND, "review.json", NOTE);
    rig_put("woogles", THIRD, "review.json", "{\"schema\": 1}");
    char *elsewhere = xasprintf("%s/service=woogles/date=2026-11-19/" FIRST, rig_path);
    assert_int_equal(fs_make_folders(elsewhere, NULL), 0); /* of another date */
    free(elsewhere);
    char *notes = xasprintf("%s/service=woogles/date=2026-11-20/notes", rig_path);
    assert_int_equal(fs_make_folders(notes, NULL), 0);
    free(notes);
    look();
    assert_int_equal(sweep.count, 4);
    assert_int_equal(sweep.total, 3);
    assert_int_equal(sweep.held, 1);
    assert_false(sweep.more);
    static const struct {
        const char *id;
        bool complete, held;
    } expected[] = {{"20261119T100000Z-cpu-000000", false, false}, {FIRST, true, false},
        {SECOND, true, true}, {THIRD, true, false}};
    uint64_t total = 0;
    for (size_t i = 0; i < sweep.count; i++) {
        assert_string_equal(sweep.incidents[i].id, expected[i].id);
        assert_int_equal(sweep.incidents[i].complete, expected[i].complete);
        assert_int_equal(sweep.incidents[i].held, expected[i].held);
        total += sweep.incidents[i].bytes;
    }
    assert_int_equal(sweep.incidents[0].bytes, 13);
    assert_int_equal(sweep.total_bytes, total);
}

static void one_goes_with_all_of_it_and_nothing_else(void **state)
{
    (void)state;
    rig_add("woogles", FIRST);
    rig_add("woogles", SECOND);
    rig_add("woogles", THIRD);
    rig_add("other", FIRST);
    rig_put("woogles", FIRST, ".cpu.pb.gz.1-1.tmp", "of a writer that was killed");
    char *learned = xasprintf("%s/service=woogles/_state", rig_path);
    assert_int_equal(fs_make_folders(learned, NULL), 0);
    assert_int_equal(remove_one(FIRST), SWEEP_REMOVED);
    assert_false(rig_has("woogles", FIRST, NULL));
    assert_true(rig_has("woogles", SECOND, "incident.json"));
    assert_true(rig_has("woogles", THIRD, "incident.json"));
    assert_true(rig_has("other", FIRST, "incident.json"));
    assert_true(fs_exists(learned));
    free(learned);
    assert_int_equal(remove_one(FIRST), SWEEP_GONE);
}

static void a_date_without_incidents_goes_too(void **state)
{
    (void)state;
    char today[RFC3339_SIZE], id[64];
    rfc3339_format(clock_wall_ms(), today);
    snprintf(id, sizeof id, "%.4s%.2s%.2sT000000Z-cpu-000009", today, today + 5, today + 8);
    rig_add("woogles", id);
    rig_add("woogles", FIRST);
    assert_int_equal(remove_one(FIRST), SWEEP_REMOVED);
    assert_int_equal(remove_one(id), SWEEP_REMOVED);
    char *old = xasprintf("%s/service=woogles/date=2026-11-20", rig_path);
    char *new = xasprintf("%s/service=woogles/date=%.10s", rig_path, today);
    assert_false(fs_exists(old));
    assert_true(fs_exists(new)); /* something may be on its way there */
    assert_int_equal(fs_make_folders(old, NULL), 0);
    look(); /* where the remover was killed in between */
    assert_false(fs_exists(old));
    free(old);
    free(new);
}

static void what_a_person_left_holds_it(void **state)
{
    (void)state;
    rig_add("woogles", FIRST);
    rig_put("woogles", FIRST, "review.json", NOTE);
    rig_add("woogles", SECOND);
    rig_put("woogles", SECOND, "notes.txt", "look at this");
    rig_add("woogles", THIRD);
    char *inner = rig_folder("woogles", THIRD, "before");
    assert_int_equal(fs_make_folders(inner, NULL), 0);
    free(inner);
    assert_int_equal(remove_one(FIRST), SWEEP_HELD);
    assert_int_equal(remove_one(SECOND), SWEEP_HELD);
    assert_int_equal(remove_one(THIRD), SWEEP_HELD);
    assert_true(rig_has("woogles", FIRST, "cpu.pb.gz"));
    assert_true(rig_has("woogles", SECOND, "cpu.pb.gz"));
    assert_true(rig_has("woogles", THIRD, "cpu.pb.gz"));
    rig_put("woogles", FIRST, "review.json", "{\"schema\": 1}"); /* only looked at */
    assert_int_equal(remove_one(FIRST), SWEEP_REMOVED);
}

static void what_is_not_what_its_folder_says_stays(void **state)
{
    (void)state;
    char *of_other = rig_manifest("other", FIRST), *of_second = rig_manifest("woogles", SECOND);
    rig_put("woogles", FIRST, "incident.json", of_other);
    assert_int_equal(remove_one(FIRST), SWEEP_HELD);
    rig_put("woogles", FIRST, "incident.json", of_second);
    assert_int_equal(remove_one(FIRST), SWEEP_HELD);
    rig_put("woogles", FIRST, "incident.json", "{");
    assert_int_equal(remove_one(FIRST), SWEEP_HELD);
    free(of_other);
    free(of_second);
    char *real = xasprintf("%s/elsewhere", rig_path);
    char *link = rig_folder("woogles", SECOND, NULL);
    assert_int_equal(fs_make_folders(real, NULL), 0);
    assert_int_equal(symlink(real, link), 0);
    assert_int_equal(remove_one(SECOND), SWEEP_GONE);
    look();
    assert_int_equal(sweep.count, 1);
    assert_true(fs_exists(real));
    free(real);
    free(link);
}

static void move_to_gone(const char *id)
{
    char *path = rig_folder("woogles", id, NULL);
    char *gone = xasprintf("%s/service=woogles/date=2026-11-20/.gone-%s", rig_path, id);
    assert_int_equal(rename(path, gone), 0);
    free(path);
    free(gone);
}

static bool gone_is_there(const char *id)
{
    char *gone = xasprintf("%s/service=woogles/date=2026-11-20/.gone-%s", rig_path, id);
    bool there = fs_exists(gone);
    free(gone);
    return there;
}

static void what_a_killed_remover_left_goes_unless_it_was_noted_meanwhile(void **state)
{
    (void)state;
    rig_add("woogles", FIRST);
    rig_add("woogles", SECOND);
    rig_put("woogles", SECOND, "review.json", NOTE);
    move_to_gone(FIRST);
    move_to_gone(SECOND);
    look();
    assert_false(gone_is_there(FIRST));
    assert_false(gone_is_there(SECOND));
    assert_false(rig_has("woogles", FIRST, NULL));
    assert_true(rig_has("woogles", SECOND, "incident.json"));
}

static void a_folder_of_any_size_is_counted(void **state)
{
    (void)state;
    enum { OVER = 3 };
    char id[64];
    for (int i = 0; i < SWEEP_LISTED_MAX + OVER; i++) {
        snprintf(id, sizeof id, "202611%02dT100000Z-cpu-%06x", 1 + i % 2, i);
        char *folder = rig_folder("woogles", id, NULL), *path = rig_folder("woogles", id, "a");
        assert_int_equal(fs_make_folders(folder, NULL), 0);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs("12", file);
        fclose(file);
        free(folder);
        free(path);
    }
    look();
    assert_int_equal(sweep.count, SWEEP_LISTED_MAX);
    assert_true(sweep.more);
    assert_int_equal(sweep.total_bytes, 2 * (SWEEP_LISTED_MAX + OVER));
    for (size_t i = 1; i < sweep.count; i++)
        assert_true(strcmp(sweep.incidents[i - 1].id, sweep.incidents[i].id) < 0);
    snprintf(id, sizeof id, "20261102T100000Z-cpu-%06x", SWEEP_LISTED_MAX - 2 * OVER + 1);
    assert_string_equal(sweep.incidents[sweep.count - 1].id, id);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_there_is_listed_oldest_first),
        IN_FOLDER(one_goes_with_all_of_it_and_nothing_else),
        IN_FOLDER(a_date_without_incidents_goes_too),
        IN_FOLDER(what_a_person_left_holds_it),
        IN_FOLDER(what_is_not_what_its_folder_says_stays),
        IN_FOLDER(what_a_killed_remover_left_goes_unless_it_was_noted_meanwhile),
        IN_FOLDER(a_folder_of_any_size_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
