/* The whole agent with one configuration after the other. */
#include "agent/capture/recorder.h"
#include "agent/control/control.h"
#include "agent/incidents/follow_ups.h"
#include "agent/reload.h"
#include "agent/storage/delivery.h"
#include "agent_rig.h"
#include "core/series.h"

#include <dirent.h>
#include <stdatomic.h>
#include <unistd.h>

static char *file_of(const struct world *world)
{
    return xasprintf("%s/stakeout.yaml", world->state);
}

/* Writes the file; "%s" of rest is replaced by the app's URL. */
static void write_config(const struct world *world, const char *service, const char *rest)
{
    char *file = file_of(world);
    char *text = xasprintf("service: %s\nstate: %s\n"
                           "app: {debug: \"%s\", container: nowhere}\nsource: cgroup\n"
                           "export: {directory: %s/out}\nbaseline: off\n"
                           "log: {level: error}\n%s",
        service, world->state, world->stub.url, world->state, rest);
    assert_int_equal(fs_write(file, text, strlen(text), NULL), 0);
    agent_reload_from(world->agent, file);
    free(text);
    free(file);
}

static struct reload_status status_of(const struct world *world)
{
    struct reload_status status;
    reload_status(world->agent->reload, &status);
    return status;
}

static uint64_t asked;

static bool is_answered(const struct world *world)
{
    struct reload_status status = status_of(world);
    return status.done + status.refused >= asked;
}

static void ask(const struct world *world)
{
    struct reload_status status = status_of(world);
    asked = status.done + status.refused + 1;
    reload_ask(world->agent->reload);
    wait_until(world, is_answered);
}

static const char usual[] = "limits: {analyse: reader}\n"
                            "captures: {spike: [{profile: cpu, seconds: 1}]}\n"
                            "triggers:\n  high: {metric: cpu, above: 80%}\n"
                            "  round: {recurs: {of: high}}\n";
static const char other[] = "limits: {analyse: reader, per_hour: 2}\ninterval: 2s\n"
                            "recorder: {slice: 1s, always: true}\n"
                            "captures: {spike: [goroutine], own: [heap]}\n"
                            "triggers:\n  low: {metric: cpu, below: 1%, capture: own}\n";

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *service, *rest, *why;
    } cases[] = {
        {"x", "interval: soon\nlimits: 3\n", "(and 1 more)"},
        {"x", "- a\n", "stakeout.yaml:"},
        {"y", "limits: {analyse: reader}\n", "service: is \"x\" now"},
        {"x", "limits: {analyse: reader}\nexport: {}\n", "stakeout.yaml:"},
    };
    struct world *world = *state;
    const struct config *config = world->agent->config;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    ask(world);
    assert_non_null(strstr(status_of(world).refusal, "test, which cannot change"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_config(world, cases[i].service, cases[i].rest);
        ask(world);
        assert_non_null(status_of(world).refusal);
        if (!strstr(status_of(world).refusal, cases[i].why))
            fail_msg("%s", status_of(world).refusal);
        assert_ptr_equal(world->agent->config, config);
    }
    assert_int_equal(status_of(world).done, 0);
    agent_reload_from(world->agent, "/nowhere/at-all");
    ask(world);
    assert_non_null(strstr(status_of(world).refusal, "/nowhere/at-all"));
    write_config(world, "x", usual);
    ask(world);
    assert_null(status_of(world).refusal);
    assert_int_equal(status_of(world).done, 1);
}

static void samples_stay_and_series_that_nobody_fills_go(void **state)
{
    struct world *world = *state;
    struct series_set *set = &world->agent->series;
    for (int i = 0; i < 100; i++) {
        series_push(series_set_add(set, "cpu"), 1000 + i, i);
        series_push(series_set_add(set, "db.received"), 1000 + i, i);
    }
    write_config(world, "x", other);
    ask(world);
    assert_null(status_of(world).refusal);
    assert_int_equal(world->agent->config->interval_ms, 2000);
    assert_null(series_set_find(set, "db.received"));
    const struct series *cpu = series_set_find(set, "cpu");
    assert_int_equal(cpu->count, 100);
    assert_int_equal(series_at(cpu, 99)->time_ms, 1000);
    assert_true(cpu->capacity == set->capacity);
}

static bool is_captured(const struct world *world)
{
    return incidents_idle(world->agent->incidents);
}

/* An incident that is being taken ends with what it began with, and is stored once; one that is
 * finished early for it has its follow-up still. */
static void a_capture_is_waited_for(void **state)
{
    struct world *world = *state;
    char *id, *rest = xasprintf("%sfollow_up: 1m\n", other);
    world->config->follow_up_ms = 60000;
    write_config(world, "x", rest);
    free(rest);
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_taken);
    id = xstrdup(incidents_running(world->agent->incidents, 0));
    reload_ask(world->agent->reload);
    wait_ms(world, 100);
    assert_string_equal(status_of(world).waits_for, id);
    assert_int_equal(status_of(world).done, 0);
    assert_int_equal(world->agent->config->interval_ms, 1000);
    reload_ask(world->agent->reload); /* heard when the first is over */
    asked = 2;
    atomic_store(&world->stub.hold, 0);
    incidents_finish(world->agent->incidents, clock_mono_ms() + 100);
    wait_until(world, is_answered);
    assert_int_equal(status_of(world).done, 2);
    assert_int_equal(world->agent->config->interval_ms, 2000);
    assert_true(is_captured(world) && incidents_opened(world->agent->incidents, id));
    assert_string_equal(follow_ups_planned(world->agent->follow_ups, 0, NULL), id);
    free(id);
}

static unsigned count_fds(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static unsigned fds; /* that are open as usual */

/* Two connections may be open that were not then, both ends of each being here; of each reload one
 * descriptor would be eight. */
static bool has_few_fds(const struct world *world)
{
    (void)world;
    return count_fds() <= fds + 4;
}

static void many_leave_nothing_behind(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 10; i++) {
        write_config(world, "x", i % 2 ? usual : other);
        ask(world);
        assert_null(status_of(world).refusal);
        if (i == 1)
            fds = count_fds();
    }
    wait_until(world, has_few_fds);
    assert_int_equal(status_of(world).done, 10);
}

static bool has_slice(const struct world *world)
{
    struct recorder_status status;
    recorder_status(world->agent->recorder, 0, &status);
    return status.slices > 0;
}

static atomic_bool disk_hangs;

static void hang(void *arg)
{
    (void)arg;
    while (atomic_load(&disk_hangs))
        usleep(1000);
}

static bool is_told_to_wait(const struct world *world)
{
    return status_of(world).waits_for_other != NULL;
}

/* The slices cannot be removed just now. */
static void what_else_is_waited_for_is_told(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    write_config(world, "x", usual);
    atomic_store(&world->stub.record_ms, 600);
    recorder_release(world->agent->recorder, 0);
    recorder_arm(world->agent->recorder, 0, 1, now_ms, now_ms + 600000);
    wait_until(world, has_slice);
    atomic_store(&disk_hangs, true);
    asked = 1;
    reload_ask(world->agent->reload); /* the file is read before that */
    offload_submit(world->agent->disk, hang, NULL, NULL);
    wait_until(world, is_told_to_wait);
    assert_non_null(strstr(status_of(world).waits_for_other, "recorder"));
    assert_int_equal(status_of(world).done, 0);
    atomic_store(&disk_hangs, false);
    wait_until(world, is_answered);
    assert_int_equal(status_of(world).done, 1);
    assert_null(status_of(world).waits_for_other);
}

static void a_stop_ends_what_waits(void **state)
{
    struct world *world = *state;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    write_config(world, "x", other);
    atomic_store(&world->stub.hold, 1);
    fire(world);
    wait_until(world, is_taken);
    reload_ask(world->agent->reload);
    wait_ms(world, 50);
    reload_stop(world->agent->reload);
    reload_ask(world->agent->reload);
    assert_null(status_of(world).waits_for);
    atomic_store(&world->stub.hold, 0);
    close_agent(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_wrong_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            samples_stay_and_series_that_nobody_fills_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_capture_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_leave_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_else_is_waited_for_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_what_waits, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
