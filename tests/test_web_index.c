#include "web_rig.h"

#include "core/known.h"
#include "review/history/history.h"
#include "review/history/mark.h"
#include "review/web/web_filter.h"
#include "review/web/web_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GROUP ", \"group\": \"0123456789abcdef\""
static const char first[] = "20261123T150406Z-cpu-000001";
static const char second[] = "20261123T150506Z-cpu-000002";
static const char third[] = "20261124T150606Z-cpu-000003";

static int set_up(void **state)
{
    *state = rig_new();
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

/* Waits until it holds so many. */
static void wait_for(struct web_rig *rig, size_t count)
{
    for (;;) {
        struct web_index_view view = web_index_hold(rig->site.index);
        uint64_t version = view.version;
        size_t now = view.count;
        web_index_release(rig->site.index);
        if (now == count)
            return;
        web_index_wait_change(rig->site.index, version, INT64_C(60000));
    }
}

static void the_newest_come_first_and_new_ones_appear(void **state)
{
    struct web_rig *rig = *state;
    rig_put_incident(rig, "a", first, GROUP);
    rig_put_incident(rig, "b", third, GROUP);
    rig_open(rig);
    struct web_index_view view = web_index_hold(rig->site.index);
    assert_true(view.complete);
    assert_int_equal(view.count, 2);
    assert_string_equal(view.summaries[0]->id, third);
    assert_string_equal(view.summaries[1]->id, first);
    uint64_t version = view.version;
    web_index_release(rig->site.index);
    rig_put_incident(rig, "a", second, GROUP);
    wait_for(rig, 3);
    view = web_index_hold(rig->site.index);
    assert_string_equal(view.summaries[1]->id, second);
    assert_true(view.version > version);
    assert_ptr_equal(web_index_find(&view, second), view.summaries[1]);
    assert_null(web_index_find(&view, "20261123T150506Z-cpu-000009"));
    web_index_release(rig->site.index);
}

static void what_is_gone_goes(void **state)
{
    struct web_rig *rig = *state;
    rig_put_incident(rig, "a", first, GROUP);
    rig_put_incident(rig, "a", third, GROUP);
    rig_open(rig);
    char *date = xasprintf("%s/service=a/date=2026-11-23", rig->path);
    assert_int_equal(fs_remove(date, NULL), 0);
    free(date);
    wait_for(rig, 1);
}

static void broken_ones_are_there_with_their_problem(void **state)
{
    struct web_rig *rig = *state;
    rig_put(rig, "service=a/date=2026-11-23/20261123T150406Z-cpu-000001/incident.json", "{");
    rig_open(rig);
    struct web_index_view view = web_index_hold(rig->site.index);
    assert_int_equal(view.count, 1);
    assert_true(*view.summaries[0]->problem);
    assert_string_equal(view.summaries[0]->service, "a");
    assert_true(view.summaries[0]->fired_ms > 0);
    web_index_release(rig->site.index);
    rig_put_incident(rig, "a", first, GROUP); /* somebody mends it */
    for (bool mended = false; !mended;) {
        view = web_index_hold(rig->site.index);
        uint64_t version = view.version;
        mended = !*view.summaries[0]->problem;
        web_index_release(rig->site.index);
        if (!mended)
            web_index_wait_change(rig->site.index, version, INT64_C(60000));
    }
}

static uint64_t version_of(struct web_rig *rig)
{
    struct web_index_view view = web_index_hold(rig->site.index);
    uint64_t version = view.version;
    web_index_release(rig->site.index);
    return version;
}

static void what_was_written_again_is_read_again(void **state)
{
    struct web_rig *rig = *state;
    rig_put_incident(rig, "a", first, GROUP);
    rig_open(rig);
    rig_put_incident(rig, "a", first, ", \"more\": true, \"group\": \"fedcba9876543210\"");
    for (bool read_again = false; !read_again;) {
        struct web_index_view view = web_index_hold(rig->site.index);
        uint64_t version = view.version;
        read_again = !strcmp(view.summaries[0]->group, "fedcba9876543210");
        web_index_release(rig->site.index);
        if (!read_again)
            web_index_wait_change(rig->site.index, version, INT64_C(60000));
    }
}

static void only_what_changes_is_news(void **state)
{
    struct web_rig *rig = *state;
    char note[] = "fixed", other[] = "broken again";
    const struct {
        struct mark mark;
        bool news;
    } cases[] = {
        {{0, NULL}, false},
        {{0, note}, true},
        {{0, note}, false},
        {{1, note}, true},
        {{1, other}, true},
        {{1, NULL}, true},
        {{1, NULL}, false},
    };
    rig_put_incident(rig, "a", first, GROUP);
    rig_open(rig);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t before = version_of(rig);
        web_index_mark(rig->site.index, first, &cases[i].mark);
        if ((version_of(rig) != before) != cases[i].news)
            fail_msg("case %zu", i);
    }
}

static void marks_and_known_groups_are_read_and_change(void **state)
{
    struct web_rig *rig = *state;
    char note[] = "fixed";
    rig_put_incident(rig, "a", first, GROUP);
    rig_put(rig, "service=a/date=2026-11-23/20261123T150406Z-cpu-000001/review.json",
        "{\"schema\": 1, \"looked\": \"2026-11-24T00:00:00.000Z\", \"note\": \"an empty id\"}");
    rig_put(rig, "service=a/_state/known.json",
        "{\"schema\": 1, \"groups\": [{\"group\": \"0123456789abcdef\"}]}");
    rig_open(rig);
    struct web_index_view view = web_index_hold(rig->site.index);
    assert_string_equal(view.summaries[0]->note, "an empty id");
    assert_true(view.summaries[0]->looked_ms > 0);
    const struct known *known = web_index_known(rig->site.index, "a");
    assert_non_null(known);
    assert_non_null(known_find(known, "0123456789abcdef"));
    struct history history;
    assert_int_equal(history_of(web_index_book(rig->site.index), "a", "0123456789abcdef", NULL,
                         known, clock_wall_ms(), &history),
        0);
    assert_int_equal(history.verdict, VERDICT_KNOWN);
    history_free(&history);
    web_index_release(rig->site.index);
    const struct mark mark = {.looked_ms = 0, .note = note};
    web_index_mark(rig->site.index, first, &mark);
    view = web_index_hold(rig->site.index);
    assert_string_equal(view.summaries[0]->note, "fixed");
    assert_int_equal(view.summaries[0]->looked_ms, 0);
    web_index_release(rig->site.index);
}

static void the_same_spike_is_one_group(void **state)
{
    struct web_rig *rig = *state;
    rig_put_incident(rig, "a", first, GROUP);
    rig_put_incident(rig, "a", second, ", \"group\": \"fedcba9876543210\"");
    rig_put_incident(rig, "a", third, GROUP);
    rig_put(rig, "service=a/date=2026-11-25/20261125T150406Z-cpu-000004/incident.json", "{");
    rig_open(rig);
    struct web_groups groups;
    struct web_filter filter = {.since_ms = INT64_MIN, .page = 1};
    struct web_index_view view = web_index_hold(rig->site.index);
    web_groups_make(&groups, &view, &filter, false);
    assert_int_equal(groups.count, 3);
    assert_int_equal(groups.incidents, 4);
    assert_string_equal(groups.all[1].shown->id, third);
    assert_int_equal(groups.all[1].count, 2);
    size_t older = groups.next[groups.all[1].newest];
    assert_string_equal(view.summaries[older]->id, first);
    assert_true(groups.next[older] == SIZE_MAX);
    assert_string_equal(groups.all[2].shown->id, second);
    web_groups_free(&groups);
    filter.q = first; /* a row shows what the filter lets through, and counts everything */
    web_groups_make(&groups, &view, &filter, false);
    assert_int_equal(groups.count, 1);
    assert_string_equal(groups.all[0].shown->id, first);
    assert_int_equal(groups.all[0].count, 2);
    assert_int_equal(groups.all[0].matching, 1);
    web_groups_free(&groups);
    filter.q = NULL;
    web_groups_make(&groups, &view, &filter, true);
    assert_int_equal(groups.count, 4);
    web_groups_free(&groups);
    web_index_release(rig->site.index);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(the_newest_come_first_and_new_ones_appear),
        IN_A_FOLDER(what_is_gone_goes),
        IN_A_FOLDER(broken_ones_are_there_with_their_problem),
        IN_A_FOLDER(what_was_written_again_is_read_again),
        IN_A_FOLDER(only_what_changes_is_news),
        IN_A_FOLDER(marks_and_known_groups_are_read_and_change),
        IN_A_FOLDER(the_same_spike_is_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
