/* A CPU profile ends with the spike, once half of it is recorded. */
#include "agent_rig.h"

#include <stdio.h>

static void see(const struct world *world, double cpu)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), cpu);
    detector_check(world->agent->detector);
    incidents_sampled(world->agent->incidents);
}

/* Whether an incident of that trigger is stored with this in its incident.json. */
static bool stored_with(const struct world *world, const char *trigger, const char *text)
{
    char *command = xasprintf("find %s/out -path '*-%s-*' -name incident.json 2>/dev/null | "
                              "xargs -r grep -q '%s'",
        world->state, trigger, text);
    char *any = xasprintf("find %s/out -path '*-%s-*' -name incident.json 2>/dev/null | grep -q .",
        world->state, trigger);
    int status = system(any) == 0 ? system(command) : 1;
    free(command);
    free(any);
    return status == 0;
}

/* Brings the row that ends the incident. */
static bool spike_is_stored(const struct world *world)
{
    see(world, 5);
    return stored_with(world, "high", "\"id\"");
}

static void begin_spike(struct world *world)
{
    atomic_store(&world->stub.hold, 1);
    see(world, 10);
    wait_ms(world, 10);
    see(world, 90);
    wait_until(world, is_taken);
}

static void a_profile_ends_with_its_spike(void **state)
{
    struct world *world = *state;
    /* The spike is over well before all of it is recorded, on a slow machine too. */
    for (size_t i = 0; i < world->config->capture_count; i++)
        if (!strcmp(world->config->captures[i].name, "spike"))
            world->config->captures[i].entries[0].seconds = 4;
    begin_spike(world);
    assert_int_equal(atomic_load(&world->stub.running), 1);
    see(world, 10);
    wait_until(world, spike_is_stored);
    assert_true(stored_with(world, "high", "\"ended_early\": true"));
    assert_true(stored_with(world, "high", "\"status\": \"ok\""));
    assert_true(stored_with(world, "high", "\"ended\": "));
    assert_int_equal(atomic_load(&world->stub.taken), 1);
}

static bool has_ended(const struct world *world)
{
    return !atomic_load(&world->stub.running);
}

static void one_that_rises_again_is_recorded_in_full(void **state)
{
    struct world *world = *state;
    begin_spike(world);
    see(world, 10);
    wait_ms(world, 10);
    see(world, 90); /* in a cooldown: it joins nothing, but the spike goes on */
    wait_ms(world, 700);
    assert_int_equal(atomic_load(&world->stub.running), 1);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, has_ended);
    wait_ms(world, 200); /* the answer is on its way */
    wait_until(world, spike_is_stored);
    assert_false(stored_with(world, "high", "ended_early"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_profile_ends_with_its_spike),
        TEST(one_that_rises_again_is_recorded_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
