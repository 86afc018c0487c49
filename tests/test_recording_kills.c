/* What a kill or a stop in the middle of a recording costs. */
#include "recording_rig.h"

static bool is_written_down(const struct world *world)
{
    const struct rest *rest = world->more;
    char *path = xasprintf(
        "%s/spool/.%s/incident.json", world->state, incidents_last(rest->incidents));
    bool written = fs_exists(path);
    free(path);
    return written;
}

static void mark(void *arg)
{
    atomic_store((atomic_int *)arg, 1);
}

/* What the one that is killed has given its disk thread is done: nobody writes beside the next. */
static void let_disk_finish(const struct world *world)
{
    static atomic_int finished;
    atomic_store(&finished, 0);
    offload_submit(world->disk, mark, NULL, &finished);
    while (!atomic_load(&finished))
        usleep(1000);
}

static size_t slices_ok(const struct incident *incident)
{
    size_t found = 0;
    for (size_t i = 0; i < incident->profile_count; i++)
        found += slice_is_profile(incident->profiles[i].name) &&
                 incident->profiles[i].status == PROFILE_OK;
    return found;
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
    let_disk_finish(world);
    spool_close(world->spool);
    world->spool = spool_open(&world->config, world->disk, &err);
    assert_non_null(world->spool);
    assert_true(is_folder_gone(world));
    on_complete(world, incidents_last(rest->incidents));
    char text[512];
    describe(world, text, sizeof text);
    /* A slow machine has recorded one slice by then. */
    if (slices_ok(rest->incident) == 1)
        assert_string_equal(text, "cpu.slice-1 ok, cpu.slice-2 failed, cpu failed, heap ok");
    else
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
    size_t kept = slices_kept(world);
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
    assert_int_equal(slices_ok(rest->incident), kept);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_kill_costs_only_what_is_in_flight),
        TEST(a_kill_right_after_a_fire_costs_no_slice),
        TEST(a_stop_keeps_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
