#include "agent/incidents/follow_ups.h"

#include "agent/incidents/incidents.h"
#include "config/config.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TRIGGERS = 2, DELAY = 100 };

static const char id[] = "20261123T150401Z-cpu-high-1a2b3c";
static const char later[] = "20261123T151401Z-cpu-high-4d5e6f";

struct bench {
    struct config config;
    struct follow_ups *follow_ups;
    enum excursion excursion;
    int64_t ended_ms;
    bool busy, fails;
    char taken[200]; /* "app follows set" of each */
};

static enum excursion excursion(void *arg, const bool *triggers, int64_t *ended_ms)
{
    const struct bench *bench = arg;
    assert_false(triggers[0]);
    assert_true(triggers[1]);
    *ended_ms = bench->ended_ms;
    return bench->excursion;
}

static bool is_busy(void *arg, size_t app)
{
    assert_int_equal(app, 1);
    return ((struct bench *)arg)->busy;
}

static const char *take(
    void *arg, size_t app, const char *follows, const char *set, struct error *err)
{
    struct bench *bench = arg;
    size_t used = strlen(bench->taken);
    if (bench->fails) {
        error_set(err, "no space");
        return NULL;
    }
    snprintf(bench->taken + used, sizeof bench->taken - used, "%zu %s %s;", app, follows, set);
    return later;
}

static void start(struct bench *bench, int64_t delay_ms)
{
    *bench = (struct bench){
        .config = {.app_count = 2, .trigger_count = TRIGGERS, .follow_up_ms = delay_ms}};
    bench->follow_ups = follow_ups_open(&(struct follow_ups_setup){.config = &bench->config,
        .excursion = excursion,
        .busy = is_busy,
        .take = take,
        .arg = bench});
}

static void plan(const struct bench *bench, const char *of, int64_t captured_ms)
{
    static const bool triggers[TRIGGERS] = {false, true};
    follow_ups_plan(
        bench->follow_ups, &(struct incidents_spiked){1, of, "spike", triggers, captured_ms});
}

static void it_is_due_after_the_spike_and_after_the_capture(void **state)
{
    (void)state;
    static const struct {
        enum excursion excursion;
        int64_t ended_ms, captured_ms, due_ms; /* due 0: not at all */
    } rows[] = {
        {EXCURSION_OVER, 500, 1000, 1100}, {EXCURSION_OVER, 2000, 1000, 2100},
        {EXCURSION_UNTOLD, 9000, 1000, 1100}, /* a counter alone: nothing tells of an end */
        {EXCURSION_LASTS, 500, 1000, 0}, {EXCURSION_EBBED, 500, 1000, 0}, /* it may rise again */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        start(&bench, DELAY);
        bench.excursion = rows[i].excursion;
        bench.ended_ms = rows[i].ended_ms;
        plan(&bench, id, rows[i].captured_ms);
        follow_ups_update(bench.follow_ups, rows[i].due_ms ? rows[i].due_ms - 1 : 9999);
        assert_string_equal(bench.taken, "");
        int64_t due_ms;
        assert_string_equal(follow_ups_planned(bench.follow_ups, 1, &due_ms), id);
        assert_int_equal(due_ms, rows[i].due_ms ? rows[i].due_ms : INT64_MAX);
        if (rows[i].due_ms) {
            follow_ups_update(bench.follow_ups, rows[i].due_ms);
            follow_ups_update(bench.follow_ups, rows[i].due_ms + 1); /* once is enough */
            assert_string_equal(bench.taken, "1 20261123T150401Z-cpu-high-1a2b3c spike;");
            assert_null(follow_ups_planned(bench.follow_ups, 1, NULL));
        }
        follow_ups_close(bench.follow_ups);
    }
}

/* The one app has the place of the other, and so have the triggers. */
static void what_is_planned_goes_on_for_another_configuration(void **state)
{
    static char api[] = "api", worker[] = "worker", high[] = "high", low[] = "low", set[] = "spike";
    static const struct {
        int64_t delay_ms;
        bool app, set, goes_on;
    } rows[] = {{DELAY, true, true, true}, {0, true, true, false}, {DELAY, false, true, false},
        {DELAY, true, false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct app_config before[] = {{.name = api}, {.name = worker}};
        struct app_config after[] = {{.name = api}, {.name = rows[i].app ? worker : high}};
        struct trigger_config triggers[] = {{.name = low}, {.name = high}};
        struct trigger_config others[] = {{.name = low}, {.name = high}, {.name = api}};
        struct capture_set sets[] = {{.name = rows[i].set ? set : high}};
        struct config config = {.apps = after,
            .app_count = 2,
            .triggers = others,
            .trigger_count = 3,
            .captures = sets,
            .capture_count = 1,
            .follow_up_ms = rows[i].delay_ms};
        struct bench bench;
        start(&bench, DELAY);
        bench.config.apps = before;
        bench.config.triggers = triggers;
        bench.excursion = EXCURSION_OVER;
        plan(&bench, id, 1000);
        follow_ups_reload(bench.follow_ups, &config);
        assert_int_equal(follow_ups_planned(bench.follow_ups, 1, NULL) != NULL, rows[i].goes_on);
        follow_ups_update(bench.follow_ups, 1000 + DELAY);
        assert_string_equal(
            bench.taken, rows[i].goes_on ? "1 20261123T150401Z-cpu-high-1a2b3c spike;" : "");
        follow_ups_close(bench.follow_ups);
    }
}

static void off_is_off(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, 0);
    plan(&bench, id, 1000);
    assert_null(follow_ups_planned(bench.follow_ups, 1, NULL));
    follow_ups_close(bench.follow_ups);
    follow_ups_close(NULL);
}

static void it_waits_while_the_app_is_busy_but_not_for_ever(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, DELAY);
    bench.excursion = EXCURSION_UNTOLD;
    bench.busy = true;
    plan(&bench, id, 1000);
    follow_ups_update(bench.follow_ups, 1199);
    assert_non_null(follow_ups_planned(bench.follow_ups, 1, NULL));
    bench.busy = false;
    follow_ups_update(bench.follow_ups, 1199);
    assert_string_not_equal(bench.taken, "");
    bench.taken[0] = '\0';
    bench.busy = true;
    plan(&bench, id, 1000);
    follow_ups_update(bench.follow_ups, 1200);
    assert_null(follow_ups_planned(bench.follow_ups, 1, NULL));
    assert_string_equal(bench.taken, "");
    follow_ups_close(bench.follow_ups);
}

static void the_next_spike_has_its_own(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, DELAY);
    bench.excursion = EXCURSION_UNTOLD;
    plan(&bench, id, 1000);
    plan(&bench, later, 5000);
    follow_ups_update(bench.follow_ups, 1100);
    assert_string_equal(bench.taken, "");
    follow_ups_update(bench.follow_ups, 5100);
    assert_string_equal(bench.taken, "1 20261123T151401Z-cpu-high-4d5e6f spike;");
    follow_ups_close(bench.follow_ups);
}

static void one_that_cannot_be_begun_is_dropped(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench, DELAY);
    bench.excursion = EXCURSION_UNTOLD;
    bench.fails = true;
    plan(&bench, id, 1000);
    follow_ups_update(bench.follow_ups, 1100);
    assert_null(follow_ups_planned(bench.follow_ups, 1, NULL));
    follow_ups_close(bench.follow_ups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_due_after_the_spike_and_after_the_capture),
        cmocka_unit_test(what_is_planned_goes_on_for_another_configuration),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(it_waits_while_the_app_is_busy_but_not_for_ever),
        cmocka_unit_test(the_next_spike_has_its_own),
        cmocka_unit_test(one_that_cannot_be_begun_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
