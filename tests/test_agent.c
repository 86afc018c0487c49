/* The whole agent: how it closes. */
#include "agent/storage/spool_parts.h"
#include "agent_rig.h"

#include <fcntl.h>
#include <sys/file.h>

static void take_long(void *arg)
{
    (void)arg;
    usleep(400000);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* The last profile is on the disk thread still: that it ends the capture is known in the close. */
static void a_close_ends_what_the_disk_has_in_hand(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_taken);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    offload_submit(world->agent->disk, take_long, nothing, NULL);
    wait_ms(world, 200);
    close_agent(world);
}

static bool has_slice(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->agent->recorder, 0, &status);
    return status.slices > 0;
}

static bool is_another_taken(const struct world *world)
{
    return atomic_load(&world->stub.taken) > 1 && atomic_load(&world->stub.running);
}

/* The same with slices: what is caught is to be merged. */
static void a_close_begins_no_merge(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    atomic_store(&world->stub.record_ms, 700);
    recorder_release(world->agent->recorder, 0);
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
    wait_until(world, has_slice);
    recorder_disarm(world->agent->recorder, 0, 1);
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_another_taken);
    incidents_finish(world->agent->incidents, clock_mono_ms() + patience_ms);
    offload_submit(world->agent->disk, take_long, nothing, NULL);
    wait_ms(world, 200);
    close_agent(world);
}

static void a_close_right_after_the_opening_is_fine(void **state)
{
    close_agent(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* It was opened on a full disk, without a lock, and another agent was quicker when there was room.
 */
static void an_agent_whose_state_is_another_s_by_now_ends(void **state)
{
    struct world *world = *state;
    struct spool *spool = world->agent->spool;
    char *path = xasprintf("%s/lock", world->state);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    close(spool->lock);
    spool->lock = -1;
    spool_note_trouble(spool, "it was full");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(agent_run(world->agent), -1);
    close(fd);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_close_right_after_the_opening_is_fine),
        TEST(a_close_ends_what_the_disk_has_in_hand),
        TEST(a_close_begins_no_merge),
        TEST(an_agent_whose_state_is_another_s_by_now_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
