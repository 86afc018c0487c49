/* limits.hold_off in the whole agent: what waits while the app is too hot, and what does not. */
#include "agent/apps/preflight.h"
#include "agent/baseline/calm.h"
#include "agent/detection/ledger.h"
#include "agent/incidents/follow_ups.h"

#include "agent_rig.h"

static void measure(const struct world *world, double cpu)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), cpu);
}

/* The set has a heap profile beside the CPU profile. */
static int set_up_hot(void **state)
{
    if (set_up(state) < 0)
        return -1;
    struct world *world = *state;
    struct capture_set *set = &world->config->captures[0];
    while (strcmp(set->name, "spike") != 0)
        set++;
    set->entries = xrealloc(set->entries, 2, sizeof *set->entries);
    set->entries[set->count++] = (struct capture_entry){.profile = xstrdup("heap")};
    world->config->limits.hold_off.value = 90;
    measure(world, 99);
    return 0;
}

static char *spooled(const struct world *world, const char *file)
{
    const char *id = incidents_running(world->agent->incidents, 0);
    assert_non_null(id);
    return xasprintf("%s/spool/.%s/%s", world->state, id, file);
}

static bool has_heap(const struct world *world)
{
    char *path = spooled(world, "heap.pb.gz");
    bool there = fs_exists(path);
    free(path);
    return there;
}

static void a_cpu_profile_waits_until_it_is_cooler(void **state)
{
    struct world *world = *state;
    fire(world);
    wait_until(world, has_heap);
    assert_int_equal(atomic_load(&world->stub.taken), 0);
    measure(world, 90); /* the level itself is not above it */
    wait_until(world, is_taken);
}

static struct incident *read_stored(const struct world *world)
{
    char *command = xasprintf("cat %s/out/*/*/*/incident.json", world->state);
    FILE *out = popen(command, "r");
    static char text[100000];
    struct error err;
    assert_non_null(out);
    size_t size = fread(text, 1, sizeof text, out);
    pclose(out);
    free(command);
    struct incident *incident = incident_from_text(text, size, &err);
    if (!incident)
        fail_msg("%s", err.text);
    return incident;
}

static bool is_stored(const struct world *world)
{
    measure(world, 99);
    incidents_sampled(world->agent->incidents);
    char *command = xasprintf(
        "ls %s/out/*/*/*/incident.json >%s/ls 2>&1", world->state, world->state);
    int status = system(command);
    free(command);
    return status == 0;
}

static void what_waited_for_too_long_fails_with_the_reason(void **state)
{
    struct world *world = *state;
    fire(world);
    wait_until(world, has_heap);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    wait_until(world, is_stored);
    struct incident *incident = read_stored(world);
    const struct incident_profile *cpu = incident_find_profile(incident, "cpu");
    assert_int_equal(cpu->status, PROFILE_FAILED);
    assert_int_equal(cpu->attempts, 0);
    assert_string_equal(
        cpu->error, "the app is too hot to be profiled: cpu 99.0% is above limits.hold_off: 90%");
    assert_int_equal(incident_find_profile(incident, "heap")->status, PROFILE_OK);
    assert_int_equal(atomic_load(&world->stub.taken), 0);
    incident_free(incident);
}

static bool has_problem(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->agent->recorder, 0, &status);
    return status.problem && strstr(status.problem, "limits.hold_off");
}

static void the_recorder_pauses(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
    recorder_release(world->agent->recorder, 0);
    wait_until(world, has_problem);
    assert_int_equal(atomic_load(&world->stub.taken), 0);
    measure(world, 20);
    wait_until(world, is_taken);
}

static void so_does_preflight(void **state)
{
    struct world *world = *state;
    preflight_update(world->agent->preflight);
    assert_false(preflight_is_running(world->agent->preflight, 0));
    wait_ms(world, 2); /* times rise */
    measure(world, 20);
    preflight_update(world->agent->preflight);
    assert_true(preflight_is_running(world->agent->preflight, 0));
}

static void so_does_a_follow_up(void **state)
{
    struct world *world = *state;
    struct incidents_spiked spiked = {
        .id = "20261123T150401Z-high-000001", .set = "spike", .triggers = (bool[8]){false}};
    world->config->follow_up_ms = 60000;
    spiked.captured_ms = clock_mono_ms() - 61000; /* it is due for another minute */
    follow_ups_plan(world->agent->follow_ups, &spiked);
    calm_update(world->agent);
    assert_null(incidents_running(world->agent->incidents, 0));
    assert_non_null(follow_ups_planned(world->agent->follow_ups, 0, NULL));
    wait_ms(world, 2); /* times rise */
    measure(world, 20);
    world->config->limits.per_day_bytes = 1; /* that holds it back as well */
    ledger_store(world->agent->ledger, "20261123T150401Z-high-000001", clock_wall_ms(), 1);
    calm_update(world->agent);
    assert_null(incidents_running(world->agent->incidents, 0));
    world->config->limits.per_day_bytes = 2;
    calm_update(world->agent);
    assert_non_null(incidents_running(world->agent->incidents, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_hot, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cpu_profile_waits_until_it_is_cooler),
        TEST(what_waited_for_too_long_fails_with_the_reason),
        TEST(the_recorder_pauses),
        TEST(so_does_preflight),
        TEST(so_does_a_follow_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
