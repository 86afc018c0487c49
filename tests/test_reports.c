#include "agent/incidents/reports.h"

#include "agent/self/worker.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char first[] = "20261123T150401Z-cpu-high-000001";
static const char second[] = "20261123T150402Z-cpu-high-000002";
static const int64_t patience_ms = 60000;

struct world {
    char path[64];
    struct config config;
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct worker *worker;
    struct reports *reports;
    char done[4][64]; /* ids, in order */
    size_t done_count, wanted;
    int64_t wait_ms;
    bool all;
    int short_of_memory; /* so many looks more; -1: for ever */
};

static char *in_world(const struct world *world, const char *name)
{
    return xasprintf("%s/%s", world->path, name);
}

static void on_done(void *arg, const char *id)
{
    struct world *world = arg;
    assert_false(reports_has(world->reports, id));
    snprintf(world->done[world->done_count++], sizeof world->done[0], "%s", id);
    world->all = world->done_count == world->wanted;
}

static bool on_memory(void *arg, char why[REPORTS_WHY_SIZE])
{
    struct world *world = arg;
    if (world->short_of_memory == 0)
        return false;
    world->short_of_memory -= world->short_of_memory > 0;
    snprintf(why, REPORTS_WHY_SIZE, "memory is short");
    return true;
}

/* Stands in for stakeout itself: $1 is "report", $4 the incident's folder. */
static char *write_program(const struct world *world, const char *script)
{
    char *path = in_world(world, "program");
    char *text = xasprintf(
        "#!/bin/sh\n[ \"$1 $2\" = 'report --baselines' ] || exit 3\n%s\n", script);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    assert_int_equal(chmod(path, 0755), 0);
    free(text);
    return path;
}

static void open_world(struct world *world, const char *script)
{
    struct error err;
    char *program = write_program(world, script);
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->spool = spool_open(&world->config, world->disk, &err);
    world->worker = worker_open(&(struct worker_setup){world->loop, program});
    struct reports_setup setup = {.loop = world->loop,
        .disk = world->disk,
        .short_of_memory = on_memory,
        .spool = world->spool,
        .worker = world->worker,
        .config = &world->config,
        .done = on_done,
        .arg = world};
    world->reports = reports_open(&setup);
    free(program);
}

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    snprintf(world->path, sizeof world->path, "/tmp/stakeout-reports-XXXXXX");
    assert_non_null(mkdtemp(world->path));
    world->config.state = in_world(world, "state");
    log_setup(LOG_ERROR, LOG_LOGFMT);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    worker_close(world->worker);
    reports_close(world->reports);
    offload_close(world->disk);
    spool_close(world->spool);
    loop_close(world->loop);
    fs_remove(world->path, NULL);
    free(world->config.state);
    free(world);
    return 0;
}

static void add(struct world *world, const char *id)
{
    char *folder = xasprintf("%s/spool/%s", world->config.state, id);
    assert_int_equal(fs_make_folders(folder, NULL), 0);
    reports_add(
        world->reports, id, clock_mono_ms() + (world->wait_ms ? world->wait_ms : REPORTS_WAIT_MS));
    assert_true(reports_has(world->reports, id));
    world->wanted++;
    free(folder);
}

static void wait_for_all(struct world *world)
{
    world->all = false;
    assert_true(loop_run_until(world->loop, &world->all, clock_mono_ms() + patience_ms));
    assert_int_equal(reports_waiting(world->reports), 0);
}

static bool has_report(const struct world *world, const char *id)
{
    char *report = xasprintf("%s/spool/%s/report.html", world->config.state, id);
    bool there = fs_exists(report);
    free(report);
    return there;
}

static void test_each_gets_its_report_in_its_turn(void **state)
{
    struct world *world = *state;
    open_world(world, "[ \"$3\" = \"${4%/spool/*}/baselines\" ] && echo x > \"$4/report.html\"");
    add(world, first);
    add(world, second);
    assert_int_equal(reports_waiting(world->reports), 2);
    wait_for_all(world);
    assert_string_equal(world->done[0], first);
    assert_string_equal(world->done[1], second);
    assert_true(has_report(world, first) && has_report(world, second));
}

static void test_a_child_that_fails_holds_back_nothing(void **state)
{
    struct world *world = *state;
    open_world(world, "case $4 in *1) kill -SEGV $$;; *) exit 1;; esac");
    add(world, first);
    add(world, second);
    wait_for_all(world);
    assert_string_equal(world->done[1], second);
    assert_false(has_report(world, first));
}

static void hurry(void *arg)
{
    reports_hurry(((struct world *)arg)->reports, clock_mono_ms());
}

static void test_at_the_end_nobody_waits_for_one_that_hangs(void **state)
{
    struct world *world = *state;
    open_world(world, "exec sleep 1000");
    add(world, first);
    add(world, second);
    struct loop_timer *timer = loop_timer_new(world->loop, hurry, world);
    loop_timer_set(timer, clock_mono_ms() + 20);
    wait_for_all(world);
    assert_string_equal(world->done[0], first);
    assert_string_equal(world->done[1], second);
    loop_timer_free(timer);
}

/* The deadline runs from when an incident is complete, not from when its turn comes. */
static void test_the_second_does_not_wait_for_the_first_and_then_for_itself(void **state)
{
    struct world *world = *state;
    world->wait_ms = 1000;
    /* Half of the deadline is more than what is between the two, and less than one of its own. */
    open_world(
        world, "case $4 in *2) sleep 0.5; echo x > \"$4/report.html\";; *) exec sleep 1000;; esac");
    add(world, first);
    add(world, second);
    wait_for_all(world);
    assert_string_equal(world->done[1], second);
    assert_false(has_report(world, second));
}

static void test_after_the_end_none_is_begun(void **state)
{
    struct world *world = *state;
    open_world(world, "echo x > \"$4/report.html\"");
    reports_hurry(world->reports, clock_mono_ms() - 1);
    add(world, first);
    assert_int_equal(world->done_count, 0); /* not from within */
    wait_for_all(world);
    assert_false(has_report(world, first));
}

static void write_incident(const struct world *world, const char *id, const char *headline)
{
    struct incident *incident = incident_new();
    char *path = xasprintf("%s/spool/%s/incident.json", world->config.state, id);
    incident->id = xstrdup(id);
    incident->service = xstrdup("service");
    incident->kind = xstrdup("spike");
    incident->fired_ms = INT64_C(1795446241000);
    incident->analysis.headline = headline ? xstrdup(headline) : NULL;
    assert_int_equal(incident_save(incident, path, NULL), 0);
    free(path);
    incident_free(incident);
}

/* A child that is killed between its two renames leaves the page, and incident.json as it was. */
static void test_what_was_killed_between_its_two_files_is_done_again(void **state)
{
    struct world *world = *state;
    open_world(world, "echo x > \"$4/report.html\"");
    add(world, first);
    wait_for_all(world);
    assert_true(has_report(world, first));
    assert_false(reports_lacks(world->reports, first)); /* there is no incident.json */
    write_incident(world, first, NULL);
    assert_true(reports_lacks(world->reports, first));
    write_incident(world, first, "CPU rose");
    assert_false(reports_lacks(world->reports, first));
}

static struct incident *read_incident(const struct world *world, const char *id)
{
    char *path = xasprintf("%s/spool/%s/incident.json", world->config.state, id);
    struct incident *incident = incident_read(path, NULL);
    assert_non_null(incident);
    free(path);
    return incident;
}

static void test_while_memory_is_short_it_waits(void **state)
{
    struct world *world = *state;
    world->short_of_memory = 1;
    open_world(world, "echo x > \"$4/report.html\"");
    add(world, first);
    wait_for_all(world);
    assert_true(has_report(world, first));
    assert_int_equal(world->short_of_memory, 0);
}

/* It is left to the reader, and says so; what has no incident.json holds nothing back either. */
static void test_what_memory_is_short_for_until_its_deadline_is_skipped(void **state)
{
    struct world *world = *state;
    world->wait_ms = 50;
    world->short_of_memory = -1;
    open_world(world, "echo x > \"$4/report.html\"");
    add(world, first);
    write_incident(world, first, NULL);
    add(world, second);
    wait_for_all(world);
    assert_false(has_report(world, first) || has_report(world, second));
    struct incident *incident = read_incident(world, first);
    assert_string_equal(incident->analysis.skipped, "memory is short");
    assert_true(reports_lacks(world->reports, first));
    incident_free(incident);
}

static void test_at_the_end_nobody_waits_for_memory(void **state)
{
    struct world *world = *state;
    world->short_of_memory = -1;
    open_world(world, "echo x > \"$4/report.html\"");
    add(world, first);
    write_incident(world, first, NULL);
    struct loop_timer *timer = loop_timer_new(world->loop, hurry, world);
    loop_timer_set(timer, clock_mono_ms() + 20);
    wait_for_all(world);
    struct incident *incident = read_incident(world, first);
    assert_string_equal(incident->analysis.skipped, "memory is short");
    incident_free(incident);
    loop_timer_free(timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_gets_its_report_in_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_child_that_fails_holds_back_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_at_the_end_nobody_waits_for_one_that_hangs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_second_does_not_wait_for_the_first_and_then_for_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_the_end_none_is_begun, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_was_killed_between_its_two_files_is_done_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_while_memory_is_short_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_memory_is_short_for_until_its_deadline_is_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_at_the_end_nobody_waits_for_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
