#include "agent/capture/recorder.h"

#include "recorder_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    rig_open(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    recorder_stop(world->recorder);
    offload_close(world->disk);
    recorder_close(world->recorder);
    rig_close(world);
    free(world);
    return 0;
}

static void open_armed(struct world *world, int64_t from_in_ms, int64_t until_in_ms)
{
    int64_t now_ms = clock_mono_ms();
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    recorder_arm(world->recorder, 0, 0, now_ms + from_in_ms, now_ms + until_in_ms);
}

static void status_of(const struct world *world, struct recorder_status *status)
{
    recorder_status(world->recorder, 0, status);
}

static int count_one(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
    return 0;
}

static int files(const struct world *world)
{
    int count = 0;
    char *folder = spool_recorder_folder(world->spool, "app");
    fs_each(folder, count_one, &count, NULL);
    free(folder);
    return count;
}

static void without_a_reason_nothing_is_recorded(void **state)
{
    struct world *world = *state;
    struct recorder_status status;
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    idle(world, 50);
    status_of(world, &status);
    assert_false(status.recording || status.always);
    assert_int_equal(status.until_ms, INT64_MIN);
    assert_int_equal(atomic_load(&world->stub.taken), 0);
    assert_true(is_folder_gone(world));
}

static void armed_it_keeps_the_newest_slices(void **state)
{
    struct world *world = *state;
    struct recorder_status status;
    open_armed(world, 0, 600000);
    wait_taken(world, 6);
    wait_until(world, all_are_kept);
    status_of(world, &status);
    assert_int_equal(status.slices, 2);
    assert_null(status.problem);
    assert_true(files(world) >= 2 && files(world) <= 5); /* kept, running, being removed */
    assert_int_equal(atomic_load(&world->stub.refused), 0);
    assert_int_equal(atomic_load(&world->stub.lengths[0]), 1);
}

static void disarmed_it_throws_all_away(void **state)
{
    struct world *world = *state;
    open_armed(world, 0, 600000);
    wait_until(world, all_are_kept);
    recorder_disarm(world->recorder, 0, 0);
    assert_int_equal(slices_kept(world), 2); /* until the loop's next turn */
    wait_until(world, is_folder_gone);
    idle(world, 50); /* what had been asked for already the app counts on a thread of its own */
    int taken = atomic_load(&world->stub.taken);
    idle(world, 50);
    assert_int_equal(atomic_load(&world->stub.taken), taken);
}

static void a_window_may_lie_ahead(void **state)
{
    struct world *world = *state;
    struct recorder_status status;
    open_armed(world, 60000, 120000);
    idle(world, 30);
    status_of(world, &status);
    assert_false(status.recording);
    assert_true(status.until_ms > status.from_ms);
    /* Another one replaces it. */
    int64_t from_ms = clock_mono_ms() + 30;
    recorder_arm(world->recorder, 0, 0, from_ms, from_ms + 600000);
    wait_until(world, is_recording);
    assert_true(clock_mono_ms() >= from_ms);
    /* And one that lies ahead again ends it. */
    recorder_arm(world->recorder, 0, 0, from_ms + 600000, from_ms + 700000);
    wait_until(world, is_folder_gone);
}

static void it_goes_on_for_a_while_after_the_window(void **state)
{
    struct world *world = *state;
    world->config.recorder.keep = 1;
    open_armed(world, -1000, -900); /* and a slice's length is not over yet */
    wait_until(world, is_recording);
    wait_until(world, is_folder_gone);
    struct recorder_status status;
    status_of(world, &status);
    assert_int_equal(status.until_ms, INT64_MIN);
}

static void a_hold_comes_first(void **state)
{
    struct world *world = *state;
    world->config.recorder.always = true;
    rig_open_recorder(world); /* held, as by the probe */
    idle(world, 50);
    assert_int_equal(atomic_load(&world->stub.taken), 0);
    recorder_release(world->recorder, 0);
    wait_until(world, is_recording);
}

static void what_is_taken_reaches_past_a_moment(void **state)
{
    struct slice *slices[RECORDER_SLICES_MAX];
    struct world *world = *state;
    world->config.recorder.always = true;
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    wait_until(world, all_are_kept);
    atomic_store(&world->stub.hold, 1);
    wait_until(world, is_recording);
    idle(world, 60); /* what was on its way is there */
    size_t kept = slices_kept(world);
    assert_int_equal(recorder_take(world->recorder, 0, 0, slices), kept + 1);
    assert_int_equal(slices[kept]->state, SLICE_RECORDING);
    for (size_t i = 0; i + 1 < kept; i++)
        assert_true(slices[i]->profile.finished_ms <= slices[i + 1]->profile.requested_ms);
    assert_false(recorder_records(world));
    idle(world, 50);
    assert_int_equal(slices_kept(world), 0); /* held */
    for (size_t i = 0; i <= kept; i++)
        slice_drop(slices[i]);
    atomic_store(&world->stub.hold, 0);
    recorder_release(world->recorder, 0);
    wait_until(world, all_are_kept);
    atomic_store(&world->stub.hold, 1);
    wait_until(world, is_recording);
    idle(world, 60);
    assert_int_equal(recorder_take(world->recorder, 0, clock_mono_ms() + 1, slices), 1);
    slice_drop(slices[0]);
    recorder_release(world->recorder, 0);
}

static void an_incident_leaves_the_window_open(void **state)
{
    struct slice *slices[RECORDER_SLICES_MAX];
    struct world *world = *state;
    open_armed(world, 0, 600000);
    wait_until(world, is_recording);
    assert_int_equal(recorder_take(world->recorder, 0, INT64_MAX, slices), 1);
    slice_drop(slices[0]);
    recorder_release(world->recorder, 0);
    wait_until(world, is_recording);
}

static void windows_of_several_triggers_do_not_end_each_other(void **state)
{
    struct world *world = *state;
    struct recorder_status status;
    int64_t now_ms = clock_mono_ms();
    open_armed(world, 0, 600000);
    wait_until(world, all_are_kept);
    recorder_arm(world->recorder, 0, 1, now_ms + 900000, now_ms + 950000);
    status_of(world, &status);
    assert_in_range(status.until_ms - now_ms, 600000, 700000); /* they do not meet */
    recorder_arm(world->recorder, 0, 1, now_ms + 300000, now_ms + 900000);
    idle(world, 20);
    assert_true(slices_kept(world) > 0);
    status_of(world, &status);
    assert_int_equal(status.until_ms, now_ms + 900000); /* they do */
    assert_in_range(status.from_ms, now_ms, now_ms + 60000);
    recorder_arm(world->recorder, 0, 1, now_ms, now_ms + 900000);
    recorder_disarm(world->recorder, 0, 0);
    idle(world, 20);
    assert_true(slices_kept(world) > 0);
    recorder_disarm(world->recorder, 0, 1);
    wait_until(world, is_folder_gone);
    /* One that lies ahead is not missed while another one is there. */
    now_ms = clock_mono_ms();
    recorder_arm(world->recorder, 0, 0, now_ms + 600000, now_ms + 700000);
    recorder_arm(world->recorder, 0, 1, now_ms + 30, now_ms + 900000);
    wait_until(world, is_recording);
}

static void disarming_leaves_an_incident_of_the_same_step_its_slices(void **state)
{
    struct slice *slices[RECORDER_SLICES_MAX];
    struct world *world = *state;
    open_armed(world, 0, 600000);
    wait_until(world, all_are_kept);
    wait_until(world, is_recording);
    recorder_disarm(world->recorder, 0, 0);
    size_t count = recorder_take(world->recorder, 0, 0, slices);
    assert_true(count >= 3);
    for (size_t i = 0; i < count; i++)
        slice_drop(slices[i]);
    recorder_release(world->recorder, 0);
    wait_until(world, is_folder_gone);
}

static const char *problem_wanted;

static bool has_problem(const struct world *world)
{
    struct recorder_status status;
    status_of(world, &status);
    return status.problem && strstr(status.problem, problem_wanted);
}

static bool is_well(const struct world *world)
{
    struct recorder_status status;
    status_of(world, &status);
    return !status.problem && status.slices > 0;
}

static void what_fails_is_told_and_tried_again(void **state)
{
    static const struct {
        int status, cut;
        const char *problem;
    } cases[] = {
        {404, 0, "no profile \"cpu\" (404)"},
        {401, 0, "wants a login"},
        {0, 1, "ended in the middle"},
    };
    struct world *world = *state;
    open_armed(world, 0, 600000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        atomic_store(&world->stub.status, cases[i].status);
        atomic_store(&world->stub.cut, cases[i].cut);
        problem_wanted = cases[i].problem;
        wait_until(world, has_problem);
        atomic_store(&world->stub.status, 0);
        atomic_store(&world->stub.cut, 0);
        wait_until(world, is_well);
    }
}

static void an_app_that_answers_at_once_is_not_hurried(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.record_ms, 0);
    open_armed(world, 0, 600000);
    problem_wanted = "before half of";
    wait_until(world, has_problem);
    idle(world, 400);
    assert_int_equal(slices_kept(world), 0);
    assert_in_range(atomic_load(&world->stub.taken), 1, 3);
    atomic_store(&world->stub.record_ms, RIG_RECORD_MS);
    wait_until(world, is_well);
}

static void somebody_else_may_profile_the_app(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.running, 1);
    open_armed(world, 0, 600000);
    problem_wanted = "already in use";
    wait_until(world, has_problem);
    atomic_store(&world->stub.running, 0);
    wait_until(world, is_well);
}

static void a_full_spool_stops_it_and_its_own_slices_give_way(void **state)
{
    struct world *world = *state;
    open_armed(world, 0, 600000);
    wait_until(world, all_are_kept);
    world->config.limits.spool_bytes = 20; /* less than one slice */
    problem_wanted = "spool is nearly full";
    wait_until(world, has_problem);
    int taken = atomic_load(&world->stub.taken);
    idle(world, 50);
    assert_int_equal(atomic_load(&world->stub.taken), taken);
    assert_int_equal(slices_kept(world), 1);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    struct world *world = *state;
    char *folder = spool_recorder_folder(world->spool, "app");
    char *blocker = xasprintf("%s/spool", world->state);
    assert_int_equal(rmdir(blocker), 0);
    open_armed(world, 0, 600000);
    problem_wanted = "cannot make ";
    wait_until(world, has_problem);
    assert_int_equal(mkdir(blocker, 0755), 0);
    free(folder);
    free(blocker);
}

/* As on a full disk: no file takes more than a few bytes. */
static void a_full_disk_is_told(void **state)
{
    struct world *world = *state;
    struct rlimit before, full;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){.rlim_cur = 5, .rlim_max = before.rlim_max};
    open_armed(world, 0, 600000);
    wait_until(world, is_recording);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    problem_wanted = "is there space below `state`?";
    wait_until(world, has_problem);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    wait_until(world, is_well);
    signal(SIGXFSZ, SIG_DFL);
}

static bool another_run(const struct world *world)
{
    return recorder_run(world->recorder, 0) > 0;
}

static void a_restart_of_the_app_cuts_the_slices(void **state)
{
    struct world *world = *state;
    open_armed(world, 0, 60000);
    wait_until(world, all_are_kept);
    wait_until(world, is_recording);
    assert_int_equal(recorder_run(world->recorder, 0), 0);
    profiler_stub_stop(&world->stub);
    wait_until(world, another_run);
    profiler_stub_start(&world->stub);
    atomic_store(&world->stub.record_ms, RIG_RECORD_MS);
    wait_until(world, is_recording);
    unsigned run = recorder_run(world->recorder, 0);
    recorder_cut(world->recorder, 0, clock_mono_ms()); /* the source's word of the same end */
    assert_int_equal(recorder_run(world->recorder, 0), run);
    struct slice *slices[RECORDER_SLICES_MAX];
    size_t count = recorder_take(world->recorder, 0, 0, slices);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(slices[i]->profile.run, i < 2 ? 0 : run);
        slice_drop(slices[i]);
    }
    recorder_cut(world->recorder, 0, clock_mono_ms() + 120000); /* of another one */
    assert_int_equal(recorder_run(world->recorder, 0), run + 1);
}

static void leftovers_are_removed_at_the_next_start(void **state)
{
    struct world *world = *state;
    struct error err;
    open_armed(world, 0, 600000);
    wait_until(world, all_are_kept);
    wait_until(world, is_recording);
    /* As after a kill: the folder is as it is. */
    spool_close(world->spool);
    world->spool = spool_open(&world->config, world->disk, &err);
    assert_non_null(world->spool);
    assert_true(is_folder_gone(world));
}

static void a_stop_is_quick_and_leaves_nothing(void **state)
{
    struct world *world = *state;
    world->config.recorder.always = true;
    rig_open_recorder(world);
    recorder_release(world->recorder, 0);
    wait_until(world, all_are_kept);
    atomic_store(&world->stub.hold, 1);
    wait_until(world, is_recording);
    recorder_stop(world->recorder);
    recorder_arm(world->recorder, 0, 0, 0, INT64_MAX / 2);
    assert_false(recorder_records(world));
    wait_until(world, is_folder_gone);
}

static bool is_over(const struct world *world)
{
    return recorder_is_over(world->recorder);
}

/* A file in its place, which rmdir does not remove either: nobody waits for it to go. */
static void a_folder_that_cannot_be_removed_holds_nobody_up(void **state)
{
    struct world *world = *state;
    open_armed(world, 0, 600000);
    wait_until(world, is_recording);
    char *folder = spool_recorder_folder(world->spool, "app");
    assert_int_equal(fs_remove(folder, NULL), 0);
    assert_int_equal(fs_write(folder, "x", 1, NULL), 0);
    recorder_stop(world->recorder);
    wait_until(world, is_over);
    free(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_reason_nothing_is_recorded),
        TEST(armed_it_keeps_the_newest_slices),
        TEST(disarmed_it_throws_all_away),
        TEST(a_window_may_lie_ahead),
        TEST(it_goes_on_for_a_while_after_the_window),
        TEST(a_hold_comes_first),
        TEST(what_is_taken_reaches_past_a_moment),
        TEST(an_incident_leaves_the_window_open),
        TEST(windows_of_several_triggers_do_not_end_each_other),
        TEST(disarming_leaves_an_incident_of_the_same_step_its_slices),
        TEST(what_fails_is_told_and_tried_again),
        TEST(an_app_that_answers_at_once_is_not_hurried),
        TEST(somebody_else_may_profile_the_app),
        TEST(a_full_spool_stops_it_and_its_own_slices_give_way),
        TEST(a_folder_that_cannot_be_made_is_told),
        TEST(a_full_disk_is_told),
        TEST(a_restart_of_the_app_cuts_the_slices),
        TEST(leftovers_are_removed_at_the_next_start),
        TEST(a_stop_is_quick_and_leaves_nothing),
        TEST(a_folder_that_cannot_be_removed_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
