#include "core/error.h"
#include "ecs_fixtures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ecs_stats load_stats(const char *name, const char *docker_id)
{
    struct buf buf;
    struct ecs_stats stats;
    load(name, &buf);
    assert_int_equal(ecs_stats_parse(&stats, &docker_id, 1, buf.data, buf.size, NULL), 0);
    buf_free(&buf);
    return stats;
}

static void task_has_identity_limits_and_created_containers(void **state)
{
    (void)state;
    struct ecs_task task;
    load_task("task.json", &task);
    assert_string_equal(task.arn, "arn:aws:ecs:us-east-1:123456789012:task/games/5f2c7a9d");
    assert_string_equal(task.family, "woogles");
    assert_string_equal(task.revision, "42");
    assert_true(task.cpu_limit_cores == 0.5);
    assert_true(task.memory_limit_bytes == 2048.0 * 1048576);
    assert_int_equal(task.container_count, 3); /* the pulled one has not been created */
    const struct ecs_container *api = &task.containers[1];
    assert_string_equal(api->name, "api");
    assert_true(api->memory_limit_bytes == 1024.0 * 1048576);
    assert_int_equal(api->restart_count, 3);
    assert_int_equal(api->exit_code, -1);
    assert_int_equal(api->started_wall_ms, 1795446001250);
    assert_true(api->ordinary);
    assert_false(task.containers[0].ordinary);
    assert_true(isnan(task.containers[2].memory_limit_bytes)); /* 0: none */
    assert_null(task.containers[2].image);
    ecs_task_free(&task);
}

static void odd_fields_of_a_task_are_unknown(void **state)
{
    (void)state;
    struct ecs_task task;
    load_task("task_unlimited.json", &task);
    assert_null(task.family);
    assert_true(isnan(task.cpu_limit_cores));
    assert_true(isnan(task.memory_limit_bytes));
    assert_int_equal(task.container_count, 1);
    assert_int_equal(task.containers[0].exit_code, 137);
    assert_int_equal(task.containers[0].restart_count, -1);
    assert_int_equal(task.containers[0].started_wall_ms, 0);
    assert_true(task.containers[0].stopped);
    ecs_task_free(&task);
}

static void what_is_no_object_is_no_task(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "", "null", "[]", "\"no\"", "{", "{\"a\":1}}", "\xff", "{\"a\":1e999}"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct ecs_task task;
        struct error err = {{0}};
        assert_int_equal(ecs_task_parse(&task, answers[i], strlen(answers[i]), &err), -1);
        assert_true(strlen(err.text) > 0);
        ecs_task_free(&task);
    }
}

static void stats_of_cgroup_v1_shape(void **state)
{
    (void)state;
    struct ecs_stats stats = load_stats("stats_v1.json", "5f2c7a9d-2");
    assert_true(stats.found);
    assert_int_equal(stats.read_ns, 1795446241123456789);
    assert_true(stats.has_cpu);
    assert_int_equal(stats.cpu_ns, 81234567890);
    assert_true(stats.has_throttling);
    assert_int_equal(stats.periods, 400);
    assert_int_equal(stats.throttled, 100);
    assert_true(stats.working_set_bytes == 536870912 - 104857600);
    assert_true(stats.rss_bytes == 402653184);
    assert_true(stats.memory_limit_bytes == 4026531840);
    assert_true(stats.online_cpus == 2);
    assert_int_equal(stats.received_bytes, 1020);
    assert_int_equal(stats.sent_bytes, 330);
}

static void stats_of_cgroup_v2_shape(void **state)
{
    (void)state;
    struct ecs_stats stats = load_stats("stats_v2.json", "c");
    assert_int_equal(stats.read_ns, 1795446242 * SECOND);
    assert_true(stats.working_set_bytes == 750);
    assert_true(stats.rss_bytes == 600);
    assert_true(isnan(stats.memory_limit_bytes)); /* 2^64 - 1 */
    assert_false(stats.has_net);
}

static void containers_without_a_sample_are_not_found(void **state)
{
    (void)state;
    static const char *const ids[] = {"5f2c7a9d-1", "5f2c7a9d-3", "missing", NULL};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_false(load_stats("stats_v1.json", ids[i]).found);
    static const char *const odd[] = {"no_read", "zero_read", "bad_read", "number"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(load_stats("stats_odd.json", odd[i]).found);
}

static void only_whole_answers_have_samples(void **state)
{
    (void)state;
#define SAMPLE "{\"read\": \"2026-11-23T15:04:01Z\"}"
    static const struct {
        const char *json;
        int status;
        bool found;
    } cases[] = {
        {"{}", 0, false},
        {" { } \n", 0, false},
        {"null", 0, false},
        {"[]", 0, false},
        {"7", 0, false},
        {"{\"c\":" SAMPLE "}", 0, true},
        {" { \"b\" : [1, {\"c\": 2}, \"}]\\\"\"] , \"c\" :\n" SAMPLE " } ", 0, true},
        {"{\"c\": null, \"d\": " SAMPLE "}", 0, false},
        {"", -1, false},
        {"<html>", -1, false},
        {"{\"c\":" SAMPLE, -1, false},
        {"{\"c\":" SAMPLE "} more", -1, false},
        {"{\"c\":" SAMPLE "}}", -1, false},
        {"{\"c\"", -1, false},
        {"{\"c\":", -1, false},
        {"{\"c\": {\"read\": oops}}", -1, false},
        {"{\"c\":}", -1, false},
        {"{\"c", -1, false},
        {"{\"c\\", -1, false},
        {"{\"b\": \"c", -1, false},
    };
#undef SAMPLE
    static const char *const ids[] = {"c"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ecs_stats stats;
        struct error err;
        size_t length = strlen(cases[i].json);
        char *exact = malloc(length ? length : 1); /* no NUL: reading on shows under ASan */
        memcpy(exact, cases[i].json, length);
        assert_int_equal(ecs_stats_parse(&stats, ids, 1, exact, length, &err), cases[i].status);
        if (cases[i].status == 0)
            assert_int_equal(stats.found, cases[i].found);
        free(exact);
    }
}

static void odd_fields_of_stats_are_unknown(void **state)
{
    (void)state;
    static const char *const ids[] = {"strings", "negative", "lists", "enormous"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct ecs_stats stats = load_stats("stats_odd.json", ids[i]);
        assert_true(stats.found);
        assert_false(stats.has_cpu);
        assert_false(stats.has_throttling);
        assert_false(stats.has_net);
        assert_true(isnan(stats.memory_limit_bytes));
        assert_true(isnan(stats.rss_bytes));
        assert_true(isnan(stats.online_cpus));
        assert_true(isnan(stats.working_set_bytes) || stats.working_set_bytes == 0);
    }
}

static void error_answers_are_cleaned(void **state)
{
    (void)state;
    char text[16];
    ecs_problem_parse(text, sizeof text, "\"a\\nb\\u0007c\"", 13);
    assert_string_equal(text, "abc");
    ecs_problem_parse(text, sizeof text, "<html>", 6);
    assert_string_equal(text, "");
    ecs_problem_parse(text, sizeof text, "\"0123456789012345678\"", 21);
    assert_string_equal(text, "012345678901234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_has_identity_limits_and_created_containers),
        cmocka_unit_test(odd_fields_of_a_task_are_unknown),
        cmocka_unit_test(what_is_no_object_is_no_task),
        cmocka_unit_test(stats_of_cgroup_v1_shape),
        cmocka_unit_test(stats_of_cgroup_v2_shape),
        cmocka_unit_test(containers_without_a_sample_are_not_found),
        cmocka_unit_test(only_whole_answers_have_samples),
        cmocka_unit_test(odd_fields_of_stats_are_unknown),
        cmocka_unit_test(error_answers_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
