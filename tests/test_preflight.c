/* When an app's profiles are tried: at the start, after a restart, and not in anybody's way. */
#include "agent/apps/preflight.h"

#include "core/http.h"
#include "recorder_rig.h"

struct rest {
    struct preflight *preflight;
    struct capture_entry entry;
    struct capture_set set;
    bool busy;
};

static struct rest *rest_of(const struct world *world)
{
    return world->more;
}

static bool on_busy(void *arg, size_t app)
{
    const struct world *world = arg;
    assert_int_equal(app, 0);
    return rest_of(world)->busy;
}

static int set_up(void **state)
{
    static char spike[] = "spike", cpu[] = "cpu";
    struct world *world = xcalloc(1, sizeof *world);
    struct rest *rest = world->more = xcalloc(1, sizeof *rest);
    rig_open(world);
    rest->entry = (struct capture_entry){.profile = cpu, .seconds = 25};
    rest->set = (struct capture_set){.name = spike, .entries = &rest->entry, .count = 1};
    world->config.captures = &rest->set;
    world->config.capture_count = 1;
    world->config.recorder.always = true;
    rig_open_recorder(world);
    atomic_store(&world->stub.hold, 1);
    struct preflight_setup setup = {.loop = world->loop,
        .config = &world->config,
        .recorder = world->recorder,
        .endpoints = &world->endpoint,
        .busy = on_busy,
        .arg = world};
    rest->preflight = preflight_open(&setup);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    struct rest *rest = world->more;
    preflight_stop(rest->preflight);
    preflight_close(rest->preflight);
    recorder_stop(world->recorder);
    offload_close(world->disk);
    recorder_close(world->recorder);
    free(rest);
    rig_close(world);
    free(world);
    return 0;
}

static bool is_over(const struct world *world)
{
    preflight_update(rest_of(world)->preflight);
    return !preflight_is_running(rest_of(world)->preflight, 0);
}

static bool is_holding(const struct world *world)
{
    return atomic_load(&world->stub.running) == 1;
}

static enum probe_verdict verdict(const struct world *world)
{
    const struct preflight_finding *findings;
    assert_int_equal(preflight_findings(rest_of(world)->preflight, 0, &findings), 1);
    assert_string_equal(findings[0].profile, "profile cpu of 25 s");
    assert_int_equal(findings[0].verdict == PROBE_OK, !findings[0].why.text[0]);
    return findings[0].verdict;
}

static void the_recorder_begins_after_it(void **state)
{
    struct world *world = *state;
    preflight_update(rest_of(world)->preflight);
    wait_until(world, is_holding);
    assert_false(recorder_records(world));
    wait_until(world, is_over);
    assert_int_equal(verdict(world), PROBE_OK);
    wait_until(world, recorder_records);
}

static void a_new_start_is_tried_anew(void **state)
{
    struct world *world = *state;
    atomic_store(&world->stub.write_timeout_s, 10);
    wait_until(world, is_over);
    assert_int_equal(verdict(world), PROBE_SHORTER);
    assert_int_equal(endpoint_seconds(world->endpoint, "cpu", 25), 9);
    wait_until(world, recorder_records);
    atomic_store(&world->stub.write_timeout_s, 60);
    preflight_repeat(rest_of(world)->preflight, 0);
    assert_int_equal(endpoint_seconds(world->endpoint, "cpu", 25), 25);
    wait_until(world, is_over);
    assert_int_equal(verdict(world), PROBE_OK);
    wait_until(world, recorder_records);
}

static void it_gives_way_and_comes_back(void **state)
{
    struct world *world = *state;
    struct rest *rest = rest_of(world);
    preflight_update(rest->preflight);
    wait_until(world, is_holding);
    rest->busy = true;
    preflight_clear_way(rest->preflight, 0);
    assert_false(preflight_is_running(rest->preflight, 0));
    preflight_update(rest->preflight);
    assert_false(preflight_is_running(rest->preflight, 0));
    rest->busy = false;
    preflight_update(rest->preflight);
    assert_true(preflight_is_running(rest->preflight, 0));
    wait_until(world, is_over);
    assert_int_equal(verdict(world), PROBE_OK);
}

static void a_stop_ends_it(void **state)
{
    struct world *world = *state;
    struct rest *rest = rest_of(world);
    preflight_update(rest->preflight);
    preflight_stop(rest->preflight);
    assert_false(preflight_is_running(rest->preflight, 0));
    preflight_update(rest->preflight);
    assert_false(preflight_is_running(rest->preflight, 0));
    assert_null(preflight_problem(rest->preflight, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_recorder_begins_after_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_start_is_tried_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_gives_way_and_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
