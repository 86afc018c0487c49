/* The agent's knowledge of known groups: from the stores, from what was caught, over a restart. */
#include "agent/detection/familiar.h"

#include "agent/detection/detector.h"
#include "core/incident.h"
#include "delivery_rig.h"

#include <math.h>

static const char group[] = "0123456789abcdef";
static const char known_text_of_a_reader[] =
    "{\"schema\": 1, \"groups\": [{\"group\": \"0123456789abcdef\", \"metric\": \"cpu\", "
    "\"suspect\": \"main.decode\", \"peak\": "
    "95}]}";

/* An app and a trigger for the world's configuration. */
static void configure(struct world *world, char *state)
{
    static char app_name[] = "app", trigger_name[] = "cpu-high";
    static struct app_config app = {.name = app_name};
    static struct trigger_config trigger = {.name = trigger_name};
    world->config.apps = &app;
    world->config.app_count = 1;
    world->config.triggers = &trigger;
    world->config.trigger_count = 1;
    world->config.state = state;
}

static struct familiar *open_familiar(const struct world *world)
{
    return familiar_open(&(struct familiar_setup){.config = &world->config,
        .loop = world->loop,
        .disk = world->disk,
        .delivery = world->delivery,
        .spool = world->spool});
}

static void put_text(const struct world *world, const char *name, const char *text)
{
    char *path = in_world(world, name);
    put(world, name);
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(path);
}

static void put_caught(const struct world *world, const char *id)
{
    char *name = xasprintf("state/spool/%s/incident.json", id);
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu-high");
    incident->fired_ms = clock_wall_ms() - 3600000;
    incident->analysis.group = xstrdup(group);
    char *text = incident_to_text(incident);
    put_text(world, name, text);
    free(text);
    free(name);
    incident_free(incident);
}

static bool is_held_back(const struct familiar *familiar, double value)
{
    char why[CAUGHT_WHY_SIZE];
    const struct detector_event event = {.type = EVENT_FIRE,
        .time_ms = clock_mono_ms(),
        .metric = "cpu",
        .unit = UNIT_PERCENT,
        .value = value,
        .limit = 80};
    return familiar_explains(familiar, &event, why);
}

/* Until it is as expected, or for as many turns as it takes to be sure that it is not. */
static bool comes_to(
    const struct world *world, struct familiar *familiar, double value, bool held_back)
{
    const bool never = false;
    int64_t until_ms = clock_mono_ms() + (held_back ? 20000 : 100);
    while (is_held_back(familiar, value) != held_back && clock_mono_ms() < until_ms) {
        familiar_update(familiar);
        loop_run_until(world->loop, &never, clock_mono_ms() + 5);
    }
    return is_held_back(familiar, value) == held_back;
}

static void stop(struct world *world, struct familiar *familiar)
{
    familiar_stop(familiar);
    delivery_close(world->delivery);
    world->delivery = NULL;
    offload_close(world->disk);
    familiar_close(familiar);
    spool_close(world->spool);
    loop_timer_free(world->look);
    loop_close(world->loop);
    world->loop = NULL;
}

static void what_is_known_and_was_caught_is_held_back(void **unused)
{
    struct world *world = *unused;
    char *state = in_world(world, "state");
    add_folder(world, "a");
    add_folder(world, "b");
    put(world, "b/x");
    put_text(world, "b/service=woogles/_state/known.json", known_text_of_a_reader);
    configure(world, state);
    open_world(world);
    struct familiar *familiar = open_familiar(world);
    put_caught(world, first);
    familiar_update(familiar);
    assert_false(is_held_back(familiar, 90));
    familiar_note(familiar, first);
    assert_true(comes_to(world, familiar, 90, true));
    assert_false(is_held_back(familiar, 120));
    stop(world, familiar);

    open_world(world); /* after a restart it is known from the file */
    familiar = open_familiar(world);
    assert_false(is_held_back(familiar, 90));
    assert_true(comes_to(world, familiar, 90, true));
    stop(world, familiar);
    free(state);
}

static void what_cannot_be_read_makes_nothing_known(void **unused)
{
    struct world *world = *unused;
    char *state = in_world(world, "state");
    add_folder(world, "a");
    put_text(world, "a/service=woogles/_state/known.json", "{\"schema\": 9}");
    put_text(world, "state/groups.json", "broken");
    configure(world, state);
    open_world(world);
    struct familiar *familiar = open_familiar(world);
    put_caught(world, first);
    familiar_note(familiar, first);
    familiar_note(familiar, second); /* is not there */
    familiar_update(familiar);
    const bool never = false;
    loop_run_until(world->loop, &never, clock_mono_ms() + 100);
    assert_false(is_held_back(familiar, 90));
    stop(world, familiar);
    free(state);
}

/* Where nothing may be read all is captured, and the store is not asked over and over. */
static void a_bucket_may_refuse(void **unused)
{
    static const struct stub_answer answers[] = {
        {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"}, {.status = 503}};
    static char bucket[] = "woogles";
    struct world *world = *unused;
    struct stub_server server;
    char *state = in_world(world, "state");
    stub_start(&server, answers, 2);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    add_bucket(world, &options);
    configure(world, state);
    open_world(world);
    struct familiar *familiar = open_familiar(world);
    put_caught(world, first);
    familiar_note(familiar, first);
    assert_true(comes_to(world, familiar, 90, false));
    const bool never = false;
    for (int i = 0; i < 20; i++) {
        familiar_update(familiar);
        loop_run_until(world->loop, &never, clock_mono_ms() + 5);
    }
    stop(world, familiar);
    stub_stop(&server);
    assert_int_equal(server.count, 1);
    assert_string_equal(server.requests[0].path, "/woogles/service=woogles/_state/known.json");
    stub_free(&server);
    free(state);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_is_known_and_was_caught_is_held_back),
        IN_A_WORLD(what_cannot_be_read_makes_nothing_known),
        IN_A_WORLD(a_bucket_may_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
