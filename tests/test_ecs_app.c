#include "core/error.h"
#include "ecs_fixtures.h"
#include "sources/ecs/ecs_app.h"
#include "sources/source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void container_is_chosen_by_name_or_as_the_only_one(void **state)
{
    (void)state;
    static const struct {
        const char *container, *own_id, *chosen, *problem;
    } cases[] = {
        {"api", NULL, "5f2c7a9d-2", NULL},
        {"stakeout", NULL, "5f2c7a9d-3", NULL},
        {NULL, "5f2c7a9d-3", "5f2c7a9d-2", NULL},
        {NULL, "other", NULL, "set app.container to the container to watch, one of: api, stakeout"},
        {"web", NULL, NULL, "the task has no container web (app.container); it has: api, stakeout"},
        {"migrate", NULL, NULL,
            "the task has no container migrate (app.container); it has: api, stakeout"},
    };
    struct ecs_task task;
    load_task("task.json", &task);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        const struct ecs_container *chosen = ecs_app_choose(
            &task, cases[i].container, cases[i].own_id, &err);
        if (cases[i].chosen)
            assert_string_equal(chosen->docker_id, cases[i].chosen);
        else
            assert_null(chosen);
        if (!chosen)
            assert_string_equal(err.text, cases[i].problem);
    }
    ecs_task_free(&task);
}

static void running_container_wins_over_a_stopped_one_of_its_name(void **state)
{
    (void)state;
    static const char json[] =
        "{\"Containers\": ["
        "{\"DockerId\": \"old\", \"Name\": \"a\", \"KnownStatus\": \"STOPPED\", \"StartedAt\": "
        "\"2026-01-02T00:00:00Z\"},"
        "{\"DockerId\": \"new\", \"Name\": \"a\", \"KnownStatus\": \"RUNNING\", \"StartedAt\": "
        "\"2026-01-01T00:00:00Z\"},"
        "{\"DockerId\": \"older\", \"Name\": \"a\", \"KnownStatus\": \"RUNNING\"}]}";
    struct ecs_task task;
    assert_int_equal(ecs_task_parse(&task, json, strlen(json), NULL), 0);
    assert_string_equal(ecs_app_choose(&task, "a", NULL, NULL)->docker_id, "new");
    ecs_task_free(&task);
}

/* An app on a container without limits of its own, in a task of half a core and 1,000 bytes. */
struct fixture {
    struct ecs_task task;
    struct ecs_container container;
    struct ecs_app app;
    struct ecs_stats stats;
    struct ecs_machine machine;
    struct measures measures;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    static char first_id[] = "first";
    f->task.cpu_limit_cores = 0.5;
    f->task.memory_limit_bytes = 1000;
    f->container = (struct ecs_container){.docker_id = first_id,
        .memory_limit_bytes = NAN,
        .restart_count = -1,
        .exit_code = -1,
        .started_wall_ms = 5};
    f->machine = (struct ecs_machine){.cpus = 2, .memory_bytes = 8000};
    f->stats = (struct ecs_stats){.found = true,
        .read_ns = 1000 * SECOND,
        .has_cpu = true,
        .working_set_bytes = 100,
        .rss_bytes = 80,
        .memory_limit_bytes = 4000,
        .online_cpus = 2};
    ecs_app_update(&f->app, &f->task, &f->container);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ecs_app_free(&f->app);
    free(f);
    return 0;
}

/* The next sample, `ms` after the last. Whether it was taken as new. */
static bool next(struct fixture *f, int64_t ms)
{
    f->stats.read_ns += ms * 1000000;
    return ecs_app_measure(&f->app, &f->stats, &f->machine, &f->measures);
}

static double value(const struct fixture *f, enum measured which)
{
    return f->measures.value[which];
}

static void rates_are_over_the_time_between_reads(void **state)
{
    struct fixture *f = *state;
    assert_true(next(f, 0));
    assert_true(isnan(value(f, MEASURED_CPU)));
    assert_true(value(f, MEASURED_MEMORY) == 10);
    f->stats.cpu_ns += SECOND / 2;
    assert_true(next(f, 2000));
    assert_true(value(f, MEASURED_CPU_CORES) == 0.25);
    assert_true(value(f, MEASURED_CPU) == 50);
    assert_true(isnan(value(f, MEASURED_CPU_THROTTLED))); /* no quota, no periods */
}

static void limits_fall_back_from_container_to_task_to_machine(void **state)
{
    struct fixture *f = *state;
    f->container.memory_limit_bytes = 200;
    ecs_app_update(&f->app, &f->task, &f->container);
    next(f, 1000);
    assert_true(value(f, MEASURED_MEMORY) == 50);
    f->container.memory_limit_bytes = f->task.memory_limit_bytes = f->task.cpu_limit_cores = NAN;
    ecs_app_update(&f->app, &f->task, &f->container);
    f->stats.cpu_ns += SECOND;
    next(f, 1000);
    assert_true(value(f, MEASURED_CPU) == 50);
    assert_true(value(f, MEASURED_MEMORY) == 2.5); /* the host's, as the sample says it */
    f->stats.memory_limit_bytes = f->stats.online_cpus = NAN;
    f->stats.cpu_ns += SECOND;
    next(f, 1000);
    assert_true(value(f, MEASURED_CPU) == 50);
    assert_true(value(f, MEASURED_MEMORY) == 1.25);
}

static void same_or_earlier_read_is_no_new_sample(void **state)
{
    struct fixture *f = *state;
    assert_true(next(f, 0));
    f->stats.cpu_ns += SECOND;
    assert_false(next(f, 0));
    assert_false(next(f, -1000));
    f->stats.cpu_ns -= SECOND / 2;
    assert_true(next(f, 2000)); /* 1 s after the one that was taken */
    assert_true(value(f, MEASURED_CPU_CORES) == 0.5);
}

static void clock_set_back_starts_over(void **state)
{
    struct fixture *f = *state;
    next(f, 0);
    f->stats.cpu_ns += SECOND;
    assert_true(next(f, -100000));
    assert_true(isnan(value(f, MEASURED_CPU)));
    f->stats.cpu_ns += SECOND;
    assert_true(next(f, 1000));
    assert_true(value(f, MEASURED_CPU_CORES) == 1);
}

static void counters_that_go_back_or_jump_are_gaps(void **state)
{
    struct fixture *f = *state;
    f->stats.cpu_ns = 5 * SECOND;
    next(f, 0);
    f->stats.cpu_ns = 0;
    assert_true(next(f, 1000));
    assert_true(isnan(value(f, MEASURED_CPU)));
    f->stats.cpu_ns = 100 * SECOND; /* 100 cores on a machine of 2 */
    assert_true(next(f, 1000));
    assert_true(isnan(value(f, MEASURED_CPU)));
    f->stats.cpu_ns += SECOND;
    next(f, 1000);
    assert_true(value(f, MEASURED_CPU_CORES) == 1);
}

static void missing_fields_are_gaps(void **state)
{
    struct fixture *f = *state;
    next(f, 0);
    f->stats.has_cpu = false;
    f->stats.working_set_bytes = f->stats.rss_bytes = NAN;
    assert_true(next(f, 1000));
    for (int i = 0; i < MEASURED_OOM_KILLS; i++)
        assert_true(isnan(f->measures.value[i]));
}

static void throttling_is_the_share_of_new_periods(void **state)
{
    struct fixture *f = *state;
    f->stats.has_throttling = true;
    f->stats.periods = 100;
    next(f, 0);
    f->stats.periods = 110;
    f->stats.throttled = 3;
    next(f, 1000);
    assert_true(value(f, MEASURED_CPU_THROTTLED) == 30);
    next(f, 1000);
    assert_true(value(f, MEASURED_CPU_THROTTLED) == 0);
}

static void network_rates_are_over_the_refresh_of_the_counters(void **state)
{
    struct fixture *f = *state;
    f->stats.has_net = true;
    f->stats.received_bytes = 1000;
    next(f, 0);
    assert_true(isnan(value(f, MEASURED_NET_RECEIVED)));
    f->stats.received_bytes += 70; /* at an unknown part of a refresh */
    next(f, 4000);
    assert_true(isnan(value(f, MEASURED_NET_RECEIVED)));
    for (int second = 0; second < 9; second++) {
        next(f, 1000);
        assert_true(isnan(value(f, MEASURED_NET_RECEIVED)));
    }
    f->stats.received_bytes += 500;
    f->stats.sent_bytes += 20;
    next(f, 1000);
    assert_true(value(f, MEASURED_NET_RECEIVED) == 50);
    assert_true(value(f, MEASURED_NET_SENT) == 2);
    next(f, 15000); /* no change in a refresh and a half */
    assert_true(value(f, MEASURED_NET_RECEIVED) == 0);
    f->stats.received_bytes -= 1;
    next(f, 1000);
    assert_true(isnan(value(f, MEASURED_NET_RECEIVED)));
}

static void network_that_is_read_live_has_a_rate_every_second(void **state)
{
    struct fixture *f = *state;
    f->stats.has_net = true;
    for (int second = 0; second < 5; second++) {
        f->stats.sent_bytes += 100;
        next(f, 1000);
        if (second >= 2)
            assert_true(value(f, MEASURED_NET_SENT) == 100);
        else
            assert_true(isnan(value(f, MEASURED_NET_SENT)));
    }
    next(f, 1000);
    assert_true(isnan(value(f, MEASURED_NET_SENT)));
    next(f, 1000);
    assert_true(value(f, MEASURED_NET_SENT) == 0);
}

static void network_idle_from_the_start_is_zero_after_a_while(void **state)
{
    struct fixture *f = *state;
    f->stats.has_net = true;
    next(f, 0);
    next(f, 14000);
    assert_true(isnan(value(f, MEASURED_NET_SENT)));
    next(f, 1000);
    assert_true(value(f, MEASURED_NET_SENT) == 0);
    f->stats.sent_bytes = 1000000; /* of how long is not known */
    next(f, 1000);
    assert_true(isnan(value(f, MEASURED_NET_SENT)));
}

static void replaced_container_is_a_restart_and_a_gap(void **state)
{
    struct fixture *f = *state;
    static char second_id[] = "second";
    next(f, 0);
    f->container.docker_id = second_id;
    f->container.started_wall_ms = 6;
    ecs_app_update(&f->app, &f->task, &f->container);
    f->stats.cpu_ns = 5 * SECOND;
    assert_true(next(f, 1000));
    assert_true(isnan(value(f, MEASURED_CPU)));
    assert_true(value(f, MEASURED_RESTARTS) == 1);
    assert_true(value(f, MEASURED_OOM_KILLS) == 0);
}

static void restart_policy_counts_itself(void **state)
{
    struct fixture *f = *state;
    f->container.restart_count = 2;
    ecs_app_update(&f->app, &f->task, &f->container);
    f->container.started_wall_ms = 6;
    f->container.restart_count = 4;
    ecs_app_update(&f->app, &f->task, &f->container);
    next(f, 0);
    assert_true(value(f, MEASURED_RESTARTS) == 4);
    ecs_app_update(&f->app, &f->task, &f->container);
    next(f, 1000);
    assert_true(value(f, MEASURED_RESTARTS) == 4);
}

static void started_anew_without_a_policy_is_a_restart(void **state)
{
    struct fixture *f = *state;
    f->container.started_wall_ms = 6;
    ecs_app_update(&f->app, &f->task, &f->container);
    next(f, 0);
    assert_true(value(f, MEASURED_RESTARTS) == 1);
}

static void exit_137_is_one_kill_unless_it_was_being_stopped(void **state)
{
    struct fixture *f = *state;
    f->container.exit_code = 137;
    f->container.stopped = true;
    for (int i = 0; i < 3; i++)
        ecs_app_update(&f->app, &f->task, &f->container);
    assert_int_equal(f->app.oom_kills, 1);
    f->container.restart_count = 1; /* killed, restarted, killed */
    ecs_app_update(&f->app, &f->task, &f->container);
    assert_int_equal(f->app.oom_kills, 2);
    f->container.exit_code = -1;
    f->container.stopped = true; /* told to stop */
    ecs_app_update(&f->app, &f->task, &f->container);
    f->container.exit_code = 137;
    ecs_app_update(&f->app, &f->task, &f->container);
    assert_int_equal(f->app.oom_kills, 2);
}

static void life(const struct fixture *f, bool missing, bool gone, uint64_t starts, int exit_code)
{
    struct source_life life;
    ecs_app_life(&f->app, missing, &life);
    assert_true(life.known);
    assert_int_equal(life.gone, gone);
    assert_int_equal(life.starts, starts);
    assert_int_equal(life.exit_code, exit_code);
}

static void its_life_is_told(void **state)
{
    struct fixture *f = *state;
    struct source_life nothing;
    ecs_app_life(&(struct ecs_app){0}, true, &nothing);
    assert_false(nothing.known);
    life(f, false, false, 1, -1);
    life(f, true, true, 1, -1);  /* the task lists it no more */
    f->container.stopped = true; /* told to stop */
    ecs_app_update(&f->app, &f->task, &f->container);
    life(f, false, false, 1, -1);
    f->container.ended = true;
    f->container.exit_code = 1;
    ecs_app_update(&f->app, &f->task, &f->container);
    life(f, false, true, 1, 1);
    f->container.stopped = f->container.ended = false; /* a restart policy; its last status stays */
    f->container.restart_count = 1;
    ecs_app_update(&f->app, &f->task, &f->container);
    life(f, false, false, 2, 1);
}

static void a_replaced_container_leaves_its_exit_status(void **state)
{
    struct fixture *f = *state;
    static char second_id[] = "second";
    struct ecs_container old = f->container;
    old.exit_code = 137;
    old.stopped = old.ended = true;
    f->task.containers[f->task.container_count++] = old;
    f->container.docker_id = second_id;
    f->container.started_wall_ms = 6;
    ecs_app_update(&f->app, &f->task, &f->container);
    f->task.container_count--;
    life(f, false, false, 2, 137);
    assert_int_equal(f->app.oom_kills, 1);
    ecs_app_update(&f->app, &f->task, &f->container);
    life(f, false, false, 2, 137);
    assert_int_equal(f->app.oom_kills, 1);
}

#define WITH_APP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_is_chosen_by_name_or_as_the_only_one),
        cmocka_unit_test(running_container_wins_over_a_stopped_one_of_its_name),
        WITH_APP(rates_are_over_the_time_between_reads),
        WITH_APP(limits_fall_back_from_container_to_task_to_machine),
        WITH_APP(same_or_earlier_read_is_no_new_sample),
        WITH_APP(clock_set_back_starts_over),
        WITH_APP(counters_that_go_back_or_jump_are_gaps),
        WITH_APP(missing_fields_are_gaps),
        WITH_APP(throttling_is_the_share_of_new_periods),
        WITH_APP(network_rates_are_over_the_refresh_of_the_counters),
        WITH_APP(network_that_is_read_live_has_a_rate_every_second),
        WITH_APP(network_idle_from_the_start_is_zero_after_a_while),
        WITH_APP(replaced_container_is_a_restart_and_a_gap),
        WITH_APP(restart_policy_counts_itself),
        WITH_APP(started_anew_without_a_policy_is_a_restart),
        WITH_APP(exit_137_is_one_kill_unless_it_was_being_stopped),
        WITH_APP(its_life_is_told),
        WITH_APP(a_replaced_container_leaves_its_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
