/* An app takes one CPU profile at a time, whoever wants one: each of those who do comes while each
 * other has the app's profiler, with the recorder between them and without. The stub refuses a
 * second one as Go does, and counts that. */
#include "agent/apps/preflight.h"
#include "agent/incidents/admission.h"

#include "agent_rig.h"

#include <stdio.h>

static void measure(const struct world *world, double cpu)
{
    wait_ms(world, 2); /* times rise */
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), cpu);
    detector_check(world->agent->detector);
    incidents_sampled(world->agent->incidents);
}

static void by_trigger(const struct world *world)
{
    measure(world, 50);
    measure(world, 99);
}

/* Refused while an incident of another set is running, which is fine. */
static void by_hand(const struct world *world)
{
    struct error err;
    admission_take(world->agent, NULL, "why not", "spike", &err);
}

/* What fires then joins an incident that has no CPU profile, and has it take one. */
static void by_hand_without_cpu(const struct world *world)
{
    struct error err;
    admission_take(world->agent, NULL, "why not", "memory", &err);
}

/* These two are not asked for while anything is running. */
static void a_baseline(const struct world *world)
{
    struct error err;
    incidents_baseline(world->agent->incidents, 0, "calm", &err);
}

static void a_follow_up(const struct world *world)
{
    struct error err;
    if (!incidents_are_busy(world->agent->incidents, 0))
        incidents_follow_up(
            world->agent->incidents, 0, "20261123T150401Z-high-1a2b3c", "spike", &err);
}

static void the_recorder(const struct world *world)
{
    int64_t now_ms = clock_mono_ms();
    incidents_give_way(world->agent->incidents, 0);
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
}

static void preflight(const struct world *world)
{
    preflight_repeat(world->agent->preflight, 0);
    preflight_update(world->agent->preflight);
}

static const struct taker {
    const char *name;
    void (*begin)(const struct world *world);
} takers[] = {
    {"a trigger", by_trigger},
    {"somebody by hand", by_hand},
    {"somebody by hand, without CPU", by_hand_without_cpu},
    {"a baseline", a_baseline},
    {"a follow-up", a_follow_up},
    {"the recorder", the_recorder},
    {"preflight", preflight},
};

enum { TAKERS = sizeof takers / sizeof *takers };

static bool is_recording(const struct world *world)
{
    return atomic_load(&world->stub.running) == 1;
}

static bool is_idle(const struct world *world)
{
    measure(world, 10);
    return incidents_idle(world->agent->incidents);
}

/* Returns how many were refused. */
static int play(const struct taker *first, const struct taker *second, bool recorded)
{
    void *state;
    assert_int_equal(set_up(&state), 0);
    struct world *world = state;
    preflight_update(world->agent->preflight); /* it holds the recorder until it has begun */
    preflight_clear_way(world->agent->preflight, 0);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    world->config->triggers[0].cooldown_ms = 0;
    atomic_store(&world->stub.hold, 1);
    if (recorded) {
        the_recorder(world);
        wait_until(world, is_recording);
    }
    first->begin(world);
    wait_ms(world, 20);
    second->begin(world);
    wait_ms(world, 20);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_idle);
    by_trigger(world); /* whatever came before, the next spike has the profiler */
    wait_until(world, is_idle);
    int refused = atomic_load(&world->stub.refused);
    assert_true(atomic_load(&world->stub.taken) > 0);
    tear_down(&state);
    return refused;
}

/* What preflight asks for is dropped when somebody comes; the app takes a moment to notice, in
 * which it may refuse one request, that is then tried again. */
static void one_at_a_time(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < TAKERS; i++)
        for (size_t j = 0; j < TAKERS; j++)
            for (int recorded = 0; recorded < 2; recorded++) {
                int refused = play(&takers[i], &takers[j], recorded);
                bool dropped = takers[i].begin == preflight || takers[j].begin == preflight;
                if (refused > dropped)
                    fail_msg("%d refused: %s, then %s%s", refused, takers[i].name, takers[j].name,
                        recorded ? ", with the recorder" : "");
            }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) /* as the agent's child, which is this program: slices stay slices */
        return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
