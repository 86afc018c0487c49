/* Asking the stores for what an earlier task kept: who is asked, how often, until when. */
#include "agent/storage/recall.h"

#include "delivery_rig.h"

static const char key[] = "service=woogles/_state/learned.json";

struct answers {
    size_t settled;
    bool is_settled[MAX_EXPORTERS];
    char from[MAX_EXPORTERS][128], text[MAX_EXPORTERS][64]; /* "" where one has nothing */
};

static void note(void *arg, size_t exporter, const char *from, const char *text, size_t size)
{
    struct answers *answers = arg;
    assert_false(answers->is_settled[exporter]);
    answers->is_settled[exporter] = true;
    answers->settled++;
    snprintf(answers->from[exporter], sizeof answers->from[exporter], "%s", from);
    if (text)
        snprintf(answers->text[exporter], sizeof answers->text[exporter], "%.*s", (int)size, text);
}

static struct recall *start(const struct world *world, struct answers *answers)
{
    *answers = (struct answers){0};
    struct recall *recall = recall_start(&(struct recall_setup){.loop = world->loop,
        .delivery = world->delivery,
        .key = key,
        .unread = "what was learned is not read back",
        .max_bytes = 8,
        .pause_ms = 10,
        .longest_pause_ms = 40,
        .patience_ms = 20,
        .settled = note,
        .arg = answers});
    assert_int_equal(answers->settled, 0);
    return recall;
}

static void turn(const struct world *world)
{
    const bool never = false;
    loop_run_until(world->loop, &never, clock_mono_ms() + 5);
}

/* Until so many exporters are settled. */
static void wait_settled(const struct world *world, const struct answers *answers, size_t count)
{
    int64_t until_ms = clock_mono_ms() + 20000;
    while (answers->settled < count && clock_mono_ms() < until_ms)
        turn(world);
    assert_int_equal(answers->settled, count);
}

static void stop(struct world *world, struct recall *recall)
{
    delivery_close(world->delivery);
    world->delivery = NULL;
    recall_close(recall);
    close_world(world);
}

static void store(const struct world *world, const char *folder, const char *text)
{
    char *name = xasprintf("%s/%s", folder, key), *path = in_world(world, name);
    put(world, name);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
    free(name);
}

static void every_exporter_is_asked(void **state)
{
    struct world *world = *state;
    struct answers answers;
    add_folder(world, "a");
    add_folder(world, "b");
    add_folder(world, "c");
    store(world, "b", "of b");
    store(world, "c", "of c");
    open_world(world);
    struct recall *recall = start(world, &answers);
    wait_settled(world, &answers, 3);
    stop(world, recall);
    assert_string_equal(answers.text[0], "");
    assert_string_equal(answers.text[1], "of b");
    assert_string_equal(answers.text[2], "of c");
    assert_string_equal(strrchr(answers.from[1], '/'), "/b");
}

static void nobody_is_there_to_be_asked(void **state)
{
    struct world *world = *state;
    struct answers answers;
    open_world(world);
    struct recall *recall = start(world, &answers);
    turn(world);
    stop(world, recall);
    assert_int_equal(answers.settled, 0);
}

static void what_is_too_large_is_asked_for_until_it_is_not(void **state)
{
    struct world *world = *state;
    struct answers answers;
    add_folder(world, "a");
    add_folder(world, "b");
    store(world, "a", "123456789");
    store(world, "b", "12345678");
    open_world(world);
    struct recall *recall = start(world, &answers);
    wait_settled(world, &answers, 1);
    for (int i = 0; i < 20; i++) /* several tries, and the patience is over */
        turn(world);
    assert_false(answers.is_settled[0]);
    assert_string_equal(answers.text[1], "12345678");
    store(world, "a", "1234567");
    wait_settled(world, &answers, 2);
    assert_string_equal(answers.text[0], "1234567");
    stop(world, recall);
}

static void a_folder_that_hangs_holds_nobody_up(void **state)
{
    struct world *world = *state;
    struct answers answers;
    add_folder(world, "a");
    add_folder(world, "b");
    store(world, "a", "");
    char *name = xasprintf("a/%s", key), *path = in_world(world, name);
    remove_it(world, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    store(world, "b", "of b");
    open_world(world);
    struct recall *recall = start(world, &answers);
    wait_settled(world, &answers, 1);
    for (int i = 0; i < 20; i++)
        turn(world);
    assert_false(answers.is_settled[0]);
    assert_string_equal(answers.text[1], "of b");
    write_to_fifo(path, "of a");
    wait_settled(world, &answers, 2);
    assert_string_equal(answers.text[0], "of a");
    stop(world, recall);
    free(path);
    free(name);
}

/* What the bucket answers, and how often it is asked for that. */
static void answers_of_a_bucket(void **state)
{
    static const struct stub_answer denied = {
        .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
    static const struct stub_answer missing = {
        .status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"};
    static const struct stub_answer busy = {.status = 503}, found = {.status = 200, .body = "it"};
    const struct {
        struct stub_answer answers[6];
        size_t asked;
        const char *text;
    } cases[] = {
        {{found, busy}, 1, "it"}, {{missing, busy}, 1, ""}, {{denied, busy}, 1, ""},
        {{busy, busy, found, busy}, 3, "it"}, {{busy, busy, missing, busy}, 3, ""},
        {{busy, busy, denied, busy}, 3, ""},
        {{busy, busy, busy, busy, busy, found}, 6, "it"}, /* long after the patience */
    };
    static char bucket[] = "woogles";
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        struct answers answers;
        stub_start(&server, cases[i].answers, 6);
        struct s3_exporter_options options = {
            .bucket = bucket, .endpoint = server.url, .verify = true};
        add_bucket(world, &options);
        open_world(world);
        struct recall *recall = start(world, &answers);
        wait_settled(world, &answers, 1);
        for (int j = 0; j < 10; j++)
            turn(world);
        stop(world, recall);
        stub_stop(&server);
        assert_string_equal(answers.text[0], cases[i].text);
        assert_int_equal(server.count, cases[i].asked);
        assert_string_equal(
            server.requests[0].path, "/woogles/service=woogles/_state/learned.json");
        stub_free(&server);
        world->config.exporter_count = 0;
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(every_exporter_is_asked),
        IN_A_WORLD(nobody_is_there_to_be_asked),
        IN_A_WORLD(what_is_too_large_is_asked_for_until_it_is_not),
        IN_A_WORLD(a_folder_that_hangs_holds_nobody_up),
        IN_A_WORLD(answers_of_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
