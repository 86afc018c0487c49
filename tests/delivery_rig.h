/* A spool, a delivery and the exporters that it has, in a temporary folder: for test_delivery.c and
 * test_delivery_memory.c. */
#ifndef TESTS_DELIVERY_RIG_H
#define TESTS_DELIVERY_RIG_H

#include "agent/kinds.h"
#include "agent/storage/delivery.h"
#include "agent/storage/spool.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "exporters/directory.h"
#include "exporters/s3.h"
#include "stub_server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char first[] = "20261123T150401Z-cpu-high-000001";
static const char second[] = "20261123T150402Z-cpu-high-000002";
static const char third[] = "20261123T150403Z-cpu-high-000003";

enum { MAX_EXPORTERS = 3 };

struct world {
    char path[64];
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct delivery *delivery;
    struct loop_timer *look;
    bool (*wanted)(const struct world *world);
    bool met;
    char service[8];
    struct config config;
    struct exporter_config exporters[MAX_EXPORTERS];
    struct directory_exporter_options folders[MAX_EXPORTERS];
};

static inline char *in_world(const struct world *world, const char *name)
{
    return xasprintf("%s/%s", world->path, name);
}

static inline bool is_there(const struct world *world, const char *name)
{
    char *path = in_world(world, name);
    bool there = fs_exists(path);
    free(path);
    return there;
}

static inline void remove_it(const struct world *world, const char *name)
{
    char *path = in_world(world, name);
    assert_int_equal(fs_remove(path, NULL), 0);
    free(path);
}

static inline void put(const struct world *world, const char *name)
{
    char *path = in_world(world, name), *parent = xstrdup(path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(fs_make_folders(parent, NULL), 0);
    assert_int_equal(fs_write(path, "x", 1, NULL), 0);
    free(path);
    free(parent);
}

/* For somebody who hangs in reading it. */
static inline void write_to_fifo(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void put_in_spool(const struct world *world, const char *id, const char *file)
{
    char *name = xasprintf("state/spool/%s/%s", id, file);
    put(world, name);
    free(name);
}

static inline void spool_incident(const struct world *world, const char *id)
{
    put_in_spool(world, id, "cpu.pb.gz");
    put_in_spool(world, id, "metrics.csv");
    put_in_spool(world, id, "incident.json");
}

static inline bool in_spool(const struct world *world, const char *id)
{
    char *name = xasprintf("state/spool/%s", id);
    bool there = is_there(world, name);
    free(name);
    return there;
}

static inline bool is_stored(const struct world *world, const char *folder, const char *id)
{
    char *name = xasprintf("%s/service=woogles/date=2026-11-23/%s/incident.json", folder, id);
    bool there = is_there(world, name);
    free(name);
    return there;
}

static inline void look(void *arg)
{
    struct world *world = arg;
    world->met = world->wanted(world);
    loop_timer_set(world->look, 0); /* each round of the loop: no state is missed */
}

static inline void wait_until(struct world *world, bool (*wanted)(const struct world *world))
{
    world->wanted = wanted;
    world->met = false;
    loop_timer_set(world->look, 0);
    assert_true(loop_run_until(world->loop, &world->met, clock_mono_ms() + 20000));
    loop_timer_unset(world->look);
}

static inline bool nothing_waits(const struct world *world)
{
    return delivery_waiting(world->delivery) == 0;
}

static inline bool nothing_moves(const struct world *world)
{
    return delivery_stuck(world->delivery);
}

static inline struct delivery_status status_of(const struct world *world, size_t exporter)
{
    struct delivery_status status;
    delivery_status(world->delivery, exporter, &status);
    return status;
}

static inline bool first_failed(const struct world *world)
{
    return status_of(world, 0).failures > 0;
}

static inline bool second_has_all(const struct world *world)
{
    return status_of(world, 1).waiting == 0;
}

static inline void open_world(struct world *world)
{
    struct error err;
    char *state = in_world(world, "state");
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    char *before = world->config.state;
    world->config.state = state;
    world->spool = spool_open(&world->config, world->disk, &err);
    world->config.state = before;
    assert_non_null(world->spool);
    world->delivery = delivery_open(world->loop, world->disk, world->spool, &world->config, &err);
    if (!world->delivery || delivery_take_up(world->delivery, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
    world->look = loop_timer_new(world->loop, look, world);
    free(state);
}

static inline void close_world(struct world *world)
{
    delivery_close(world->delivery);
    offload_close(world->disk);
    spool_close(world->spool);
    loop_timer_free(world->look);
    loop_close(world->loop);
    world->loop = NULL;
}

static inline size_t kind_index(const struct exporter_kind *kind)
{
    size_t index = 0;
    while (exporter_kinds[index] != kind)
        index++;
    return index;
}

static inline void add_folder(struct world *world, const char *name)
{
    size_t index = world->config.exporter_count++;
    world->folders[index].path = in_world(world, name);
    world->exporters[index] = (struct exporter_config){
        .kind = kind_index(&exporter_directory), .options = &world->folders[index]};
}

static inline void add_bucket(struct world *world, struct s3_exporter_options *options)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    world->exporters[world->config.exporter_count++] = (struct exporter_config){
        .kind = kind_index(&exporter_s3), .options = options};
}

/* A bucket of a store that is down. */
static inline void add_bucket_of_nobody(struct world *world)
{
    static char bucket[] = "woogles", nobody[] = "http://127.0.0.1:1";
    static struct s3_exporter_options options = {
        .bucket = bucket, .endpoint = nobody, .verify = true};
    add_bucket(world, &options);
}

static inline int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    strcpy(world->path, "/tmp/stakeout-delivery-XXXXXX");
    strcpy(world->service, "woogles");
    world->config = (struct config){.service = world->service, .exporters = world->exporters};
    world->config.limits.spool_bytes = 1 << 20;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    *state = world;
    return mkdtemp(world->path) ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    if (world->loop)
        close_world(world);
    for (size_t i = 0; i < MAX_EXPORTERS; i++)
        free(world->folders[i].path);
    fs_remove(world->path, NULL);
    free(world);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
