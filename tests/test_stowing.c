/* A baseline that a store gives back: what an agent packed is there again, and nothing else is
 * believed. */
#include "shelf_rig.h"

#include "agent/baseline/parcel.h"

static const char id[] = "20231123T080000Z-baseline-aaaaaa";

static void pack(struct buf *out, const struct incident *incident, bool with_profile)
{
    char *text = incident_to_text(incident);
    buf_init(out, 100000);
    parcel_add(out, id, "incident.json", text, strlen(text), 0);
    if (with_profile)
        parcel_add(out, id, "cpu.pb.gz", stub_profile, sizeof stub_profile, 0);
    parcel_end(out);
    free(text);
}

static void what_was_packed_is_there_again(void **state)
{
    struct world *world = *state;
    struct buf packed;
    assert_int_equal(fs_make_folders(world->from, NULL), 0);
    struct incident *incident = new_baseline(id, "v1");
    add_profile(incident, "cpu", world->from);
    add_profile(incident, "heap", world->from);
    write_down(world, incident);
    copy(world);
    char *path = shelf_packed_path(world->shelf, "api");
    assert_int_equal(fs_read(path, PARCEL_MAX_BYTES, &packed, NULL), 0);
    free(path);

    /* The next task begins with nothing. */
    close_world(world);
    path = xasprintf("%s/baselines", world->state);
    fs_remove(path, NULL);
    free(path);
    open_world(world);
    assert_kept(world, "");
    unpack(world, &packed);
    assert_true(world->kept);
    assert_kept(world, id);
    assert_true(is_there(world, id, "cpu.pb.gz"));
    assert_true(is_there(world, id, "heap.pb.gz"));
    buf_free(&packed);
}

static int count_hidden(void *arg, const char *name)
{
    *(size_t *)arg += name[0] == '.';
    return 0;
}

/* The same again, as after a kill: the new one is there, and nothing is left of the old one. */
static void what_is_there_already_is_replaced(void **state)
{
    struct world *world = *state;
    size_t hidden = 0;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fs_make_folders(world->from, NULL), 0);
        struct incident *incident = new_baseline(id, "v1");
        add_profile(incident, i ? "cpu" : "heap", world->from);
        write_down(world, incident);
        copy(world);
        assert_true(world->kept);
    }
    assert_kept(world, id);
    assert_true(is_there(world, id, "cpu.pb.gz"));
    assert_false(is_there(world, id, "heap.pb.gz"));
    char *path = xasprintf("%s/baselines", world->state);
    fs_each(path, count_hidden, &hidden, NULL);
    assert_int_equal(hidden, 0);
    free(path);
}

static void lack_file(struct incident *incident)
{
    add_profile(incident, "heap", NULL);
}

static void spike(struct incident *incident)
{
    free(incident->kind);
    incident->kind = xstrdup("spike");
}

static void other_service(struct incident *incident)
{
    free(incident->service);
    incident->service = xstrdup("shop");
}

static void other_app(struct incident *incident)
{
    free(incident->app);
    incident->app = xstrdup("worker");
}

static void no_app(struct incident *incident)
{
    free(incident->app);
    incident->app = NULL;
}

static void future(struct incident *incident)
{
    incident->fired_ms = clock_wall_ms() + 7200000;
}

static void other_id(struct incident *incident)
{
    incident->id[strlen(incident->id) - 1] = 'b';
}

static void other_bytes(struct incident *incident)
{
    incident->profiles[0].sha256[0] = incident->profiles[0].sha256[0] == 'a' ? 'b' : 'a';
}

static void other_size(struct incident *incident)
{
    incident->profiles[0].bytes--;
}

static void other_file(struct incident *incident)
{
    free(incident->profiles[0].file);
    incident->profiles[0].file = xstrdup("incident.json");
}

static void odd_name(struct incident *incident)
{
    free(incident->profiles[0].name);
    incident->profiles[0].name = xstrdup("../cpu");
}

static void huge(struct incident *incident)
{
    incident->profiles[0].bytes = INT64_MAX;
}

static void nothing_is_believed(void **state)
{
    struct world *world = *state;
    static const struct {
        void (*change)(struct incident *incident);
        bool kept;
        const char *error;
    } cases[] = {
        {spike, false, "not a baseline"},
        {other_service, false, "another service"},
        {other_app, false, "not in the configuration"},
        {no_app, false, "not in the configuration"},
        {future, false, "has not come yet"},
        {other_id, false, "not that of its folder"},
        {other_bytes, false, ""},
        {other_size, false, ""},
        {other_file, false, ""},
        {odd_name, false, ""},
        {huge, false, ""},
        {lack_file, true, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf packed;
        struct incident *incident = new_baseline(id, "v1");
        add_profile(incident, "cpu", NULL);
        cases[i].change(incident);
        pack(&packed, incident, true);
        unpack(world, &packed);
        if (world->kept != cases[i].kept || !strstr(world->err.text, cases[i].error) ||
            (!*cases[i].error && *world->err.text))
            fail_msg("case %zu: kept %d: %s", i, world->kept, world->err.text);
        buf_free(&packed);
        incident_free(incident);
    }
    assert_kept(world, id);
    assert_true(is_there(world, id, "cpu.pb.gz"));
    assert_false(is_there(world, id, "heap.pb.gz"));
}

static void nor_is_what_is_no_archive_of_ours(void **state)
{
    struct world *world = *state;
    struct buf packed;
    buf_init(&packed, 10000);
    unpack(world, &packed);
    assert_string_equal(world->err.text, "it is not a whole tar archive");
    parcel_add(&packed, id, "cpu.pb.gz", stub_profile, sizeof stub_profile, 0);
    parcel_end(&packed);
    unpack(world, &packed);
    assert_string_equal(world->err.text, "it has no incident.json");
    buf_clear(&packed);
    parcel_add(&packed, id, "incident.json", "{}", 2, 0);
    parcel_end(&packed);
    unpack(world, &packed);
    assert_non_null(strstr(world->err.text, "it is no incident"));
    assert_kept(world, "");
    buf_free(&packed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_packed_is_there_again),
        TEST(what_is_there_already_is_replaced),
        TEST(nothing_is_believed),
        TEST(nor_is_what_is_no_archive_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
