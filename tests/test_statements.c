/* When databases are looked at, and what becomes of it, with a fake in place of the looks. */
#include "statements_rig.h"

/* A first look at both, then a moment at which an incident begins. */
static int64_t begin(struct rig *rig)
{
    atomic_store(&rig_databases[0].calls[0], 5);
    statements_tick(rig->statements, clock_mono_ms(), INT64_MAX);
    rig_wait(rig, 0, 1);
    rig_wait(rig, 1, 1);
    int64_t begin_ms = rig_moment();
    statements_tick(rig->statements, begin_ms, begin_ms);
    return begin_ms;
}

static void nobody_waits_for_a_database_that_hangs(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    atomic_store(&rig_databases[1].hangs, true);
    atomic_store(&rig_databases[0].calls[0], 8);
    statements_hurry(rig->statements);
    rig_wait(rig, 0, 3); /* the second is for texts */
    assert_true(statements_are_late(rig->statements));
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_null(noted->problem);
    assert_int_equal(noted->count, 1);
    assert_true(noted->statements[0].calls == 3);
    assert_int_equal(noted->ongoing_count, 1);
    assert_string_equal(noted->ongoing[0].text, "SELECT ?");
    assert_int_equal(noted->ongoing_others, 2);
    noted = rig_note(rig, 1, begin_ms);
    assert_non_null(strstr(noted->problem, "still under way"));
    sem_post(&rig_databases[1].release);
    rig_wait(rig, 1, 2);
    assert_false(statements_are_late(rig->statements));
}

static void counts(int calls, int of_own)
{
    atomic_store(&rig_databases[0].calls[0], calls);
    atomic_store(&rig_databases[0].calls[3], of_own);
}

/* Another look at the first, while an incident is captured, and the texts if they are asked for. */
static void look_again(struct rig *rig, int takes)
{
    statements_hurry(rig->statements);
    rig_wait(rig, 0, takes);
}

static void an_incident_has_what_ran(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    counts(8, 90);
    look_again(rig, 3);
    counts(9, 100);
    look_again(rig, 4);
    assert_int_equal(atomic_load(&rig_databases[0].text_takes), 1); /* they are known then */
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_null(noted->problem);
    assert_string_equal(noted->name, "a");
    assert_string_equal(noted->database, "db");
    assert_int_equal(noted->from_ms, 1);
    assert_int_equal(noted->to_ms, 4);
    assert_int_equal(noted->count, 1); /* not our own */
    assert_string_equal(noted->statements[0].text, "SELECT 1");
    assert_string_equal(noted->statements[0].query_id, "1");
    assert_true(noted->statements[0].calls == 4 && noted->statements[0].time_ms == 4);
    assert_true(noted->statements[0].percent == 100);
    assert_true(noted->calls == 4 && noted->time_ms == 4);
    assert_int_equal(noted->others, 0);
}

static void counters_may_start_over(void **state)
{
    struct rig *rig = *state;
    atomic_store(&rig_databases[0].calls[1], 7);
    int64_t begin_ms = begin(rig);
    counts(2, 0); /* of 5 */
    atomic_store(&rig_databases[0].calls[1], 0);
    look_again(rig, 3);
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_null(noted->problem);
    assert_int_equal(noted->started_over, 1);
    assert_int_equal(noted->gone, 1);
    assert_true(noted->calls == 2);
}

/* What came before is nobody's, and said to be none. */
static void the_first_look_may_come_after_the_onset(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = rig_moment() - 1000;
    counts(5, 0);
    statements_tick(rig->statements, begin_ms, begin_ms);
    rig_wait(rig, 0, 1);
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_non_null(strstr(noted->problem, "no look at it both before and after"));
    assert_int_equal(noted->ongoing_count, 1);
    assert_int_equal(noted->to_ms, 1);
    counts(6, 0);
    look_again(rig, 3);
    noted = rig_note(rig, 0, begin_ms);
    assert_null(noted->problem); /* from the first on, as it says */
    assert_int_equal(noted->from_ms, 1);
    assert_true(noted->calls == 1);
}

static void the_last_look_may_fail(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    atomic_store(&rig_databases[0].fails, true);
    look_again(rig, 2);
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_string_equal(noted->problem, "GRANT it");
    assert_int_equal(noted->count + noted->ongoing_count, 0);
    rig_wait(rig, 1, 2);
    assert_false(statements_are_late(rig->statements));
    statements_hurry(rig->statements); /* it is not asked anew for every incident */
    assert_int_equal(rig_taken(rig, 0), 2);
}

/* An earlier one was after the onset, and has something to tell. */
static void the_last_look_may_fail_after_another(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    counts(8, 0);
    look_again(rig, 3);
    atomic_store(&rig_databases[0].fails, true);
    look_again(rig, 4);
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_null(noted->problem);
    assert_int_equal(noted->to_ms, 2);
    assert_true(noted->calls == 3);
}

static void the_status_says_how_it_stands(void **state)
{
    struct rig *rig = *state;
    struct statements_status status;
    statements_status(rig->statements, 0, &status);
    assert_string_equal(status.label, "a");
    assert_null(status.problem);
    assert_int_equal(status.since_wall_ms + status.looked_wall_ms, 0);
    begin(rig);
    look_again(rig, 2);
    statements_status(rig->statements, 0, &status);
    assert_int_equal(status.since_wall_ms, 1);
    assert_int_equal(status.looked_wall_ms, 2);
    assert_string_equal(status.database, "db");
    atomic_store(&rig_databases[0].fails, true);
    look_again(rig, 3);
    statements_status(rig->statements, 0, &status);
    assert_string_equal(status.problem, "GRANT it");
    assert_true(status.since_wall_ms > 2); /* now */
    assert_int_equal(status.looked_wall_ms, 2);
    atomic_store(&rig_databases[0].fails, false);
    statements_tick(rig->statements, clock_mono_ms() + 61000, INT64_MAX);
    rig_wait_well(rig, 0);
    statements_status(rig->statements, 0, &status);
    assert_int_equal(status.since_wall_ms, 4);
}

/* How long after a look at now_ms the next one is due, to a second. */
static int64_t next_look_s(struct rig *rig, int64_t now_ms, int64_t begin_ms)
{
    int before = atomic_load(&rig_databases[1].takes);
    for (int64_t s = 1; s < 3600; s++) {
        statements_tick(rig->statements, now_ms + 1000 * s, begin_ms);
        if (!statements_are_late(rig->statements))
            continue;
        rig_wait(rig, 1, before + 1);
        rig_wait(rig, 0, before + 1);
        return s;
    }
    return -1;
}

static void calm_looks_are_rare_and_those_of_an_incident_are_not(void **state)
{
    struct rig *rig = *state;
    int64_t now_ms = clock_mono_ms();
    statements_tick(rig->statements, now_ms, INT64_MAX);
    rig_wait(rig, 0, 1);
    rig_wait(rig, 1, 1);
    int64_t s = next_look_s(rig, now_ms, INT64_MAX);
    assert_int_equal(s, 60);
    int64_t begin_ms = now_ms += 1000 * s;
    static const int64_t gaps_s[] = {2, 1, 2, 4, 5, 5}; /* the first: a second after it is told */
    for (size_t i = 0; i < sizeof gaps_s / sizeof *gaps_s; i++) {
        s = next_look_s(rig, now_ms, begin_ms);
        assert_int_equal(s, gaps_s[i]);
        now_ms += 1000 * s;
    }
}

static void nobody_has_to_have_databases(void **state)
{
    struct rig *rig = *state;
    struct config config = {.database_count = 0};
    struct error err;
    assert_null(statements_open(rig->loop, &config, NULL, &err));
    assert_string_equal(err.text, "");
    statements_tick(NULL, 0, 0);
    statements_hurry(NULL);
    assert_false(statements_are_late(NULL));
    assert_true(statements_close(NULL, 0));
    assert_int_equal(statements_databases(NULL), 0);
}

/* What a reload starts anew loses its looks. */
static void only_what_is_looked_at_has_to_be_the_same(void **state)
{
    (void)state;
    static char a[] = "a", b[] = "b", c[] = "c", zero[] = "0", one[] = "1", at_1[] = "h:1",
                at_2[] = "h:2", at_3[] = "h:3", at_4[] = "h:4";
    struct database_config was[] = {{.name = a, .endpoint = at_1, .statements = zero},
        {.name = b, .endpoint = at_2, .statements = one}};
    struct database_config moved[] = {{.name = a, .endpoint = at_3, .statements = zero},
        {.name = c, .endpoint = at_4}, {.name = b, .endpoint = at_2, .statements = one}};
    struct database_config turned[] = {was[1], was[0]};
    struct database_config unnamed[] = {{.endpoint = at_1, .statements = zero}};
    struct database_config elsewhere[] = {{.endpoint = at_3, .statements = zero}};
    const struct {
        struct config a, b;
        bool same;
    } cases[] = {
        {{.databases = was, .database_count = 2}, {.databases = was, .database_count = 2}, true},
        {{.databases = was, .database_count = 2}, {.databases = moved, .database_count = 3}, true},
        {{.databases = was, .database_count = 2}, {.databases = was, .database_count = 1}, false},
        {{.databases = was, .database_count = 2}, {.databases = turned, .database_count = 2},
            false},
        {{.databases = was, .database_count = 2}, {.database_count = 0}, false},
        {{.databases = moved + 1, .database_count = 1}, {.database_count = 0}, true},
        {{.databases = unnamed, .database_count = 1}, {.databases = elsewhere, .database_count = 1},
            false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (statements_are_same(&cases[i].a, &cases[i].b) != cases[i].same ||
            statements_are_same(&cases[i].b, &cases[i].a) != cases[i].same)
            fail_msg("case %zu", i);
}

/* As at an end; at a reload nothing is waited for. */
static void what_comes_late_is_freed(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    atomic_store(&rig_databases[1].hangs, true);
    statements_hurry(rig->statements);
    rig_wait(rig, 0, 2);
    assert_false(statements_close(rig->statements, 300));
    assert_int_equal(atomic_load(&rig_databases[0].freed), 1);
    assert_int_equal(atomic_load(&rig_databases[1].freed), 0);
    sem_post(&rig_databases[1].release);
    while (!atomic_load(&rig_databases[1].freed))
        continue;
    atomic_store(&rig_databases[1].hangs, false);
    rig_open(rig);
    const struct incident_database *noted = rig_note(rig, 0, begin_ms);
    assert_non_null(strstr(noted->problem, "no look at it both before and after"));
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(nobody_waits_for_a_database_that_hangs),
        WITH_RIG(what_comes_late_is_freed),
        WITH_RIG(an_incident_has_what_ran),
        WITH_RIG(counters_may_start_over),
        WITH_RIG(the_first_look_may_come_after_the_onset),
        WITH_RIG(the_last_look_may_fail),
        WITH_RIG(the_last_look_may_fail_after_another),
        WITH_RIG(the_status_says_how_it_stands),
        WITH_RIG(calm_looks_are_rare_and_those_of_an_incident_are_not),
        WITH_RIG(nobody_has_to_have_databases),
        cmocka_unit_test(only_what_is_looked_at_has_to_be_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
