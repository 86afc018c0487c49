#include "commands/init_task.h"

#include "core/buf.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *read_text(const char *text)
{
    struct error err;
    json_t *task = init_task_read(text, strlen(text), &err);
    if (!task)
        fail_msg("%s", err.text);
    return task;
}

/* The task with a sidecar beside its app, as one line of JSON; the caller frees. */
static char *with_sidecar(const char *text, const struct init_sidecar *given, struct buf *notes)
{
    json_t *task = read_text(text);
    struct error err;
    const char *app = init_task_app(task, NULL, &err);
    assert_non_null(app);
    struct init_sidecar sidecar = given ? *given : (struct init_sidecar){.image = "i"};
    sidecar.config = "service: s\n";
    sidecar.apps = &app;
    sidecar.app_count = 1;
    init_task_add(task, &sidecar, notes);
    char *line = json_dumps(task, JSON_COMPACT);
    json_decref(task);
    return line;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static void what_is_no_task_definition_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "has to be JSON"},
        {"[1]", "no containerDefinitions"},
        {"{\"containerDefinitions\": []}", "no containerDefinitions"},
        {"{\"containerDefinitions\": {\"name\": \"a\"}}", "no containerDefinitions"},
        {"{\"ContainerDefinitions\": [{\"Name\": \"a\"}]}", "CloudFormation"},
        {"{\"containerDefinitions\": [{\"name\": \"a\"}, 7]}",
            "containerDefinitions[1] has no name"},
        {"{\"containerDefinitions\": [{\"name\": \"a\"}],"
         "\"runtimePlatform\": {\"operatingSystemFamily\": \"WINDOWS_SERVER_2022_CORE\"}}",
            "Linux only"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err;
        assert_null(init_task_read(rows[i].text, strlen(rows[i].text), &err));
        assert_has(err.text, rows[i].says);
    }
}

static void the_app_is_the_only_essential_container(void **state)
{
    (void)state;
    static const struct {
        const char *containers, *wanted, *app, *says;
    } rows[] = {
        {"{\"name\":\"api\"}", NULL, "api"},
        {"{\"name\":\"api\"},{\"name\":\"envoy\",\"essential\":false}", NULL, "api"},
        {"{\"name\":\"api\"},{\"name\":\"stakeout\"}", NULL, "api"},
        {"{\"name\":\"api\"},{\"name\":\"web\"}", NULL, NULL, "more than one essential container"},
        {"{\"name\":\"api\"},{\"name\":\"web\"}", NULL, NULL, "--container: api, web"},
        {"{\"name\":\"api\"},{\"name\":\"web\"}", "web", "web"},
        {"{\"name\":\"api\"}", "web", NULL, "no container \"web\""},
        {"{\"name\":\"api\",\"essential\":false}", NULL, NULL, "no essential container"},
        {"{\"name\":\"api\"},{\"name\":\"stakeout\"}", "stakeout", NULL, "the app's: api"},
        {"{\"name\":\"stakeout\"}", NULL, NULL, "no container but stakeout"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text, "{\"containerDefinitions\":[%s]}", rows[i].containers);
        json_t *task = read_text(text);
        struct error err;
        const char *app = init_task_app(task, rows[i].wanted, &err);
        if (rows[i].app) {
            assert_string_equal(app, rows[i].app);
        } else {
            assert_null(app);
            assert_has(err.text, rows[i].says);
        }
        json_decref(task);
    }
}

static void what_only_ecs_sets_goes_and_the_rest_stays(void **state)
{
    (void)state;
    struct buf notes;
    buf_init(&notes, 4096);
    char *line = with_sidecar(
        "{\"taskDefinition\": {\"taskDefinitionArn\": \"arn\", \"family\": \"f\", \"revision\": 3,"
        "\"status\": \"ACTIVE\", \"registeredBy\": \"me\", \"unheardOf\": [1.5],"
        "\"containerDefinitions\": [{\"name\": \"api\", \"own\": {\"a\": null}}]},"
        "\"tags\": [{\"key\": \"k\", \"value\": \"v\"}]}",
        NULL, &notes);
    assert_has(line,
        "{\"family\":\"f\",\"unheardOf\":[1.5],\"containerDefinitions\":[{\"name\":\"api\","
        "\"own\":{\"a\":null},\"dependsOn\":[{\"containerName\":\"stakeout\","
        "\"condition\":\"START\"}]},{\"name\":\"stakeout\"");
    assert_has(line, "\"tags\":[{\"key\":\"k\",\"value\":\"v\"}]");
    assert_has(line, "\"volumes\":[{\"name\":\"stakeout\"}]");
    assert_null(strstr(line, "taskDefinitionArn"));
    free(line);
    buf_free(&notes);
}

static void adding_it_twice_is_adding_it_once(void **state)
{
    (void)state;
    struct buf notes;
    buf_init(&notes, 4096);
    const char *const secrets[] = {"TOKEN"};
    struct init_sidecar sidecar = {.image = "i", .secrets = secrets, .secret_count = 1};
    char *once = with_sidecar(
        "{\"networkMode\":\"awsvpc\",\"taskRoleArn\":\"r\",\"volumes\":[{\"name\":\"data\"}],"
        "\"containerDefinitions\":[{\"name\":\"stakeout\",\"image\":\"old\","
        "\"secrets\":[{\"name\":\"TOKEN\",\"valueFrom\":\"arn\"}]},"
        "{\"name\":\"api\",\"dependsOn\":[{\"containerName\":\"db\",\"condition\":\"HEALTHY\"}]}]}",
        &sidecar, &notes);
    assert_string_equal(notes.data, ""); /* what the earlier one had is known */
    assert_null(strstr(once, "\"old\""));
    assert_has(once, "\"secrets\":[{\"name\":\"TOKEN\",\"valueFrom\":\"arn\"}]");
    assert_has(once, "\"dependsOn\":[{\"containerName\":\"db\",\"condition\":\"HEALTHY\"},"
                     "{\"containerName\":\"stakeout\",\"condition\":\"START\"}]");
    char *twice = with_sidecar(once, &sidecar, &notes);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    buf_free(&notes);
}

/* What the user added to an earlier sidecar stays, as what the next one needs, too. */
static void of_an_earlier_sidecar_all_but_the_configuration_stays(void **state)
{
    (void)state;
    static const struct {
        const char *earlier; /* its keys beside the name */
        const char *image, *secret;
        const char *says, *has, *has_not;
    } rows[] = {
        {"\"image\":\"r/stakeout:1\"", NULL, NULL, "the image stays r/stakeout:1",
            "\"image\":\"r/stakeout:1\""},
        {"\"image\":\"r/stakeout:1\"", "r/stakeout:2", NULL, "", "\"image\":\"r/stakeout:2\"",
            "r/stakeout:1"},
        {"\"memory\":128,\"user\":\"65532:999\"", "i", NULL, "",
            "\"memory\":128,\"user\":\"65532:999\",\"image\":\"i\""},
        {"\"environment\":[{\"name\":\"STAKEOUT_CONFIG\",\"value\":\"old\"},"
         "{\"name\":\"TOKEN\",\"value\":\"t\"}]",
            "i", "TOKEN", "",
            "\"environment\":[{\"name\":\"TOKEN\",\"value\":\"t\"},"
            "{\"name\":\"STAKEOUT_CONFIG\",\"value\":\"service: s\\n\"}]",
            "needs TOKEN"},
        {"\"secrets\":[{\"name\":\"STAKEOUT_CONFIG\",\"valueFrom\":\"arn:p\"}]", "i", NULL,
            "from arn:p: put yours there", "\"environment\":[]"},
        {"\"essential\":true", "i", NULL, "say \"essential\": false", "\"essential\":true"},
        {"\"mountPoints\":[{\"sourceVolume\":\"mine\",\"containerPath\":\"/var/lib/stakeout\"}]",
            "i", NULL, "", "\"containerPath\":\"/var/lib/stakeout\"}]",
            "\"sourceVolume\":\"stakeout\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[500];
        snprintf(text, sizeof text,
            "{\"containerDefinitions\":[{\"name\":\"api\"},{\"name\":\"stakeout\",%s}]}",
            rows[i].earlier);
        struct buf notes;
        buf_init(&notes, 4096);
        char *line = with_sidecar(text,
            &(struct init_sidecar){.image = rows[i].image,
                .secrets = &rows[i].secret,
                .secret_count = rows[i].secret != NULL},
            &notes);
        assert_has(notes.data, rows[i].says);
        assert_has(line, rows[i].has);
        if (rows[i].has_not &&
            (strstr(line, rows[i].has_not) || strstr(notes.data, rows[i].has_not)))
            fail_msg("\"%s\" is in: %s %s", rows[i].has_not, line, notes.data);
        free(line);
        buf_free(&notes);
    }
}

static void the_configuration_that_is_there_is_found(void **state)
{
    (void)state;
    json_t *task = read_text("{\"containerDefinitions\":[{\"name\":\"api\"},{\"name\":\"stakeout\","
                             "\"environment\":[{\"name\":\"A\",\"value\":\"1\"},"
                             "{\"name\":\"STAKEOUT_CONFIG\",\"value\":\"service: s\"}]}]}");
    assert_string_equal(init_task_config(task), "service: s");
    assert_null(init_task_config_secret(task));
    json_decref(task);
    task = read_text("{\"containerDefinitions\":[{\"name\":\"stakeout\",\"secrets\":"
                     "[{\"name\":\"STAKEOUT_CONFIG\",\"valueFrom\":\"arn\"}]}]}");
    assert_null(init_task_config(task));
    assert_string_equal(init_task_config_secret(task), "arn");
    json_decref(task);
}

static void a_folder_is_kept_below_a_mount(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool kept;
    } rows[] = {{"/captures", true}, {"/captures/a", true}, {"/captures2", false}, {"/", false},
        {"/var/lib/stakeout/captures", false}}; /* the task's own volume, which ends with it */
    json_t *task = read_text(
        "{\"containerDefinitions\":[{\"name\":\"stakeout\",\"mountPoints\":["
        "{\"containerPath\":\"/var/lib/stakeout\"},{\"containerPath\":\"/captures\"},{}]}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(init_task_keeps(task, rows[i].path), rows[i].kept);
    json_decref(task);
}

static void what_is_left_to_do_is_said(void **state)
{
    (void)state;
    static const char *const secrets[] = {"SLACK_URL"};
    static const struct {
        const char *task; /* its keys beside the containers */
        const char *app;  /* the keys of the app */
        struct init_sidecar sidecar;
        const char *says, *has;
    } rows[] = {
        {"\"networkMode\":\"bridge\"", "", {.image = "i"}, "localhost is then not the app"},
        {"\"networkMode\":\"host\"", "", {.image = "i"}, "the neighbours' connections"},
        {"\"networkMode\":\"awsvpc\"", "", {.image = "i", .needs_role = true}, "no taskRoleArn"},
        {"\"memory\":\"512\"", ",\"memory\":512", {.image = "i"}, "give 24 MiB back"},
        {"\"memory\":\"2 GB\"", ",\"memory\":2040", {.image = "i"}, "2040 MiB of the task's 2048"},
        {"\"memory\":512", ",\"memory\":512,\"memoryReservation\":256", {.image = "i"}, "",
            "\"memory\":64"},
        {"\"cpu\":\"256\"", ",\"cpu\":256", {.image = "i"}, "", "\"essential\":false,\"cpu\":0"},
        {"\"cpu\":\"1 vCPU\"", ",\"cpu\":1000", {.image = "i"}, "", "\"cpu\":16"},
        {"\"x\":0", ",\"image\":\"1.dkr.ecr.eu-west-1.amazonaws.com/a/b:3\"", {.image = NULL},
            "the image is to be at 1.dkr.ecr.eu-west-1.amazonaws.com/stakeout:",
            "\"image\":\"1.dkr.ecr.eu-west-1.amazonaws.com/stakeout:"},
        {"\"x\":0", ",\"image\":\"golang\"", {.image = NULL}, "--image", "\"image\":\"stakeout:"},
        {"\"runtimePlatform\":{\"cpuArchitecture\":\"ARM64\"}", "", {.image = NULL},
            ", built for ARM64; --image"},
        {"\"x\":0", "", {.image = "i", .secrets = secrets, .secret_count = 1}, "needs SLACK_URL"},
        {"\"x\":0", "", {.image = "i", .shares_pids = true}, "", "\"pidMode\":\"task\""},
        {"\"pidMode\":\"host\"", "", {.image = "i", .shares_pids = true}, "pidMode is host",
            "\"pidMode\":\"host\""},
        {"\"volumes\":[{\"name\":\"stakeout\",\"host\":{\"sourcePath\":\"/mnt\"}}]", "",
            {.image = "i"}, "the task has already (host)", "\"volumes\":[{\"name\":\"stakeout\","},
        {"\"x\":0", ",\"logConfiguration\":{\"logDriver\":\"awslogs\"}", {.image = "i"}, "",
            "\"retries\":3},\"logConfiguration\":{\"logDriver\":\"awslogs\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[500];
        snprintf(text, sizeof text, "{%s,\"containerDefinitions\":[{\"name\":\"api\"%s}]}",
            rows[i].task, rows[i].app);
        struct buf notes;
        buf_init(&notes, 4096);
        char *line = with_sidecar(text, &rows[i].sidecar, &notes);
        assert_has(notes.data, rows[i].says);
        if (rows[i].has)
            assert_has(line, rows[i].has);
        free(line);
        buf_free(&notes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_task_definition_is_told),
        cmocka_unit_test(the_app_is_the_only_essential_container),
        cmocka_unit_test(what_only_ecs_sets_goes_and_the_rest_stays),
        cmocka_unit_test(adding_it_twice_is_adding_it_once),
        cmocka_unit_test(of_an_earlier_sidecar_all_but_the_configuration_stays),
        cmocka_unit_test(the_configuration_that_is_there_is_found),
        cmocka_unit_test(a_folder_is_kept_below_a_mount),
        cmocka_unit_test(what_is_left_to_do_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
