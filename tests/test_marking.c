/* review/history/mark.c and marking.c. */
#include "review/history/marking.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/group.h"
#include "review/store/store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_mark_is_read_as_far_as_it_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        bool looked;
        const char *note;
    } cases[] = {
        {"{\"schema\": 1, \"looked\": \"2026-11-23T16:00:00Z\", \"note\": \"fixed\"}", 0, true,
            "fixed"},
        {"{\"schema\": 1}", 0, false, NULL},
        {"{\"schema\": 1, \"looked\": true, \"note\": \"\"}", 0, false, NULL},
        {"{\"schema\": 1, \"note\": 7}", 0, false, NULL},
        {"{\"schema\": 2}", -1, false, NULL},
        {"7", -1, false, NULL},
        {"", -1, false, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mark mark;
        struct error err;
        assert_int_equal(
            mark_parse(cases[i].text, strlen(cases[i].text), &mark, &err), cases[i].status);
        assert_int_equal(mark.looked_ms != 0, cases[i].looked);
        assert_true(!mark.note == !cases[i].note);
        if (mark.note)
            assert_string_equal(mark.note, cases[i].note);
        mark_free(&mark);
    }
}

static void a_long_note_is_cut_between_characters(void **state)
{
    (void)state;
    char *note = xcalloc(MARK_NOTE_MAX + 100, 1);
    note[0] = 'x';
    for (size_t i = 1; i < MARK_NOTE_MAX + 90; i += 3)
        memcpy(note + i, "\xe2\x82\xac", 3);
    struct mark mark = {.note = note, .looked_ms = 1}, again;
    char *text = mark_text(&mark);
    assert_int_equal(mark_parse(text, strlen(text), &again, NULL), 0);
    assert_int_equal(strlen(again.note), 1 + (MARK_NOTE_MAX - 1) / 3 * 3);
    assert_memory_equal(again.note, note, strlen(again.note));
    free(text);
    mark_free(&again);
    free(note);
}

static void write_incident(const char *place, const char *id)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("shop");
    incident->app = xstrdup("api");
    incident->kind = xstrdup("spike");
    incident->fired_ms = 1795446241000;
    incident->trigger.name = xstrdup("cpu-high");
    incident->trigger.metric = xstrdup("cpu");
    incident->trigger.value = 90;
    incident->analysis.suspect.function = xstrdup("main.decode");
    incident_add_peak(incident, "cpu", 97.2);
    char *folder = incident_folder("shop", id);
    char *full = xasprintf("%s/%s", place, folder), *path = xasprintf("%s/incident.json", full);
    char *text = incident_to_text(incident);
    assert_int_equal(fs_make_folders(full, NULL), 0);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(text);
    free(path);
    free(full);
    free(folder);
    incident_free(incident);
}

static void marks_are_kept_where_the_incident_is(void **state)
{
    (void)state;
    static const char id[] = "20261123T150401Z-cpu-high-1a2b3c";
    static const struct s3_settings no_settings;
    static char note[] = "fixed in revision 8";
    char place[] = "/tmp/test-marking-XXXXXX", group[GROUP_SIZE];
    struct error err;
    assert_non_null(mkdtemp(place));
    write_incident(place, id);
    struct store *store = store_open(place, &no_settings, &err);
    struct store_incident *stored = store_find(store, id, &err);
    assert_non_null(stored);

    struct mark mark, written = {.looked_ms = 1795450000000, .note = note};
    assert_int_equal(marking_read(store, stored, &mark, &err), 0);
    assert_true(mark.looked_ms == 0 && !mark.note);
    assert_int_equal(marking_write(store, stored, &written, &err), 0);
    assert_int_equal(marking_read(store, stored, &mark, &err), 0);
    assert_int_equal(mark.looked_ms, written.looked_ms);
    assert_string_equal(mark.note, note);
    mark_free(&mark);

    struct known known;
    assert_int_equal(marking_read_known(store, "shop", &known, &err), 0);
    assert_int_equal(known.count, 0);
    known_free(&known);
    assert_int_equal(marking_set_known(store, stored, true, NAN, 1795450000000, &err), 0);
    assert_int_equal(marking_read_known(store, "shop", &known, &err), 0);
    const struct known_group *found = known_find(&known, group_of(stored->incident, group));
    assert_non_null(found);
    assert_true(found->peak == 97.2);
    assert_string_equal(found->suspect, "main.decode");
    assert_string_equal(found->metric, "cpu");
    known_free(&known);
    assert_int_equal(marking_set_known(store, stored, false, NAN, 0, &err), 0);
    assert_int_equal(marking_read_known(store, "shop", &known, &err), 0);
    assert_int_equal(known.count, 0);
    known_free(&known);

    /* a note that is none is in nobody's way */
    assert_int_equal(store_write_file(store, stored, STORE_MARKS, "{", 1, &err), 0);
    assert_int_equal(marking_read(store, stored, &mark, &err), 1);
    assert_non_null(strstr(err.text, "review.json counts as empty"));
    assert_true(mark.looked_ms == 0 && !mark.note);
    assert_int_equal(marking_write(store, stored, &written, &err), 0);
    assert_int_equal(marking_read(store, stored, &mark, &err), 0);
    mark_free(&mark);

    /* which groups are known decides what agents take: what somebody else broke is kept */
    assert_int_equal(store_write_state(store, "shop", "known.json", "x", 1, &err), 0);
    assert_int_equal(marking_set_known(store, stored, true, NAN, 1, &err), -1);
    assert_non_null(strstr(err.text, "known.json"));
    store_incident_free(stored);
    store_close(store);
    fs_remove(place, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_read_as_far_as_it_is_one),
        cmocka_unit_test(a_long_note_is_cut_between_characters),
        cmocka_unit_test(marks_are_kept_where_the_incident_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
