/* A worse spike takes the place of an incident in the spool, with the whole agent. */
#include "agent/incidents/replacing.h"

#include "agent/detection/ledger.h"
#include "agent/incidents/day_budget.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_withdraw.h"
#include "agent_rig.h"

#include <stdio.h>

/* One incident an hour, and a store that refuses: its folder is a file. */
static int set_up_limited(void **state)
{
    if (set_up(state) < 0)
        return -1;
    struct world *world = *state;
    struct error err;
    char *out = xasprintf("%s/out", world->state);
    agent_close(world->agent);
    world->config->limits.per_hour = 1;
    for (size_t i = 0; i < world->config->trigger_count; i++)
        world->config->triggers[i].cooldown_ms = 0;
    assert_int_equal(fs_write(out, "x", 1, NULL), 0);
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    world->agent = agent_open(world->config, &err);
    assert_non_null(world->agent);
    free(out);
    return 0;
}

static void reopen(struct world *world)
{
    struct error err;
    agent_close(world->agent);
    world->agent = agent_open(world->config, &err);
    assert_non_null(world->agent);
}

static double level;

static void measure(const struct world *world, double cpu)
{
    level = cpu;
    wait_ms(world, 2); /* times rise */
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), cpu);
    detector_check(world->agent->detector);
    incidents_sampled(world->agent->incidents);
}

/* What waits is read by the disk thread: a fire is asked about with every sample. */
static bool has_fired(const struct world *world)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), level);
    detector_check(world->agent->detector);
    return incidents_running(world->agent->incidents, 0) != NULL;
}

static void fire_at(const struct world *world, double cpu)
{
    measure(world, cpu);
    wait_until(world, has_fired);
}

static bool disk_is_idle;

static void note_idle(void *arg)
{
    (void)arg;
    disk_is_idle = true;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void wait_for_disk(const struct world *world)
{
    disk_is_idle = false;
    offload_submit(world->agent->disk, nothing, note_idle, NULL);
    assert_true(loop_run_until(world->agent->loop, &disk_is_idle, INT64_MAX));
}

static bool is_idle(const struct world *world)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), level);
    incidents_sampled(world->agent->incidents);
    return incidents_idle(world->agent->incidents);
}

static size_t waiting(const struct world *world, const char **ids)
{
    return delivery_untouched(world->agent->delivery, ids, 4);
}

static char free_id[80]; /* of the one that waits */

/* One waits, and nothing is being sent nor will be for a while: the store has refused something, so
 * the next try is a quarter of a minute away (agent/storage/backoff.c). Then it is free to go. */
static bool one_is_free(const struct world *world)
{
    const char *ids[4];
    struct delivery_status status;
    delivery_status(world->agent->delivery, 0, &status);
    bool is = is_idle(world) && status.failures > 0 && waiting(world, ids) == 1;
    if (is)
        snprintf(free_id, sizeof free_id, "%s", ids[0]);
    return is;
}

static bool is_there(const struct world *world, const char *id, const char *file)
{
    char *path = xasprintf("%s/spool/%s/%s", world->state, id, file);
    bool there = fs_exists(path);
    free(path);
    return there;
}

/* An incident whose CPU peaked there waits in the spool; its id is copied. */
static void catch_one(const struct world *world, double cpu, char id[80])
{
    measure(world, cpu);
    assert_non_null(incidents_running(world->agent->incidents, 0));
    wait_until(world, one_is_free);
    snprintf(id, 80, "%s", free_id);
    measure(world, 10);
}

static struct incident *read_back(const struct world *world, const char *id)
{
    char *path = xasprintf("%s/spool/%s/incident.json", world->state, id);
    struct incident *incident = incident_read(path, NULL);
    assert_non_null(incident);
    free(path);
    return incident;
}

static char first[80];

static bool first_is_gone(const struct world *world)
{
    return is_idle(world) && !is_there(world, first, "incident.json");
}

static void a_worse_spike_takes_the_place(void **state)
{
    struct world *world = *state;
    catch_one(world, 85, first);
    for (int i = 0; i < 2; i++) { /* above its limit, but not worse: once it is read, too */
        measure(world, 86);
        assert_null(incidents_running(world->agent->incidents, 0));
        wait_for_disk(world);
    }
    measure(world, 99); /* the same excursion, later */
    assert_non_null(incidents_running(world->agent->incidents, 0));
    assert_true(is_there(world, first, "incident.json")); /* until the new one is there */
    wait_until(world, first_is_gone);
    wait_until(world, one_is_free);
    struct incident *incident = read_back(world, free_id);
    assert_string_equal(incident->replaced, first);
    assert_int_equal(world->agent->incidents_replaced, 1);
    incident_free(incident);
}

/* What is taken back by somebody else, as what an exporter has, is not replaced. */
static void what_is_with_an_exporter_stays(void **state)
{
    struct world *world = *state;
    catch_one(world, 85, first);
    fire_at(world, 99);
    const char *running = incidents_running(world->agent->incidents, 0);
    assert_non_null(running);
    char *id = xstrdup(running);
    assert_true(incidents_are_to_replace(world->agent->incidents, first));
    assert_true(delivery_withdraw(world->agent->delivery, first));
    wait_until(world, one_is_free);
    assert_true(is_there(world, first, "incident.json"));
    struct incident *incident = read_back(world, id);
    assert_null(incident->replaced);
    assert_int_equal(world->agent->incidents_replaced, 0);
    incident_free(incident);
    free(id);
}

static bool two_wait(const struct world *world)
{
    const char *ids[4];
    return is_idle(world) && waiting(world, ids) == 2;
}

static bool both_are_counted(const struct world *world)
{
    const char *ids[4];
    return waiting(world, ids) == 2 && ledger_has_stored(world->agent->ledger, ids[0]) &&
           ledger_has_stored(world->agent->ledger, ids[1]);
}

/* The new one's folder is a file by now: it is complete in memory only. */
static void what_the_disk_has_is_not_given_for_what_is_in_memory(void **state)
{
    struct world *world = *state;
    catch_one(world, 85, first);
    atomic_store(&world->stub.hold, 1);
    fire_at(world, 99);
    assert_true(incidents_are_to_replace(world->agent->incidents, first));
    wait_ms(world, 100);
    char *folder = xasprintf(
        "%s/spool/.%s", world->state, incidents_running(world->agent->incidents, 0));
    assert_int_equal(fs_remove(folder, NULL), 0);
    assert_int_equal(fs_write(folder, "x", 1, NULL), 0);
    atomic_store(&world->stub.hold, 0);
    wait_until(world, two_wait);
    assert_true(is_there(world, first, "incident.json"));
    assert_int_equal(world->agent->incidents_replaced, 0);
    wait_until(world, both_are_counted);
    free(folder);
}

/* Its size is on its way when it is removed. */
static void what_was_replaced_takes_nothing_of_the_day(void **state)
{
    struct world *world = *state;
    catch_one(world, 85, first);
    assert_true(ledger_has_stored(world->agent->ledger, first));
    day_budget_count(world->agent, first);
    replacing_remove(world->agent, first, "another");
    wait_for_disk(world);
    assert_false(is_there(world, first, "incident.json"));
    assert_false(ledger_has_stored(world->agent->ledger, first));
}

/* Killed before the new one was complete: both are there. After that: the next start finishes it.
 */
static void a_kill_loses_nothing(void **state)
{
    struct world *world = *state;
    catch_one(world, 85, first);
    atomic_store(&world->stub.hold, 1);
    fire_at(world, 99);
    char *second = xstrdup(incidents_running(world->agent->incidents, 0));
    wait_ms(world, 100);
    reopen(world);
    assert_true(is_there(world, first, "incident.json"));
    assert_true(is_there(world, second, "incident.json"));
    struct incident *incident = read_back(world, second);
    assert_null(incident->replaced);
    incident->replaced = xstrdup(first);
    char *text = incident_to_text(incident);
    char *path = xasprintf("%s/spool/%s/incident.json", world->state, second);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    reopen(world);
    assert_false(is_there(world, first, "incident.json"));
    assert_true(is_there(world, second, "incident.json"));
    free(path);
    free(text);
    free(second);
    incident_free(incident);
}

/* Neither does one that was taken by hand go, nor anything for a spike that is no worse. */
static void what_was_taken_by_hand_stays(void **state)
{
    struct world *world = *state;
    struct error err;
    measure(world, 50);
    const char *id = incidents_manual(world->agent->incidents, 0, "why not", NULL, &err);
    assert_non_null(id);
    wait_until(world, one_is_free);
    struct detector_event event = {.metric = "cpu", .unit = UNIT_PERCENT, .value = 99, .limit = 80};
    assert_null(replacing_choose(world->agent, &event));
    wait_for_disk(world);
    assert_null(replacing_choose(world->agent, &event));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_limited, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worse_spike_takes_the_place),
        TEST(what_is_with_an_exporter_stays),
        TEST(what_the_disk_has_is_not_given_for_what_is_in_memory),
        TEST(what_was_replaced_takes_nothing_of_the_day),
        TEST(a_kill_loses_nothing),
        TEST(what_was_taken_by_hand_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
