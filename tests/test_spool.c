/* The spool on a real folder, and what each kind of death leaves in it. */
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

static void open_world(struct world *world)
{
    struct error err;
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->spool = spool_open(&world->config, world->disk, &err);
    if (!world->spool)
        fail_msg("%s", err.text);
}

/* Jobs that were submitted are done; nothing else is. */
static void close_world(struct world *world)
{
    offload_close(world->disk);
    spool_close(world->spool);
    loop_close(world->loop);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Waits for every job that was submitted. */
static void finish_jobs(const struct world *world)
{
    bool done = false;
    offload_submit(world->disk, nothing, set_flag, &done);
    assert_true(loop_run_until(world->loop, &done, INT64_MAX));
}

static void restart(struct world *world)
{
    close_world(world);
    open_world(world);
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
    struct world *world = *state;
    close_world(world);
    fs_remove(world->state, NULL);
    free(world);
    return 0;
}

static char *in_spool(const struct world *world, const char *folder, const char *file)
{
    return xasprintf("%s/spool/%s%s%s", world->state, folder, file ? "/" : "", file ? file : "");
}

static bool is_there(const struct world *world, const char *folder, const char *file)
{
    char *path = in_spool(world, folder, file);
    bool there = fs_exists(path);
    free(path);
    return there;
}

static void put(
    const struct world *world, const char *folder, const char *file, const void *data, size_t size)
{
    char *path = in_spool(world, folder, file);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(data, 1, size, out);
    fclose(out);
    free(path);
}

static struct incident *new_incident(void)
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

static void checkpoint(const struct world *world, const struct incident *incident)
{
    struct buf csv;
    buf_init(&csv, 1000);
    buf_puts(&csv, "time,cpu\n1795446241,93.1\n");
    spool_checkpoint(world->spool, incident, &csv);
}

static void begin(const struct world *world)
{
    struct error err;
    char *folder = spool_begin(world->spool, id, &err);
    assert_non_null(folder);
    free(folder);
}

static struct incident *read_back(const struct world *world)
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

static void count_one(void *arg, const char *name)
{
    assert_string_equal(name, id);
    ++*(int *)arg;
}

static int count(const struct world *world)
{
    int found = 0;
    assert_int_equal(spool_each(world->spool, count_one, &found, NULL), 0);
    return found;
}

/* A whole profile: sample_type, a string; see test_profile_check.c. */
static const unsigned char whole[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
    0xe3, 0x62, 0x30, 0x62, 0x00, 0x00, 0x09, 0x6b, 0x89, 0xa3, 0x04, 0x00, 0x00, 0x00};

static void a_complete_incident_is_listed_and_counted(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    begin(world);
    checkpoint(world, incident);
    assert_int_equal(count(world), 0);
    struct buf csv;
    buf_init(&csv, 1000);
    buf_puts(&csv, "time,cpu\n");
    spool_complete(world->spool, incident, &csv, NULL, NULL);
    incident_free(incident);
    restart(world);
    assert_int_equal(count(world), 1);
    assert_true(spool_bytes(world->spool) > 100);
}

static void a_delivered_incident_is_gone(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    struct buf csv;
    buf_init(&csv, 1000);
    begin(world);
    spool_complete(world->spool, incident, &csv, NULL, NULL);
    spool_remove(world->spool, id);
    incident_free(incident);
    restart(world);
    assert_int_equal(count(world), 0);
    assert_int_equal(spool_bytes(world->spool), 0);
}

static void marks_of_exporters_survive(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    struct buf csv;
    buf_init(&csv, 1000);
    begin(world);
    spool_complete(world->spool, incident, &csv, NULL, NULL);
    spool_mark_sent(world->spool, id, "s3://bucket/prod");
    incident_free(incident);
    restart(world);
    assert_true(spool_is_sent(world->spool, id, "s3://bucket/prod"));
    assert_false(spool_is_sent(world->spool, id, "directory:/captures"));
}

static void a_kill_before_the_first_checkpoint_leaves_nothing(void **state)
{
    struct world *world = *state;
    begin(world);
    restart(world);
    assert_int_equal(count(world), 0);
    assert_false(is_there(world, making, NULL));
}

static void a_checkpoint_that_cannot_be_read_costs_nothing(void **state)
{
    static const char *const texts[] = {"{\"schema\":99}", "{\"sch", " "};
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT); /* that it is left is told as an error */
    begin(world);
    put(world, making, "heap.pb.gz", whole, sizeof whole);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put(world, making, "incident.json", texts[i], strlen(texts[i]));
        restart(world);
        assert_int_equal(count(world), 0);
        assert_true(is_there(world, making, "heap.pb.gz"));
        assert_true(is_there(world, making, "incident.json"));
    }
}

static void a_checkpoint_without_profiles_that_cannot_be_read_stays(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    put(world, making, "incident.json", "{\"schema\":99}", 13);
    restart(world);
    assert_true(is_there(world, making, "incident.json"));
}

/* What is known then is in the id, the configuration and the profiles. */
static void a_profile_without_a_checkpoint_is_completed(void **state)
{
    struct world *world = *state;
    for (int empty = 0; empty < 2; empty++) {
        begin(world);
        put(world, making, "heap.pb.gz", whole, sizeof whole);
        put(world, making, ".cpu.pb.gz", whole, sizeof whole - 9);
        put(world, making, ".goroutine.pb.gz", "", 0);
        if (empty)
            put(world, making, "incident.json", "", 0);
        restart(world);
        struct incident *incident = read_back(world);
        assert_string_equal(incident->id, id);
        assert_string_equal(incident->service, "woogles");
        assert_string_equal(incident->app, "app");
        assert_string_equal(incident->kind, "spike");
        assert_string_equal(incident->trigger.name, "cpu-high");
        assert_non_null(strstr(incident->trigger.reason, "killed"));
        assert_int_equal(incident->fired_ms, INT64_C(1795446241000));
        assert_true(is_there(world, id, "metrics.csv"));
        assert_int_equal(incident->profile_count, 3);
        assert_int_equal(incident->profiles[0].status, PROFILE_TRUNCATED);
        assert_string_equal(incident->profiles[0].file, "cpu.pb.gz");
        assert_int_equal(incident->profiles[1].status, PROFILE_FAILED);
        assert_int_equal(incident->profiles[2].status, PROFILE_OK);
        assert_string_equal(incident->profiles[2].file, "heap.pb.gz");
        incident_free(incident);
        char *folder = in_spool(world, id, NULL);
        fs_remove(folder, NULL);
        free(folder);
    }
}

static void what_is_no_profile_stays(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    put(world, making, "notes", "x", 1);
    put(world, making, "heap.pb.gz", "<html>", 6);
    restart(world);
    assert_int_equal(count(world), 0);
    assert_true(is_there(world, making, "notes") && is_there(world, making, "heap.pb.gz"));
}

static void note_down(const struct world *world)
{
    static const char *const files[] = {
        "cpu.slice-11.pb.gz", "cpu.slice-12.pb.gz", "cpu.slice-13.pb.gz"};
    struct incident *incident = new_incident();
    for (size_t i = 0; i < 3; i++) {
        char *name = xasprintf("cpu.slice-%zu", i + 1);
        struct incident_profile *slice = incident_add_profile(incident, name);
        slice->file = xstrdup(files[i]);
        slice->requested_ms = incident->fired_ms - 3000 + (int64_t)i * 1000;
        free(name);
    }
    incident->onset_ms = incident->fired_ms - 2500;
    spool_note(world->spool, incident);
    incident_free(incident);
}

/* An incident takes three slices of the recorder's four; the last is being recorded. The agent is
 * killed after so many steps: the incident is noted, a slice moved, another, the checkpoint. */
static void every_kill_leaves_an_incident_its_slices(void **state)
{
    static const char recorder[] = ".recorder-app";
    enum { BEGUN, NOTED, FIRST_MOVED, SECOND_MOVED, STEPS };
    for (int step = BEGUN; step < STEPS; step++) {
        if (step > BEGUN) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        struct error err;
        char *folder = spool_recorder_folder(world->spool, "app");
        assert_int_equal(spool_make_recorder(folder, &err), 0);
        begin(world);
        if (step >= NOTED)
            note_down(world);
        put(world, step >= FIRST_MOVED ? making : recorder,
            step >= FIRST_MOVED ? "cpu.slice-1.pb.gz" : "cpu.slice-11.pb.gz", whole, sizeof whole);
        put(world, step >= SECOND_MOVED ? making : recorder,
            step >= SECOND_MOVED ? "cpu.slice-2.pb.gz" : "cpu.slice-12.pb.gz", whole, sizeof whole);
        put(world, recorder, ".cpu.slice-13.pb.gz", whole, sizeof whole - 9);
        restart(world);
        assert_false(fs_exists(folder));
        free(folder);
        assert_int_equal(count(world), 1);
        struct incident *incident = read_back(world);
        size_t first = step >= NOTED ? 2 : 0;
        assert_int_equal(incident->profile_count, first + 3);
        for (size_t i = 0; i < 3; i++) {
            const struct incident_profile *slice = &incident->profiles[first + i];
            assert_true(slice_is_profile(slice->name));
            assert_int_equal(slice->status, i < 2 ? PROFILE_OK : PROFILE_TRUNCATED);
            assert_true(is_there(world, id, slice->file));
            assert_true(slice->finished_ms && (slice->requested_ms || step == BEGUN));
        }
        assert_int_equal(incident->profiles[first].onset_covered, step >= NOTED);
        incident_free(incident);
    }
}

static void slices_of_another_app_are_not_taken(void **state)
{
    struct world *world = *state;
    struct error err;
    char *folder = spool_recorder_folder(world->spool, "other");
    assert_int_equal(spool_make_recorder(folder, &err), 0);
    begin(world);
    put(world, ".recorder-other", "cpu.slice-11.pb.gz", whole, sizeof whole);
    restart(world);
    assert_false(fs_exists(folder));
    assert_int_equal(count(world), 0);
    assert_false(is_there(world, making, NULL));
    free(folder);
}

static void nothing_but_beginnings_is_removed(void **state)
{
    struct world *world = *state;
    begin(world);
    put(world, making, ".cpu.pb.gz", "", 0);
    put(world, making, ".incident.json.tmp", "{", 1);
    put(world, making, "metrics.csv", "time\n", 5);
    restart(world);
    assert_false(is_there(world, making, NULL));
}

static void note_completion(void *arg, const char *completed, bool ok)
{
    assert_string_equal(completed, id);
    *(int *)arg = ok;
}

static void complete(const struct world *world, int *ok)
{
    struct incident *incident = new_incident();
    struct buf csv;
    buf_init(&csv, 1000);
    buf_puts(&csv, "time,cpu\n");
    spool_complete(world->spool, incident, &csv, note_completion, ok);
    incident_free(incident);
}

/* The rename was done and what came after it failed: so the caller tries again. */
static void a_completion_can_be_repeated(void **state)
{
    struct world *world = *state;
    int first = -1, second = -1;
    begin(world);
    complete(world, &first);
    complete(world, &second);
    restart(world);
    assert_int_equal(first, true);
    assert_int_equal(second, true);
    assert_int_equal(count(world), 1);
}

static void a_completion_that_failed_can_be_repeated(void **state)
{
    struct world *world = *state;
    int first = -1, second = -1;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    char *blocker = in_spool(world, making, "incident.json");
    assert_int_equal(mkdir(blocker, 0755), 0);
    complete(world, &first);
    finish_jobs(world);
    assert_int_equal(first, false);
    assert_int_equal(rmdir(blocker), 0);
    complete(world, &second);
    restart(world);
    assert_int_equal(second, true);
    assert_int_equal(count(world), 1);
    free(blocker);
}

static void bytes_that_somebody_else_removed_are_not_counted(void **state)
{
    struct world *world = *state;
    int ok = -1;
    begin(world);
    complete(world, &ok);
    finish_jobs(world);
    assert_true(spool_bytes(world->spool) > 0);
    char *folder = in_spool(world, id, NULL);
    assert_int_equal(fs_remove(folder, NULL), 0);
    spool_refresh(world->spool);
    spool_refresh(world->spool);
    finish_jobs(world);
    assert_int_equal(spool_bytes(world->spool), 0);
    free(folder);
}

static void a_cut_trace_is_not_taken_for_a_whole_one(void **state)
{
    static const char trace[] = "go 1.22 trace\0\0\0 and some events";
    struct world *world = *state;
    struct incident *incident = new_incident();
    incident_add_profile(incident, "trace");
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, ".trace.trace", trace, sizeof trace);
    put(world, making, ".heap.pb.gz", whole, sizeof whole); /* says itself that it is whole */
    open_world(world);
    incident = read_back(world);
    assert_int_equal(incident->profiles[1].status, PROFILE_OK);
    assert_int_equal(incident->profiles[2].status, PROFILE_TRUNCATED);
    assert_string_equal(incident->profiles[2].file, "trace.trace");
    incident_free(incident);
}

static void a_kill_while_capturing_keeps_what_is_whole_and_marks_the_rest(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, "heap.pb.gz", whole, sizeof whole);
    open_world(world);
    assert_int_equal(count(world), 1);
    incident = read_back(world);
    assert_int_equal(incident->profiles[0].status, PROFILE_FAILED);
    assert_non_null(strstr(incident->profiles[0].error, "killed"));
    assert_int_equal(incident->profiles[1].status, PROFILE_OK);
    assert_int_equal(incident->profiles[1].bytes, sizeof whole);
    assert_int_equal(strlen(incident->profiles[1].sha256), 64);
    assert_true(incident->finished_ms > 0);
    incident_free(incident);
}

static void a_profile_that_is_partly_there_is_kept_as_truncated(void **state)
{
    struct world *world = *state;
    struct incident *incident = new_incident();
    begin(world);
    checkpoint(world, incident);
    incident_free(incident);
    close_world(world);
    put(world, making, ".cpu.pb.gz", whole, sizeof whole - 9);
    put(world, making, ".heap.pb.gz", "<html>", 6);
    open_world(world);
    incident = read_back(world);
    assert_int_equal(incident->profiles[0].status, PROFILE_TRUNCATED);
    assert_string_equal(incident->profiles[0].file, "cpu.pb.gz");
    assert_true(is_there(world, id, "cpu.pb.gz"));
    assert_int_equal(incident->profiles[1].status, PROFILE_FAILED);
    assert_null(incident->profiles[1].file);
    assert_false(is_there(world, id, ".heap.pb.gz"));
    incident_free(incident);
}

static void a_kill_while_removing_is_finished_at_the_next_start(void **state)
{
    struct world *world = *state;
    char *gone = in_spool(world, ".gone-20261123T150401Z-cpu-high-1a2b3c", NULL);
    assert_int_equal(mkdir(gone, 0755), 0);
    put(world, ".gone-20261123T150401Z-cpu-high-1a2b3c", "cpu.pb.gz", whole, sizeof whole);
    restart(world);
    assert_false(fs_exists(gone));
    free(gone);
}

static void foreign_names_are_left_alone(void **state)
{
    struct world *world = *state;
    char *folder = in_spool(world, "lost+found", NULL);
    assert_int_equal(mkdir(folder, 0755), 0);
    restart(world);
    assert_true(fs_exists(folder));
    assert_int_equal(count(world), 0);
    free(folder);
}

static void a_second_agent_is_refused(void **state)
{
    struct world *world = *state;
    struct error err;
    assert_null(spool_open(&world->config, world->disk, &err));
    assert_non_null(strstr(err.text, "another stakeout"));
}

static void a_state_folder_that_cannot_be_made_is_named(void **state)
{
    struct world *world = *state;
    struct error err;
    static char nowhere[] = "/proc/nowhere/state";
    world->config.state = nowhere;
    assert_null(spool_open(&world->config, world->disk, &err));
    assert_non_null(strstr(err.text, "/proc/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_complete_incident_is_listed_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delivered_incident_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(marks_of_exporters_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_kill_before_the_first_checkpoint_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_kill_while_capturing_keeps_what_is_whole_and_marks_the_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_profile_that_is_partly_there_is_kept_as_truncated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_kill_while_removing_is_finished_at_the_next_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_names_are_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_checkpoint_that_cannot_be_read_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_checkpoint_without_profiles_that_cannot_be_read_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_profile_without_a_checkpoint_is_completed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_profile_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            every_kill_leaves_an_incident_its_slices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slices_of_another_app_are_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_but_beginnings_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_completion_can_be_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_completion_that_failed_can_be_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            bytes_that_somebody_else_removed_are_not_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_cut_trace_is_not_taken_for_a_whole_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_agent_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_state_folder_that_cannot_be_made_is_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
