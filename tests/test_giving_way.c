/* A baseline that is being taken gives way to what cannot wait: an incident, or the recorder. */
#include "agent_rig.h"

#include <stdio.h>

static const char *begin_baseline(const struct world *world)
{
    struct error err;
    const char *id = incidents_baseline(world->agent->incidents, 0, "calm for 10 s", &err);
    if (!id)
        fail_msg("%s", err.text);
    return id;
}

static bool is_idle(const struct world *world)
{
    return incidents_idle(world->agent->incidents);
}

static bool second_is_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 1;
}

/* Whether the spool or the store has an incident of this trigger, complete or not. */
static bool exists(const struct world *world, const char *trigger)
{
    char *command = xasprintf("find %s/spool %s/out -name '*-%s-*' 2>/dev/null | grep -q .",
        world->state, world->state, trigger);
    int status = system(command);
    free(command);
    return status == 0;
}

/* Brings the row that ends an incident: no source measures in the rig. */
static bool is_stored(const struct world *world, const char *trigger)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), 5);
    incidents_sampled(world->agent->incidents);
    char *command = xasprintf(
        "find %s/out -path '*-%s-*' -name incident.json 2>/dev/null | grep -q .", world->state,
        trigger);
    int status = system(command);
    free(command);
    return status == 0;
}

static bool spike_is_stored(const struct world *world)
{
    return is_stored(world, "high");
}

static bool manual_is_stored(const struct world *world)
{
    return is_stored(world, "manual");
}

static bool baseline_is_stored(const struct world *world)
{
    return is_stored(world, "baseline");
}

static void a_fire_opens_an_incident_of_its_own(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    wait_until(world, is_taken);
    assert_false(incidents_can_join(world->agent->incidents, 0));
    fire(world);
    assert_non_null(strstr(incidents_running(world->agent->incidents, 0), "-high-"));
    wait_until(world, second_is_taken);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, spike_is_stored);
    wait_until(world, is_idle);
    assert_false(exists(world, "baseline"));
    assert_int_equal(atomic_load(&world->stub.refused), 0);
    assert_int_equal(atomic_load(&world->stub.taken), 2);
}

static void so_does_a_capture_by_hand(void **state)
{
    struct world *world = *state;
    struct error err;
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    wait_until(world, is_taken);
    const char *id = incidents_manual(world->agent->incidents, 0, "why not", NULL, &err);
    assert_non_null(id);
    assert_non_null(strstr(id, "-manual-"));
    atomic_store(&world->stub.hold, 0);
    wait_until(world, manual_is_stored);
    wait_until(world, is_idle);
    assert_false(exists(world, "baseline"));
    assert_int_equal(atomic_load(&world->stub.refused), 0);
}

static bool has_captured(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 0 && !atomic_load(&world->stub.running);
}

static void what_was_there_before_the_onset_is_kept(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    wait_until(world, is_taken);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, has_captured);
    wait_ms(world, 200);
    fire(world);
    wait_until(world, spike_is_stored);
    wait_until(world, baseline_is_stored);
    wait_until(world, is_idle);
}

static bool records(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->agent->recorder, 0, &status);
    return status.recording;
}

static void the_recorder_gets_the_app(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    recorder_release(world->agent->recorder, 0);
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    wait_until(world, is_taken);
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
    wait_ms(world, 50);
    assert_false(records(world));
    incidents_give_way(world->agent->incidents, 0);
    incidents_give_way(world->agent->incidents, 0); /* once is enough */
    wait_until(world, records);
    wait_until(world, is_idle);
    assert_false(exists(world, "baseline"));
    assert_int_equal(atomic_load(&world->stub.refused), 0);
}

static void a_stop_throws_half_of_one_away(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    wait_until(world, is_taken);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    wait_until(world, is_idle);
    assert_false(exists(world, "baseline"));
}

static void one_at_a_time(void **state)
{
    struct world *world = *state;
    struct error err;
    atomic_store(&world->stub.hold, 1);
    begin_baseline(world);
    assert_null(incidents_baseline(world->agent->incidents, 0, "again", &err));
    wait_until(world, is_taken);
    fire(world);
    assert_null(incidents_baseline(world->agent->incidents, 0, "again", &err));
    /* What is under way is left as it is by a close. */
    close_agent(world);
}

/* Held-back fires are counted for an incident, not for a baseline. */
static void suppressed_fires_are_not_its_own(void **state)
{
    struct world *world = *state;
    incidents_suppressed(world->agent->incidents);
    begin_baseline(world);
    wait_until(world, baseline_is_stored);
    assert_null(incidents_last(world->agent->incidents));
    fire(world);
    wait_until(world, spike_is_stored);
    char *command = xasprintf(
        "grep -rl suppressed_since_last %s/out | grep -q -- -high-", world->state);
    assert_int_equal(system(command), 0);
    free(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fire_opens_an_incident_of_its_own),
        TEST(so_does_a_capture_by_hand),
        TEST(what_was_there_before_the_onset_is_kept),
        TEST(the_recorder_gets_the_app),
        TEST(a_stop_throws_half_of_one_away),
        TEST(one_at_a_time),
        TEST(suppressed_fires_are_not_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
