/* The agent in a fleet whose store is a folder: it gives up what others have, keeps what it has a
 * slot for, and settles at upload what nobody told it. */
#include "agent/control/status.h"
#include "agent/detection/ledger.h"
#include "agent/fleet/fleet_parts.h"
#include "agent/incidents/running.h"
#include "agent/storage/spool.h"
#include "agent_rig.h"
#include "core/series.h"

#include <glob.h>
#include <stdio.h>

static const int64_t per_ms = 24 * 3600 * 1000;

static bool store_is_proven(const struct world *world)
{
    return world->agent->fleet->proven;
}

static int set_up_fleet(void **state)
{
    set_up(state);
    struct world *world = *state;
    struct error err;
    close_agent(world);
    world->config->fleet = (struct fleet_config){1, per_ms};
    world->agent = agent_open(world->config, &err);
    assert_non_null(world->agent);
    fleet_hurry(world->agent->fleet); /* nobody else comes */
    wait_until(world, store_is_proven);
    return 0;
}

static char *in_store(const struct world *world, const char *rest)
{
    int64_t window_ms = fleet_plan_window_ms(clock_wall_ms(), per_ms);
    char *key = fleet_plan_key("x", "high", window_ms, rest);
    char *path = xasprintf("%s/out/%s", world->state, key);
    free(key);
    return path;
}

/* Another agent has the only slot. */
static void take_slot(const struct world *world)
{
    char *path = in_store(world, "0"), *parent = in_store(world, "");
    parent[strlen(parent) - 1] = '\0';
    assert_int_equal(fs_make_folders(parent, NULL), 0);
    assert_int_equal(fs_write(path, "x", 1, NULL), 0);
    free(path);
    free(parent);
}

static void sample(const struct world *world, double cpu)
{
    series_push(series_set_add(&world->agent->series, "cpu"), clock_mono_ms(), cpu);
    agent_sampled(world->agent);
}

static bool is_idle(const struct world *world)
{
    return incidents_idle(world->agent->incidents);
}

/* The path of the only incident.json in the store, or NULL. */
static char *find_stored(const struct world *world)
{
    glob_t found;
    char *pattern = xasprintf("%s/out/service=x/date=*/*-high-*/incident.json", world->state);
    char *path = glob(pattern, 0, NULL, &found) == 0 ? xstrdup(found.gl_pathv[0]) : NULL;
    globfree(&found);
    free(pattern);
    return path;
}

static bool is_stored(const struct world *world)
{
    sample(world, 95); /* the row that ends the incident */
    char *path = find_stored(world);
    free(path);
    return path != NULL;
}

static struct incident_fleet stored_fleet(const struct world *world)
{
    struct buf text;
    struct error err;
    char *path = find_stored(world);
    assert_int_equal(fs_read(path, INCIDENT_TEXT_MAX, &text, &err), 0);
    struct incident *incident = incident_from_text(text.data, text.size, &err);
    assert_non_null(incident);
    struct incident_fleet fleet = incident->fleet;
    incident_free(incident);
    buf_free(&text);
    free(path);
    return fleet;
}

static void assert_metric(const struct world *world, const char *line)
{
    struct buf text;
    buf_init(&text, SIZE_MAX - 1);
    status_metrics(world->agent, &text);
    if (!strstr(text.data, line))
        fail_msg("%s is not in %s", line, text.data);
    buf_free(&text);
}

static void assert_store_metric(const struct world *world, const char *name, int value)
{
    char *line = xasprintf(
        "\nstakeout_fleet_%s{store=\"directory:%s/out\"} %d\n", name, world->state, value);
    assert_metric(world, line);
    free(line);
}

/* Counters never fall: Prometheus would take that for a restart. */
static void assert_counters(const struct world *world)
{
    assert_metric(world, "\nstakeout_incidents_total 1\n");
    assert_metric(world, "\nstakeout_fires_total 1\n");
    assert_metric(world, "\nstakeout_trigger_fires_total{trigger=\"high\"} 1\n");
}

static void what_others_have_is_given_up(void **state)
{
    struct world *world = *state;
    struct detector_status status;
    take_slot(world);
    sample(world, 95);
    assert_int_equal(world->agent->incidents_opened, 1);
    assert_int_equal(ledger_hour(world->agent->ledger), 1);
    assert_counters(world);
    wait_until(world, is_idle);
    assert_counters(world);
    assert_metric(world, "\nstakeout_incidents_given_up_total 1\n");
    assert_int_equal(world->agent->incidents_opened, 0);
    assert_int_equal(world->agent->fires_suppressed, 1);
    assert_int_equal(ledger_hour(world->agent->ledger), 0);
    assert_null(incidents_last(world->agent->incidents));
    detector_status(world->agent->detector, 0, &status);
    assert_int_equal(status.fires, 0);
    assert_int_equal(status.suppressed, 1);
    assert_true(status.cooldown_until_ms != INT64_MIN);
    assert_non_null(strstr(status.told, "held back: 1 other copy of the service takes it (fleet)"));
    assert_null(find_stored(world));
    assert_int_equal(spool_bytes(world->agent->spool) < 100, 1);
    sample(world, 96); /* it is not tried again */
    assert_int_equal(world->agent->incidents_opened, 0);
}

static void a_slot_is_noted(void **state)
{
    struct world *world = *state;
    sample(world, 95);
    wait_until(world, is_stored);
    struct incident_fleet fleet = stored_fleet(world);
    assert_int_equal(fleet.slot, 1);
    assert_false(fleet.duplicate);
    assert_store_metric(world, "taken_total", 1);
    assert_store_metric(world, "duplicates_total", 0);
    assert_store_metric(world, "up", 1);
    assert_int_equal(fleet.seen_by, 1);
    assert_int_equal(fleet.window_ms, fleet_plan_window_ms(clock_wall_ms(), per_ms));
    char *slot = in_store(world, "0");
    assert_true(fs_exists(slot));
    free(slot);
}

/* Its slots are free: what both are of goes on. */
static void a_trigger_that_has_joined_is_asked_for_as_well(void **state)
{
    struct world *world = *state;
    take_slot(world);
    sample(world, 95);
    const char *id = incidents_running(world->agent->incidents, 0);
    incidents_find(world->agent->incidents, id)->caused_by[1] = true;
    wait_until(world, is_stored);
    assert_int_equal(stored_fleet(world).slot, 1);
    assert_int_equal(world->agent->incidents_opened, 1);
}

static void a_reload_forgets_what_was_asked(void **state)
{
    struct world *world = *state;
    take_slot(world);
    sample(world, 95);
    fleet_stop(world->agent->fleet);
    assert_int_equal(fleet_window(world->agent->fleet, clock_wall_ms()), 0);
    fleet_reload(world->agent->fleet, world->config);
    assert_true(fleet_window(world->agent->fleet, clock_wall_ms()) > 0);
    wait_until(world, is_stored);
    assert_true(stored_fleet(world).duplicate); /* it was settled when it was stored */
}

/* Nothing can be made in a store that is a file. */
static void an_outage_is_settled_afterwards(void **state)
{
    struct world *world = *state;
    char *out = xasprintf("%s/out", world->state);
    assert_int_equal(fs_remove(out, NULL), 0);
    assert_int_equal(fs_write(out, "x", 1, NULL), 0);
    sample(world, 95);
    wait_until(world, is_taken);
    wait_ms(world, 50);
    assert_non_null(incidents_running(world->agent->incidents, 0));
    unlink(out);
    take_slot(world);
    wait_until(world, is_stored);
    struct incident_fleet fleet = stored_fleet(world);
    assert_true(fleet.duplicate);
    assert_int_equal(fleet.slot, 0);
    assert_store_metric(world, "taken_total", 0);
    assert_store_metric(world, "duplicates_total", 1);
    free(out);
}

/* A store that answers when the test says so. */
static struct {
    void (*done)(void *arg, const struct claim_result *result);
    void *arg;
    int slots; /* asked for */
} slow;

static void slow_claim(void *self, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    (void)self;
    (void)text;
    if (strstr(key, "/seen/"))
        return;
    slow.slots++;
    slow.done = done;
    slow.arg = arg;
}

static void slow_forget(void *self, void *arg)
{
    (void)self;
    if (slow.arg == arg)
        slow.done = NULL;
}

static void open_slow_store(const struct world *world)
{
    world->agent->fleet->store.claim = slow_claim;
    world->agent->fleet->store.forget = slow_forget;
    memset(&slow, 0, sizeof slow);
}

static void use_true_store(const struct world *world, struct fleet_store store)
{
    world->agent->fleet->store = store;
}

static void answer(enum claim_outcome outcome)
{
    assert_non_null(slow.done);
    slow.done(slow.arg, &(struct claim_result){.outcome = outcome, .reason = "not now"});
}

static const struct incident *taken(const struct world *world)
{
    const char *id = incidents_running(world->agent->incidents, 0);
    return id ? incidents_find(world->agent->incidents, id)->incident : NULL;
}

/* The CPU is still being recorded. */
static void a_late_no_ends_what_has_captured_nothing(void **state)
{
    struct world *world = *state;
    open_slow_store(world);
    atomic_store(&world->stub.hold, 1);
    sample(world, 95);
    wait_until(world, is_taken);
    wait_ms(world, FLEET_PATIENCE_MS + 50);
    assert_non_null(taken(world));
    assert_int_equal(slow.slots, 1);
    answer(CLAIM_EXISTS);
    wait_until(world, is_idle);
    assert_metric(world, "\nstakeout_incidents_given_up_total 1\n");
    assert_null(find_stored(world));
}

static bool has_captured(const struct world *world)
{
    return taken(world) && fleet_plan_captured(taken(world));
}

static void a_late_no_makes_a_duplicate_of_what_is_captured(void **state)
{
    struct world *world = *state;
    struct fleet_store store = world->agent->fleet->store;
    open_slow_store(world);
    sample(world, 95);
    wait_until(world, has_captured);
    answer(CLAIM_EXISTS);
    assert_non_null(taken(world));
    use_true_store(world, store);
    take_slot(world);
    wait_until(world, is_stored);
    assert_true(stored_fleet(world).duplicate);
    assert_metric(world, "\nstakeout_incidents_given_up_total 0\n");
}

static void what_somebody_waits_for_is_not_thrown_away(void **state)
{
    struct world *world = *state;
    struct error err;
    open_slow_store(world);
    atomic_store(&world->stub.hold, 1);
    sample(world, 95);
    wait_until(world, is_taken);
    assert_non_null(incidents_manual(world->agent->incidents, 0, "by hand", NULL, &err));
    answer(CLAIM_EXISTS);
    assert_non_null(taken(world));
    assert_false(incidents_find(world->agent->incidents, taken(world)->id)->abandoned);
}

/* Asked when it is opened, before anything relies on it. */
static void a_store_that_keeps_no_condition_is_found_out(void **state)
{
    struct world *world = *state;
    struct fleet *fleet = world->agent->fleet;
    static const struct {
        enum claim_outcome outcomes[2];
        bool proven, unable;
    } cases[] = {
        {{CLAIM_EXISTS}, true, false},
        {{CLAIM_TAKEN, CLAIM_EXISTS}, true, false},
        {{CLAIM_TAKEN, CLAIM_TAKEN}, false, true},
        {{CLAIM_TAKEN, CLAIM_FAILED}, false, false},
        {{CLAIM_UNABLE}, false, true},
        {{CLAIM_FAILED}, false, false},
    };
    open_slow_store(world);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fleet_stop(fleet);
        slow.slots = 0;
        fleet_reload(fleet, world->config);
        answer(cases[i].outcomes[0]);
        if (cases[i].outcomes[0] == CLAIM_TAKEN)
            answer(cases[i].outcomes[1]);
        assert_int_equal(slow.slots, cases[i].outcomes[0] == CLAIM_TAKEN ? 2 : 1);
        assert_int_equal(fleet->proven, cases[i].proven);
        assert_int_equal(fleet->unable, cases[i].unable);
        assert_int_equal(fleet_window(fleet, clock_wall_ms()) == 0, cases[i].unable);
    }
}

static bool is_asked_twice(const struct world *world)
{
    (void)world;
    return slow.slots == 2;
}

static void a_store_that_failed_is_asked_again(void **state)
{
    struct world *world = *state;
    open_slow_store(world);
    atomic_store(&world->stub.hold, 1);
    sample(world, 95);
    wait_until(world, is_taken);
    answer(CLAIM_FAILED);
    assert_non_null(taken(world));
    wait_until(world, is_asked_twice);
    answer(CLAIM_TAKEN);
    assert_int_equal(taken(world)->fleet.slot, 1);
}

static void what_is_taken_by_hand_asks_nobody(void **state)
{
    struct world *world = *state;
    struct error err;
    take_slot(world);
    const char *id = incidents_manual(world->agent->incidents, 0, "by hand", NULL, &err);
    assert_non_null(id);
    wait_until(world, is_taken);
    wait_ms(world, 50);
    assert_non_null(incidents_running(world->agent->incidents, 0));
    char *seen = in_store(world, "seen");
    assert_false(fs_exists(seen));
    free(seen);
}

#define IN_FLEET(test) cmocka_unit_test_setup_teardown(test, set_up_fleet, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FLEET(what_others_have_is_given_up),
        IN_FLEET(a_slot_is_noted),
        IN_FLEET(a_trigger_that_has_joined_is_asked_for_as_well),
        IN_FLEET(a_reload_forgets_what_was_asked),
        IN_FLEET(an_outage_is_settled_afterwards),
        IN_FLEET(a_late_no_ends_what_has_captured_nothing),
        IN_FLEET(a_late_no_makes_a_duplicate_of_what_is_captured),
        IN_FLEET(what_somebody_waits_for_is_not_thrown_away),
        IN_FLEET(a_store_that_keeps_no_condition_is_found_out),
        IN_FLEET(a_store_that_failed_is_asked_again),
        IN_FLEET(what_is_taken_by_hand_asks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
