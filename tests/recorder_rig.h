/* A recorder on a spool in a temporary folder, an app that is a stub, and what takes slices from
 * it: for test_recorder.c and test_recording.c. */
#ifndef TESTS_RECORDER_RIG_H
#define TESTS_RECORDER_RIG_H

#include "agent/capture/endpoint.h"
#include "agent/capture/recorder.h"
#include "agent/capture/slice.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
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

static const int64_t rig_patience_ms = 60000;
enum { RIG_RECORD_MS = 510 }; /* of the second of a slice */

struct world {
    char state[64];
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct recorder *recorder;
    struct endpoint *endpoint;
    struct profiler_stub stub;
    struct app_config app;
    struct trigger_config triggers[2]; /* of which the recorder knows only that there are two */
    struct config config;
    struct loop_timer *look;
    bool (*wanted)(const struct world *world);
    bool met;
    void *more; /* of the test file's own */
};

static inline void rig_look(void *arg)
{
    struct world *world = arg;
    world->met = world->wanted(world);
    if (!world->met)
        loop_timer_set(world->look, clock_mono_ms() + 5);
}

/* Serves the loop until the condition holds. */
static inline void wait_until(struct world *world, bool (*wanted)(const struct world *world))
{
    world->wanted = wanted;
    world->met = false;
    loop_timer_set(world->look, 0);
    assert_true(loop_run_until(world->loop, &world->met, clock_mono_ms() + rig_patience_ms));
    loop_timer_unset(world->look);
}

/* Serves the loop for a while, in which something must not happen. */
static inline void idle(struct world *world, int64_t for_ms)
{
    bool never = false;
    loop_run_until(world->loop, &never, clock_mono_ms() + for_ms);
}

static inline void rig_open(struct world *world)
{
    static char app[] = "app";
    struct error err;
    strcpy(world->state, "/tmp/stakeout-recorder-XXXXXX");
    assert_non_null(mkdtemp(world->state));
    log_setup(LOG_ERROR, LOG_LOGFMT);
    profiler_stub_start(&world->stub);
    atomic_store(&world->stub.record_ms, RIG_RECORD_MS);
    world->app = (struct app_config){.name = app, .debug = world->stub.url};
    world->config = (struct config){.service = app,
        .state = world->state,
        .apps = &world->app,
        .app_count = 1,
        .triggers = world->triggers,
        .trigger_count = 2,
        .single_app = true,
        .interval_ms = 1000,
        .recorder = {.slice_ms = 1000, .keep = 2},
        .limits = {.spool_bytes = 1 << 20, .profile_bytes = 1 << 20}};
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->spool = spool_open(&world->config, world->disk, &err);
    assert_non_null(world->spool);
    world->endpoint = endpoint_new();
    world->look = loop_timer_new(world->loop, rig_look, world);
}

static inline void rig_open_recorder(struct world *world)
{
    struct recorder_setup setup = {.loop = world->loop,
        .disk = world->disk,
        .spool = world->spool,
        .config = &world->config,
        .endpoints = &world->endpoint};
    world->recorder = recorder_open(&setup);
}

static inline void rig_close(struct world *world)
{
    spool_close(world->spool);
    endpoint_free(world->endpoint);
    loop_timer_free(world->look);
    loop_close(world->loop);
    profiler_stub_stop(&world->stub);
    fs_remove(world->state, NULL);
}

/* What a wait can be for. */

static int taken_wanted;

static inline bool so_many_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) >= taken_wanted;
}

static inline void wait_taken(struct world *world, int count)
{
    taken_wanted = count;
    wait_until(world, so_many_taken);
}

static inline bool recorder_records(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->recorder, 0, &status);
    return status.recording;
}

static inline bool is_recording(const struct world *world)
{
    return atomic_load(&world->stub.running) == 1 && recorder_records(world);
}

static inline size_t slices_kept(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->recorder, 0, &status);
    return status.slices;
}

static inline bool all_are_kept(const struct world *world)
{
    return slices_kept(world) == (size_t)world->config.recorder.keep;
}

static inline bool is_folder_gone(const struct world *world)
{
    char *folder = spool_recorder_folder(world->spool, "app");
    bool gone = !fs_exists(folder);
    free(folder);
    return gone;
}

#endif
