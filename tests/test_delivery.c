/* Delivery from a real spool into real folders, and what others do to both meanwhile. */
#include "agent/storage/delivery_withdraw.h"
#include "core/incident.h"
#include "delivery_rig.h"
#include "exporters/pyroscope.h"

static void what_an_earlier_run_left_is_delivered(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    spool_incident(world, second);
    spool_incident(world, first);
    open_world(world);
    assert_int_equal(delivery_progress(world->delivery, first, NULL), DELIVERY_WAITING);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "a", first) && is_stored(world, "a", second));
    assert_int_equal(status_of(world, 0).stored, 2);
    assert_true(status_of(world, 0).last_stored_wall_ms > 0);
    close_world(world);
    assert_false(in_spool(world, first) || in_spool(world, second));
}

static bool one_is_stored(const struct world *world)
{
    return status_of(world, 0).stored == 1;
}

static void the_oldest_goes_first_and_its_json_last(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    spool_incident(world, third);
    spool_incident(world, first);
    open_world(world);
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    wait_until(world, one_is_stored);
    assert_true(is_stored(world, "a", first));
    assert_false(is_stored(world, "a", second) || is_stored(world, "a", third));
    assert_true(is_there(
        world, "a/service=woogles/date=2026-11-23/20261123T150401Z-cpu-high-000001/cpu.pb.gz"));
    wait_until(world, nothing_waits);
}

static void a_folder_that_can_be_written_again_gets_everything(void **state)
{
    struct world *world = *state;
    const char *reason = NULL;
    add_folder(world, "mount/a");
    put(world, "mount"); /* a file: even root makes no folder in it */
    spool_incident(world, first);
    spool_incident(world, second);
    open_world(world);
    wait_until(world, first_failed);
    assert_int_equal(delivery_progress(world->delivery, first, &reason), DELIVERY_FAILING);
    assert_non_null(strstr(reason, "/mount/a"));
    assert_int_equal(delivery_waiting(world->delivery), 2);
    remove_it(world, "mount");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "mount/a", first) && is_stored(world, "mount/a", second));
    assert_null(status_of(world, 0).error);
}

static void one_exporter_that_is_down_holds_the_other_back_in_nothing(void **state)
{
    struct world *world = *state;
    add_folder(world, "mount/a");
    add_folder(world, "b");
    put(world, "mount");
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    wait_until(world, second_has_all);
    close_world(world);
    assert_true(is_stored(world, "b", first));
    assert_true(in_spool(world, first));
    /* After a restart only the one that lacks it gets it. */
    remove_it(world, "b");
    remove_it(world, "mount");
    open_world(world);
    wait_until(world, nothing_waits);
    close_world(world);
    assert_true(is_stored(world, "mount/a", first));
    assert_false(is_there(world, "b"));
    assert_false(in_spool(world, first));
}

static bool both_failed(const struct world *world)
{
    return status_of(world, 0).failures > 0 && status_of(world, 1).failures > 0;
}

static void what_no_exporter_has_can_be_taken_back(void **state)
{
    struct world *world = *state;
    const char *ids[3] = {NULL};
    add_folder(world, "mount/a");
    add_folder(world, "mount/b");
    put(world, "mount");
    spool_incident(world, first);
    spool_incident(world, second);
    spool_incident(world, third);
    char *identity = xasprintf("directory:%s", world->folders[1].path);
    open_world(world);
    spool_mark_sent(world->spool, third, identity);
    wait_until(world, both_failed);
    close_world(world);
    open_world(world); /* the second exporter has the third one */
    wait_until(world, both_failed);
    assert_int_equal(
        delivery_untouched(world->delivery, ids, 3), 2); /* in any order: they failed */
    assert_true(strcmp(ids[0], third) != 0 && strcmp(ids[1], third) != 0);
    const char *last = ids[1];
    assert_int_equal(delivery_untouched(world->delivery, ids, 1), 1);
    assert_string_equal(ids[0], last);
    assert_false(delivery_withdraw(world->delivery, third));
    assert_true(delivery_withdraw(world->delivery, second));
    assert_false(delivery_withdraw(world->delivery, second));
    assert_true(in_spool(world, second));
    remove_it(world, "mount");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "mount/b", first) && is_stored(world, "mount/a", third));
    assert_false(is_stored(world, "mount/a", second) || is_stored(world, "mount/b", second));
    free(identity);
}

static void what_every_exporter_has_leaves_the_spool_at_the_next_start(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    open_world(world);
    spool_incident(world, first);
    char *identity = xasprintf("directory:%s", world->folders[0].path);
    spool_mark_sent(world->spool, first, identity);
    close_world(world);
    assert_true(in_spool(world, first));
    open_world(world);
    close_world(world);
    assert_false(in_spool(world, first));
    assert_false(is_there(world, "a"));
    free(identity);
}

static void an_incident_that_was_removed_by_hand_is_lost_and_not_stored(void **state)
{
    struct world *world = *state;
    const char *reason = NULL;
    add_folder(world, "mount/a");
    put(world, "mount");
    spool_incident(world, first);
    spool_incident(world, second);
    open_world(world);
    wait_until(world, first_failed);
    char *folder = spool_folder(world->spool, first);
    assert_int_equal(fs_remove(folder, NULL), 0);
    remove_it(world, "mount");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_int_equal(status_of(world, 0).stored, 1);
    assert_int_equal(delivery_progress(world->delivery, first, &reason), DELIVERY_FAILING);
    assert_non_null(strstr(reason, "removed"));
    assert_int_equal(delivery_progress(world->delivery, second, NULL), DELIVERY_STORED);
    free(folder);
}

static bool first_failed_twice(const struct world *world)
{
    return status_of(world, 0).failures == 2;
}

static void an_exporter_whose_only_incident_was_removed_gets_the_next(void **state)
{
    struct world *world = *state;
    add_bucket_of_nobody(world);
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    char *folder = spool_folder(world->spool, first);
    assert_int_equal(fs_remove(folder, NULL), 0);
    wait_until(world, nothing_waits); /* seen at the next try */
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    wait_until(world, first_failed_twice);
    close_world(world);
    free(folder);
}

static void a_try_goes_on_with_the_file_that_failed(void **state)
{
    static const struct stub_answer answers[] = {{.status = 200, .headers = {"ETag", "\"e\""}},
        {.status = 503}, {.status = 200, .headers = {"ETag", "\"e\""}}};
    static const char *const files[] = {"cpu.pb.gz", "metrics.csv", "metrics.csv", "incident.json"};
    static char bucket[] = "woogles";
    struct world *world = *state;
    struct stub_server server;
    stub_start(&server, answers, 3);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(world, &options);
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    close_world(world);
    stub_stop(&server);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(strrchr(server.requests[i].path, '/') + 1, files[i]);
    stub_free(&server);
    assert_false(in_spool(world, first));
}

static void a_spool_that_cannot_be_listed_costs_nothing(void **state)
{
    struct world *world = *state;
    struct rlimit before, none;
    add_folder(world, "a");
    open_world(world);
    spool_incident(world, first);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    delivery_hurry(world->delivery);
    delivery_add(world->delivery, first);
    setrlimit(RLIMIT_NOFILE, &none); /* EMFILE for whatever is opened */
    wait_until(world, nothing_moves);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_non_null(strstr(status_of(world, 0).error, "Too many open files"));
    assert_int_equal(delivery_waiting(world->delivery), 1);
    assert_int_equal(status_of(world, 0).stored, 0);
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    close_world(world);
    assert_true(is_stored(world, "a", first));
}

static void a_broken_incident_holds_back_no_other(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    put_in_spool(world, first, "cpu.pb.gz");
    spool_incident(world, second);
    spool_incident(world, third);
    open_world(world);
    wait_until(world, first_failed);
    assert_non_null(strstr(status_of(world, 0).error, "incident.json"));
    delivery_hurry(world->delivery);
    wait_until(world, nothing_moves);
    assert_int_equal(delivery_waiting(world->delivery), 1);
    assert_true(is_stored(world, "a", second) && is_stored(world, "a", third));
    assert_true(in_spool(world, first));
    put_in_spool(world, first, "incident.json");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "a", first));
}

/* incident.json that tells of cpu.pb.gz. */
static void tell_of_profile(const struct world *world, const char *id)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu-high");
    incident_id_time(id, &incident->fired_ms);
    struct incident_profile *profile = incident_add_profile(incident, "cpu");
    profile->file = xstrdup("cpu.pb.gz");
    profile->status = PROFILE_OK;
    char *folder = xasprintf("%s/state/spool/%s", world->path, id);
    assert_int_equal(incident_save_in(incident, folder, NULL), 0);
    free(folder);
    incident_free(incident);
}

static void a_file_that_is_rejected_holds_nothing_back(void **state)
{
    struct world *world = *state;
    static const struct stub_answer answers[] = {
        {.status = 400, .body = "{\"message\": \"no\"}"}, {.status = 200}};
    struct stub_server server;
    stub_start(&server, answers, 2);
    struct pyroscope_options options = {.url = server.url};
    world->exporters[world->config.exporter_count++] = (struct exporter_config){
        .kind = kind_index(&exporter_pyroscope), .options = &options};
    spool_incident(world, first);
    spool_incident(world, second);
    tell_of_profile(world, first);
    tell_of_profile(world, second);
    open_world(world);
    wait_until(world, nothing_waits);
    assert_int_equal(status_of(world, 0).stored, 2);
    assert_int_equal(status_of(world, 0).failures, 1);
    assert_null(status_of(world, 0).error);
    assert_int_equal(status_of(world, 0).left_out, 1);
    assert_non_null(strstr(status_of(world, 0).left_out_text, first));
    close_world(world);
    stub_stop(&server);
    assert_int_equal(server.count, 2);
    stub_free(&server);
}

static void a_hurry_ends_when_each_incident_was_refused(void **state)
{
    struct world *world = *state;
    add_folder(world, "mount/a");
    put(world, "mount");
    spool_incident(world, first);
    spool_incident(world, second);
    spool_incident(world, third);
    open_world(world);
    wait_until(world, first_failed);
    uint64_t before = status_of(world, 0).failures;
    delivery_hurry(world->delivery);
    assert_false(delivery_stuck(world->delivery));
    wait_until(world, nothing_moves);
    assert_int_equal(status_of(world, 0).failures, before + 3);
    assert_int_equal(delivery_waiting(world->delivery), 3);
}

static void what_is_added_after_a_hurry_is_tried_too(void **state)
{
    struct world *world = *state;
    add_folder(world, "mount/a");
    put(world, "mount");
    spool_incident(world, first);
    open_world(world);
    delivery_hurry(world->delivery);
    wait_until(world, nothing_moves);
    remove_it(world, "mount");
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    assert_false(delivery_stuck(world->delivery));
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "mount/a", first) && is_stored(world, "mount/a", second));
}

static void a_store_that_does_not_answer_is_tried_once_in_a_hurry(void **state)
{
    struct world *world = *state;
    add_bucket_of_nobody(world);
    spool_incident(world, first);
    spool_incident(world, second);
    open_world(world);
    wait_until(world, first_failed);
    uint64_t before = status_of(world, 0).failures;
    delivery_hurry(world->delivery);
    wait_until(world, nothing_moves);
    assert_int_equal(status_of(world, 0).failures, before + 1);
    assert_int_equal(delivery_waiting(world->delivery), 2);
    close_world(world);
}

static void the_same_destination_twice_is_one(void **state)
{
    struct world *world = *state;
    add_folder(world, "a");
    add_folder(world, "b");
    add_folder(world, "a");
    spool_incident(world, first);
    open_world(world);
    assert_int_equal(delivery_exporters(world->delivery), 2);
    wait_until(world, nothing_waits);
    close_world(world);
    assert_false(in_spool(world, first));
}

static void two_stores_with_one_bucket_name_are_told_apart(void **state)
{
    static char bucket[] = "woogles", one[] = "http://127.0.0.1:1", other[] = "http://127.0.0.1:2";
    struct world *world = *state;
    struct s3_exporter_options options[] = {
        {.bucket = bucket, .endpoint = one, .verify = true},
        {.bucket = bucket, .endpoint = other, .verify = true},
    };
    add_bucket(world, &options[0]);
    add_bucket(world, &options[1]);
    open_world(world);
    assert_int_equal(delivery_exporters(world->delivery), 2);
    assert_string_equal(status_of(world, 0).label, "s3://woogles");
    assert_string_not_equal(status_of(world, 1).label, "s3://woogles");
    close_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_an_earlier_run_left_is_delivered),
        IN_A_WORLD(the_oldest_goes_first_and_its_json_last),
        IN_A_WORLD(a_folder_that_can_be_written_again_gets_everything),
        IN_A_WORLD(one_exporter_that_is_down_holds_the_other_back_in_nothing),
        IN_A_WORLD(what_no_exporter_has_can_be_taken_back),
        IN_A_WORLD(what_every_exporter_has_leaves_the_spool_at_the_next_start),
        IN_A_WORLD(an_incident_that_was_removed_by_hand_is_lost_and_not_stored),
        IN_A_WORLD(an_exporter_whose_only_incident_was_removed_gets_the_next),
        IN_A_WORLD(a_try_goes_on_with_the_file_that_failed),
        IN_A_WORLD(a_spool_that_cannot_be_listed_costs_nothing),
        IN_A_WORLD(a_broken_incident_holds_back_no_other),
        IN_A_WORLD(a_file_that_is_rejected_holds_nothing_back),
        IN_A_WORLD(a_hurry_ends_when_each_incident_was_refused),
        IN_A_WORLD(what_is_added_after_a_hurry_is_tried_too),
        IN_A_WORLD(a_store_that_does_not_answer_is_tried_once_in_a_hurry),
        IN_A_WORLD(the_same_destination_twice_is_one),
        IN_A_WORLD(two_stores_with_one_bucket_name_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
