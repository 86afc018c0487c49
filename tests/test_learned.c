/* What triggers learned, over restarts, with a detector that stands for the real one: it has three
 * triggers, of which the first two learn, and remembers what it is told. */
#include "agent/detection/learned.h"

#include "agent/detection/detector.h"
#include "agent/detection/learned_json.h"
#include "delivery_rig.h"

enum { TRIGGERS = 3, MOST = 300 };

struct detector {
    int64_t onsets_ms[TRIGGERS][MOST];
    size_t count[TRIGGERS];
    size_t restored; /* calls */
};

const int64_t *detector_learned(const struct detector *detector, size_t trigger, size_t *count)
{
    *count = detector->count[trigger];
    return trigger < 2 ? detector->onsets_ms[trigger] : NULL;
}

void detector_restore_onsets(
    struct detector *detector, size_t trigger, const int64_t *onsets_ms, size_t count)
{
    assert_in_range(count, 1, MOST);
    for (size_t i = 1; i < count; i++)
        assert_true(onsets_ms[i] > onsets_ms[i - 1]);
    detector->restored++;
    detector->count[trigger] = count;
    memcpy(detector->onsets_ms[trigger], onsets_ms, count * sizeof *onsets_ms);
}

/* The state folder of an agent, and what is at work in it. */
struct learning {
    struct world *world; /* first in *state: closed by tear_down */
    struct detector detector;
    struct learned *learned;
    struct trigger_config triggers[TRIGGERS];
};

static const char *const cpu_spike[] = {"cpu-spike"}, *const burst[] = {"burst"};

static void start(struct learning *learning)
{
    struct world *world = learning->world;
    learning->detector = (struct detector){0};
    open_world(world);
    learning->learned = learned_open(&(struct learned_setup){.config = &world->config,
        .loop = world->loop,
        .disk = world->disk,
        .detector = &learning->detector,
        .delivery = world->delivery});
    learned_restore(learning->learned);
}

static void stop(struct learning *learning)
{
    struct world *world = learning->world;
    learned_stop(learning->learned);
    delivery_close(world->delivery);
    world->delivery = NULL;
    offload_close(world->disk);
    world->disk = NULL;
    learned_close(learning->learned);
    close_world(world);
}

static int begin(void **state)
{
    static char rounds[] = "rounds", bursts[] = "bursts", spike[] = "cpu-spike";
    static char *const names[] = {rounds, bursts, spike};
    struct learning *learning = xcalloc(1, sizeof *learning);
    if (set_up((void **)&learning->world) < 0)
        return -1;
    for (size_t i = 0; i < TRIGGERS; i++)
        learning->triggers[i].name = names[i];
    learning->triggers[0].scope = (struct trigger_scope){.members = cpu_spike, .member_count = 1};
    learning->triggers[1].scope = (struct trigger_scope){.members = burst, .member_count = 1};
    learning->world->config.triggers = learning->triggers;
    learning->world->config.trigger_count = TRIGGERS;
    learning->world->config.state = in_world(learning->world, "state");
    *state = learning;
    return 0;
}

static int end(void **state)
{
    struct learning *learning = *state;
    free(learning->world->config.state);
    tear_down((void **)&learning->world);
    free(learning);
    return 0;
}

static void learn(struct learning *learning, size_t trigger, int64_t onset_ms)
{
    struct detector *detector = &learning->detector;
    detector->onsets_ms[trigger][detector->count[trigger]++] = onset_ms;
    learned_update(learning->learned);
}

/* Times are mapped by clocks that are read one after the other. */
static void assert_about(int64_t time_ms, int64_t expected_ms)
{
    assert_in_range(time_ms - expected_ms + 1000, 0, 2000);
}

static char *read_world(const struct world *world, const char *name)
{
    char *path = in_world(world, name);
    struct buf text;
    assert_int_equal(fs_read(path, LEARNED_MAX_BYTES, &text, NULL), 0);
    free(path);
    return text.data;
}

static void turn(const struct learning *learning)
{
    const bool never = false;
    loop_run_until(learning->world->loop, &never, clock_mono_ms() + 5);
    learned_update(learning->learned);
}

static size_t onsets_in(const char *text)
{
    size_t count = 0;
    for (const char *at = strstr(text, "onsets"); at && (at = strstr(at + 1, "Z\""));)
        count++;
    return count;
}

/* Has it look until the file has so many onsets and is not `before`; its text. */
static char *wait_written(const struct learning *learning, size_t onsets, const char *before)
{
    for (int64_t until_ms = clock_mono_ms() + 20000; clock_mono_ms() < until_ms;) {
        char *text = is_there(learning->world, "state/learned.json")
                         ? read_world(learning->world, "state/learned.json")
                         : xstrdup("");
        if (onsets_in(text) == onsets && strcmp(text, before) != 0)
            return text;
        free(text);
        turn(learning);
    }
    fail_msg("%zu onsets are not written", onsets);
    return NULL;
}

static bool stored_in_a(const struct world *world)
{
    return is_there(world, "a/service=woogles/_state/learned.json");
}

static void it_survives_a_restart(void **state)
{
    struct learning *learning = *state;
    int64_t now_ms = clock_mono_ms();
    start(learning);
    learned_update(learning->learned); /* nothing to say */
    learn(learning, 0, now_ms - 2000000);
    learn(learning, 0, now_ms - 1000000);
    learn(learning, 1, now_ms - 5000);
    free(wait_written(learning, 3, "")); /* what came while the first was being written, too */
    stop(learning);
    start(learning);
    assert_int_equal(learning->detector.restored, 2);
    assert_int_equal(learning->detector.count[0], 2);
    assert_about(learning->detector.onsets_ms[0][0], now_ms - 2000000);
    assert_about(learning->detector.onsets_ms[0][1], now_ms - 1000000);
    assert_int_equal(learning->detector.count[1], 1);
    assert_about(learning->detector.onsets_ms[1][0], now_ms - 5000);
    stop(learning);
}

static void only_what_changed_is_written(void **state)
{
    struct learning *learning = *state;
    int64_t now_ms = clock_mono_ms();
    start(learning);
    learn(learning, 0, now_ms - 1000);
    stop(learning);
    start(learning);
    remove_it(learning->world, "state/learned.json");
    learned_update(learning->learned);
    stop(learning);
    assert_false(is_there(learning->world, "state/learned.json"));
    start(learning);
    learn(learning, 0, now_ms - 1000);
    stop(learning);
    assert_true(is_there(learning->world, "state/learned.json"));
}

static void a_new_version_of_the_same_count_is_written(void **state)
{
    struct learning *learning = *state;
    int64_t now_ms = clock_mono_ms();
    start(learning);
    learn(learning, 0, now_ms - 100000);
    char *before = wait_written(learning, 1, "");
    learning->detector.onsets_ms[0][0] = now_ms - 1000; /* the older one was forgotten */
    free(wait_written(learning, 1, before));
    free(before);
    stop(learning);
    start(learning);
    assert_about(learning->detector.onsets_ms[0][0], now_ms - 1000);
    stop(learning);
}

static void a_file_that_cannot_be_written_costs_nothing(void **state)
{
    struct learning *learning = *state;
    put(learning->world, "state/learned.json/x"); /* a folder where the new version goes */
    start(learning);
    learn(learning, 0, clock_mono_ms() - 1000);
    stop(learning);
    assert_true(is_there(learning->world, "state/learned.json/x"));
}

/* The task's storage is gone; the store still knows, and what was seen meanwhile counts too. */
static void a_new_task_learns_from_the_store(void **state)
{
    struct learning *learning = *state;
    int64_t now_ms = clock_mono_ms();
    add_folder(learning->world, "a");
    start(learning);
    learn(learning, 0, now_ms - 2000000);
    wait_until(learning->world, stored_in_a);
    stop(learning);
    remove_it(learning->world, "state");
    start(learning);
    assert_int_equal(learning->detector.restored, 0);
    learn(learning, 0, now_ms - 1000);
    free(wait_written(learning, 2, ""));
    assert_int_equal(learning->detector.restored, 1);
    assert_int_equal(learning->detector.count[0], 2);
    assert_about(learning->detector.onsets_ms[0][0], now_ms - 2000000);
    assert_int_equal(learning->detector.onsets_ms[0][1], now_ms - 1000);
    stop(learning);
}

static void a_store_is_asked_by_a_new_task_only(void **state)
{
    static const struct stub_answer answers[] = {
        {.status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"}};
    static char bucket[] = "woogles";
    struct learning *learning = *state;
    struct stub_server server;
    stub_start(&server, answers, 1);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(learning->world, &options);
    const bool never = false;
    start(learning); /* without an update: one incident is taken by hand */
    loop_run_until(learning->world->loop, &never, clock_mono_ms() + 50);
    stop(learning);
    char *text = xasprintf("{\"schema\":1,\"learned\":{\"rounds\":{\"of\":\"cpu-spike\","
                           "\"onsets\":[\"2020-11-23T15:04:01Z\"]}}}");
    char *path = in_world(learning->world, "state/learned.json");
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    start(learning);
    assert_int_equal(learning->detector.restored, 1);
    learned_update(learning->learned);
    loop_run_until(learning->world->loop, &never, clock_mono_ms() + 50);
    stop(learning);
    assert_int_equal(server.count, 0);
    assert_int_equal(fs_write(path, "{", 1, NULL), 0); /* broken: as good as none */
    start(learning);
    learned_update(learning->learned);
    for (int i = 0; i < 1000 && server.count == 0; i++)
        turn(learning);
    stop(learning);
    stub_stop(&server);
    assert_int_equal(server.count, 1);
    assert_string_equal(server.requests[0].path, "/woogles/service=woogles/_state/learned.json");
    stub_free(&server);
    free(path);
    free(text);
}

/* The first onset comes while the store is being asked. */
static void what_the_store_has_is_read_before_it_is_replaced(void **state)
{
    static const struct stub_answer answers[] = {
        {.status = 200,
            .body = "{\"schema\":1,\"learned\":{\"rounds\":{\"of\":\"cpu-spike\","
                    "\"onsets\":[\"2020-11-23T15:04:01Z\"]}}}"},
        {.status = 200, .headers = {"ETag", "\"e\""}},
    };
    static char bucket[] = "woogles";
    struct learning *learning = *state;
    struct stub_server server;
    stub_start(&server, answers, 2);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(learning->world, &options);
    start(learning);
    learn(learning, 0, clock_mono_ms() - 1000);
    free(wait_written(learning, 2, ""));
    delivery_hurry(learning->world->delivery);
    while (server.count < 2 || delivery_keeping(learning->world->delivery))
        turn(learning);
    stop(learning);
    stub_stop(&server);
    assert_string_equal(server.requests[0].method, "GET");
    assert_string_equal(server.requests[1].method, "PUT");
    assert_int_equal(onsets_in(server.requests[1].body.data), 2);
    stub_free(&server);
}

#define EARLIER                                                                                    \
    "{\"schema\":1,\"learned\":{\"rounds\":{\"of\":\"cpu-spike\","                                 \
    "\"onsets\":[\"2020-11-23T15:04:01Z\",\"2020-11-23T15:34:01Z\"]}}}"

/* One store is down for as long as the task lives, and so for the next container of it. */
static void a_store_that_cannot_be_asked_is_not_written_to(void **state)
{
    static const struct stub_answer answers[] = {{.status = 503}};
    static char bucket[] = "woogles";
    struct learning *learning = *state;
    struct stub_server server;
    stub_start(&server, answers, 1);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(learning->world, &options);
    add_folder(learning->world, "a");
    for (size_t run = 1; run <= 2; run++) {
        remove_it(learning->world, "a");
        start(learning);
        assert_int_equal(learning->detector.count[0], run - 1);
        learn(learning, 0, clock_mono_ms() - 1000);
        free(wait_written(learning, run, ""));
        delivery_hurry(learning->world->delivery);
        while (server.count < run || learned_is_writing(learning->learned) ||
               !stored_in_a(learning->world) || delivery_keeping(learning->world->delivery))
            turn(learning);
        stop(learning);
    }
    stub_stop(&server);
    for (size_t i = 0; i < server.count; i++)
        assert_string_equal(server.requests[i].method, "GET");
    stub_free(&server);
}

/* A folder hangs while the first onset comes, and the other one has nothing. */
static void what_a_late_store_has_is_merged_and_kept_everywhere(void **state)
{
    static const char in_b[] = "b/service=woogles/_state/learned.json";
    struct learning *learning = *state;
    struct world *world = learning->world;
    char *path = in_world(world, in_b);
    put(world, in_b);
    remove_it(world, in_b);
    assert_int_equal(mkfifo(path, 0600), 0);
    add_folder(world, "a");
    add_folder(world, "b");
    start(learning);
    learn(learning, 0, clock_mono_ms() - 1000);
    char *before = wait_written(learning, 1, "");
    wait_until(world, stored_in_a);
    assert_int_equal(learning->detector.restored, 0);
    assert_non_null(strstr(before, "partial"));
    delivery_hurry(world->delivery);
    write_to_fifo(path, EARLIER);
    char *after = wait_written(learning, 3, before);
    assert_null(strstr(after, "partial"));
    while (learned_is_writing(learning->learned) || delivery_keeping(world->delivery))
        turn(learning);
    char *a = read_world(world, "a/service=woogles/_state/learned.json"),
         *b = read_world(world, in_b);
    stop(learning);
    assert_string_equal(a, after);
    assert_string_equal(b, after);
    assert_int_equal(learning->detector.restored, 1);
    free(a);
    free(b);
    free(before);
    free(after);
    free(path);
}

static void a_file_without_an_end_is_not_read(void **state)
{
    struct learning *learning = *state;
    put(learning->world, "state/x");
    char *path = in_world(learning->world, "state/learned.json");
    assert_int_equal(symlink("/dev/zero", path), 0);
    start(learning);
    assert_int_equal(learning->detector.restored, 0);
    stop(learning);
    free(path);
}

#define LEARNING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEARNING(it_survives_a_restart),
        LEARNING(only_what_changed_is_written),
        LEARNING(a_new_version_of_the_same_count_is_written),
        LEARNING(a_file_that_cannot_be_written_costs_nothing),
        LEARNING(a_new_task_learns_from_the_store),
        LEARNING(a_store_is_asked_by_a_new_task_only),
        LEARNING(what_the_store_has_is_read_before_it_is_replaced),
        LEARNING(a_store_that_cannot_be_asked_is_not_written_to),
        LEARNING(what_a_late_store_has_is_merged_and_kept_everywhere),
        LEARNING(a_file_without_an_end_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
