/* The baselines that are kept: which, in what form, and over a restart. */
#include "shelf_rig.h"

#define MORNING  "20231123T080000Z-baseline-aaaaaa"
#define LATER    "20231123T113000Z-baseline-bbbbbb"
#define EVENING  "20231123T200000Z-baseline-cccccc"
#define NEXT_DAY "20231124T070000Z-baseline-dddddd"

/* One whose profiles are all there, or one that lacks its heap. */
static void take(struct world *world, const char *id, const char *image, bool whole)
{
    fs_remove(world->from, NULL);
    assert_int_equal(fs_make_folders(world->from, NULL), 0);
    struct incident *incident = new_baseline(id, image);
    add_profile(incident, "cpu", world->from);
    if (whole) {
        add_profile(incident, "heap", world->from);
    } else {
        struct incident_profile *heap = incident_add_profile(incident, "heap");
        heap->status = PROFILE_FAILED;
        heap->error = xstrdup("404");
    }
    write_down(world, incident);
    copy(world);
}

static void it_is_apart_from_the_spool(void **state)
{
    struct world *world = *state;
    take(world, MORNING, "v1", true);
    assert_true(world->kept);
    assert_string_equal(world->id, MORNING);
    fs_remove(world->from, NULL);
    assert_kept(world, MORNING);
    assert_true(is_there(world, MORNING, "incident.json"));
    assert_true(is_there(world, MORNING, "cpu.pb.gz"));
    assert_true(is_there(world, MORNING, "heap.pb.gz"));
    close_world(world);
    open_world(world);
    assert_kept(world, MORNING);
}

static void only_whole_profiles_are_kept(void **state)
{
    struct world *world = *state;
    size_t count;
    assert_int_equal(fs_make_folders(world->from, NULL), 0);
    struct incident *incident = new_baseline(MORNING, "v1");
    add_profile(incident, "cpu", world->from)->status = PROFILE_TRUNCATED;
    add_profile(incident, "heap", world->from);
    add_profile(incident, "goroutine", NULL); /* its file is gone */
    write_down(world, incident);
    copy(world);
    assert_true(world->kept);
    assert_false(is_there(world, MORNING, "cpu.pb.gz"));
    assert_true(is_there(world, MORNING, "heap.pb.gz"));
    const struct incident *kept = shelf_all(world->shelf, &count)[0];
    assert_int_equal(kept->profiles[0].status, PROFILE_FAILED);
    assert_null(kept->profiles[0].file);
    assert_int_equal(kept->profiles[1].status, PROFILE_OK);
    assert_int_equal(kept->profiles[2].status, PROFILE_FAILED);
    assert_non_null(kept->profiles[2].error);
}

static void what_has_nothing_to_compare_with_is_not(void **state)
{
    struct world *world = *state;
    assert_int_equal(fs_make_folders(world->from, NULL), 0);
    struct incident *incident = new_baseline(MORNING, "v1");
    struct incident_profile *cpu = incident_add_profile(incident, "cpu");
    cpu->status = PROFILE_FAILED;
    cpu->error = xstrdup("the endpoint cannot be reached");
    write_down(world, incident);
    copy(world);
    assert_false(world->kept);
    assert_string_equal(world->id, MORNING);
    assert_string_equal(world->err.text, "");
    assert_kept(world, "");
    fs_remove(world->from, NULL);
    copy(world);
    assert_false(world->kept);
    assert_null(world->id);
    assert_non_null(strstr(world->err.text, "from/incident.json"));
}

static void the_newest_of_each_part_of_the_day_is_kept(void **state)
{
    struct world *world = *state;
    take(world, MORNING, "v1", true);
    take(world, EVENING, "v1", true);
    assert_kept(world, MORNING " " EVENING);
    take(world, LATER, "v1", true);
    assert_kept(world, LATER " " EVENING);
    assert_false(is_there(world, MORNING, "incident.json"));
    take(world, NEXT_DAY, "v2", true);
    assert_kept(world, EVENING " " NEXT_DAY);
    take(world, LATER, "v1", true); /* of the day before */
    assert_false(world->kept);
    assert_kept(world, EVENING " " NEXT_DAY);
    assert_false(is_there(world, LATER, "incident.json"));
    take(world, EVENING, "v1", true); /* once more */
    assert_true(world->kept);
    assert_kept(world, EVENING " " NEXT_DAY);
    assert_true(is_there(world, EVENING, "heap.pb.gz"));
    close_world(world);
    open_world(world);
    assert_kept(world, EVENING " " NEXT_DAY);
}

static void less_does_not_take_the_place_of_more(void **state)
{
    struct world *world = *state;
    take(world, MORNING, "v1", true);
    take(world, LATER, "v1", false);
    assert_false(world->kept);
    assert_kept(world, MORNING);
    take(world, LATER, "v2", false); /* of another image it does */
    assert_kept(world, LATER);
    take(world, NEXT_DAY, "v2", true);
    assert_kept(world, NEXT_DAY);
}

static void what_a_kill_left_is_removed(void **state)
{
    struct world *world = *state;
    take(world, MORNING, "v1", true);
    char *half = xasprintf("%s/baselines/." EVENING, world->state);
    char *broken = xasprintf("%s/baselines/" EVENING, world->state);
    char *manifest = xasprintf("%s/incident.json", broken);
    char *foreign = xasprintf("%s/baselines/notes", world->state);
    assert_int_equal(fs_make_folders(half, NULL), 0);
    assert_int_equal(fs_make_folders(broken, NULL), 0);
    assert_int_equal(fs_write(manifest, "{", 1, NULL), 0);
    assert_int_equal(fs_make_folders(foreign, NULL), 0);
    close_world(world);
    open_world(world);
    finish_jobs(world);
    assert_kept(world, MORNING);
    assert_false(fs_exists(half));
    assert_false(fs_exists(broken));
    assert_true(fs_exists(foreign));
    free(half);
    free(broken);
    free(manifest);
    free(foreign);
}

static void those_of_other_apps_go(void **state)
{
    struct world *world = *state;
    take(world, MORNING, "v1", true);
    close_world(world);
    world->app.name = (char *)(uintptr_t) "worker";
    open_world(world);
    finish_jobs(world);
    assert_kept(world, "");
    assert_false(is_there(world, MORNING, "incident.json"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_apart_from_the_spool),
        TEST(only_whole_profiles_are_kept),
        TEST(what_has_nothing_to_compare_with_is_not),
        TEST(the_newest_of_each_part_of_the_day_is_kept),
        TEST(less_does_not_take_the_place_of_more),
        TEST(what_a_kill_left_is_removed),
        TEST(those_of_other_apps_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
