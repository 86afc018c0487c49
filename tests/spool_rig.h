/* A spool on a real folder, which can be left behind as by a kill and opened again. */
#ifndef TESTS_SPOOL_RIG_H
#define TESTS_SPOOL_RIG_H

#include "agent/storage/spool.h"

#include "agent/capture/slice.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char id[] = "20261123T150401Z-cpu-high-1a2b3c";
static const char making[] = ".20261123T150401Z-cpu-high-1a2b3c";

struct world {
    char state[64];
    struct app_config app;
    struct trigger_config trigger;
    struct config config;
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
};

static inline void open_world(struct world *world)
{
    struct error err;
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->spool = spool_open(&world->config, world->disk, &err);
    if (!world->spool)
        fail_msg("%s", err.text);
}

/* Jobs that were submitted are done; nothing else is. */
static inline void close_world(struct world *world)
{
    offload_close(world->disk);
    spool_close(world->spool);
    loop_close(world->loop);
}

static inline void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static inline void nothing(void *arg)
{
    (void)arg;
}

/* Waits for every job that was submitted. */
static inline void finish_jobs(const struct world *world)
{
    bool done = false;
    offload_submit(world->disk, nothing, set_flag, &done);
    assert_true(loop_run_until(world->loop, &done, INT64_MAX));
}

static inline void restart(struct world *world)
{
    close_world(world);
    open_world(world);
}

static inline int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    strcpy(world->state, "/tmp/stakeout-spool-XXXXXX");
    if (!mkdtemp(world->state))
        return -1;
    log_setup(LOG_ERROR, LOG_LOGFMT); /* recoveries are told as warnings */
    static char service[] = "woogles", app[] = "app", trigger[] = "cpu-high";
    world->app = (struct app_config){.name = app};
    world->trigger = (struct trigger_config){.name = trigger};
    world->config = (struct config){.service = service,
        .state = world->state,
        .apps = &world->app,
        .app_count = 1,
        .triggers = &world->trigger,
        .trigger_count = 1};
    open_world(world);
    *state = world;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    close_world(world);
    fs_remove(world->state, NULL);
    free(world);
    return 0;
}

static inline char *in_spool(const struct world *world, const char *folder, const char *file)
{
    return xasprintf("%s/spool/%s%s%s", world->state, folder, file ? "/" : "", file ? file : "");
}

static inline bool is_there(const struct world *world, const char *folder, const char *file)
{
    char *path = in_spool(world, folder, file);
    bool there = fs_exists(path);
    free(path);
    return there;
}

static inline void put(
    const struct world *world, const char *folder, const char *file, const void *data, size_t size)
{
    char *path = in_spool(world, folder, file);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(data, 1, size, out);
    fclose(out);
    free(path);
}

static inline struct incident *new_incident(void)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu-high");
    incident->trigger.reason = xstrdup("cpu 93.1% above 80%");
    incident->fired_ms = INT64_C(1795446241000);
    incident->metrics_file = xstrdup("metrics.csv");
    incident_add_profile(incident, "cpu");
    incident_add_profile(incident, "heap");
    return incident;
}

static inline void checkpoint(const struct world *world, const struct incident *incident)
{
    struct buf csv;
    buf_init(&csv, 1000);
    buf_puts(&csv, "time,cpu\n1795446241,93.1\n");
    spool_checkpoint(world->spool, incident, &csv);
}

static inline void begin(const struct world *world)
{
    struct error err;
    char *folder = spool_begin(world->spool, id, &err);
    assert_non_null(folder);
    free(folder);
}

static inline struct incident *read_back(const struct world *world)
{
    char *path = in_spool(world, id, "incident.json");
    struct buf text;
    struct error err;
    assert_int_equal(fs_read(path, 1 << 20, &text, &err), 0);
    struct incident *incident = incident_from_text(text.data, text.size, &err);
    assert_non_null(incident);
    buf_free(&text);
    free(path);
    return incident;
}

static inline void count_one(void *arg, const char *name)
{
    assert_string_equal(name, id);
    ++*(int *)arg;
}

static inline int count(const struct world *world)
{
    int found = 0;
    assert_int_equal(spool_each(world->spool, count_one, &found, NULL), 0);
    return found;
}

/* A whole profile: sample_type, a string; see test_profile_check.c. */
static const unsigned char whole[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
    0xe3, 0x62, 0x30, 0x62, 0x00, 0x00, 0x09, 0x6b, 0x89, 0xa3, 0x04, 0x00, 0x00, 0x00};

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
