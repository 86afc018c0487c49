/* The directory exporter with limits: what is stored makes room for itself. */
#include "exporters/directory.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/offload.h"
#include "exporters/exporter.h"
#include "retention_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define OLDEST "20261101T100000Z-cpu-000001"
#define OLD    "20261102T100000Z-cpu-000002"
#define NEW    "20261103T100000Z-cpu-000003"
#define NOTE   "{\"schema\": 1, \"note\": \"fixed in revision 8\"}"

static const struct exporter_kind *const kind = &exporter_directory;
static struct loop *loop;
static struct offload *disk;
static void *self;

static int setup(void **state)
{
    (void)state;
    loop = loop_open(NULL);
    disk = offload_open(loop, "disk", NULL);
    return loop && disk && rig_open() == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    offload_close(disk);
    loop_close(loop);
    return fs_remove(rig_path, NULL);
}

static void start(int64_t keep_ms, int64_t size_bytes)
{
    struct directory_exporter_options options = {
        .path = rig_path, .keep_ms = keep_ms, .size_bytes = size_bytes};
    self = kind->open(
        &(struct exporter_setup){
            .loop = loop, .disk = disk, .options = &options, .service = "woogles"},
        NULL);
    assert_non_null(self);
}

static void set(void *arg, const struct send_result *result)
{
    assert_int_equal(result->outcome, SEND_STORED);
    *(bool *)arg = true;
}

static void send_file(const char *id, const char *file, const char *manifest)
{
    bool done = false;
    char *path = xasprintf("%s/spooled.json", rig_path);
    char *folder = incident_folder("woogles", id), *key = xasprintf("%s/%s", folder, file);
    char *text = rig_manifest("woogles", id);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    const struct artifact artifact = {
        path, key, "application/json", false, manifest ? manifest : path};
    kind->send(self, &artifact, set, &done);
    assert_true(loop_run_until(loop, &done, clock_mono_ms() + 20000));
    free(path);
    free(folder);
    free(key);
    free(text);
}

static struct exporter_holdings holdings(void)
{
    struct exporter_holdings now = {0};
    kind->holdings(self, &now);
    return now;
}

/* Until so many incidents are known to be there. */
static struct exporter_holdings wait_for(size_t incidents)
{
    const bool never = false;
    int64_t deadline_ms = clock_mono_ms() + 20000;
    while (!(holdings().known && holdings().incidents == incidents)) {
        assert_true(clock_mono_ms() < deadline_ms);
        loop_run_until(loop, &never, clock_mono_ms() + 5);
    }
    return holdings();
}

static uint64_t bytes_of_one(void)
{
    char *folder = rig_folder("woogles", OLDEST, NULL);
    uint64_t bytes = fs_size(folder);
    free(folder);
    return bytes;
}

static void the_oldest_go_when_there_is_too_much(void **state)
{
    (void)state;
    rig_add("woogles", OLDEST);
    rig_add("woogles", OLD);
    rig_add("other", OLDEST);
    uint64_t one = bytes_of_one();
    start(0, (int64_t)(3 * one));
    send_file(NEW, "cpu.pb.gz", "/its/manifest"); /* no reason to look: it is not complete */
    send_file(NEW, "incident.json", NULL);
    struct exporter_holdings now = wait_for(2);
    assert_int_equal(now.removed, 1);
    assert_int_equal(now.size_bytes, 3 * one);
    assert_true(now.bytes < 3 * one);
    assert_false(rig_has("woogles", OLDEST, NULL));
    assert_true(rig_has("woogles", OLD, "cpu.pb.gz"));
    assert_true(rig_has("other", OLDEST, "cpu.pb.gz"));
    kind->close(self);
}

static void the_too_old_go(void **state)
{
    (void)state;
    int64_t old_ms;
    assert_int_equal(incident_id_time(OLD, &old_ms), 0);
    rig_add("woogles", OLDEST);
    rig_add("woogles", OLD);
    start(clock_wall_ms() - old_ms + 3600000, 0);
    send_file(NEW, "incident.json", NULL);
    assert_int_equal(wait_for(2).removed, 1);
    assert_false(rig_has("woogles", OLDEST, NULL));
    kind->close(self);
}

static void what_may_not_go_makes_no_room(void **state)
{
    (void)state;
    rig_add("woogles", OLDEST);
    rig_put("woogles", OLDEST, "notes.txt", "look at this"); /* seen when it is to go */
    rig_add("woogles", OLD);
    rig_add("woogles", "20261102T110000Z-cpu-000004");
    rig_put("woogles", "20261102T110000Z-cpu-000004", "review.json", NOTE);
    start(0, 1);
    send_file(NEW, "incident.json", NULL);
    struct exporter_holdings now = wait_for(3);
    while (holdings().held != 2)
        loop_run_until(loop, &(const bool){false}, clock_mono_ms() + 5);
    assert_int_equal(now.removed, 1);
    assert_false(rig_has("woogles", OLD, NULL));
    assert_true(rig_has("woogles", OLDEST, "notes.txt"));
    assert_true(rig_has("woogles", NEW, "incident.json"));
    kind->close(self);
}

static void two_may_sweep_one_folder(void **state)
{
    (void)state;
    enum { OLD_ONES = 30 };
    for (int i = 0; i < OLD_ONES; i++) {
        char id[64];
        snprintf(id, sizeof id, "20261101T10%02d00Z-cpu-%06x", i, i);
        rig_add("woogles", id);
    }
    start(0, 1);
    void *first = self;
    start(0, 1);
    void *second = self;
    send_file(NEW, "incident.json", NULL);
    self = first;
    send_file(NEW, "incident.json", NULL);
    size_t removed = wait_for(1).removed;
    self = second;
    removed += wait_for(1).removed;
    assert_int_equal(removed, OLD_ONES);
    assert_true(rig_has("woogles", NEW, "incident.json"));
    kind->close(first);
    kind->close(second);
    char *date = xasprintf("%s/service=woogles/date=2026-11-01", rig_path);
    assert_false(fs_exists(date));
    free(date);
}

static void it_can_be_closed_at_any_moment(void **state)
{
    (void)state;
    const bool never = false;
    for (int wait_ms = 0; wait_ms < 6; wait_ms++) {
        rig_add("woogles", OLDEST);
        rig_add("woogles", OLD);
        start(0, 1);
        send_file(NEW, "incident.json", NULL);
        if (wait_ms > 0)
            loop_run_until(loop, &never, clock_mono_ms() + wait_ms);
        kind->close(self);
        assert_true(rig_has("woogles", NEW, "incident.json"));
        assert_int_equal(
            rig_has("woogles", OLDEST, "cpu.pb.gz"), rig_has("woogles", OLDEST, "incident.json"));
    }
}

static void without_limits_nothing_goes(void **state)
{
    (void)state;
    rig_add("woogles", OLDEST);
    start(0, 0);
    send_file(NEW, "incident.json", NULL);
    assert_false(holdings().known);
    kind->close(self);
    assert_true(rig_has("woogles", OLDEST, "incident.json"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_oldest_go_when_there_is_too_much),
        IN_FOLDER(the_too_old_go),
        IN_FOLDER(what_may_not_go_makes_no_room),
        IN_FOLDER(two_may_sweep_one_folder),
        IN_FOLDER(it_can_be_closed_at_any_moment),
        IN_FOLDER(without_limits_nothing_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
