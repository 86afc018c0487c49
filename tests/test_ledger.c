#include "agent/detection/ledger.h"

#include "agent/detection/detector.h"
#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/series.h"
#include "triggers/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRIGGERS = 2 };

/* A state folder and the two triggers "a" and "b" (cpu above 80) of an agent that uses it. */
struct world {
    char state[64], path[96];
    struct threshold_options options[TRIGGERS];
    struct trigger_config triggers[TRIGGERS];
    struct config config;
    struct series_set series;
    struct loop *loop;
    struct offload *disk;
    struct ledger *ledger;
    struct detector *detector;
    size_t fires;
    const char *by;
};

static void on_event(void *arg, const struct detector_event *event)
{
    struct world *world = arg;
    if (event->type == EVENT_FIRE) {
        world->fires++;
        ledger_note(world->ledger, event);
    }
    if (event->by)
        world->by = !strcmp(event->by, "cooldown") ? "cooldown" : "limit";
}

static void open_world(struct world *world)
{
    struct error err;
    struct detector_hooks hooks = {.event = on_event, .arg = world};
    world->fires = 0;
    world->by = NULL;
    series_set_init(&world->series, 16);
    world->loop = loop_open(&err);
    world->disk = offload_open(world->loop, "disk", &err);
    world->detector = detector_open(&world->config, &world->series, true, &hooks);
    world->ledger = ledger_open(&world->config, world->disk);
    ledger_restore(world->ledger, world->detector);
}

static void close_world(struct world *world)
{
    detector_close(world->detector);
    offload_close(world->disk);
    ledger_close(world->ledger);
    loop_close(world->loop);
    series_set_free(&world->series);
}

static void restart(struct world *world)
{
    close_world(world);
    open_world(world);
}

static int set_up(void **state)
{
    static char given[] = "80%", a[] = "a", b[] = "b";
    static const char *const names[] = {"cpu", "memory"};
    static const enum unit unit = UNIT_PERCENT;
    static size_t order[] = {0, 1};
    struct world *world = xcalloc(1, sizeof *world);
    strcpy(world->state, "/tmp/stakeout-ledger-XXXXXX");
    if (!mkdtemp(world->state))
        return -1;
    snprintf(world->path, sizeof world->path, "%s/limits.json", world->state);
    size_t kind = 0;
    while (trigger_kinds[kind] != &trigger_threshold)
        kind++;
    for (size_t i = 0; i < TRIGGERS; i++) {
        world->options[i].above = (struct level){.value = 80, .text = given};
        world->triggers[i] = (struct trigger_config){.name = i ? b : a,
            .kind = kind,
            .options = &world->options[i],
            .scope = {.metrics = &names[i], .units = &unit, .metric_count = 1},
            .cooldown_ms = 300000};
    }
    world->config = (struct config){.triggers = world->triggers,
        .trigger_count = TRIGGERS,
        .trigger_order = order,
        .state = world->state};
    world->config.limits.per_hour = 3;
    log_setup(LOG_ERROR, LOG_LOGFMT);
    open_world(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    close_world(world);
    fs_remove(world->state, NULL);
    free(world);
    return 0;
}

static void feed(struct world *world, const char *metric, int64_t time_ms, double value)
{
    series_push(series_set_add(&world->series, metric), time_ms, value);
    detector_check(world->detector);
}

static void a_cooldown_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    feed(world, "cpu", now_ms, 90);
    assert_int_equal(world->fires, 1);
    restart(world);
    feed(world, "cpu", now_ms + 1000, 90);
    assert_int_equal(world->fires, 0);
    assert_string_equal(world->by, "cooldown");
    feed(world, "memory", now_ms + 2000, 90); /* the other trigger is in none */
    assert_int_equal(world->fires, 1);
    restart(world); /* what was taken up is written again */
    feed(world, "cpu", now_ms + 3000, 90);
    feed(world, "memory", now_ms + 3000, 90);
    assert_int_equal(world->fires, 0);
    feed(world, "cpu", now_ms + 310000, 90); /* it holds when the cooldown ends */
    assert_int_equal(world->fires, 1);
}

static void the_hour_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    world->triggers[0].cooldown_ms = 0;
    restart(world);
    int64_t now_ms = clock_mono_ms();
    for (int64_t i = 0; i < 3; i++) {
        feed(world, "cpu", now_ms + 2 * i, 90);
        feed(world, "cpu", now_ms + 2 * i + 1, 9);
    }
    assert_int_equal(world->fires, 3);
    restart(world);
    feed(world, "cpu", now_ms + 1000, 90);
    assert_int_equal(world->fires, 0);
    assert_string_equal(world->by, "limit");
    feed(world, "cpu", now_ms + 3601000, 90);
    assert_int_equal(world->fires, 1);
}

/* An agent that was away for long: the wall clock tells. */
/* The triggers change places, and what "b" was is gone. */
static void all_goes_on_for_another_configuration(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_mono_ms();
    feed(world, "cpu", now_ms, 90);
    feed(world, "memory", now_ms + 1000, 90);
    assert_int_equal(world->fires, 2);
    static char c[] = "c";
    struct trigger_config triggers[TRIGGERS] = {world->triggers[1], world->triggers[0]};
    struct config config = world->config;
    triggers[0].name = c;
    config.triggers = triggers;
    config.limits.per_hour = 9;
    ledger_reload(world->ledger, &config);
    struct detector_hooks hooks = {.event = on_event, .arg = world};
    struct detector *detector = detector_open(&config, &world->series, true, &hooks);
    struct detector_status status;
    ledger_tell(world->ledger, detector);
    detector_status(detector, 0, &status);
    assert_true(status.last_fire_ms == INT64_MIN);
    detector_status(detector, 1, &status);
    assert_true(status.last_fire_ms > now_ms - 10 && status.last_fire_ms < now_ms + 10);
    char *text = ledger_text(world->ledger);
    assert_non_null(strstr(text, "\"a\""));
    assert_null(strstr(text, "\"b\""));
    assert_int_equal(ledger_hour(world->ledger), 2);
    free(text);
    detector_close(detector);
    ledger_reload(world->ledger, &world->config);
}

static void what_is_long_ago_holds_nothing_back(void **state)
{
    struct world *world = *state;
    static const char old[] = "{\"schema\": 1, \"fired\": {\"a\": \"2020-01-01T00:00:00Z\"},"
                              "\"opened\": [\"2020-01-01T00:00:00Z\", \"2020-01-01T00:00:00Z\","
                              " \"2020-01-01T00:00:00Z\"]}";
    assert_int_equal(fs_write(world->path, old, strlen(old), NULL), 0);
    restart(world);
    struct detector_status status;
    detector_status(world->detector, 0, &status);
    assert_true(status.last_fire_ms != INT64_MIN && status.cooldown_until_ms == INT64_MIN);
    feed(world, "cpu", clock_mono_ms(), 90);
    assert_int_equal(world->fires, 1);
}

/* The clock was years ahead when the file was written: one cooldown from now is the most. */
static void the_future_counts_as_now(void **state)
{
    struct world *world = *state;
    static const char ahead[] = "{\"schema\": 1, \"fired\": {\"a\": \"9999-12-31T23:59:59Z\"},"
                                "\"opened\": []}";
    assert_int_equal(fs_write(world->path, ahead, strlen(ahead), NULL), 0);
    restart(world);
    int64_t now_ms = clock_mono_ms();
    feed(world, "cpu", now_ms, 90);
    assert_int_equal(world->fires, 0);
    feed(world, "cpu", now_ms + 300000, 90);
    assert_int_equal(world->fires, 1);
}

static void a_broken_file_is_passed_over_and_replaced(void **state)
{
    struct world *world = *state;
    assert_int_equal(fs_write(world->path, "{\"schema\": 1, \"fi", 17, NULL), 0);
    restart(world);
    int64_t now_ms = clock_mono_ms();
    feed(world, "cpu", now_ms, 90);
    assert_int_equal(world->fires, 1);
    restart(world);
    feed(world, "cpu", now_ms + 1000, 90);
    assert_int_equal(world->fires, 0);
}

static void a_file_without_an_end_is_not_read(void **state)
{
    struct world *world = *state;
    assert_int_equal(symlink("/dev/zero", world->path), 0);
    restart(world);
    feed(world, "cpu", clock_mono_ms(), 90);
    assert_int_equal(world->fires, 1);
}

#define TIME "2026-11-23T15:04:01.000Z"
#define STORED(bytes)                                                                              \
    "{\"id\":\"20261123T150401Z-a-1a2b3c\",\"time\":\"" TIME "\",\"bytes\":" bytes "}"

static void the_day_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    static const char first[] = "20261123T150401Z-a-1a2b3c", second[] = "20261123T150402Z-a-1a2b3c";
    int64_t now_ms = clock_wall_ms();
    struct ledger_day day;
    world->config.limits.per_day_bytes = 1000;
    ledger_store(world->ledger, first, now_ms - 1000, 400);
    ledger_store(world->ledger, first, now_ms, 700); /* with its report */
    restart(world);
    assert_true(ledger_has_stored(world->ledger, first));
    assert_false(ledger_has_stored(world->ledger, second));
    ledger_day(world->ledger, &day);
    assert_true(day.bytes == 700 && day.limit_bytes == 1000 && day.room_wall_ms == 0);
    ledger_store(world->ledger, second, now_ms, 300);
    restart(world);
    ledger_day(world->ledger, &day);
    assert_true(day.bytes == 1000 && day.room_wall_ms == now_ms - 1000 + 86400000);
    ledger_unstore(world->ledger, first);
    restart(world);
    ledger_day(world->ledger, &day);
    assert_true(day.bytes == 300 && day.room_wall_ms == 0);
}

static void texts_are_taken_whole_or_not_at_all(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *text;
        const char *kept; /* what is written from it, without white space; NULL: it is refused */
    } cases[] = {
        {"{\"schema\":1,\"fired\":{},\"opened\":[]}", "{\"schema\":1,\"fired\":{},\"opened\":[]}"},
        {"{\"opened\":[\"" TIME "\"],\"fired\":{\"b\":\"2026-11-23T16:04:01+01:00\"},\"schema\":1,"
         "\"new\":2}",
            "{\"schema\":1,\"fired\":{\"b\":\"" TIME "\"},\"opened\":[\"" TIME "\"]}"},
        /* A trigger that is gone; and more openings than limits.per_hour, in no order. */
        {"{\"schema\":1,\"fired\":{\"gone\":\"" TIME "\"},\"opened\":[\"2026-11-23T15:00:04Z\","
         "\"2026-11-23T15:00:01Z\",\"2026-11-23T15:00:03Z\",\"2026-11-23T15:00:02Z\"]}",
            "{\"schema\":1,\"fired\":{},\"opened\":[\"2026-11-23T15:00:02.000Z\","
            "\"2026-11-23T15:00:03.000Z\",\"2026-11-23T15:00:04.000Z\"]}"},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[]}",
            "{\"schema\":1,\"fired\":{},\"opened\":[]}"},
        /* The same incident twice: the last counts, from the first time on. */
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[" STORED("7") "," STORED("9") "]}",
            "{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[" STORED("9") "]}"},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":{}}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[7]}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[" STORED("-1") "]}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[" STORED("1e3") "]}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[" STORED("9000000000000000000") "]}",
            NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[],\"stored\":[{\"id\":\"../x\",\"time\":\"" TIME
         "\",\"bytes\":1}]}",
            NULL},
        {"", NULL},
        {"null", NULL},
        {"[]", NULL},
        {"{}", NULL},
        {"{\"schema\":2,\"fired\":{},\"opened\":[]}", NULL},
        {"{\"schema\":\"1\",\"fired\":{},\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{}}", NULL},
        {"{\"schema\":1,\"fired\":[],\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":{}}", NULL},
        {"{\"schema\":1,\"fired\":{\"a\":12},\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{\"a\":\"yesterday\"},\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{\"a\":\"" TIME "\\u0000\"},\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{\"a\":\"" TIME "\",\"a\":\"" TIME "\"},\"opened\":[]}", NULL},
        {"{\"schema\":1,\"fired\":{\"a\":\"" TIME "\"},\"opened\":[\"" TIME "\",null]}", NULL},
        {"{\"schema\":1,\"fired\":{},\"opened\":[]} and more", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {""};
        struct ledger *ledger = ledger_open(&world->config, world->disk);
        int status = ledger_parse(ledger, cases[i].text, strlen(cases[i].text), &err);
        char *written = ledger_text(ledger), *to = written;
        for (const char *from = written; *from; from++)
            if (*from != ' ' && *from != '\n')
                *to++ = *from;
        *to = '\0';
        assert_int_equal(status, cases[i].kept ? 0 : -1);
        assert_true(cases[i].kept || err.text[0]);
        assert_string_equal(
            written, cases[i].kept ? cases[i].kept : "{\"schema\":1,\"fired\":{},\"opened\":[]}");
        free(written);
        ledger_close(ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cooldown_goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_hour_goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_day_goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_goes_on_for_another_configuration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_long_ago_holds_nothing_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_future_counts_as_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_broken_file_is_passed_over_and_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_an_end_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_are_taken_whole_or_not_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
