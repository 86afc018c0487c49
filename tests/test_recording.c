/* From a fire in the middle of a slice to one CPU profile. */
#include "recording_rig.h"

#include <sys/mman.h>

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

static bool heap_is_there(const struct world *world)
{
    const struct rest *rest = world->more;
    char *heap = xasprintf(
        "%s/spool/.%s/heap.pb.gz", world->state, incidents_last(rest->incidents));
    bool there = fs_exists(heap);
    free(heap);
    return there;
}

static void other_profiles_do_not_wait_for_the_slice(void **state)
{
    struct world *world = *state;
    record(world);
    fire(world, 10);
    wait_until(world, heap_is_there); /* while the stub holds the slice */
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

/* What is logged goes to a file in memory from now on. */
static int listen_to_log(void)
{
    int kept = dup(STDERR_FILENO), said = memfd_create("said", MFD_CLOEXEC);
    assert_true(kept >= 0 && said >= 0 && dup2(said, STDERR_FILENO) == STDERR_FILENO);
    close(said);
    return kept;
}

/* And to stderr again: what was logged. */
static void stop_listening(int kept, char *said, size_t size)
{
    ssize_t got = pread(STDERR_FILENO, said, size - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static void what_cannot_be_merged_stays_in_slices(void **state)
{
    static const struct {
        const char *script, *why;
    } cases[] = {
        {"echo it is damaged >&2; exit 1", "it is damaged"},
        {"kill -9 $$", "signal 9"},
        {"echo no profile >$out", "what came of it is no profile: it is text"},
        {":", "cannot open "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[4000];
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        struct world *world = *state;
        world->config.interval_ms = 0;
        log_setup(LOG_WARN, LOG_LOGFMT);
        write_script(world->more, cases[i].script);
        int kept = listen_to_log();
        record(world);
        fire(world, 10);
        atomic_store(&world->stub.hold, 0);
        wait_until(world, is_complete);
        stop_listening(kept, said, sizeof said);
        check(world, "cpu.slice-1 ok covered, cpu ok, heap ok");
        if (!strstr(said, "stays in slices, as they could not be merged: ") ||
            !strstr(said, cases[i].why))
            fail_msg("%s: %s", cases[i].script, said);
    }
}

static bool is_complete_while_short(const struct world *world)
{
    struct rest *rest = world->more;
    series_push(series_set_add(&rest->series, "memory"), clock_mono_ms(), 95);
    return is_complete(world);
}

/* A merge that ran would leave one profile. */
static void while_memory_is_short_nothing_is_merged(void **state)
{
    struct world *world = *state;
    world->config.interval_ms = 0;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    record(world);
    is_complete_while_short(world); /* the first sample */
    fire(world, 10);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, is_complete_while_short);
    check(world, "cpu.slice-1 ok covered, cpu ok, heap ok");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_spike_within_a_slice_is_in_the_profile),
        TEST(other_profiles_do_not_wait_for_the_slice),
        TEST(slices_reach_back_as_far_as_they_are_kept),
        TEST(a_merge_adds_no_rows),
        TEST(what_cannot_be_merged_stays_in_slices),
        TEST(while_memory_is_short_nothing_is_merged),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
