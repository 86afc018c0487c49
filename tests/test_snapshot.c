#include "agent/statements/look.h"
#include "agent/statements/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* id, calls, rows, ms, hit, read */
struct rows {
    const char *texts[4][SNAPSHOT_COLUMNS];
    size_t count;
};

static struct snapshot take(const struct rows *rows)
{
    struct snapshot snapshot = {.rows = NULL};
    for (size_t i = 0; i < rows->count; i++)
        assert_int_equal(snapshot_add(&snapshot, rows->texts[i], SNAPSHOT_COLUMNS), 0);
    snapshot_sort(&snapshot);
    return snapshot;
}

static void what_ran_is_the_difference(void **state)
{
    (void)state;
    static const struct {
        struct rows before, after;
        size_t count;
        struct snapshot_row first;
        double calls, time_ms;
        size_t started_over, gone;
    } cases[] = {
        {{{{NULL}}, 0}, {{{NULL}}, 0}, 0, {0}, 0, 0, 0, 0},
        {{{{NULL}}, 0}, {{{"5", "2", "3", "4.5", "6", "7"}}, 1}, 1, {5, 2, 3, 4.5, 6, 7}, 2, 4.5, 0,
            0},
        {{{{"5", "2", "3", "4.5", "6", "7"}}, 1}, {{{"5", "2", "3", "4.5", "6", "7"}}, 1}, 0, {0},
            0, 0, 0, 0},
        {{{{"-5", "2", "3", "4.5", "6", "7"}}, 1}, {{{"-5", "12", "13", "14.5", "16", "17"}}, 1}, 1,
            {-5, 10, 10, 10, 10, 10}, 10, 10, 0, 0},
        {{{{"2", "1", "1", "1", "1", "1"}, {"1", "1", "1", "1", "1", "1"}}, 2},
            {{{"1", "2", "2", "2", "2", "2"}, {"2", "2", "9", "90", "9", "9"}}, 2}, 2,
            {2, 1, 8, 89, 8, 8}, 2, 90, 0, 0},
        /* of two users */
        {{{{NULL}}, 0}, {{{"5", "2", "3", "4.5", "6", "7"}, {"5", "1", "1", "0.5", "1", "1"}}, 2},
            1, {5, 3, 4, 5, 7, 8}, 3, 5, 0, 0},
        /* reset: what it has since is all that is known */
        {{{{"1", "100", "9", "50", "9", "9"}}, 1}, {{{"1", "3", "2", "1.5", "1", "1"}}, 1}, 1,
            {1, 3, 2, 1.5, 1, 1}, 3, 1.5, 1, 0},
        /* evicted */
        {{{{"1", "100", "9", "50", "9", "9"}, {"3", "1", "1", "1", "1", "1"}}, 2},
            {{{"2", "3", "2", "1.5", "1", "1"}}, 1}, 1, {2, 3, 2, 1.5, 1, 1}, 3, 1.5, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct snapshot before = take(&cases[i].before), after = take(&cases[i].after);
        struct snapshot_difference difference;
        snapshot_subtract(&before, &after, &difference);
        if (difference.count != cases[i].count)
            print_error("case %zu\n", i);
        assert_int_equal(difference.count, cases[i].count);
        assert_true(difference.calls == cases[i].calls);
        assert_true(difference.time_ms == cases[i].time_ms);
        assert_int_equal(difference.started_over, cases[i].started_over);
        assert_int_equal(difference.gone, cases[i].gone);
        if (difference.count)
            assert_memory_equal(difference.rows, &cases[i].first, sizeof cases[i].first);
        snapshot_difference_free(&difference);
        snapshot_free(&before);
        snapshot_free(&after);
    }
}

static void rows_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][SNAPSHOT_COLUMNS] = {
        {NULL, "1", "1", "1", "1", "1"},
        {"", "1", "1", "1", "1", "1"},
        {"1x", "1", "1", "1", "1", "1"},
        {"9223372036854775808", "1", "1", "1", "1", "1"},
        {"1", NULL, "1", "1", "1", "1"},
        {"1", "-1", "1", "1", "1", "1"},
        {"1", "1", "", "1", "1", "1"},
        {"1", "1", "1", "NaN", "1", "1"},
        {"1", "1", "1", "1", "Infinity", "1"},
        {"1", "1", "1", "1", "1", "1 "},
    };
    struct snapshot snapshot = {.rows = NULL};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(snapshot_add(&snapshot, bad[i], SNAPSHOT_COLUMNS), -1);
    static const char *const good[] = {"1", "1", "1", "1", "1", "1"};
    assert_int_equal(snapshot_add(&snapshot, good, SNAPSHOT_COLUMNS - 1), -1);
    for (size_t i = 0; i < SNAPSHOT_MAX; i++)
        assert_int_equal(snapshot_add(&snapshot, good, SNAPSHOT_COLUMNS), 0);
    assert_int_equal(snapshot_add(&snapshot, good, SNAPSHOT_COLUMNS), -1);
    assert_int_equal(snapshot.count, SNAPSHOT_MAX);
    snapshot_free(&snapshot);
}

static void our_own_queries_are_known_by_their_mark(void **state)
{
    (void)state;
    assert_true(look_is_own("/* stakeout */ SELECT 1"));
    assert_false(look_is_own("SELECT 1 /* stakeout */"));
    assert_false(look_is_own(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ran_is_the_difference),
        cmocka_unit_test(rows_that_are_none_are_refused),
        cmocka_unit_test(our_own_queries_are_known_by_their_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
