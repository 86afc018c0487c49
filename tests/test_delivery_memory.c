/* What delivery has out of memory and what leaves the spool for want of room: the marks of who has
 * what go with an incident, and what is being sent is held. */
#include "agent/storage/quota.h"
#include "core/buf.h"
#include "core/incident.h"
#include "delivery_rig.h"

#include <stdatomic.h>

static const char calm[] = "20261123T150400Z-baseline-000000";

static bool baseline_is_gone(const struct world *world)
{
    return !in_spool(world, calm);
}

/* The folder is a file, so that nothing is delivered. */
static void a_baseline_makes_room(void **state)
{
    struct world *world = *state;
    add_folder(world, "out");
    put(world, "out");
    spool_incident(world, first);
    spool_incident(world, calm);
    world->config.limits.spool_bytes = 3;
    open_world(world);
    wait_until(world, first_failed);
    char *path = in_world(world, "state");
    world->config.state = path;
    struct quota *quota = quota_open(
        &(struct quota_setup){
            .disk = world->disk, .spool = world->spool, .delivery = world->delivery},
        &world->config);
    quota_look(quota);
    wait_until(world, baseline_is_gone);
    assert_true(in_spool(world, first));
    assert_int_equal(delivery_waiting(world->delivery), 1);
    quota_stop(quota);
    close_world(world);
    quota_close(quota);
    world->config.state = NULL;
    free(path);
}

static void finished(void *arg, const char *id, bool ok)
{
    struct world *world = arg;
    (void)id;
    assert_true(ok);
    delivery_add(world->delivery, first);
}

/* A file in the place of the spool's folder: the incident is complete in memory only. */
static void catch_without_disk(struct world *world)
{
    struct error err;
    struct buf csv;
    struct incident *incident = incident_new();
    incident->id = xstrdup(first);
    remove_it(world, "state/spool");
    put(world, "state/spool");
    free(spool_begin(world->spool, first, &err));
    buf_init(&csv, 0);
    spool_complete(world->spool, incident, &csv, finished, world);
    incident_free(incident);
}

static bool second_has_failed(const struct world *world)
{
    return status_of(world, 0).stored == 1 && status_of(world, 1).failures > 0;
}

static bool is_on_disk(const struct world *world)
{
    return in_spool(world, first) && !spool_in_memory(world->spool, first);
}

/* Who had it out of memory does not get it again after a restart. */
static void what_moves_to_the_disk_takes_its_marks_along(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "mount/b");
    put(world, "mount");
    open_world(world);
    catch_without_disk(world);
    wait_until(world, second_has_failed);
    remove_it(world, "state/spool");
    spool_refresh(world->spool);
    wait_until(world, is_on_disk);
    close_world(world);
    open_world(world);
    assert_int_equal(status_of(world, 0).waiting, 0);
    assert_int_equal(status_of(world, 1).waiting, 1);
    close_world(world);
}

/* On the disk thread: nothing after it is done yet. */
static void wait_to_go_on(void *arg)
{
    while (!atomic_load((atomic_int *)arg))
        usleep(1000);
}

/* Its number is another file's when the exporter opens it. */
static void what_is_being_sent_out_of_memory_is_held(void **state)
{
    struct world *world = *state;
    static atomic_int go_on;
    static char bucket[] = "some-bucket", endpoint[] = "http://127.0.0.1:9";
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = endpoint, .verify = true};
    add_bucket(world, &options);
    open_world(world);
    catch_without_disk(world);
    wait_until(world, first_failed);
    offload_submit(world->disk, wait_to_go_on, NULL, &go_on);
    delivery_hurry(world->delivery);
    for (int i = 0; i < 20; i++)
        loop_run_until(world->loop, &(bool){false}, clock_mono_ms() + 1);
    spool_remove(world->spool, first);
    atomic_store(&go_on, 1);
    uint64_t before = status_of(world, 0).failures;
    while (status_of(world, 0).failures == before)
        loop_run_until(world->loop, &(bool){false}, clock_mono_ms() + 1);
    assert_null(strstr(status_of(world, 0).error, "cannot open"));
    close_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_baseline_makes_room),
        IN_A_WORLD(what_moves_to_the_disk_takes_its_marks_along),
        IN_A_WORLD(what_is_being_sent_out_of_memory_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
