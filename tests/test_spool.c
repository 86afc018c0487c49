/* The spool on a real folder. */
#include "agent/storage/reserve.h"
#include "agent/storage/spool_parts.h"
#include "spool_rig.h"

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

static void what_the_disk_refuses_is_complete_in_memory(void **state)
{
    struct world *world = *state;
    int first = -1, second = -1;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    char *blocker = in_spool(world, making, "incident.json");
    assert_int_equal(mkdir(blocker, 0755), 0);
    complete(world, &first);
    finish_jobs(world);
    assert_int_equal(first, true);
    assert_true(spool_in_memory(world->spool, id));
    assert_non_null(spool_trouble(world->spool));
    assert_int_equal(count(world), 0);
    assert_int_equal(rmdir(blocker), 0);
    complete(world, &second);
    finish_jobs(world);
    assert_int_equal(second, true);
    assert_false(spool_in_memory(world->spool, id));
    assert_int_equal(reserve_bytes(spool_reserve(world->spool)), 0);
    spool_refresh(world->spool);
    finish_jobs(world);
    assert_null(spool_trouble(world->spool));
    restart(world);
    assert_int_equal(count(world), 1);
    free(blocker);
}

/* The disk has no room for incident.json, and memory has none for metrics.csv. */
static void what_fits_nowhere_is_tried_again(void **state)
{
    struct world *world = *state;
    int first = -1, second = -1;
    static char much[RESERVE_BYTES];
    struct reserve *reserve = spool_reserve(world->spool);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    begin(world);
    assert_int_equal(reserve_put_bytes(reserve, "/of/another", "cpu.pb.gz", much, sizeof much), 0);
    char *blocker = in_spool(world, making, "incident.json");
    assert_int_equal(mkdir(blocker, 0755), 0);
    complete(world, &first);
    finish_jobs(world);
    assert_int_equal(first, false);
    reserve_remove(reserve, "/of/another");
    complete(world, &second);
    finish_jobs(world);
    assert_int_equal(second, true);
    assert_true(spool_in_memory(world->spool, id));
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

static void a_second_agent_is_refused(void **state)
{
    struct world *world = *state;
    struct error err;
    assert_null(spool_open(&world->config, world->disk, &err));
    assert_non_null(strstr(err.text, "another stakeout"));
}

/* It was opened on a full disk, without a lock, and another agent was quicker when there was room.
 */
static void what_another_agent_has_by_now_is_left_to_it(void **state)
{
    struct world *world = *state;
    struct error err;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    close(world->spool->lock);
    world->spool->lock = -1;
    spool_note_trouble(world->spool, "it was full");
    struct spool *other = spool_open(&world->config, world->disk, &err);
    assert_non_null(other);
    char *folder = xasprintf("%s/spool/%s", world->state, making);
    assert_int_equal(
        reserve_put_bytes(spool_reserve(world->spool), folder, "incident.json", "{}", 2), 0);
    spool_refresh(world->spool);
    finish_jobs(world);
    assert_non_null(strstr(spool_taken(world->spool), "another stakeout"));
    assert_non_null(spool_trouble(world->spool));
    assert_true(spool_in_memory(world->spool, id));
    spool_close(other);
    spool_refresh(world->spool);
    finish_jobs(world);
    finish_jobs(world);
    assert_null(spool_taken(world->spool));
    assert_null(spool_trouble(world->spool));
    assert_false(spool_in_memory(world->spool, id));
    assert_int_equal(count(world), 1);
    free(folder);
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
        SPOOL_TEST(a_complete_incident_is_listed_and_counted),
        SPOOL_TEST(a_delivered_incident_is_gone),
        SPOOL_TEST(marks_of_exporters_survive),
        SPOOL_TEST(a_completion_can_be_repeated),
        SPOOL_TEST(what_the_disk_refuses_is_complete_in_memory),
        SPOOL_TEST(what_fits_nowhere_is_tried_again),
        SPOOL_TEST(bytes_that_somebody_else_removed_are_not_counted),
        SPOOL_TEST(a_second_agent_is_refused),
        SPOOL_TEST(what_another_agent_has_by_now_is_left_to_it),
        SPOOL_TEST(a_state_folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
