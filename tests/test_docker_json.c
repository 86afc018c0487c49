/* The Docker Engine's answers and events, by table. */
#include "core/buf.h"
#include "core/error.h"
#include "sources/docker/docker_events.h"
#include "sources/docker/docker_json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : fabs(a - b) < 1e-9;
}

static void container_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *host, *state;
        double cores, memory;
        bool own_network, ended;
        int exit_code;
        enum ecs_oom oom;
    } cases[] = {
        {"\"NanoCpus\":500000000,\"Memory\":1048576", "\"Running\":true,\"ExitCode\":0", 0.5,
            1048576, true, false, -1, ECS_OOM_NO},
        {"\"CpuQuota\":150000,\"CpuPeriod\":100000,\"Memory\":0", "\"Running\":true", 1.5, NAN,
            true, false, -1, ECS_OOM_NO},
        {"\"CpuQuota\":50000,\"NanoCpus\":0", "\"Running\":true", 0.5, NAN, true, false, -1,
            ECS_OOM_NO},
        {"\"CpuQuota\":-1,\"NetworkMode\":\"bridge\"", "\"Running\":true", NAN, NAN, true, false,
            -1, ECS_OOM_NO},
        {"\"NetworkMode\":\"host\"", "\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137", NAN,
            NAN, false, true, 137, ECS_OOM_YES},
        {"\"NetworkMode\":\"container:1a2b\"", "\"ExitCode\":\"odd\"", NAN, NAN, false, true, -1,
            ECS_OOM_NO},
        {"\"NetworkMode\":\"none\",\"Memory\":18446744073709551615", "\"Running\":true", NAN, NAN,
            false, false, -1, ECS_OOM_NO},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ecs_task task;
        struct buf json;
        bool own_network;
        buf_init(&json, 1000);
        buf_printf(&json,
            "{\"Id\":\"1a2b\",\"Name\":\"/"
            "api\",\"RestartCount\":3,\"Config\":{\"Image\":\"app:1\"},"
            "\"HostConfig\":{%s},\"State\":{%s,\"StartedAt\":\"2026-01-02T00:00:00.5Z\"}}",
            cases[i].host, cases[i].state);
        assert_int_equal(
            docker_container_parse(&task, &own_network, json.data, json.size, true, NULL), 0);
        const struct ecs_container *container = &task.containers[0];
        assert_string_equal(container->docker_id, "1a2b");
        assert_string_equal(container->name, "api");
        assert_string_equal(container->image, "app:1");
        assert_int_equal(container->restart_count, 3);
        assert_true(container->started_wall_ms == 1767312000500);
        assert_true(same(task.cpu_limit_cores, cases[i].cores));
        assert_true(same(container->memory_limit_bytes, cases[i].memory));
        assert_int_equal(own_network, cases[i].own_network);
        assert_int_equal(container->ended, cases[i].ended);
        assert_int_equal(container->exit_code, cases[i].exit_code);
        assert_int_equal(container->oom_killed, cases[i].oom);
        ecs_task_free(&task);
        buf_free(&json);
    }
}

static void what_is_no_container_is_an_error(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "[]", "{}", "null", "{\"Id\":\"\"}", "{\"Id\":5}", "{"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ecs_task task;
        struct error err = {{0}};
        bool own_network;
        assert_int_equal(
            docker_container_parse(&task, &own_network, cases[i], strlen(cases[i]), true, &err),
            -1);
        assert_true(err.text[0]);
        ecs_task_free(&task);
    }
}

static void names_are_listed(void **state)
{
    (void)state;
    static const struct {
        const char *json, *names;
    } cases[] = {
        {"[{\"Names\":[\"/api\",\"/other/alias\"]},{\"Names\":[\"web\"]}]", "api, web"},
        {"[{\"Names\":[]},{},{\"Names\":\"x\"},5,{\"Names\":[\"/a\\u001b[31m\"]}]", "a[31m"},
        {"{}", ""},
        {"junk", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf names;
        buf_init(&names, 100);
        docker_names_parse(&names, cases[i].json, strlen(cases[i].json));
        assert_string_equal(names.data, cases[i].names);
        buf_free(&names);
    }
}

static void names_in_requests_are_dockers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {{"api", true}, {"my_app.web-1", true}, {"1a2b", true}, {"", false},
        {"-api", false}, {"../x", false}, {"a/b", false}, {"a b", false}, {"a?b", false},
        {"a\"b", false}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(docker_name_is_valid(cases[i].name), cases[i].valid);
}

#define EVENT(action) "{\"Action\":\"" action "\",\"Actor\":{\"Attributes\":{}}}\n"
#define END(code)     "{\"Action\":\"die\",\"Actor\":{\"Attributes\":{\"exitCode\":\"" code "\"}}}\n"

#define AT(ms)         "\"timeNano\":17956971" ms "000000"
#define KILL(ms, with) "{\"Action\":\"kill\"," AT(ms) ",\"Actor\":{\"Attributes\":{" with "}}}\n"
#define KILLED(ms)                                                                                 \
    "{\"Action\":\"die\"," AT(ms) ",\"Actor\":{\"Attributes\":{\"exitCode\":\"137\"}}}\n"

static void events_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool kills_said, changed;
        uint64_t starts, ends, kills;
        int exit_code;
    } cases[] = {
        {EVENT("oom") END("137") EVENT("start"), true, true, 1, 1, 1, 137},
        {EVENT("kill") END("137") EVENT("stop"), true, true, 0, 1, 0, 137},
        {END("137"), true, true, 0, 1, 0, 137},
        {END("137"), false, true, 0, 1, 1, 137}, /* Podman's */
        {EVENT("kill") END("137"), false, true, 0, 1, 0, 137},
        {EVENT("kill") END("137") EVENT("start") END("137"), false, true, 1, 2, 1, 137},
        {EVENT("restart") END("137") EVENT("start"), false, true, 1, 1, 0, 137},
        /* A signal that did not end it, which Podman does not tell from one that does. */
        {KILL("95000", "") KILLED("95018"), false, true, 0, 1, 0, 137},
        {KILL("95000", "") KILLED("99900"), false, true, 0, 1, 1, 137},
        {KILL("95000", "") KILL("97000", "") KILLED("97018"), false, true, 0, 1, 0, 137},
        {KILL("95000", "\"signal\":\"1\"") KILLED("95018"), false, true, 0, 1, 1, 137},
        {KILL("95000", "\"signal\":\"9\"") KILLED("95018"), false, true, 0, 1, 0, 137},
        {KILL("95000", "\"signal\":\"15\"") KILLED("95018"), false, true, 0, 1, 0, 137},
        {KILL("95000", "") END("0") EVENT("start") KILLED("95018"), false, true, 1, 2, 1, 137},
        {END("odd"), true, true, 0, 1, 0, -1},
        {EVENT("exec_create") EVENT("top"), true, false, 0, 0, 0, 0},
        {"junk\n\n{}\n[]\nnull\n", true, false, 0, 0, 0, 0},
        {"{\"Action\":\"oom\"}", true, false, 0, 0, 0, 0}, /* not whole yet */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t piece = 1; piece < 40; piece += 13) {
            struct docker_events events = {.kills_said = cases[i].kills_said};
            size_t length = strlen(cases[i].text);
            bool changed = false;
            for (size_t at = 0; at < length; at += piece)
                changed = docker_events_take(&events, cases[i].text + at,
                              at + piece < length ? piece : length - at) ||
                          changed;
            assert_int_equal(changed, cases[i].changed);
            assert_true(events.starts == cases[i].starts && events.ends == cases[i].ends);
            if (events.oom_kills != cases[i].kills)
                fail_msg("%s: %d kills", cases[i].text, (int)events.oom_kills);
            assert_int_equal(events.exit_code, cases[i].exit_code);
            docker_events_end(&events);
        }
    }
}

static void line_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    struct docker_events events = {.kills_said = true};
    char blanks[1000];
    memset(blanks, ' ', sizeof blanks);
    assert_false(docker_events_take(&events, "{\"Action\":\"oom\",", 16));
    for (int i = 0; i < 10; i++)
        assert_false(docker_events_take(&events, blanks, sizeof blanks));
    assert_false(docker_events_take(&events, "\"x\":1}\n", 7));
    static const char next[] = EVENT("oom");
    assert_true(docker_events_take(&events, next, strlen(next)));
    assert_true(events.oom_kills == 1);
    docker_events_end(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_is_read),
        cmocka_unit_test(what_is_no_container_is_an_error),
        cmocka_unit_test(names_are_listed),
        cmocka_unit_test(names_in_requests_are_dockers),
        cmocka_unit_test(events_are_counted),
        cmocka_unit_test(line_that_is_too_long_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
