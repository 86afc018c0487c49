/* The whole agent on a spool in a temporary folder and an app that is a stub. */
#ifndef TESTS_AGENT_RIG_H
#define TESTS_AGENT_RIG_H

#include "agent/agent.h"
#include "agent/agent_parts.h"
#include "agent/capture/recorder.h"
#include "agent/detection/detector.h"
#include "agent/incidents/incidents.h"
#include "config_text.h"
#include "core/alloc.h"
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

static inline int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    struct error err;
    strcpy(world->state, "/tmp/stakeout-agent-XXXXXX");
    assert_non_null(mkdtemp(world->state));
    log_setup(LOG_ERROR, LOG_LOGFMT);
    profiler_stub_start(&world->stub);
    char *text = xasprintf("service: x\nstate: %s\n"
                           "app: {debug: \"%s\", container: nowhere}\nsource: cgroup\n"
                           "recorder: {slice: 1s}\n"
                           "limits: {analyse: reader}\n" /* a child would be the test again */
                           "captures: {spike: [{profile: cpu, seconds: 1}]}\n"
                           "triggers:\n  high: {metric: cpu, above: 80%%}\n"
                           "  oom: {metric: memory, reaches: 100%%, within: 1m, capture: memory}\n"
                           "  round: {recurs: {of: high}}\n"
                           "export: {directory: %s/out}\n",
        world->state, world->stub.url, world->state);
    world->config = parse_config(text, (struct config_needs){0});
    free(text);
    world->agent = agent_open(world->config, &err);
    if (!world->agent)
        fail_msg("%s", err.text);
    *state = world;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    agent_close(world->agent);
    config_free(world->config, &config_kinds);
    profiler_stub_stop(&world->stub);
    fs_remove(world->state, NULL);
    free(world);
    return 0;
}

static inline void close_agent(struct world *world)
{
    agent_close(world->agent);
    world->agent = NULL;
}

static inline void fire(const struct world *world)
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

struct wait {
    const struct world *world;
    struct loop_timer *timer;
    bool (*wanted)(const struct world *world);
    bool met;
};

static inline void look(void *arg)
{
    struct wait *wait = arg;
    wait->met = wait->wanted(wait->world);
    if (!wait->met)
        loop_timer_set(wait->timer, clock_mono_ms() + 5);
}

static inline void wait_until(const struct world *world, bool (*wanted)(const struct world *world))
{
    struct wait wait = {.world = world, .wanted = wanted};
    wait.timer = loop_timer_new(world->agent->loop, look, &wait);
    loop_timer_set(wait.timer, 0);
    assert_true(loop_run_until(world->agent->loop, &wait.met, clock_mono_ms() + patience_ms));
    loop_timer_free(wait.timer);
}

static inline bool is_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 0;
}

static inline void wait_ms(const struct world *world, int64_t ms)
{
    bool never = false;
    loop_run_until(world->agent->loop, &never, clock_mono_ms() + ms);
}

#endif
