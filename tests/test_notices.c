#include "agent/notices/notices.h"

#include "notices_rig.h"

static void one_incident_is_told_once_though_two_stores_take_it(void **state)
{
    struct world *world = *state;
    stub_start(&slack, fine, 1);
    add_folder(world, "a");
    add_folder(world, "b");
    add_webhook(world, 0, slack.url);
    spool_real(world, first, "spike", "0123456789abcdef");
    open_all(world);
    wait_until(world, all_told);
    assert_int_equal(told_by(0).told, 1);
    close_all(world);
    assert_int_equal(files_of_notices(world), 0);
    assert_false(in_spool(world, first));
    open_all(world); /* another run has nothing to tell */
    assert_true(all_told(world));
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 1);
    assert_message(0, first, 0);
    stub_free(&slack);
}

static void what_nobody_asked_for_is_not_told(void **state)
{
    struct world *world = *state;
    stub_start(&slack, fine, 1);
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    knows = true;
    spool_real(world, first, "baseline", "1111111111111111");
    spool_real(world, second, "follow_up", "2222222222222222");
    spool_real(world, third, "spike", "0123456789abcdef");
    spool_real(world, fourth, "manual", "3333333333333333");
    open_all(world);
    wait_until(world, all_told);
    knows = false;
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 1);
    assert_message(0, fourth, 0);
    assert_int_equal(files_of_notices(world), 0);
    stub_free(&slack);
}

static const struct stub_answer busy_first[] = {
    {503, "", {"Retry-After", "3600", NULL}}, {200, "ok", {NULL}}};

/* The incident is stored all the same, and told by the next run. */
static void an_outage_holds_no_incident_back(void **state)
{
    struct world *world = *state;
    stub_start(&slack, busy_first, 2);
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    spool_real(world, first, "spike", "0123456789abcdef");
    spool_real(world, second, "spike", "0123456789abcdef");
    spool_real(world, third, "spike", "4444444444444444");
    open_all(world);
    wait_until(world, first_failed_to_tell);
    assert_true(is_stored(world, "a", first));
    close_all(world);
    assert_false(in_spool(world, first));
    assert_int_equal(files_of_notices(world), 3);
    open_all(world);
    wanted_count = 3;
    wait_until(world, first_told);
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 3);
    assert_message(1, second, 1); /* the newest stands for its group */
    assert_message(2, third, 0);
    assert_int_equal(files_of_notices(world), 0);
    stub_free(&slack);
}

static bool first_store_has_it(const struct world *world)
{
    return status_of(world, 0).waiting == 0;
}

/* What a fleet has not settled yet may be a duplicate. */
static void a_fleet_is_told_once_its_store_has_it(void **state)
{
    struct world *world = *state;
    stub_start(&slack, fine, 1);
    add_folder(world, "mount/a");
    add_folder(world, "b");
    add_webhook(world, 0, slack.url);
    world->config.fleet = (struct fleet_config){3, 600000};
    put(world, "mount"); /* its store can make no folder there */
    spool_real(world, first, "spike", "0123456789abcdef");
    open_all(world);
    wait_until(world, second_has_all);
    assert_true(notices_are_over(notices));
    remove_it(world, "mount");
    delivery_hurry(world->delivery);
    wait_until(world, first_store_has_it);
    wait_until(world, all_told);
    assert_int_equal(told_by(0).told, 1);
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 1);
    stub_free(&slack);
}

static void make_old(const char *path)
{
    const struct timespec times[] = {{1, 0}, {1, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void spoil(const char *path)
{
    assert_int_equal(fs_write(path, "{", 1, NULL), 0);
}

static void what_waited_for_a_day_or_cannot_be_read_is_dropped(void **state)
{
    static void (*const ways[])(const char *) = {make_old, spoil};
    struct world *world = *state;
    add_folder(world, "a");
    for (size_t i = 0; i < 2; i++) {
        stub_start(&slack, busy_first, 2);
        world->config.exporter_count = 1;
        add_webhook(world, 0, slack.url);
        spool_real(world, i ? first : second, "spike", "0123456789abcdef");
        open_all(world);
        wait_until(world, first_failed_to_tell);
        close_all(world);
        each_notice(world, ways[i]);
        open_all(world);
        wait_until(world, all_told);
        assert_int_equal(told_by(0).dropped, 1);
        close_all(world);
        stub_stop(&slack);
        assert_int_equal(slack.count, 1);
        assert_int_equal(files_of_notices(world), 0);
        stub_free(&slack);
    }
}

static void a_wait_that_was_asked_for_is_kept(void **state)
{
    static const struct stub_answer answers[] = {
        {429, "", {"Retry-After", "2", NULL}}, {200, "ok", {NULL}}};
    struct world *world = *state;
    stub_start(&slack, answers, 2);
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    spool_real(world, first, "spike", "0123456789abcdef");
    open_all(world);
    int64_t start_ms = clock_mono_ms();
    wanted_count = 1;
    wait_until(world, first_failed_to_tell);
    notices_hurry(notices); /* does not break the promise */
    assert_true(notices_are_over(notices));
    wait_until(world, first_told);
    assert_true(clock_mono_ms() - start_ms >= 2000);
    assert_null(told_by(0).error);
    assert_int_equal(told_by(0).failures, 1);
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 2);
    stub_free(&slack);
}

/* Killed after the first of two files was written: there is no mark yet. */
static void a_kill_in_the_middle_of_the_writing_is_mended(void **state)
{
    struct world *world = *state;
    char other[80];
    stub_start(&slack, fine, 1);
    snprintf(other, sizeof other, "%s/other", slack.url);
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    add_webhook(world, 1, other);
    spool_real(world, second, "spike", "1111111111111111"); /* makes the folders */
    open_all(world);
    wait_until(world, all_told);
    close_all(world);
    char *path = in_world(world, "state/notices");
    DIR *folders = opendir(path);
    struct dirent *entry;
    char *file = NULL;
    while (!file && (entry = readdir(folders)))
        if (!strchr(entry->d_name, '.'))
            file = xasprintf("%s/%s/%s.json", path, entry->d_name, first);
    closedir(folders);
    char *text = xasprintf("{\"schema\": 1, \"report\": false, \"times\": 1, \"incident\": "
                           "{\"schema\": 1, \"id\": \"%s\", \"service\": \"woogles\", \"kind\": "
                           "\"spike\", \"fired\": \"2026-11-23T15:04:01.000Z\", \"trigger\": "
                           "{\"name\": \"t\"}, \"profiles\": []}}",
        first);
    assert_int_equal(fs_write(file, text, strlen(text), NULL), 0);
    spool_real(world, first, "spike", "0123456789abcdef");
    open_all(world);
    wait_until(world, all_told);
    assert_int_equal(told_by(0).told, 1);
    assert_int_equal(told_by(1).told, 1);
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 4);
    stub_free(&slack);
    free(text);
    free(file);
    free(path);
}

static void a_review_url_is_filled_in(void **state)
{
    (void)state;
    char *url = notices_review_url("https://r/{service}/{id}?x={id}", "woogles", "ID");
    assert_string_equal(url, "https://r/woogles/ID?x=ID");
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            one_incident_is_told_once_though_two_stores_take_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_asked_for_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_outage_holds_no_incident_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fleet_is_told_once_its_store_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_waited_for_a_day_or_cannot_be_read_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wait_that_was_asked_for_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_kill_in_the_middle_of_the_writing_is_mended, set_up, tear_down),
        cmocka_unit_test(a_review_url_is_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
