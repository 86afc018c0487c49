/* What delivery keeps beside incidents: a file under a fixed key, in real folders and a stub. */
#include "delivery_rig.h"

static const char learned_key[] = "service=woogles/_state/learned.json";

static void write_learned(const struct world *world, const char *text)
{
    char *path = in_world(world, "state/learned.json");
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
}

static void keep(const struct world *world, const char *text)
{
    char *path = in_world(world, "state/learned.json");
    write_learned(world, text);
    for (size_t i = 0; i < delivery_exporters(world->delivery); i++)
        delivery_keep(world->delivery, i, path, learned_key);
    free(path);
}

static void assert_kept(const struct world *world, const char *folder, const char *text)
{
    char *name = xasprintf("%s/%s", folder, learned_key), *path = in_world(world, name);
    struct buf kept;
    assert_int_equal(fs_read(path, 100, &kept, NULL), 0);
    assert_string_equal(kept.data, text);
    buf_free(&kept);
    free(path);
    free(name);
}

static bool nothing_is_kept(const struct world *world)
{
    return !delivery_keeping(world->delivery);
}

static void what_is_kept_goes_to_everybody_and_counts_as_nothing(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "b");
    open_world(world);
    assert_false(delivery_keeping(world->delivery));
    keep(world, "1");
    assert_true(delivery_keeping(world->delivery));
    assert_int_equal(delivery_waiting(world->delivery), 0);
    wait_until(world, nothing_is_kept);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(status_of(world, i).stored, 0);
        assert_int_equal(status_of(world, i).last_stored_wall_ms, 0);
        assert_kept(world, i ? "b" : "a", "1");
    }
}

/* Once a minute; a hurry does not wait for that. */
static void only_the_newest_version_is_kept(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    keep(world, "1");
    wait_until(world, nothing_is_kept);
    keep(world, "2");
    keep(world, "3");
    spool_incident(world, first);
    delivery_add(world->delivery, first);
    wait_until(world, nothing_waits);
    assert_true(delivery_keeping(world->delivery));
    assert_kept(world, "a", "1");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_is_kept);
    assert_kept(world, "a", "3");
    keep(world, "4");
    wait_until(world, nothing_is_kept);
    assert_kept(world, "a", "4");
}

static void incidents_go_before_what_is_kept(void **state)
{
    static const struct stub_answer answers[] = {{.status = 200, .headers = {"ETag", "\"e\""}}};
    static const char *const files[] = {"cpu.pb.gz", "metrics.csv", "incident.json", "cpu.pb.gz",
        "metrics.csv", "incident.json", "learned.json"};
    static char bucket[] = "woogles";
    struct world *world = *state;
    struct stub_server server;
    stub_start(&server, answers, 1);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(world, &options);
    spool_incident(world, first);
    open_world(world);
    keep(world, "1");
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    wait_until(world, nothing_is_kept);
    close_world(world);
    stub_stop(&server);
    assert_int_equal(server.count, sizeof files / sizeof *files);
    for (size_t i = 0; i < server.count; i++)
        assert_string_equal(strrchr(server.requests[i].path, '/') + 1, files[i]);
    assert_string_equal(server.requests[6].path, "/woogles/service=woogles/_state/learned.json");
    assert_string_equal(server.requests[6].body.data, "1");
    stub_free(&server);
}

static void what_cannot_be_kept_holds_no_incident_back(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    put(world, "a/service=woogles/_state"); /* a file */
    open_world(world);
    keep(world, "1");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_is_kept); /* it failed */
    assert_null(status_of(world, 0).error);
    assert_int_equal(status_of(world, 0).failures, 0);
    spool_incident(world, first);
    delivery_add(world->delivery, first);
    wait_until(world, nothing_waits);
    assert_int_equal(status_of(world, 0).stored, 1);
    remove_it(world, "a/service=woogles/_state");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_is_kept);
    assert_kept(world, "a", "1");
}

/* A broken folder of the spool is the fault of no exporter. */
static void an_incident_that_is_refused_holds_back_nothing_that_is_kept(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    put_in_spool(world, first, "cpu.pb.gz");
    open_world(world);
    keep(world, "1");
    wait_until(world, nothing_is_kept);
    assert_kept(world, "a", "1");
    assert_int_equal(delivery_waiting(world->delivery), 1);
    assert_non_null(strstr(status_of(world, 0).error, "incident.json"));
    put_in_spool(world, first, "incident.json");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "a", first));
}

static void a_store_that_is_down_keeps_nothing_and_holds_up_no_end(void **state)
{
    struct world *world = *state;
    add_bucket_of_nobody(world);
    spool_incident(world, first);
    open_world(world);
    keep(world, "1");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_moves);
    assert_false(delivery_keeping(world->delivery));
    close_world(world);
}

struct recalled {
    bool done;
    enum recall_outcome outcome;
    char text[100];
};

static void note_recalled(void *arg, const struct recall_result *result)
{
    struct recalled *recalled = arg;
    assert_false(recalled->done);
    recalled->done = true;
    recalled->outcome = result->outcome;
    if (result->outcome == RECALL_FOUND)
        snprintf(recalled->text, sizeof recalled->text, "%.*s", (int)result->size, result->data);
}

static void what_is_kept_can_be_recalled(void **state)
{
    struct world *world = *state;
    struct recalled none = {0}, one = {0};
    add_folder(world, "a");
    open_world(world);
    assert_true(delivery_recall(world->delivery, 0, learned_key, 100, note_recalled, &none));
    assert_true(loop_run_until(world->loop, &none.done, clock_mono_ms() + 20000));
    assert_int_equal(none.outcome, RECALL_NONE);
    keep(world, "1");
    wait_until(world, nothing_is_kept);
    assert_true(delivery_recall(world->delivery, 0, learned_key, 100, note_recalled, &one));
    assert_true(loop_run_until(world->loop, &one.done, clock_mono_ms() + 20000));
    assert_int_equal(one.outcome, RECALL_FOUND);
    assert_string_equal(one.text, "1");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static bool nothing_is_updated(const struct world *world)
{
    return !delivery_is_updating(world->delivery, "service=woogles/date=");
}

static void update(const struct world *world, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", world->path, name);
    char *key = xasprintf("service=woogles/date=2026-11-23/x/%s", name);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    delivery_update(world->delivery, 0, path, key);
    free(path);
    free(key);
}

static void assert_updated(const struct world *world, const char *name, const char *text)
{
    char *path = xasprintf("%s/a/service=woogles/date=2026-11-23/x/%s", world->path, name);
    struct buf kept;
    int status = fs_read(path, 100, &kept, NULL);
    assert_int_equal(status, text ? 0 : -1);
    if (text)
        assert_string_equal(kept.data, text);
    buf_free(&kept);
    free(path);
}

/* And it does not wait for the minute of what is kept, nor is it kept itself. */
static void an_update_goes_once_and_at_once(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    keep(world, "1");
    wait_until(world, nothing_is_kept);
    keep(world, "2");
    update(world, "metrics.csv", "old");
    update(world, "incident.json", "{}");
    wait_until(world, nothing_is_updated);
    assert_updated(world, "metrics.csv", "old");
    assert_updated(world, "incident.json", "{}");
    assert_kept(world, "a", "1");
    update(world, "metrics.csv", "new");
    wait_until(world, nothing_is_updated);
    assert_updated(world, "metrics.csv", "new");
    assert_true(delivery_keeping(world->delivery)); /* the second version of what is kept */
}

static void what_is_updated_no_more_is_not_sent(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    update(world, "metrics.csv", "1");
    assert_true(delivery_is_updating(world->delivery, "service=woogles/date=2026-11-23/x"));
    assert_false(delivery_is_updating(world->delivery, "service=woogles/date=2026-11-23/y"));
    delivery_update_no_more(world->delivery, "service=woogles/date=2026-11-23/y");
    assert_true(delivery_is_updating(world->delivery, "service=woogles/date=2026-11-23/x"));
    delivery_update_no_more(world->delivery, "service=woogles/date=2026-11-23/x");
    assert_true(nothing_is_updated(world));
    keep(world, "1");
    wait_until(world, nothing_is_kept);
    assert_updated(world, "metrics.csv", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_is_kept_goes_to_everybody_and_counts_as_nothing),
        IN_A_WORLD(only_the_newest_version_is_kept),
        IN_A_WORLD(incidents_go_before_what_is_kept),
        IN_A_WORLD(what_cannot_be_kept_holds_no_incident_back),
        IN_A_WORLD(an_incident_that_is_refused_holds_back_nothing_that_is_kept),
        IN_A_WORLD(a_store_that_is_down_keeps_nothing_and_holds_up_no_end),
        IN_A_WORLD(what_is_kept_can_be_recalled),
        IN_A_WORLD(an_update_goes_once_and_at_once),
        IN_A_WORLD(what_is_updated_no_more_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
