/* Before an OOM the heap is taken, also of an app that an incident is running of. */
#include "agent_rig.h"

#include "agent/incidents/running.h"

#include <stdio.h>

static void foresee(const struct world *world)
{
    struct error err;
    int64_t now_ms = clock_mono_ms();
    struct detector_event event = {.type = EVENT_FIRE,
        .metric = "memory",
        .value = 80,
        .limit = 100,
        .time_ms = now_ms,
        .onset_ms = now_ms - 10,
        .reason = "memory on its way to 100%"};
    while (strcmp(world->config->triggers[event.trigger].name, "oom") != 0)
        event.trigger++;
    assert_int_equal(incidents_fire(world->agent->incidents, &event, &err), 0);
}

static bool is_complete(const struct world *world)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), 5);
    series_push(series_set_add(&world->agent->series, "memory"), clock_mono_ms(), 5);
    incidents_sampled(world->agent->incidents);
    return incidents_idle(world->agent->incidents);
}

/* The names of the files in the only incident's folder, in the spool or stored. */
static bool has_file(const struct world *world, const char *file)
{
    char *command = xasprintf("find %s/spool %s/out -name '%s' 2>/dev/null | grep -q .",
        world->state, world->state, file);
    int status = system(command);
    free(command);
    return status == 0;
}

static void a_leak_opens_an_incident_with_its_heap(void **state)
{
    struct world *world = *state;
    foresee(world);
    foresee(world);
    wait_until(world, is_complete);
    assert_true(has_file(world, "heap.pb.gz"));
    assert_false(has_file(world, "heap-*"));
}

static void a_leak_that_joins_brings_its_heap(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    fire(world); /* its set has no heap */
    wait_until(world, is_taken);
    foresee(world);
    foresee(world);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_complete);
    assert_true(has_file(world, "cpu.pb.gz"));
    assert_true(has_file(world, "heap.pb.gz"));
    assert_false(has_file(world, "heap-*"));
    assert_false(has_file(world, "goroutine.pb.gz"));
}

/* A file in the place of the spool's folder: even root makes none in it. */
static void break_disk(const struct world *world)
{
    char *spool = xasprintf("%s/spool", world->state);
    assert_int_equal(fs_remove(spool, NULL), 0);
    assert_int_equal(fs_write(spool, "x", 1, NULL), 0);
    free(spool);
}

static bool is_stored(const struct world *world)
{
    return has_file(world, "incident.json");
}

static void a_disk_that_takes_no_files_costs_no_heap(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    break_disk(world);
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_taken);
    foresee(world);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_complete);
    wait_until(world, is_stored);
    assert_true(has_file(world, "cpu.pb.gz"));
    assert_true(has_file(world, "heap.pb.gz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leak_opens_an_incident_with_its_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leak_that_joins_brings_its_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_disk_that_takes_no_files_costs_no_heap, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
