/* Incidents whose app ends, with a recorder and without. */
#include "recording_rig.h"

static struct rest *rest_of(const struct world *world)
{
    return world->more;
}

static void end_now(const struct world *world, int64_t exit_code, bool oom_killed)
{
    rest_of(world)->end = (struct app_end){
        .time_ms = clock_mono_ms(), .exit_code = exit_code, .oom_killed = oom_killed};
}

static bool is_noted(const struct world *world)
{
    incidents_sampled(rest_of(world)->incidents);
    return true;
}

static bool cpu_runs(const struct world *world)
{
    return atomic_load(&world->stub.running) == 1;
}

static void hold_cpu(struct world *world)
{
    atomic_store(&world->stub.hold, 1);
    fire(world, 10);
    wait_until(world, cpu_runs);
    idle(world, 5);
}

static void what_is_under_way_is_kept(void **state)
{
    struct world *world = *state;
    hold_cpu(world);
    end_now(world, 137, true);
    wait_until(world, is_noted);
    rest_of(world)->end.restarted_ms = clock_mono_ms();
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok, heap ok");
    const struct incident_end *ended = &rest_of(world)->incident->app_ended;
    assert_int_equal(ended->exit_code, 137);
    assert_true(ended->oom_killed);
    assert_true(ended->time_ms >= rest_of(world)->incident->fired_ms);
    assert_true(ended->restarted_ms >= ended->time_ms);
}

static void what_waits_for_a_slice_is_given_up(void **state)
{
    struct world *world = *state;
    record(world);
    fire(world, 10);
    idle(world, 5);
    end_now(world, -1, false);
    rest_of(world)->end.restarted_ms = clock_mono_ms();
    wait_until(world, is_noted);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu truncated covered, heap ok");
    assert_non_null(strstr(profile(world, "cpu")->error, "the app ended at"));
    assert_int_equal(profile(world, "cpu")->attempts, 0);
}

static void one_of_before_the_spike_is_another_matter(void **state)
{
    struct world *world = *state;
    end_now(world, 1, false);
    rest_of(world)->end.time_ms -= 60000;
    rest_of(world)->end.restarted_ms = clock_mono_ms() - 59000;
    fire(world, 10);
    check(world, "cpu ok, heap ok");
    assert_int_equal(rest_of(world)->incident->app_ended.time_ms, 0);
}

static void its_successor_is_profiled_when_its_end_is_what_fired(void **state)
{
    struct world *world = *state;
    end_now(world, 1, false);
    rest_of(world)->end.restarted_ms = clock_mono_ms();
    idle(world, 5);
    fire(world, 10);
    check(world, "cpu ok, heap ok");
    assert_int_equal(rest_of(world)->incident->app_ended.exit_code, 1);
}

static void a_baseline_is_thrown_away(void **state)
{
    struct world *world = *state;
    struct error err;
    atomic_store(&world->stub.hold, 1);
    assert_non_null(incidents_baseline(rest_of(world)->incidents, 0, "calm", &err));
    wait_until(world, cpu_runs);
    end_now(world, -1, false);
    wait_until(world, is_noted);
    atomic_store(&world->stub.hold, 0);
    rest_of(world)->end.restarted_ms = clock_mono_ms();
    while (!incidents_idle(rest_of(world)->incidents))
        idle(world, 5);
    assert_null(rest_of(world)->incident);
}

static void an_incident_waits_while_an_end_is_likely(void **state)
{
    struct world *world = *state;
    rest_of(world)->doubt = true;
    fire(world, 10);
    for (int i = 0; i < 20; i++) {
        idle(world, 20);
        assert_false(is_complete(world));
    }
    rest_of(world)->doubt = false;
    check(world, "cpu ok, heap ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_under_way_is_kept),
        TEST(what_waits_for_a_slice_is_given_up),
        TEST(one_of_before_the_spike_is_another_matter),
        TEST(its_successor_is_profiled_when_its_end_is_what_fired),
        TEST(a_baseline_is_thrown_away),
        TEST(an_incident_waits_while_an_end_is_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
