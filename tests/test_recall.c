/* Asking the stores for what an earlier task kept: who is asked, how often, and what is passed
 * over. */
#include "agent/recall.h"

#include "delivery_rig.h"

static const char key[] = "service=woogles/_state/learned.json";

struct answer {
    bool done;
    char from[128], text[64]; /* "" where none has it */
};

static void note(void *arg, const char *from, const char *text, size_t size)
{
    struct answer *answer = arg;
    assert_false(answer->done);
    answer->done = true;
    if (text) {
        snprintf(answer->from, sizeof answer->from, "%s", from);
        snprintf(answer->text, sizeof answer->text, "%.*s", (int)size, text);
    }
}

static struct answer recall(struct world *world, int64_t patience_ms)
{
    struct answer answer = {0};
    struct recall *recall = recall_start(&(struct recall_setup){.loop = world->loop,
        .delivery = world->delivery,
        .key = key,
        .max_bytes = 8,
        .pause_ms = 10,
        .patience_ms = patience_ms,
        .done = note,
        .arg = &answer});
    assert_false(answer.done);
    assert_true(loop_run_until(world->loop, &answer.done, clock_mono_ms() + 20000));
    delivery_close(world->delivery);
    world->delivery = NULL;
    recall_close(recall);
    close_world(world);
    return answer;
}

static void store(const struct world *world, const char *folder, const char *text)
{
    char *name = xasprintf("%s/%s", folder, key), *path = in_world(world, name);
    put(world, name);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
    free(name);
}

static void the_first_that_has_it_wins(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "b");
    add_folder(world, "c");
    store(world, "b", "of b");
    store(world, "c", "of c");
    open_world(world);
    struct answer answer = recall(world, 20000);
    assert_string_equal(answer.text, "of b");
    assert_string_equal(strrchr(answer.from, '/'), "/b");
}

static void nobody_has_it(void **state)
{
    struct world *world = *state;
    open_world(world);
    assert_string_equal(recall(world, 20000).text, "");
    add_folder(world, "a");
    open_world(world);
    assert_string_equal(recall(world, 20000).text, "");
}

static void what_is_too_large_is_passed_over(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "b");
    store(world, "a", "123456789");
    store(world, "b", "12345678");
    open_world(world);
    assert_string_equal(recall(world, 1000).text, "12345678");
}

static void a_folder_that_hangs_is_passed_over(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "b");
    store(world, "a", "");
    char *name = xasprintf("a/%s", key), *path = in_world(world, name);
    remove_it(world, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    store(world, "b", "of b");
    open_world(world);
    assert_string_equal(recall(world, 1000).text, "of b");
    free(path);
    free(name);
}

/* What the bucket answers, how often it is asked, and whether the folder after it is. */
static void answers_of_a_bucket(void **state)
{
    static const struct stub_answer denied = {
        .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
    static const struct stub_answer missing = {
        .status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"};
    static const struct stub_answer busy = {.status = 503}, found = {.status = 200, .body = "it"};
    const struct {
        struct stub_answer answers[3];
        size_t asked; /* 0: more than once */
        const char *text;
    } cases[] = {
        {{found, busy, busy}, 1, "it"},
        {{missing, busy, busy}, 1, "of a"},
        {{denied, busy, busy}, 1, "of a"},
        {{busy, busy, found}, 3, "it"},
        {{busy, busy, missing}, 3, "of a"},
        {{busy, busy, busy}, 0, "of a"},
    };
    static char bucket[] = "woogles";
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        stub_start(&server, cases[i].answers, 3);
        struct s3_exporter_options options = {
            .bucket = bucket, .endpoint = server.url, .verify = true};
        add_bucket(world, &options);
        add_folder(world, "a");
        store(world, "a", "of a");
        open_world(world);
        struct answer answer = recall(world, cases[i].asked ? 20000 : 1000);
        stub_stop(&server);
        assert_string_equal(answer.text, cases[i].text);
        assert_true(cases[i].asked ? server.count == cases[i].asked : server.count > 1);
        assert_string_equal(
            server.requests[0].path, "/woogles/service=woogles/_state/learned.json");
        stub_free(&server);
        free(world->folders[1].path);
        world->folders[1].path = NULL;
        world->config.exporter_count = 0;
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_first_that_has_it_wins),
        IN_A_WORLD(nobody_has_it),
        IN_A_WORLD(what_is_too_large_is_passed_over),
        IN_A_WORLD(a_folder_that_hangs_is_passed_over),
        IN_A_WORLD(answers_of_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
