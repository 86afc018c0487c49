/* Other exporters while a delivery is under way: into real folders. */
#include "agent/storage/delivery_change.h"
#include "delivery_rig.h"

/* The world's configuration with other folders. */
struct other {
    struct config config;
    struct exporter_config exporters[MAX_EXPORTERS];
    struct directory_exporter_options folders[MAX_EXPORTERS];
};

static void fill(struct other *other, const struct world *world, const char *const *names)
{
    *other = (struct other){.config = world->config};
    other->config.exporters = other->exporters;
    other->config.exporter_count = 0;
    for (size_t i = 0; names[i]; i++) {
        other->folders[i].path = in_world(world, names[i]);
        other->exporters[i] = (struct exporter_config){
            .kind = kind_index(&exporter_directory), .options = &other->folders[i]};
        other->config.exporter_count++;
    }
}

static void clear(struct other *other)
{
    for (size_t i = 0; i < other->config.exporter_count; i++)
        free(other->folders[i].path);
}

static void change(struct world *world, struct other *other, const char *const *names)
{
    struct error err;
    fill(other, world, names);
    struct delivery_change *change = delivery_change_open(world->delivery, &other->config, &err);
    assert_non_null(change);
    delivery_change_apply(change);
    delivery_change_close(change);
}

/* An incident that the first of the folders cannot take, and the others have. */
static void block_first(struct world *world)
{
    put(world, "mount"); /* a file: even root makes no folder in it */
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    if (delivery_exporters(world->delivery) > 1)
        wait_until(world, second_has_all);
}

static void nobody_waits_for_one_that_is_gone(void **state)
{
    struct world *world = *state;
    struct other other;
    add_folder(world, "mount/a");
    add_folder(world, "b");
    block_first(world);
    change(world, &other, (const char *[]){"b", NULL});
    assert_int_equal(delivery_exporters(world->delivery), 1);
    assert_true(nothing_waits(world));
    assert_int_equal(status_of(world, 0).stored, 1);
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    wait_until(world, nothing_waits);
    close_world(world);
    assert_true(is_stored(world, "b", first) && is_stored(world, "b", second));
    assert_false(in_spool(world, first) || in_spool(world, second));
    clear(&other);
}

static void a_wrong_name_can_be_mended(void **state)
{
    struct world *world = *state;
    struct other other;
    add_folder(world, "mount/a");
    block_first(world);
    change(world, &other, (const char *[]){"a", NULL});
    assert_false(nothing_waits(world));
    wait_until(world, nothing_waits);
    close_world(world);
    assert_true(is_stored(world, "a", first));
    assert_false(in_spool(world, first));
    clear(&other);
}

static void a_new_one_gets_what_is_complete_from_then_on(void **state)
{
    struct world *world = *state;
    struct other other;
    add_folder(world, "mount/a");
    block_first(world);
    change(world, &other, (const char *[]){"b", "mount/a", NULL});
    assert_int_equal(delivery_exporters(world->delivery), 2);
    assert_int_equal(status_of(world, 0).waiting, 1);
    assert_int_equal(status_of(world, 1).waiting, 0);
    assert_true(status_of(world, 0).failures > 0); /* it stays what it was */
    spool_incident(world, second);
    delivery_add(world->delivery, second);
    wait_until(world, second_has_all);
    assert_true(is_stored(world, "b", second));
    assert_false(is_stored(world, "b", first));
    remove_it(world, "mount");
    delivery_hurry(world->delivery);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "mount/a", first) && is_stored(world, "mount/a", second));
    clear(&other);
}

/* It hangs in reading, as on a mount that does not answer. */
static void what_is_on_its_way_goes_on(void **state)
{
    struct world *world = *state;
    struct other other, back;
    add_folder(world, "a");
    put_in_spool(world, first, "incident.json");
    put_in_spool(world, first, "x");
    remove_it(world, "state/spool/20261123T150401Z-cpu-high-000001/x");
    char *fifo = in_world(world, "state/spool/20261123T150401Z-cpu-high-000001/x");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    open_world(world);
    for (int i = 0; i < 20; i++)
        loop_run_until(world->loop, &(bool){false}, clock_mono_ms() + 1);
    change(world, &other, (const char *[]){"a", "b", NULL});
    change(world, &back, (const char *[]){"a", NULL});
    write_to_fifo(fifo, "whole");
    wait_until(world, nothing_waits);
    assert_int_equal(status_of(world, 0).failures, 0);
    assert_true(is_stored(world, "a", first));
    free(fifo);
    clear(&other);
    clear(&back);
}

static void one_destination_is_there_once(void **state)
{
    struct world *world = *state;
    struct other other;
    add_folder(world, "a");
    open_world(world);
    change(world, &other, (const char *[]){"a", "a", NULL});
    assert_int_equal(delivery_exporters(world->delivery), 1);
    clear(&other);
}

static void without_apply_nothing_changes(void **state)
{
    struct world *world = *state;
    struct other other;
    struct error err;
    add_folder(world, "a");
    open_world(world);
    fill(&other, world, (const char *[]){"b", NULL});
    struct delivery_change *change = delivery_change_open(world->delivery, &other.config, &err);
    assert_non_null(change);
    delivery_change_close(change);
    spool_incident(world, first);
    delivery_add(world->delivery, first);
    wait_until(world, nothing_waits);
    assert_true(is_stored(world, "a", first) && !is_stored(world, "b", first));
    delivery_change_close(NULL);
    clear(&other);
}

/* Another region of a bucket with the same name is another one; other options are the same one. */
static void other_options_of_a_destination(void **state)
{
    struct world *world = *state;
    struct error err;
    static char bucket[] = "some-bucket", endpoint[] = "http://127.0.0.1:9";
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = endpoint, .verify = true};
    struct s3_exporter_options changed = options;
    changed.path_style = S3_PATH_STYLE_ON;
    add_bucket(world, &options);
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    struct exporter_config exporter = {.kind = kind_index(&exporter_s3), .options = &changed};
    struct config config = world->config;
    config.exporters = &exporter;
    struct delivery_change *change = delivery_change_open(world->delivery, &config, &err);
    if (!change)
        fail_msg("%s", err.text);
    assert_int_equal(delivery_change_was(change, 0), 0);
    delivery_change_apply(change);
    delivery_change_close(change);
    assert_int_equal(status_of(world, 0).waiting, 1);
    assert_true(status_of(world, 0).failures > 0);
    static char broken[] = "NO";
    struct s3_exporter_options never = {.bucket = broken, .verify = true};
    struct exporter_config wrong = {.kind = exporter.kind, .options = &never};
    struct config refused = config;
    refused.exporters = &wrong;
    assert_null(delivery_change_open(world->delivery, &refused, &err));
    assert_int_equal(delivery_exporters(world->delivery), 1);
    close_world(world);
}

/* The only one that has an incident's destination yet has other options now. */
static void what_an_heir_waits_for_stays_when_others_leave(void **state)
{
    struct world *world = *state;
    struct error err;
    static char bucket[] = "some-bucket", endpoint[] = "http://127.0.0.1:9";
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = endpoint, .verify = true};
    struct s3_exporter_options changed = options;
    changed.path_style = S3_PATH_STYLE_ON;
    add_folder(world, "mount/a");
    add_bucket(world, &options);
    put(world, "mount");
    spool_incident(world, first);
    open_world(world);
    wait_until(world, first_failed);
    struct exporter_config exporter = {.kind = kind_index(&exporter_s3), .options = &changed};
    struct config config = world->config;
    config.exporters = &exporter;
    config.exporter_count = 1;
    struct delivery_change *change = delivery_change_open(world->delivery, &config, &err);
    assert_non_null(change);
    delivery_change_apply(change);
    delivery_change_close(change);
    assert_int_equal(status_of(world, 0).waiting, 1);
    close_world(world);
    assert_true(in_spool(world, first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_waits_for_one_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_name_can_be_mended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_new_one_gets_what_is_complete_from_then_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_on_its_way_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_destination_is_there_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_apply_nothing_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_options_of_a_destination, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_an_heir_waits_for_stays_when_others_leave, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
