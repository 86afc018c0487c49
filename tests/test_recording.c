/* From a fire in the middle of a slice to one CPU profile: incidents on a real spool with a
 * recorder, an app that is a stub, and a shell script for `stakeout merge`. */
#include "agent/capture/recording.h"

#include "agent/capture/worker.h"
#include "agent/detection/detector.h"
#include "agent/incidents.h"
#include "agent/storage/spool_recovery.h"
#include "core/incident.h"
#include "core/series.h"
#include "recorder_rig.h"

#include <stdio.h>
#include <sys/stat.h>

struct rest {
    struct worker *worker;
    struct incidents *incidents;
    struct series_set series;
    struct trigger_config trigger;
    struct capture_set sets[2];
    char script[128];
    struct incident *incident; /* as it was completed */
    char *folder;
};

static void identify(void *arg, size_t app, struct source_identity *identity)
{
    (void)arg, (void)app, (void)identity;
}

static void on_complete(void *arg, const char *id)
{
    struct world *world = arg;
    struct rest *rest = world->more;
    struct buf text;
    struct error err;
    rest->folder = spool_folder(world->spool, id);
    char *path = xasprintf("%s/incident.json", rest->folder);
    assert_int_equal(fs_read(path, 1 << 20, &text, &err), 0);
    rest->incident = incident_from_text(text.data, text.size, &err);
    assert_non_null(rest->incident);
    buf_free(&text);
    free(path);
}

static void write_script(const struct rest *rest, const char *merge)
{
    FILE *out = fopen(rest->script, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\nout=$5\nshift 5\n%s\n", merge);
    fclose(out);
    assert_int_equal(chmod(rest->script, 0755), 0);
}

static int set_up_with(void **state, int64_t slice_ms)
{
    static char spike[] = "spike", plain[] = "plain", cpu[] = "cpu", heap[] = "heap";
    static struct capture_entry with_cpu[] = {{.profile = cpu, .seconds = 2}, {.profile = heap}};
    static struct capture_entry without_cpu[] = {{.profile = heap}};
    struct world *world = xcalloc(1, sizeof *world);
    struct rest *rest = world->more = xcalloc(1, sizeof *rest);
    rig_open(world);
    world->config.recorder.slice_ms = slice_ms;
    snprintf(rest->script, sizeof rest->script, "%s/merge", world->state);
    write_script(rest, "cp $1 $out");
    rest->sets[0] = (struct capture_set){.name = spike, .entries = with_cpu, .count = 2};
    rest->sets[1] = (struct capture_set){.name = plain, .entries = without_cpu, .count = 1};
    rest->trigger = (struct trigger_config){.name = spike, .capture = spike};
    world->config.captures = rest->sets;
    world->config.capture_count = 2;
    world->config.triggers = &rest->trigger;
    world->config.trigger_count = 1;
    world->config.service = spike;
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    struct worker_setup worker = {.loop = world->loop, .program = rest->script};
    rest->worker = worker_open(&worker);
    series_set_init(&rest->series, 10);
    struct incidents_setup setup = {.loop = world->loop,
        .disk = world->disk,
        .spool = world->spool,
        .recorder = world->recorder,
        .worker = rest->worker,
        .config = &world->config,
        .series = &rest->series,
        .identify = identify,
        .complete = on_complete,
        .arg = world};
    rest->incidents = incidents_open(&setup);
    *state = world;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 1000);
}

static int set_up_long(void **state)
{
    return set_up_with(state, 60000);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    struct rest *rest = world->more;
    recorder_stop(world->recorder);
    offload_close(world->disk);
    worker_close(rest->worker);
    incidents_close(rest->incidents);
    recorder_close(world->recorder);
    series_set_free(&rest->series);
    incident_free(rest->incident);
    free(rest->folder);
    free(rest);
    rig_close(world);
    free(world);
    return 0;
}

static void arm(struct world *world)
{
    recorder_arm(world->recorder, 0, 0, clock_mono_ms(), clock_mono_ms() + 600000);
}

/* Slices are kept, and one more is being recorded until `hold` is taken away. */
static void record(struct world *world)
{
    arm(world);
    wait_until(world, all_are_kept);
    atomic_store(&world->stub.hold, 1);
    wait_until(world, is_recording);
    idle(world, 150); /* longer than what counts as a gap */
    assert_true(is_recording(world));
}

static void fire(struct world *world, int64_t onset_ago_ms)
{
    const struct rest *rest = world->more;
    struct error err;
    int64_t now_ms = clock_mono_ms();
    struct detector_event event = {.type = EVENT_FIRE,
        .time_ms = now_ms,
        .metric = "cpu",
        .value = 93,
        .limit = 80,
        .onset_ms = now_ms - onset_ago_ms,
        .reason = "cpu 93% above 80%"};
    assert_int_equal(incidents_fire(rest->incidents, &event, &err), 0);
}

static bool is_complete(const struct world *world)
{
    const struct rest *rest = world->more;
    incidents_sampled(rest->incidents);
    return rest->incident != NULL;
}

static int count_names(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
    return 0;
}

/* "cpu ok covered, heap ok"; there have to be these files and no other. */
static void describe(const struct world *world, char *text, size_t size)
{
    const struct rest *rest = world->more;
    size_t used = 0, files = 2; /* incident.json, metrics.csv */
    int found = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rest->incident->profile_count; i++) {
        const struct incident_profile *profile = &rest->incident->profiles[i];
        static const char *const names[] = {"pending", "ok", "truncated", "failed"};
        used += (size_t)snprintf(text + used, size - used, "%s%s %s%s", used ? ", " : "",
            profile->name, names[profile->status], profile->onset_covered ? " covered" : "");
        char *path = xasprintf("%s/%s", rest->folder, profile->file ? profile->file : "none");
        assert_int_equal(fs_exists(path), profile->file != NULL);
        files += profile->file != NULL;
        free(path);
    }
    struct error err;
    assert_int_equal(fs_each(rest->folder, count_names, &found, &err), 0);
    assert_int_equal(found, files);
}

static void check(struct world *world, const char *expected)
{
    char text[512];
    wait_until(world, is_complete);
    describe(world, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(atomic_load(&world->stub.refused), 0);
}

static const struct incident_profile *profile(const struct world *world, const char *name)
{
    const struct rest *rest = world->more;
    return incident_find_profile(rest->incident, name);
}

static void a_spike_within_a_slice_is_in_the_profile(void **state)
{
    struct world *world = *state;
    record(world);
    int before = atomic_load(&world->stub.taken);
    fire(world, 10);
    recorder_disarm(world->recorder, 0, 0); /* it has come */
    assert_false(recorder_records(world));
    idle(world, 600); /* so much of the set's 2 s is in the slice */
    assert_int_equal(atomic_load(&world->stub.taken), before);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok covered, heap ok");
    assert_int_equal(atomic_load(&world->stub.taken), before + 1);
    assert_int_equal(atomic_load(&world->stub.lengths[before % STUB_LENGTHS]), 1);
    const struct incident_profile *cpu = profile(world, "cpu");
    assert_int_equal(cpu->attempts, 1);
    assert_int_equal(cpu->http_status, 200);
    assert_null(cpu->error);
    assert_true(cpu->seconds >= 2); /* the stub's have what they were asked for */
    wait_until(world, is_folder_gone);
}

static void other_profiles_do_not_wait_for_the_slice(void **state)
{
    struct world *world = *state;
    const struct rest *rest = world->more;
    record(world);
    fire(world, 10);
    idle(world, 100);
    char *heap = xasprintf(
        "%s/spool/.%s/heap.pb.gz", world->state, incidents_last(rest->incidents));
    assert_true(fs_exists(heap));
    free(heap);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok covered, heap ok");
}

static void slices_reach_back_as_far_as_they_are_kept(void **state)
{
    struct world *world = *state;
    record(world);
    fire(world, 60000);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok, heap ok");
}

static bool is_merging(const struct world *world)
{
    const struct rest *rest = world->more;
    char *path = xasprintf("%s.begun", rest->script);
    bool begun = fs_exists(path);
    free(path);
    return begun;
}

static size_t rows(const struct world *world)
{
    const struct rest *rest = world->more;
    char *path = xasprintf("%s/metrics.csv", rest->folder);
    struct buf text;
    struct error err;
    size_t lines = 0;
    assert_int_equal(fs_read(path, 1 << 20, &text, &err), 0);
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    buf_free(&text);
    free(path);
    return lines - 1;
}

/* The last row is the first sample after the last profile, however long the merge takes. */
static void a_merge_adds_no_rows(void **state)
{
    struct world *world = *state;
    struct rest *rest = world->more;
    struct series *cpu = series_set_add(&rest->series, "cpu");
    write_script(rest, "touch $0.begun; sleep 0.4; cp $1 $out");
    record(world);
    series_push(cpu, clock_mono_ms(), 93);
    fire(world, 10);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_merging);
    series_push(cpu, clock_mono_ms(), 94);
    incidents_sampled(rest->incidents);
    idle(world, 20);
    series_push(cpu, clock_mono_ms(), 95);
    check(world, "cpu ok covered, heap ok");
    assert_int_equal(rows(world), 2);
    assert_int_equal(rest->incident->peak_count, 1);
    assert_true(rest->incident->peaks[0].value < 94.5);
}

static void what_cannot_be_merged_stays_in_slices(void **state)
{
    static const char *const scripts[] = {
        "echo it is damaged >&2; exit 1",
        "kill -9 $$",
        "echo no profile >$out",
        ":",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        world->config.interval_ms = 0;
        log_setup(LOG_ERROR + 1, LOG_LOGFMT);
        write_script(world->more, scripts[i]);
        record(world);
        fire(world, 10);
        atomic_store(&world->stub.hold, 0);
        check(world, "cpu.slice-1 ok covered, cpu ok, heap ok");
    }
}

static void a_set_without_cpu_leaves_the_recorder_alone(void **state)
{
    static char plain[] = "plain";
    struct world *world = *state;
    struct rest *rest = world->more;
    rest->trigger.capture = plain;
    record(world);
    fire(world, 10);
    check(world, "heap ok");
    assert_true(is_recording(world));
    assert_true(slices_kept(world) > 0);
}

/* A forecast of memory has fired, say, and then the spike comes that was expected. */
static void a_spike_that_joins_without_cpu_gets_its_slices(void **state)
{
    static char plain[] = "plain", spike[] = "spike";
    for (int captured = 0; captured < 2; captured++) {
        if (captured) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        struct rest *rest = world->more;
        record(world);
        rest->trigger.capture = plain;
        fire(world, 10);
        if (captured)
            idle(world, 100);
        rest->trigger.capture = spike;
        fire(world, 10);
        recorder_disarm(world->recorder, 0, 0);
        idle(world, 50);
        fire(world, 10); /* it has one now */
        atomic_store(&world->stub.hold, 0);
        check(world, "heap ok, cpu ok covered");
        assert_int_equal(rest->incident->joined_count, 2);
        wait_until(world, is_folder_gone);
    }
}

static void without_a_recording_all_is_as_ever(void **state)
{
    struct world *world = *state;
    fire(world, 10);
    check(world, "cpu ok, heap ok");
    assert_int_equal(atomic_load(&world->stub.taken), 1);
    assert_int_equal(atomic_load(&world->stub.lengths[0]), 2);
}

static void a_window_that_comes_during_a_capture_waits(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    fire(world, 10);
    wait_taken(world, 1);
    arm(world);
    idle(world, 50);
    assert_int_equal(atomic_load(&world->stub.taken), 1);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok, heap ok");
    wait_until(world, is_recording);
}

static void always_goes_on_after_the_capture(void **state)
{
    struct world *world = *state;
    world->config.recorder.always = true;
    record(world);
    fire(world, 10);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok covered, heap ok");
    wait_until(world, all_are_kept);
}

static void a_capture_that_fails_does_not_cost_the_slices(void **state)
{
    struct world *world = *state;
    record(world);
    fire(world, 10);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    atomic_store(&world->stub.status, 404);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu truncated covered, heap ok");
    const struct incident_profile *cpu = profile(world, "cpu");
    assert_non_null(strstr(cpu->error, "only what the recorder had"));
    assert_non_null(strstr(cpu->error, "no profile \"cpu\" (404)"));
    assert_int_equal(cpu->http_status, 404);
}

/* What is not whole stays beside the merged profile: nothing can be merged with it. */
static void a_slice_that_is_cut_stays_by_itself(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    world->config.interval_ms = 60000; /* all slices are wanted */
    record(world);
    size_t kept = slices_kept(world);
    fire(world, 10);
    atomic_store(&world->stub.cut, 1);
    atomic_store(&world->stub.hold, 0);
    wait_taken(world, atomic_load(&world->stub.taken) + 1);
    atomic_store(&world->stub.cut, 0);
    char expected[64];
    snprintf(
        expected, sizeof expected, "cpu.slice-%zu truncated covered, cpu ok, heap ok", kept + 1);
    check(world, expected);
}

static void a_slice_that_never_comes_is_left_out(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    record(world);
    fire(world, 10);
    atomic_store(&world->stub.empty, 1);
    atomic_store(&world->stub.hold, 0);
    wait_taken(world, atomic_load(&world->stub.taken) + 1);
    atomic_store(&world->stub.empty, 0);
    check(world, "cpu ok, heap ok");
}

static void a_long_slice_is_cut_to_what_is_needed(void **state)
{
    struct world *world = *state;
    const struct rest *rest = world->more;
    atomic_store(&world->stub.hold, 1);
    arm(world);
    wait_until(world, is_recording);
    assert_int_equal(rest->sets[0].entries[0].seconds, 2);
    idle(world, 60);
    fire(world, 10);
    wait_taken(world, 2);
    assert_int_equal(atomic_load(&world->stub.lengths[0]), 60);
    assert_int_equal(atomic_load(&world->stub.lengths[1]), 1);
    atomic_store(&world->stub.hold, 0);
    check(world, "cpu ok covered, heap ok");
}

static bool is_written_down(const struct world *world)
{
    const struct rest *rest = world->more;
    char *path = xasprintf(
        "%s/spool/.%s/incident.json", world->state, incidents_last(rest->incidents));
    bool written = fs_exists(path);
    free(path);
    return written;
}

/* Its folder is completed by the next start, while it is still being captured here. */
static void a_kill_costs_only_what_is_in_flight(void **state)
{
    struct world *world = *state;
    const struct rest *rest = world->more;
    struct error err;
    record(world);
    fire(world, 10);
    wait_until(world, is_written_down);
    idle(world, 50); /* heap is there, too */
    spool_close(world->spool);
    world->spool = spool_open(&world->config, world->disk, &err);
    assert_non_null(world->spool);
    assert_true(is_folder_gone(world));
    on_complete(world, incidents_last(rest->incidents));
    char text[512];
    describe(world, text, sizeof text);
    assert_string_equal(
        text, "cpu.slice-1 ok, cpu.slice-2 ok, cpu.slice-3 failed, cpu failed, heap ok");
}

static void hold_disk(void *arg)
{
    const atomic_int *held = arg;
    while (atomic_load(held))
        usleep(1000);
}

/* Nothing of it has reached the disk then but its folder. */
static void a_kill_right_after_a_fire_costs_no_slice(void **state)
{
    struct world *world = *state;
    const struct rest *rest = world->more;
    struct error err;
    static atomic_int held; /* the job may outlive a test that fails */
    record(world);
    size_t kept = slices_kept(world), found = 0;
    atomic_store(&held, 1);
    offload_submit(world->disk, hold_disk, NULL, &held);
    fire(world, 60000);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT); /* what the killed one goes on with here fails */
    char *path = xasprintf("%s/spool", world->state);
    int status = spool_recover(path, &world->config, &err);
    atomic_store(&held, 0);
    free(path);
    assert_int_equal(status, 0);
    on_complete(world, incidents_last(rest->incidents));
    for (size_t i = 0; i < rest->incident->profile_count; i++)
        found += slice_is_profile(rest->incident->profiles[i].name) &&
                 rest->incident->profiles[i].status == PROFILE_OK;
    assert_int_equal(found, kept);
}

static void a_stop_keeps_what_there_is(void **state)
{
    static const struct {
        const char *merge;
        int64_t in_ms;
        const char *expected;
    } cases[] = {
        {"cp $1 $out", 60000, "cpu truncated covered, heap ok"},
        {"exec sleep 600", 1500, "cpu.slice-1 ok covered, cpu failed, heap ok"},
        {"cp $1 $out", 300, "cpu.slice-1 ok covered, cpu failed, heap ok"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        const struct rest *rest = world->more;
        world->config.interval_ms = 0;
        log_setup(LOG_ERROR + 1, LOG_LOGFMT);
        write_script(rest, cases[i].merge);
        record(world);
        fire(world, 10);
        recorder_stop(world->recorder);
        incidents_finish(rest->incidents, clock_mono_ms() + cases[i].in_ms);
        check(world, cases[i].expected);
        assert_true(incidents_idle(rest->incidents));
        wait_until(world, is_folder_gone);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_spike_within_a_slice_is_in_the_profile),
        TEST(other_profiles_do_not_wait_for_the_slice),
        TEST(slices_reach_back_as_far_as_they_are_kept),
        TEST(a_merge_adds_no_rows),
        TEST(what_cannot_be_merged_stays_in_slices),
        TEST(a_set_without_cpu_leaves_the_recorder_alone),
        TEST(a_spike_that_joins_without_cpu_gets_its_slices),
        TEST(without_a_recording_all_is_as_ever),
        TEST(a_window_that_comes_during_a_capture_waits),
        TEST(always_goes_on_after_the_capture),
        TEST(a_capture_that_fails_does_not_cost_the_slices),
        TEST(a_slice_that_is_cut_stays_by_itself),
        TEST(a_slice_that_never_comes_is_left_out),
        cmocka_unit_test_setup_teardown(
            a_long_slice_is_cut_to_what_is_needed, set_up_long, tear_down),
        TEST(a_kill_costs_only_what_is_in_flight),
        TEST(a_kill_right_after_a_fire_costs_no_slice),
        TEST(a_stop_keeps_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
