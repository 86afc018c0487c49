/* Baselines of a whole agent, whose time the test tells: when one is taken, and what is told of it.
 */
#include "agent_rig.h"

#include "agent/baseline/baselines.h"
#include "agent/baseline/calm.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static struct baselines_status told(const struct world *world)
{
    struct baselines_status status;
    baselines_status(world->agent->baselines, 0, &status);
    return status;
}

static void measure(const struct world *world)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), 5);
}

/* Lets it be calm for so long. The time when it began. */
static int64_t calm_for(const struct world *world, int64_t ms)
{
    int64_t now_ms = clock_mono_ms();
    measure(world);
    baselines_update(world->agent->baselines, now_ms);
    baselines_update(world->agent->baselines, now_ms + ms);
    return now_ms;
}

static bool is_over(const struct world *world)
{
    measure(world);
    incidents_sampled(world->agent->incidents);
    return incidents_idle(world->agent->incidents) &&
           !baselines_are_writing(world->agent->baselines);
}

static void the_first_comes_after_10_s(void **state)
{
    struct world *world = *state;
    calm_for(world, 8 * SECOND);
    assert_null(incidents_running(world->agent->incidents, 0));
    int64_t now_ms = calm_for(world, 10 * SECOND);
    const char *id = incidents_running(world->agent->incidents, 0);
    assert_non_null(id);
    assert_true(incident_id_is_of(id, "baseline"));
    assert_string_equal(told(world).taking, id);
    assert_null(told(world).newest);
    wait_until(world, is_over);
    struct baselines_status status = told(world);
    assert_non_null(status.newest);
    assert_int_equal(status.problem_count, 0);
    baselines_update(world->agent->baselines, clock_mono_ms());
    assert_true(told(world).due_ms >= now_ms + 6 * HOUR - 10); /* two clocks */
    assert_null(told(world).taking);
    calm_for(world, HOUR);
    assert_null(incidents_running(world->agent->incidents, 0));
    calm_for(world, 7 * (int64_t)HOUR);
    assert_non_null(incidents_running(world->agent->incidents, 0));
    wait_until(world, is_over);
}

static void an_incident_is_compared_with_it(void **state)
{
    struct world *world = *state;
    struct incident *incident = incident_new();
    calm_for(world, 10 * SECOND);
    wait_until(world, is_over);
    incident->app = xstrdup("app");
    incident->fired_ms = clock_wall_ms() + 1000;
    assert_string_equal(baselines_choose(world->agent->baselines, incident), told(world).newest);
    incident->fired_ms -= HOUR;
    assert_null(baselines_choose(world->agent->baselines, incident));
    incident_free(incident);
}

static void one_that_gave_way_is_taken_again(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    calm_for(world, 10 * SECOND);
    wait_until(world, is_taken);
    fire(world);
    measure(world);
    baselines_update(world->agent->baselines, clock_mono_ms());
    assert_null(told(world).taking);
    assert_string_equal(told(world).unrest, "an incident is being taken");
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_over);
    assert_null(told(world).newest);
    calm_for(world, 10 * SECOND);
    assert_non_null(told(world).taking);
    wait_until(world, is_over);
    assert_non_null(told(world).newest);
}

static void what_failed_is_told_and_tried_again(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.status, 404);
    int64_t now_ms = calm_for(world, 10 * SECOND);
    wait_until(world, is_over);
    struct baselines_status status = told(world);
    assert_null(status.newest);
    assert_int_equal(status.problem_count, 1);
    assert_non_null(strstr(status.problems[0], "profile cpu: the endpoint has no profile"));
    atomic_store(&world->stub.status, 0);
    calm_for(world, MINUTE);
    assert_null(incidents_running(world->agent->incidents, 0));
    assert_true(told(world).due_ms >= now_ms + 30 * MINUTE);
    calm_for(world, 31 * MINUTE);
    wait_until(world, is_over);
    assert_non_null(told(world).newest);
    assert_int_equal(told(world).problem_count, 0);
}

static void calm_is_what_it_waits_for(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    baselines_update(world->agent->baselines, now_ms);
    assert_string_equal(told(world).unrest, "nothing is measured");
    calm_for(world, 0);
    assert_null(told(world).unrest);
    recorder_arm(world->agent->recorder, 0, 1, now_ms + 600000, now_ms + 601000);
    calm_for(world, 8 * SECOND);
    assert_null(told(world).unrest);
    recorder_arm(world->agent->recorder, 0, 1, now_ms + 12000, now_ms + 13000);
    calm_for(world, 10 * SECOND);
    assert_string_equal(told(world).unrest, "a spike is expected soon");
    assert_null(incidents_running(world->agent->incidents, 0));
    recorder_disarm(world->agent->recorder, 0, 1);
    world->agent->stop_by_ms = now_ms + 60000;
    calm_for(world, 10 * SECOND);
    assert_string_equal(told(world).unrest, "the agent is stopping");
    world->agent->stop_by_ms = 0;
}

static void it_gives_way_to_a_spike_that_is_expected_now(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    calm_for(world, 10 * SECOND);
    wait_until(world, is_taken);
    int64_t now_ms = clock_mono_ms();
    recorder_arm(world->agent->recorder, 0, 1, now_ms + 600000, now_ms + 601000);
    calm_update(world->agent);
    assert_non_null(incidents_running(world->agent->incidents, 0));
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 1000);
    calm_update(world->agent);
    assert_null(incidents_running(world->agent->incidents, 0));
    wait_until(world, is_over);
    assert_null(told(world).newest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_comes_after_10_s),
        TEST(an_incident_is_compared_with_it),
        TEST(one_that_gave_way_is_taken_again),
        TEST(what_failed_is_told_and_tried_again),
        TEST(calm_is_what_it_waits_for),
        TEST(it_gives_way_to_a_spike_that_is_expected_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
