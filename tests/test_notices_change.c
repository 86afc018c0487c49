/* Others are told: by a reload, or since the last run. */
#include "agent/notices/notices_status.h"
#include "core/buf.h"
#include "notices_rig.h"

/* Two channels of one Slack, the usual case: a name that two have would spoil what Prometheus
 * reads. */
static void assert_names_differ(void)
{
    struct buf text;
    buf_init(&text, SIZE_MAX - 1);
    notices_status_metrics(notices, &text);
    char *first_up = strstr(text.data, "\nstakeout_notifier_up{");
    assert_non_null(first_up);
    char *second_up = strstr(first_up + 1, "\nstakeout_notifier_up{");
    assert_non_null(second_up);
    assert_true(strncmp(first_up, second_up, strcspn(first_up, "}")) != 0);
    buf_free(&text);
    for (size_t i = 0; i < 2; i++)
        assert_string_not_equal(told_by(i).name, told_by(i).label);
}

static void a_reload_keeps_what_stays_and_forgets_what_goes(void **state)
{
    struct world *world = *state;
    char other[80];
    struct exporter_config after[2];
    stub_start(&slack, fine, 1);
    snprintf(other, sizeof other, "%s/other", slack.url);
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    open_all(world);
    spool_real(world, first, "spike", "0123456789abcdef");
    delivery_add(world->delivery, first);
    wait_until(world, all_told);
    struct config config = world->config;
    webhooks[1] = (struct webhook_options){.url = other, .format = WEBHOOK_JSON};
    after[0] = world->exporters[1];
    after[1] = (struct exporter_config){world->exporters[1].kind, &webhooks[1]};
    config.exporters = after;
    config.exporter_count = 2;
    notices_reload(notices, &config);
    assert_int_equal(notices_notifiers(notices), 2);
    assert_int_equal(told_by(0).told, 1);
    assert_names_differ();
    config.exporters = after + 1;
    config.exporter_count = 1;
    notices_reload(notices, &config);
    assert_int_equal(notices_notifiers(notices), 1);
    assert_int_equal(told_by(0).told, 0);
    assert_string_equal(told_by(0).name, told_by(0).label); /* nobody shares it any more */
    close_all(world);
    stub_stop(&slack);
    stub_free(&slack);
}

static void hang(void *path)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
}

/* With an incident whose file is not written before write_to_fifo; the disk thread frees the path
 * then. */
static char *open_while_writing(struct world *world)
{
    char *fifo = in_world(world, "fifo");
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    open_all(world);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    offload_submit(world->disk, hang, free, fifo);
    spool_real(world, first, "spike", "0123456789abcdef");
    delivery_add(world->delivery, first);
    wait_until(world, nothing_waits);
    return fifo;
}

/* One that comes while an incident's files are being written has none of it, and misses none. */
static void who_comes_in_the_middle_of_the_writing_is_told_of_the_next_one(void **state)
{
    struct world *world = *state;
    struct exporter_config after[3];
    stub_start(&slack, fine, 1);
    char *other = xasprintf("%s/other", slack.url), *fifo = open_while_writing(world);
    struct config config = world->config;
    webhooks[1] = (struct webhook_options){.url = other, .format = WEBHOOK_JSON};
    after[0] = world->exporters[0];
    after[1] = world->exporters[1];
    after[2] = (struct exporter_config){world->exporters[1].kind, &webhooks[1]};
    config.exporters = after;
    config.exporter_count = 3;
    notices_reload(notices, &config);
    write_to_fifo(fifo, "");
    wait_until(world, all_told);
    assert_int_equal(told_by(0).told, 1);
    assert_int_equal(told_by(1).told + told_by(1).dropped, 0);
    close_all(world);
    stub_stop(&slack);
    stub_free(&slack);
    free(other);
}

/* The first URL is one that is revoked; the second one takes its place. */
static const struct stub_answer revoked_first[] = {
    {403, "", {"Retry-After", "3600", NULL}}, {200, "ok", {NULL}}};

static char *spool_three(struct world *world)
{
    add_folder(world, "a");
    add_webhook(world, 0, slack.url);
    spool_real(world, first, "spike", "0123456789abcdef");
    spool_real(world, second, "spike", "0123456789abcdef");
    spool_real(world, third, "spike", "4444444444444444");
    return xasprintf("%s/rotated", slack.url);
}

static bool message_is_of(size_t index, const char *id)
{
    json_t *body = message(index);
    bool is = !strcmp(json_string_value(json_object_get(body, "id")), id);
    json_decref(body);
    return is;
}

/* A group that could not be told goes behind those that wait by then, which the third may or may
 * not do. */
static void assert_three_told(struct world *world, char *url)
{
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 3);
    size_t both = message_is_of(1, second) ? 1 : 2;
    assert_message(both, second, 1);
    assert_message(3 - both, third, 0);
    assert_int_equal(files_of_notices(world), 0);
    stub_free(&slack);
    free(url);
}

static void what_waits_for_a_url_that_was_replaced_is_told_through_the_new_one(void **state)
{
    struct world *world = *state;
    stub_start(&slack, revoked_first, 2);
    char *url = spool_three(world);
    open_all(world);
    wait_until(world, first_failed_to_tell);
    close_all(world);
    assert_int_equal(files_of_notices(world), 3);
    webhooks[0].url = url;
    open_all(world);
    wanted_count = 3;
    wait_until(world, first_told);
    assert_three_told(world, url);
}

static struct config with_webhook(
    const struct world *world, struct exporter_config after[2], char *url)
{
    struct config config = world->config;
    webhooks[1] = (struct webhook_options){.url = url, .format = WEBHOOK_JSON};
    after[0] = world->exporters[0];
    after[1] = (struct exporter_config){world->exporters[1].kind, &webhooks[1]};
    config.exporters = after;
    return config;
}

static bool three_wait(const struct world *world)
{
    return first_failed_to_tell(world) && told_by(0).waiting == 3;
}

static void so_it_is_by_a_reload(void **state)
{
    struct world *world = *state;
    struct exporter_config after[2];
    stub_start(&slack, revoked_first, 2);
    char *url = spool_three(world);
    open_all(world);
    wait_until(world, three_wait);
    struct config config = with_webhook(world, after, url);
    notices_reload(notices, &config);
    assert_int_equal(told_by(0).waiting, 3);
    wanted_count = 3;
    wait_until(world, first_told);
    assert_three_told(world, url);
}

/* The reload comes while the first one's file is being written. */
static void so_is_what_is_being_written(void **state)
{
    struct world *world = *state;
    struct exporter_config after[2];
    stub_start(&slack, fine, 1);
    char *url = xasprintf("%s/rotated", slack.url), *fifo = open_while_writing(world);
    struct config config = with_webhook(world, after, url);
    notices_reload(notices, &config);
    write_to_fifo(fifo, "");
    wanted_count = 1;
    wait_until(world, first_told);
    close_all(world);
    stub_stop(&slack);
    assert_int_equal(slack.count, 1);
    assert_int_equal(files_of_notices(world), 0);
    stub_free(&slack);
    free(url);
}

/* Nobody came: what waits is nobody's, and goes. */
static bool second_told(const struct world *world)
{
    return three_wait(world) && told_by(1).told == 3;
}

static void what_waits_for_one_without_an_heir_goes(void **state)
{
    struct world *world = *state;
    char nowhere[] = "http://127.0.0.1:1/";
    stub_start(&slack, fine, 1);
    char *url = spool_three(world);
    webhooks[0].url = nowhere;
    add_webhook(world, 1, url);
    open_all(world);
    wait_until(world, second_told);
    close_all(world);
    assert_int_equal(files_of_notices(world), 3);
    world->exporters[1] = world->exporters[2];
    world->config.exporter_count = 2;
    open_all(world);
    assert_int_equal(told_by(0).waiting, 0);
    close_all(world);
    assert_int_equal(files_of_notices(world), 0);
    stub_stop(&slack);
    stub_free(&slack);
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_reload_keeps_what_stays_and_forgets_what_goes),
        IN_A_WORLD(who_comes_in_the_middle_of_the_writing_is_told_of_the_next_one),
        IN_A_WORLD(what_waits_for_a_url_that_was_replaced_is_told_through_the_new_one),
        IN_A_WORLD(so_it_is_by_a_reload),
        IN_A_WORLD(so_is_what_is_being_written),
        IN_A_WORLD(what_waits_for_one_without_an_heir_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
