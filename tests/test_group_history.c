/* review/history/history.c (test_history.c tests triggers/history.c). */
#include "review/history/history.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/known.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t day_ms = INT64_C(86400000);
static const char group[] = "0123456789abcdef", other[] = "fedcba9876543210";

enum { ENTRIES_MAX = 10000 };

struct rig {
    struct history_entry *entries;
    char (*ids)[64];
    size_t count;
    int64_t start_ms;
};

static int set_up(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    rig->entries = xcalloc(ENTRIES_MAX, sizeof *rig->entries);
    rig->ids = xcalloc(ENTRIES_MAX, sizeof *rig->ids);
    *state = rig;
    return rfc3339_parse("2026-11-02T12:00:00Z", 20, &rig->start_ms);
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    free(rig->entries);
    free(rig->ids);
    free(rig);
    return 0;
}

static struct history_entry *add(
    struct rig *rig, const char *of, double days, double peak, const char *revision)
{
    struct history_entry *entry = &rig->entries[rig->count];
    char *id = rig->ids[rig->count++];
    int64_t fired_ms = rig->start_ms + (int64_t)(days * (double)day_ms);
    snprintf(id, sizeof *rig->ids, "%zu", rig->count);
    *entry = (struct history_entry){.id = id,
        .service = "shop",
        .kind = "spike",
        .fired_ms = fired_ms,
        .metric = "cpu",
        .peak = peak,
        .volume = NAN,
        .revision = revision,
        .period_s = NAN,
        .jitter_s = NAN};
    memcpy(entry->group, of, GROUP_SIZE);
    return entry;
}

static void tell(struct rig *rig, const char *id, const struct known *known, double now_days,
    struct history *history)
{
    struct history_book *book = history_book_new(rig->entries, rig->count);
    int64_t now_ms = rig->start_ms + (int64_t)(now_days * (double)day_ms);
    assert_int_equal(history_of(book, "shop", group, id, known, now_ms, history), 0);
    history_book_free(book);
}

static void the_first_is_new(void **state)
{
    struct rig *rig = *state;
    struct history history;
    add(rig, group, 0, 90, "7");
    add(rig, other, 1, 90, "7");
    tell(rig, NULL, NULL, 1, &history);
    assert_int_equal(history.verdict, VERDICT_NEW);
    assert_string_equal(history.frequency, "first time");
    assert_string_equal(history.verdict_text, "new: seen for the first time");
    assert_null(history.trend);
    assert_int_equal(history.earlier_count, 0);
    history_free(&history);
}

/* Copies that captured the same spike while the store was down. */
static void a_duplicate_does_not_count_beside_others(void **state)
{
    struct rig *rig = *state;
    struct history history;
    add(rig, group, 0, 90, "7");
    for (int i = 0; i < 5; i++)
        add(rig, group, 0, 90, "7")->duplicate = true;
    add(rig, other, 1, 90, "7")->duplicate = true;
    tell(rig, NULL, NULL, 1, &history);
    assert_int_equal(history.count, 1);
    assert_string_equal(history.frequency, "first time");
    history_free(&history);
    struct history_book *book = history_book_new(rig->entries, rig->count);
    assert_int_equal(history_of(book, "shop", other, NULL, NULL, rig->start_ms, &history), 0);
    assert_int_equal(history.count, 1); /* it is all that is left of its group */
    history_free(&history);
    history_book_free(book);
}

static void rounds_are_counted_and_have_a_period(void **state)
{
    struct rig *rig = *state;
    struct history history;
    for (int i = 13; i >= 0; i--) { /* in any order */
        add(rig, group, i / 48.0, 90, "7");
        add(rig, other, i / 50.0, 90, "7");
    }
    tell(rig, NULL, NULL, 1, &history);
    assert_int_equal(history.verdict, VERDICT_SEEN);
    assert_string_equal(history.frequency, "14th time since 2 November, every 30 min");
    assert_string_equal(history.verdict_text, "seen 14 times since 2 November");
    assert_int_equal(history.earlier_count, 13);
    assert_string_equal(history.earlier[0], "3"); /* that of i = 12 */
    history_free(&history);
    tell(rig, "23", NULL, 500, &history); /* that of i = 2 */
    assert_string_equal(history.frequency, "3rd of 14 times since 2 November 2026, every 30 min");
    assert_int_equal(history.earlier_count, 2);
    struct history_book *book = history_book_new(rig->entries, rig->count);
    int64_t now_ms = rig->start_ms + day_ms;
    history_see_from(book, "shop", group, "3", rig->entries[2].fired_ms, now_ms, &history);
    assert_int_equal(history.ordinal, 13); /* that of i = 12 */
    assert_string_equal(history.frequency, "13th of 14 times since 2 November, every 30 min");
    assert_int_equal(history.earlier_count, 12);
    assert_string_equal(history.earlier[0], "5");
    history_see_from(book, "shop", group, "4", rig->entries[3].fired_ms, now_ms, &history);
    assert_int_equal(history.ordinal, 13); /* the other group's is none of them */
    history_book_free(book);
    history_free(&history);
}

static void what_the_agent_recognised_comes_first(void **state)
{
    struct rig *rig = *state;
    struct history history;
    add(rig, group, 0, 90, NULL);
    struct history_entry *newest = add(rig, group, 0.3, 90, NULL);
    newest->period_s = 1799.2;
    newest->jitter_s = 12.5;
    tell(rig, NULL, NULL, 1, &history);
    assert_string_equal(history.frequency, "2nd time since 2 November, every 30 min");
    assert_true(history.jitter_s == 12.5);
    history_free(&history);
}

static void growth_is_worse_even_if_known(void **state)
{
    struct rig *rig = *state;
    struct history history;
    struct known known = {0};
    struct known_group marked = {.peak = NAN, .marked_ms = rig->start_ms};
    memcpy(marked.group, group, GROUP_SIZE);
    known_add(&known, &marked, NULL);
    for (int i = 0; i < 22; i++) {
        struct history_entry *entry = add(rig, group, i, 90, "7");
        entry->volume = 260e6 * pow(1.06, i / 7.0);
    }
    tell(rig, NULL, &known, 22, &history);
    assert_int_equal(history.verdict, VERDICT_WORSE);
    assert_string_equal(history.trend,
        "what the database sends grows by 6% a week: 310 MB/s now, 260 MB/s three weeks ago");
    assert_true(history.known);
    assert_string_equal(history_verdict_name(&history), "known, and worse");
    assert_memory_equal(history.verdict_text, "known, and it gets worse: ", 26);
    assert_int_equal(history.point_count, 22);
    assert_true(history.points[0].volume == 260e6 && history.points[0].peak == 90);
    assert_true(history.points[21].time_ms == history.last_ms);
    history_free(&history);
    for (int i = 0; i < 22; i++)
        rig->entries[i].volume = NAN;
    tell(rig, NULL, &known, 22, &history);
    assert_int_equal(history.verdict, VERDICT_KNOWN);
    assert_string_equal(history.verdict_text, "known, as marked on 2 November");
    history_free(&history);
    tell(rig, NULL, NULL, 22, &history);
    assert_false(history.known);
    assert_string_equal(history_verdict_name(&history), "seen");
    history_free(&history);
    known_free(&known);
}

static void both_trends_are_said_and_one_metric_once(void **state)
{
    struct rig *rig = *state;
    struct history history;
    for (int i = 0; i < 22; i++)
        add(rig, group, i, 80 * pow(0.97, i / 7.0), "7")->volume = 1.08e6 * pow(1.2, i / 7.0);
    tell(rig, NULL, NULL, 22, &history);
    assert_string_equal(history.trend,
        "the peak of cpu falls by 3% a week: 73.0% now, 80.0% three weeks ago; "
        "what the database sends grows by 20% a week: 1.87 MB/s now, 1.08 MB/s three weeks ago");
    history_free(&history);
    for (int i = 0; i < 22; i++) {
        rig->entries[i].metric = "db.received";
        rig->entries[i].peak = rig->entries[i].volume;
    }
    tell(rig, NULL, NULL, 22, &history);
    assert_string_equal(history.trend,
        "the peak of db.received grows by 20% a week: 1.87 MB/s now, 1.08 MB/s three weeks ago");
    history_free(&history);
}

/* Days: the group at 0, 1, 2, 3 in revision 7; then, as each case says, others of the service. */
static void a_release_may_have_ended_it(void **state)
{
    static const struct {
        const char *revision;
        double days[6]; /* 0: no more */
        bool gone;
    } cases[] = {
        {"8", {4, 5, 6, 7, 8}, true}, {"8", {4, 5}, false}, /* too few */
        {"8", {4, 4.5, 5, 5.5}, false},    /* for less than three of its longest pauses */
        {"7", {4, 5, 6, 7, 8}, false},     /* no newer revision */
        {NULL, {4, 5, 6, 7, 8}, false},    /* not known which */
        {"8", {2.9, 5, 6, 7, 8}, true},    /* two revisions side by side for a while */
        {"6", {-1, 4, 5, 6, 7, 8}, false}, /* rolled back: it had it perhaps, it is not newer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *rig = *state;
        struct history history;
        rig->count = 0;
        for (int day = 0; day < 4; day++)
            add(rig, group, day, 90, "7");
        for (size_t j = 0; j < 6 && cases[i].days[j] != 0; j++)
            add(rig, other, cases[i].days[j], 90, cases[i].revision)->kind = j % 2 ? "spike"
                                                                                   : "baseline";
        tell(rig, NULL, NULL, 16, &history);
        if ((history.verdict == VERDICT_GONE) != cases[i].gone)
            fail_msg("case %zu: %s", i, history.verdict_text);
        if (i == 0)
            assert_string_equal(history.verdict_text, "gone since revision 8, 12 days ago");
        history_free(&history);
    }
}

static void a_newer_incident_brings_it_back(void **state)
{
    struct rig *rig = *state;
    struct history history;
    for (int day = 0; day < 4; day++)
        add(rig, group, day, 90, "7");
    for (int day = 4; day < 12; day++)
        add(rig, other, day, 90, "8");
    add(rig, group, 12, 90, "8");
    tell(rig, NULL, NULL, 13, &history);
    assert_int_equal(history.verdict, VERDICT_SEEN);
    history_free(&history);
}

static void ten_thousand_are_told_at_once(void **state)
{
    struct rig *rig = *state;
    struct history history;
    enum { GROUPS = 500 };
    char names[GROUPS][GROUP_SIZE], versions[40][8];
    for (size_t i = 0; i < GROUPS; i++)
        snprintf(names[i], sizeof names[i], "%016zx", i * 7919);
    for (size_t i = 0; i < 40; i++)
        snprintf(versions[i], sizeof versions[i], "%zu", i);
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        add(rig, names[i * i % GROUPS], (double)i / 48, 50 + (double)(i % 50),
            versions[i / (ENTRIES_MAX / 40)]);
    struct history_book *book = history_book_new(rig->entries, rig->count);
    size_t told = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        if (history_of(book, "shop", names[i], NULL, NULL, rig->start_ms, &history) == 0)
            told += history.count;
        history_free(&history);
    }
    assert_int_equal(told, ENTRIES_MAX);
    assert_int_equal(history_of(book, "shop", other, NULL, NULL, 0, &history), -1);
    history_free(&history);
    assert_int_equal(history_of(book, "none", names[0], NULL, NULL, 0, &history), -1);
    history_free(&history);
    history_book_free(book);
}

static void an_incident_gives_what_is_needed(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        double value, limit, peak, volume;
        bool down;
    } cases[] = {
        {"cpu", 90, 80, 97, 3e8, false},
        {"cpu", 90, NAN, 97, 3e8, false},
        {"cpu", 90, 100, 97, 3e8, false}, /* it was on its way to the limit */
        {"cpu", 5, 10, NAN, 3e8, true},
        {"memory", 90, 80, 90, 3e8, false},
        {NULL, NAN, NAN, NAN, 3e8, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history_entry entry;
        struct incident *incident = incident_new();
        incident->id = xstrdup("20261123T150401Z-cpu-high-1a2b3c");
        incident->service = xstrdup("shop");
        incident->kind = xstrdup("spike");
        incident->trigger.metric = cases[i].metric ? xstrdup(cases[i].metric) : NULL;
        incident->trigger.value = cases[i].value;
        incident->trigger.limit = cases[i].limit;
        incident->trigger.down = cases[i].down;
        incident_add_peak(incident, "cpu", 97);
        incident_add_peak(incident, "db.games.received", 3e8);
        incident_add_peak(incident, "db.users.received", 1e8);
        incident_add_peak(incident, "net.received", 9e9);
        history_entry_of(incident, &entry);
        assert_true(entry.peak == cases[i].peak || (isnan(entry.peak) && isnan(cases[i].peak)));
        assert_true(entry.volume == cases[i].volume);
        assert_true(known_group_valid(entry.group));
        incident_free(incident);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_duplicate_does_not_count_beside_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rounds_are_counted_and_have_a_period, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_agent_recognised_comes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(growth_is_worse_even_if_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            both_trends_are_said_and_one_metric_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_release_may_have_ended_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_incident_brings_it_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ten_thousand_are_told_at_once, set_up, tear_down),
        cmocka_unit_test(an_incident_gives_what_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
