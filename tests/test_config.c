#include "config/config.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"

#include "fake_kinds.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct config_needs run_needs = {.exporter = true};

static struct config *parse(
    const char *text, const struct config_needs *needs, struct buf *problems)
{
    buf_init(problems, 1 << 16);
    return config_parse(text, strlen(text), "f.yaml", &fake_kinds, needs, problems);
}

static struct config *parse_good(const char *text, const struct config_needs *needs)
{
    struct buf problems;
    struct config *config = parse(text, needs, &problems);
    if (!config)
        print_error("%s", problems.data);
    assert_non_null(config);
    assert_string_equal(problems.data, "");
    buf_free(&problems);
    return config;
}

#define SMALLEST "service: woogles\napp: {debug: 'http://localhost:8001/debug/pprof'}\n"
#define HEAD     SMALLEST "export: {directory: /captures}\n"

static void the_smallest_file_gets_every_default(void **state)
{
    (void)state;
    struct config *config = parse_good(HEAD, &run_needs);
    assert_string_equal(config->service, "woogles");
    assert_int_equal(config->interval_ms, 1000);
    assert_string_equal(config->state, "/var/lib/stakeout");
    assert_int_equal(config->app_count, 1);
    assert_true(config->single_app);
    assert_string_equal(config->apps[0].name, "app");
    assert_string_equal(config->apps[0].debug, "http://localhost:8001/debug/pprof");
    assert_int_equal(config->source, 0);
    assert_int_equal(config->database_count, 0);
    assert_int_equal(config->recorder.slice_ms, 5000);
    assert_int_equal(config->recorder.keep, 4);
    assert_false(config->recorder.always);
    assert_int_equal(config->baseline.every_ms, 6 * 3600 * 1000);
    assert_int_equal(config->follow_up_ms, 0);
    assert_int_equal(config->limits.cooldown_ms, 300000);
    assert_int_equal(config->limits.per_hour, 6);
    assert_int_equal(config->limits.per_day_bytes, 500000000);
    assert_true(config->limits.hold_off.value == 0);
    assert_int_equal(config->limits.spool_bytes, 256 << 20);
    assert_int_equal(config->limits.profile_bytes, 64 << 20);
    assert_int_equal(config->limits.memory_bytes, 64 << 20);
    assert_int_equal(config->limits.grace_ms, 25000);
    assert_null(config->listen);
    assert_int_equal(config->log.level, 1);
    assert_int_equal(config->log.format, 0);
    config_free(config, &fake_kinds);
}

static void without_triggers_a_set_is_built_in(void **state)
{
    (void)state;
    struct config *config = parse_good(HEAD, &run_needs);
    assert_int_equal(config->trigger_count, 3); /* of these kinds: cpu-high, killed, restarted */
    const struct trigger_config *trigger = &config->triggers[0];
    const struct fake_threshold *options = trigger->options;
    assert_string_equal(trigger->name, "cpu-high");
    assert_string_equal(trigger->metrics.names[0], "cpu");
    assert_string_equal(trigger->capture, "spike");
    assert_int_equal(trigger->units[0], UNIT_PERCENT);
    assert_int_equal(trigger->cooldown_ms, 300000);
    assert_true(trigger->built_in);
    assert_true(options->above.value == 80);
    assert_null(options->below.text);
    assert_int_equal(options->for_ms, 10000);
    config_free(config, &fake_kinds);
}

static void each_app_gets_its_built_in_triggers(void **state)
{
    (void)state;
    struct config *config = parse_good("service: s\n"
                                       "apps:\n"
                                       "  API: {debug: http://localhost:1/}\n"
                                       "  worker: {debug: http://localhost:2/debug/pprof//}\n"
                                       "export: {directory: /captures}\n",
        &run_needs);
    assert_int_equal(config->app_count, 2);
    assert_false(config->single_app);
    assert_string_equal(config->apps[1].debug, "http://localhost:2/debug/pprof");
    assert_int_equal(config->trigger_count, 6);
    assert_string_equal(config->triggers[0].name, "api.cpu-high");
    assert_string_equal(config->triggers[0].metrics.names[0], "API.cpu");
    assert_string_equal(config->triggers[3].name, "worker.cpu-high");
    assert_int_equal(config->triggers[3].app, 1);
    config_free(config, &fake_kinds);
}

static void default_captures_are_there_and_can_be_replaced(void **state)
{
    (void)state;
    struct config *config = parse_good(HEAD "captures:\n"
                                            "  memory: [{profile: heap, gc: off}, mutex]\n"
                                            "  mine: [trace, cpu]\n",
        &run_needs);
    assert_int_equal(config->capture_count, 3);
    const struct capture_set *spike = config_capture(config, "spike");
    assert_int_equal(spike->count, 3);
    assert_string_equal(spike->entries[0].profile, "cpu");
    assert_int_equal(spike->entries[0].seconds, 25);
    assert_false(spike->entries[0].gc);
    assert_string_equal(spike->entries[1].profile, "heap");
    assert_int_equal(spike->entries[1].seconds, 0);
    assert_true(spike->entries[1].gc);
    assert_string_equal(spike->entries[2].profile, "goroutine");
    const struct capture_set *memory = config_capture(config, "memory");
    assert_int_equal(memory->count, 2);
    assert_false(memory->entries[0].gc);
    const struct capture_set *mine = config_capture(config, "mine");
    assert_int_equal(mine->entries[0].seconds, 5);
    assert_int_equal(mine->entries[1].seconds, 25);
    assert_null(config_capture(config, "none"));
    config_free(config, &fake_kinds);
}

/* A file with everything in it; the caller frees it. */
static char *full_text(void)
{
    struct buf text;
    assert_int_equal(fs_read("fixtures/config/full.yaml", 1 << 16, &text, NULL), 0);
    return buf_take(&text);
}

static struct config *parse_full(void)
{
    char *text = full_text();
    struct config *config = parse_good(text, &run_needs);
    free(text);
    return config;
}

static void a_database_s_url_is_taken(void **state)
{
    (void)state;
#ifdef STAKEOUT_WITH_LIBPQ
    static const char *const urls[] = {"postgres://u:secret@h/d",
        "postgresql://u:p@h:1,i:2/d?a=b:c", "postgres://u:p?w@[::1]:5432", "postgres://[::1],h/d",
        "postgres:///d", "postgres://h?a=b"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char text[300];
        snprintf(
            text, sizeof text, "%sdatabase: {endpoint: 'h:1', statements: '%s'}\n", HEAD, urls[i]);
        struct config *config = parse_good(text, &run_needs);
        assert_string_equal(config->databases[0].statements, urls[i]);
        config_free(config, &fake_kinds);
    }
#endif
}

static void a_file_with_everything_is_read(void **state)
{
    (void)state;
    struct config *config = parse_full();
    assert_int_equal(config->interval_ms, 500);
    assert_string_equal(config->apps[0].container, "api");
    assert_int_equal(config->apps[0].headers.count, 2);
    assert_string_equal(config->apps[0].headers.names[0], "Authorization");
    assert_string_equal(config->apps[0].headers.values[0], "Bearer t0ken");
    assert_string_equal(fake_kinds.sources[config->source - 1]->name, "cgroup");
    assert_string_equal(config->databases[1].name, "users");
    assert_string_equal(config->databases[1].endpoint, "[::1]:5433");
    assert_int_equal(config->trigger_count, 6);
    const struct trigger_config *burst = &config->triggers[1];
    const struct fake_threshold *options = burst->options;
    assert_int_equal(config->triggers[0].cooldown_ms, 0);
    assert_int_equal(burst->cooldown_ms, 600000);
    assert_int_equal(burst->units[0], UNIT_RATE);
    assert_string_equal(burst->capture, "mine");
    assert_int_equal(burst->line, 21);
    assert_int_equal(burst->column, 3);
    assert_true(options->above.value == 20e6);
    assert_true(((struct fake_threshold *)config->triggers[2].options)->above.value == 0.02);
    assert_true(
        ((struct fake_threshold *)config->triggers[3].options)->above.value == 512.0 * 1048576);
    assert_true(((struct fake_threshold *)config->triggers[4].options)->below.value == 0.5);
    assert_int_equal(config->triggers[5].kind, 1);
    assert_int_equal(config->recorder.slice_ms, 10000);
    assert_int_equal(config->recorder.keep, 6);
    assert_true(config->recorder.always);
    assert_int_equal(config->follow_up_ms, 90000);
    assert_int_equal(config->limits.profile_bytes, 10000000);
    assert_int_equal(config->limits.per_day_bytes, 1 << 30);
    assert_true(config->limits.hold_off.value == 95);
    assert_int_equal(config->exporter_count, 3);
    assert_string_equal(fake_kinds.exporters[config->exporters[0].kind]->name, "s3");
    assert_string_equal(((struct fake_directory *)config->exporters[1].options)->path, "/one");
    assert_string_equal(
        ((struct fake_directory *)config->exporters[2].options)->path, "/two: t0ken ${HOME}");
    assert_string_equal(config->source_url, "https://git/{commit}/{path}#L{line}");
    assert_string_equal(config->listen, "127.0.0.1:9797");
    assert_int_equal(config->log.level, 2);
    assert_int_equal(config->log.format, 1);
    config_free(config, &fake_kinds);
}

/* Of a print: what it reads back as is printed the same again. */
static char *printed(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print(config, &fake_kinds, out);
    fclose(out);
    return text;
}

static void what_is_printed_reads_back_as_the_same(void **state)
{
    (void)state;
    char *full = full_text();
    const char *const texts[] = {HEAD, full,
        "service: s\n"
        "apps: {API: {debug: 'http://h/'}, b: {debug: 'http://u@[::1]:1/', container: 'a: b', "
        "own_code: [liwords/, main.]}}\n"
        "export: {directory: /c, s3: [{bucket: a}, {bucket: b, encryption: {kms_key: 'a:b'}}]}\n"
        "database: {endpoint: 'db:1'}\n"
        "listen: '[::1]:9797'\n",
        SMALLEST "triggers: {}\nbaseline: {every: 36h}\nfollow_up: off\n",
        SMALLEST "baseline: off\n"};
    static const struct config_needs needs = {.exporter = false};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config *config = parse_good(texts[i], &needs);
        char *once = printed(config);
        struct config *again = parse_good(once, &needs);
        /* What is built in is written out, and then comes from the file. */
        for (size_t j = 0; j < again->trigger_count; j++)
            again->triggers[j].built_in = config->triggers[j].built_in;
        char *twice = printed(again);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
        config_free(config, &fake_kinds);
        config_free(again, &fake_kinds);
    }
    free(full);
}

static void nothing_secret_is_printed(void **state)
{
    (void)state;
    struct config *config = parse_full();
    char *text = printed(config);
    assert_null(strstr(text, "Bearer"));
    assert_null(strstr(text, "user:secret"));
    assert_non_null(strstr(text, "debug: \"https://<redacted>@localhost:8001/debug/pprof\"\n"));
    assert_non_null(strstr(text, "Authorization: \"<redacted>\"\n"));
    free(text);
    config_free(config, &fake_kinds);
}

static void a_replay_takes_its_metrics_from_the_trace(void **state)
{
    (void)state;
    static const char *const columns[] = {"cpu", "queue", "api.cpu", "db.x.rtt", NULL};
    static const struct config_needs needs = {.columns = columns};
    struct config *config = parse_good(SMALLEST "triggers:\n"
                                                "  a: {metric: cpu, above: 80%}\n"
                                                "  b: {metric: queue, above: 3.5}\n"
                                                "  c: {metric: api.cpu, above: 80%}\n"
                                                "  d: {metric: db.received, above: 20MB/s}\n"
                                                "  e: {metric: db.games.sent, above: 20MB/s}\n"
                                                "  f: {metric: db.x.rtt, above: 20ms}\n"
                                                "  g: {metric: memory, above: 90%}\n",
        &needs);
    assert_int_equal(config->triggers[1].units[0], UNIT_NONE);
    assert_int_equal(config->triggers[2].units[0], UNIT_PERCENT);
    assert_int_equal(config->triggers[3].units[0], UNIT_RATE);
    assert_int_equal(config->triggers[5].units[0], UNIT_SECONDS);
    config_free(config, &fake_kinds);
}

static void the_state_is_known_of_a_text_with_errors(void **unused)
{
    static const struct {
        const char *text, *state;
    } cases[] = {
        {"service: x\nstate: /a/b\n", "/a/b"},
        {"state: /a/b\nservice: [\n", "/a/b"},
        {"limits: {\nstate: '/a/b'\n", "/a/b"},
        {"{\"state\": \"/a/b\", \"limits\": 3}", "/a/b"},
        {"state: ${NOT_GIVEN:-/a/b}\nx: ${NOT_GIVEN}\n", "/a/b"},
        {"", "/var/lib/stakeout"},
        {"state:", "/var/lib/stakeout"},
        {"state: [a]\n", "/var/lib/stakeout"},
        {"- state: /a\n", "/var/lib/stakeout"},
        {"limits: {state: /a}\n", "/var/lib/stakeout"},
        {"limits: {\n state: /a\n", "/var/lib/stakeout"},
        {"just text", "/var/lib/stakeout"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *state = config_state(cases[i].text, strlen(cases[i].text));
        assert_string_equal(state, cases[i].state);
        free(state);
    }
}

static void the_file_is_found_by_path_then_environment(void **state)
{
    (void)state;
    struct buf text;
    char *name;
    struct error err;
    setenv("STAKEOUT_CONFIG", "service: from-environment\n", 1);
    assert_int_equal(config_locate(NULL, &text, &name, &err), 0);
    assert_string_equal(text.data, "service: from-environment\n");
    assert_string_equal(name, "$STAKEOUT_CONFIG");
    assert_null(config_file(NULL));
    assert_string_equal(config_file("a"), "a");
    buf_free(&text);
    free(name);
    assert_int_equal(config_locate("fixtures/config/full.yaml", &text, &name, &err), 0);
    assert_string_equal(name, "fixtures/config/full.yaml");
    assert_non_null(strstr(text.data, "service: woogles"));
    buf_free(&text);
    free(name);
    assert_int_equal(config_locate("fixtures/config/none.yaml", &text, &name, &err), -1);
    assert_string_equal(
        err.text, "cannot open fixtures/config/none.yaml: No such file or directory");
    buf_free(&text);
    free(name);
    unsetenv("STAKEOUT_CONFIG");
}

static void a_pipe_is_read_and_never_waited_for_in_vain(void **state)
{
    (void)state;
    char folder[] = "/tmp/stakeout-test-config-XXXXXX", path[64];
    struct buf text;
    char *name;
    struct error err;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);

    assert_int_equal(config_locate(path, &text, &name, &err), -1);
    assert_non_null(strstr(err.text, "is a pipe, and nobody writes to it"));
    buf_free(&text);
    free(name);

    /* A pipe of this process, as process substitution gives one. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(write(ends[1], "service: s\n", 11), 11);
    close(ends[1]);
    assert_int_equal(config_locate(path, &text, &name, &err), 0);
    assert_string_equal(text.data, "service: s\n");
    close(ends[0]);
    buf_free(&text);
    free(name);

    assert_int_equal(config_locate(folder, &text, &name, &err), -1);
    assert_non_null(strstr(err.text, "Is a directory"));
    buf_free(&text);
    free(name);
    assert_int_equal(config_locate("/dev/zero", &text, &name, &err), -1);
    assert_non_null(strstr(err.text, "is larger than 1048576 bytes"));
    buf_free(&text);
    free(name);
    assert_int_equal(fs_remove(folder, NULL), 0);
}

static void the_schema_is_json_and_closed(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print_schema(&fake_kinds, out);
    fclose(out);
    json_t *schema = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
        "https://json-schema.org/draft/2020-12/schema");
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    json_t *properties = json_object_get(schema, "properties");
    static const char *const keys[] = {"service", "interval", "state", "app", "apps", "source",
        "database", "metrics", "triggers", "quiet", "captures", "recorder", "baseline", "follow_up",
        "fleet", "limits", "export", "review_url", "report_links", "source_url", "listen", "log"};
    assert_int_equal(json_object_size(properties), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(json_object_get(properties, keys[i]), "description"));
    json_decref(schema);
    free(text);
}

static void the_reference_names_every_option(void **state)
{
    (void)state;
    static const char *const words[] = {"\nservice  ", "\ninterval  ", "\nstate  ", "\napp.debug  ",
        "\napps.NAME  ", "\nsource  ", "\ndatabase.endpoint  ", "\ndatabase[].name  ",
        "\ndatabase[].endpoint  ", "\ntriggers.NAME.metric  ", "\ntriggers.NAME.above  ",
        "\ntriggers.NAME.increases  ", "\ncaptures.NAME[].profile  ", "\nrecorder.slice  ",
        "\nbaseline  ", "\nbaseline.every  ", "\nlimits.grace  ", "\nexport.directory.path  ",
        "\nexport.s3.encryption.kms_key  ", "\nlisten  ", "\nlog.level  ", "\n  db.received  ",
        "4 KB"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print_reference(&fake_kinds, out);
    fclose(out);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(strstr(text, words[i]));
    assert_null(strstr(text, "\ndatabase.name "));
    free(text);
}

int main(void)
{
    setenv("TEST_TOKEN", "t0ken", 1);
    unsetenv("T_UNSET");
    unsetenv("STAKEOUT_CONFIG");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_file_gets_every_default),
        cmocka_unit_test(without_triggers_a_set_is_built_in),
        cmocka_unit_test(each_app_gets_its_built_in_triggers),
        cmocka_unit_test(default_captures_are_there_and_can_be_replaced),
        cmocka_unit_test(a_database_s_url_is_taken),
        cmocka_unit_test(a_file_with_everything_is_read),
        cmocka_unit_test(what_is_printed_reads_back_as_the_same),
        cmocka_unit_test(nothing_secret_is_printed),
        cmocka_unit_test(a_replay_takes_its_metrics_from_the_trace),
        cmocka_unit_test(the_state_is_known_of_a_text_with_errors),
        cmocka_unit_test(the_file_is_found_by_path_then_environment),
        cmocka_unit_test(a_pipe_is_read_and_never_waited_for_in_vain),
        cmocka_unit_test(the_schema_is_json_and_closed),
        cmocka_unit_test(the_reference_names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
