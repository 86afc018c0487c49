/* Rows of pg_stat_activity, as far as an incident has them. */
#include "agent/statements/activity.h"

#include "core/incident_statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *expected)
{
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
}

static void rows_are_taken_as_far_as_they_go(void **state)
{
    (void)state;
    static const struct {
        const char *values[ACTIVITY_COLUMNS];
        const char *id, *text, *state, *waits_for;
        double time_ms;
        int64_t others;
    } cases[] = {
        {{"-7", "active", "Lock", "tuple", "1500", "UPDATE a SET b = 'secret', c = 5", "1"}, "-7",
            "UPDATE a SET b = '?', c = ?", "active", "Lock: tuple", 1500, 0},
        {{NULL, "idle in transaction", NULL, NULL, "2000.5", "", "12"}, NULL, NULL,
            "idle in transaction", NULL, 2000.5, 11},
        {{NULL, NULL, "Lock", NULL, NULL, NULL, NULL}, NULL, NULL, NULL, NULL, 0, 0},
        {{"", "", "", "", "-1", "x", "nan"}, NULL, "x", NULL, ": ", 0, 0},
        {{"x", "x", "x", "x", "inf", "x", "1e300"}, "x", "x", "x", "x: x", 0, 999999},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct activity activity = {.rows = NULL};
        struct incident_database noted = {.name = NULL};
        assert_int_equal(activity_add(&activity, cases[i].values, ACTIVITY_COLUMNS), 0);
        activity_note(&activity, &noted);
        assert_int_equal(noted.ongoing_count, 1);
        expect(noted.ongoing[0].query_id, cases[i].id);
        expect(noted.ongoing[0].text, cases[i].text);
        expect(noted.ongoing[0].state, cases[i].state);
        expect(noted.ongoing[0].waits_for, cases[i].waits_for);
        assert_true(noted.ongoing[0].time_ms == cases[i].time_ms);
        assert_int_equal(noted.ongoing_others, cases[i].others);
        incident_ongoing_free(noted.ongoing, noted.ongoing_count);
        activity_free(&activity);
        assert_null(activity.rows);
    }
}

static void there_are_only_so_many(void **state)
{
    (void)state;
    static const char *const values[ACTIVITY_COLUMNS] = {"1", "active", NULL, NULL, "1", "x", "20"};
    struct activity activity = {.rows = NULL};
    assert_int_equal(activity_add(&activity, values, ACTIVITY_COLUMNS - 1), -1);
    for (int i = 0; i < STATEMENTS_ONGOING_MAX; i++)
        assert_int_equal(activity_add(&activity, values, ACTIVITY_COLUMNS), 0);
    assert_int_equal(activity_add(&activity, values, ACTIVITY_COLUMNS), -1);
    activity_free(&activity);
    activity_free(&activity);
}

static void an_old_server_has_no_query_id(void **state)
{
    (void)state;
    char *now = activity_sql(150000), *then = activity_sql(130012);
    assert_non_null(strstr(now, "SELECT query_id,"));
    assert_null(strstr(then, "query_id"));
    free(now);
    free(then);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_taken_as_far_as_they_go),
        cmocka_unit_test(there_are_only_so_many),
        cmocka_unit_test(an_old_server_has_no_query_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
