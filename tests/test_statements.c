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

/* As at a reload. */
static void what_comes_late_is_freed(void **state)
{
    struct rig *rig = *state;
    int64_t begin_ms = begin(rig);
    atomic_store(&rig_databases[1].hangs, true);
    statements_hurry(rig->statements);
    rig_wait(rig, 0, 2);
    assert_false(statements_close(rig->statements));
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
