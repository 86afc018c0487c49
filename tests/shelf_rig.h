/* Baselines as they are complete in the spool, and a configuration that knows their app. */
#ifndef TESTS_SHELF_RIG_H
#define TESTS_SHELF_RIG_H

#include "agent/baseline/shelf.h"

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
#include "core/sha256.h"
#include "profiler_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char state[64];
    char *from; /* what is copied from */
    struct app_config app;
    struct config config;
    struct loop *loop;
    struct offload *disk;
    struct shelf *shelf;
    /* Of the last result. */
    bool done, kept;
    char *id; /* NULL: it could not be read */
    struct error err;
};

static inline void open_world(struct world *world)
{
    struct error err;
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->shelf = shelf_open(&world->config, world->disk);
}

static inline void close_world(struct world *world)
{
    offload_close(world->disk);
    shelf_close(world->shelf);
    loop_close(world->loop);
}

static inline int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    strcpy(world->state, "/tmp/stakeout-shelf-XXXXXX");
    assert_non_null(mkdtemp(world->state));
    log_setup(LOG_ERROR, LOG_LOGFMT);
    world->from = xasprintf("%s/from", world->state);
    world->app.name = (char *)(uintptr_t) "api";
    world->config = (struct config){.service = (char *)(uintptr_t) "games",
        .state = world->state,
        .apps = &world->app,
        .app_count = 1};
    open_world(world);
    *state = world;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    close_world(world);
    fs_remove(world->state, NULL);
    free(world->from);
    free(world->id);
    free(world);
    return 0;
}

static inline void on_done(void *arg, const struct shelf_result *result)
{
    struct world *world = arg;
    world->done = true;
    world->kept = result->kept;
    world->err = *result->err;
    free(world->id);
    world->id = result->incident ? xstrdup(result->incident->id) : NULL;
}

static inline void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static inline void nothing(void *arg)
{
    (void)arg;
}

/* Also what came behind the last result. */
static inline void finish_jobs(struct world *world)
{
    bool done = false;
    offload_submit(world->disk, nothing, set_flag, &done);
    assert_true(loop_run_until(world->loop, &done, INT64_MAX));
}

static inline void copy(struct world *world)
{
    world->done = false;
    shelf_copy(world->shelf, world->from, on_done, world);
    assert_true(loop_run_until(world->loop, &world->done, INT64_MAX));
    finish_jobs(world);
}

static inline void unpack(struct world *world, const struct buf *packed)
{
    world->done = false;
    shelf_unpack(world->shelf, packed->data, packed->size, on_done, world);
    assert_true(loop_run_until(world->loop, &world->done, INT64_MAX));
    finish_jobs(world);
}

static inline struct incident *new_baseline(const char *id, const char *image)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("games");
    incident->app = xstrdup("api");
    incident->kind = xstrdup("baseline");
    incident->target.image = image ? xstrdup(image) : NULL;
    incident_id_time(id, &incident->fired_ms);
    incident->finished_ms = incident->fired_ms + 26000;
    return incident;
}

/* A profile that came, with its file as the stub sends it. */
static inline struct incident_profile *add_profile(
    struct incident *incident, const char *name, const char *folder)
{
    struct incident_profile *profile = incident_add_profile(incident, name);
    profile->status = PROFILE_OK;
    profile->file = xasprintf("%s.pb.gz", name);
    profile->bytes = sizeof stub_profile;
    sha256_hash(stub_profile, sizeof stub_profile, profile->sha256);
    if (folder) {
        char *path = xasprintf("%s/%s", folder, profile->file);
        assert_int_equal(fs_write(path, stub_profile, sizeof stub_profile, NULL), 0);
        free(path);
    }
    return profile;
}

/* Puts it where it is copied from, and frees it. */
static inline void write_down(const struct world *world, struct incident *incident)
{
    char *path = xasprintf("%s/incident.json", world->from);
    char *text = incident_to_text(incident);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(text);
    free(path);
    incident_free(incident);
}

static inline bool is_there(const struct world *world, const char *id, const char *file)
{
    char *path = xasprintf("%s/baselines/%s/%s", world->state, id, file);
    bool there = fs_exists(path);
    free(path);
    return there;
}

/* "<id> <id>", as they are kept, the earliest first; the caller frees. */
static inline char *all_kept(const struct world *world)
{
    size_t count;
    const struct incident *const *all = shelf_all(world->shelf, &count);
    struct buf text;
    buf_init(&text, 1000);
    const char *last = "";
    for (size_t i = 0; i < count; i++) {
        const char *next = NULL;
        for (size_t j = 0; j < count; j++)
            if (strcmp(all[j]->id, last) > 0 && (!next || strcmp(all[j]->id, next) < 0))
                next = all[j]->id;
        if (next)
            buf_printf(&text, "%s%s", text.size ? " " : "", next);
        last = next ? next : last;
    }
    return buf_take(&text);
}

#define assert_kept(world, expected)                                                               \
    do {                                                                                           \
        char *kept_now = all_kept(world);                                                          \
        assert_string_equal(kept_now, expected);                                                   \
        free(kept_now);                                                                            \
    } while (0)

#endif
