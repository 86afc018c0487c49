/* The whole agent on a spool in a temporary folder and an app that is a stub: how it closes. */
#include "agent/agent.h"

#include "agent/agent_parts.h"
#include "agent/capture/recorder.h"
#include "agent/detection/detector.h"
#include "agent/incidents.h"
#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "profiler_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t patience_ms = 60000;

struct world {
    char state[64];
    struct profiler_stub stub;
    struct config *config;
    struct agent *agent;
};

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    struct error err;
    struct buf problems;
    strcpy(world->state, "/tmp/stakeout-agent-XXXXXX");
    assert_non_null(mkdtemp(world->state));
    log_setup(LOG_ERROR, LOG_LOGFMT);
    profiler_stub_start(&world->stub);
    char *text = xasprintf("service: x\nstate: %s\n"
                           "app: {debug: \"%s\", container: nowhere}\nsource: cgroup\n"
                           "recorder: {slice: 1s}\n"
                           "captures: {spike: [{profile: cpu, seconds: 1}]}\n"
                           "limits: {analyse: reader}\n" /* a child would be this test again */
                           "triggers:\n  high: {metric: cpu, above: 80%%}\n"
                           "  round: {recurs: {of: high}}\n"
                           "export: {directory: %s/out}\n",
        world->state, world->stub.url, world->state);
    buf_init(&problems, 10000);
    world->config = config_parse(
        text, strlen(text), "test", &config_kinds, &(struct config_needs){0}, &problems);
    if (!world->config)
        fail_msg("%.*s", (int)problems.size, problems.data);
    buf_free(&problems);
    free(text);
    world->agent = agent_open(world->config, &err);
    if (!world->agent)
        fail_msg("%s", err.text);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    agent_close(world->agent);
    config_free(world->config, &config_kinds);
    profiler_stub_stop(&world->stub);
    fs_remove(world->state, NULL);
    free(world);
    return 0;
}

static void close_agent(struct world *world)
{
    agent_close(world->agent);
    world->agent = NULL;
}

static void fire(const struct world *world)
{
    struct error err;
    int64_t now_ms = clock_mono_ms();
    struct detector_event event = {.type = EVENT_FIRE,
        .time_ms = now_ms,
        .metric = "cpu",
        .value = 93,
        .limit = 80,
        .onset_ms = now_ms - 10,
        .reason = "cpu 93% above 80%"};
    assert_int_equal(incidents_fire(world->agent->incidents, &event, &err), 0);
}

static void take_long(void *arg)
{
    (void)arg;
    usleep(400000);
}

static void nothing(void *arg)
{
    (void)arg;
}

struct wait {
    const struct world *world;
    struct loop_timer *timer;
    bool (*wanted)(const struct world *world);
    bool met;
};

static void look(void *arg)
{
    struct wait *wait = arg;
    wait->met = wait->wanted(wait->world);
    if (!wait->met)
        loop_timer_set(wait->timer, clock_mono_ms() + 5);
}

static void wait_until(const struct world *world, bool (*wanted)(const struct world *world))
{
    struct wait wait = {.world = world, .wanted = wanted};
    wait.timer = loop_timer_new(world->agent->loop, look, &wait);
    loop_timer_set(wait.timer, 0);
    assert_true(loop_run_until(world->agent->loop, &wait.met, clock_mono_ms() + patience_ms));
    loop_timer_free(wait.timer);
}

static bool is_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 0;
}

static void wait_ms(const struct world *world, int64_t ms)
{
    bool never = false;
    loop_run_until(world->agent->loop, &never, clock_mono_ms() + ms);
}

/* The last profile is on the disk thread still: that it ends the capture is known in the close. */
static void a_close_ends_what_the_disk_has_in_hand(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_taken);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    offload_submit(world->agent->disk, take_long, nothing, NULL);
    wait_ms(world, 200);
    close_agent(world);
}

static bool has_slice(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->agent->recorder, 0, &status);
    return status.slices > 0;
}

static bool is_another_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 1 && atomic_load(&world->stub.running);
}

/* The same with slices: what is caught is to be merged. */
static void a_close_begins_no_merge(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    atomic_store(&world->stub.record_ms, 700);
    recorder_release(world->agent->recorder, 0);
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
    wait_until(world, has_slice);
    recorder_disarm(world->agent->recorder, 0, 1);
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_another_taken);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    offload_submit(world->agent->disk, take_long, nothing, NULL);
    wait_ms(world, 200);
    close_agent(world);
}

static void a_close_right_after_the_opening_is_fine(void **state)
{
    close_agent(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_close_right_after_the_opening_is_fine),
        TEST(a_close_ends_what_the_disk_has_in_hand),
        TEST(a_close_begins_no_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
