#include "agent/detection/caught.h"

#include "core/error.h"
#include "core/known.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "0123456789abcdef"
#define B "fedcba9876543210"

static const int64_t hour_ms = 3600000, now_ms = INT64_C(1795446241000);

/* A with a peak of 80%, B with one of 90%. */
static void set_known(struct known *known, bool both)
{
    static char metric[] = "cpu", suspect[] = "main.decode";
    struct known_group a = {.group = A, .metric = metric, .peak = 80, .suspect = suspect};
    struct known_group b = {.group = B, .metric = metric, .peak = 90, .suspect = suspect};
    known_add(known, &a, NULL);
    if (both)
        known_add(known, &b, NULL);
}

static void only_what_is_known_is_held_back(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct {
            int64_t hours_ago;
            const char *trigger, *app, *group;
        } caught[4];
        bool both_known;
        const char *metric; /* NULL: cpu */
        double value;
        bool down, held_back;
    } cases[] = {
        {"the same again", {{1, "t", "app", A}}, false, NULL, 75, false, true},
        {"on its way to a level above it", {{1, "t", "app", A}}, false, NULL, 5, false, true},
        {"a little more", {{1, "t", "app", A}}, false, NULL, 90, false, true},
        {"much more", {{1, "t", "app", A}}, false, NULL, 90.1, false, false},
        {"nothing caught", {{0}}, true, NULL, 75, false, false},
        {"a week ago", {{7 * 24, "t", "app", A}}, false, NULL, 75, false, false},
        {"almost a week ago", {{7 * 24 - 1, "t", "app", A}}, false, NULL, 75, false, true},
        {"another trigger", {{1, "u", "app", A}}, false, NULL, 75, false, false},
        {"another app", {{1, "t", "other", A}}, false, NULL, 75, false, false},
        {"an unknown one as well", {{3, "t", "app", A}, {2, "t", "app", B}, {1, "t", "app", A}},
            false, NULL, 75, false, false},
        {"both known", {{2, "t", "app", B}, {1, "t", "app", A}}, true, NULL, 95, false, true},
        {"one that was not analysed", {{2, "t", "app", A}, {1, "t", "app", NULL}}, true, NULL, 75,
            false, false},
        {"unknown, but of another trigger", {{2, "t", "app", A}, {1, "u", "app", B}}, false, NULL,
            75, false, true},
        {"fires for being low", {{1, "t", "app", A}}, false, NULL, 5, true, false},
        {"another metric", {{1, "t", "app", A}}, false, "memory", 75, false, false},
        {"the clock was set back", {{-1, "t", "app", A}}, false, NULL, 75, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caught *caught = caught_new();
        struct known sets[2] = {{0}, {0}}; /* the second exporter has it */
        char why[CAUGHT_WHY_SIZE];
        set_known(&sets[1], cases[i].both_known);
        for (size_t j = 0; j < 4 && cases[i].caught[j].trigger; j++)
            caught_add(caught, cases[i].caught[j].app, cases[i].caught[j].trigger,
                cases[i].caught[j].group, now_ms - cases[i].caught[j].hours_ago * hour_ms);
        const struct caught_fire fire = {.app = "app",
            .trigger = "t",
            .metric = cases[i].metric ? cases[i].metric : "cpu",
            .unit = UNIT_PERCENT,
            .value = cases[i].value,
            .down = cases[i].down,
            .wall_ms = now_ms};
        if (caught_explains(caught, sets, 2, &fire, why) != cases[i].held_back)
            fail_msg("%s", cases[i].what);
        if (i == 0)
            assert_string_equal(why,
                "all that it caught in 7 days is marked as known; it is captured again from "
                "2026-11-30T14:04Z on, or above 90.0%");
        known_free(&sets[1]);
        caught_free(caught);
    }
}

static void how_much_worse_gets_out(void **state)
{
    (void)state;
    static char metric[] = "m", suspect[] = "main.decode";
    static const struct {
        const char *what;
        enum unit unit;
        double peak;
        bool no_suspect;
        double held_back, let_out;
    } cases[] = {
        {"a quarter more", UNIT_BYTES, 1000, false, 1250, 1251},
        {"of a low share", UNIT_PERCENT, 40, false, 50, 50.1},
        {"where both rules say the same", UNIT_PERCENT, 200.0 / 3, false, 83.3, 83.4},
        {"of a high share, half way to its end", UNIT_PERCENT, 96, false, 98, 98.1},
        {"almost the end", UNIT_PERCENT, 99.9, false, 99.95, 99.96},
        {"without an end", UNIT_PERCENT, 100, false, 125, 125.1},
        {"without an end, beyond 100", UNIT_PERCENT, 180, false, 225, 225.1},
        {"a peak that nobody knows", UNIT_PERCENT, NAN, false, NAN, 1},
        {"a group without a suspect", UNIT_PERCENT, 80, true, NAN, 80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct known known = {0};
        struct known_group group = {.group = A,
            .metric = metric,
            .peak = cases[i].peak,
            .suspect = cases[i].no_suspect ? NULL : suspect};
        struct caught *caught = caught_new();
        char why[CAUGHT_WHY_SIZE];
        known_add(&known, &group, NULL);
        caught_add(caught, "app", "t", A, now_ms);
        struct caught_fire fire = {.app = "app",
            .trigger = "t",
            .metric = metric,
            .unit = cases[i].unit,
            .value = cases[i].held_back,
            .wall_ms = now_ms};
        if (!isnan(fire.value) && !caught_explains(caught, &known, 1, &fire, why))
            fail_msg("%s: it is not held back", cases[i].what);
        fire.value = cases[i].let_out;
        if (caught_explains(caught, &known, 1, &fire, why))
            fail_msg("%s: it is held back", cases[i].what);
        known_free(&known);
        caught_free(caught);
    }
}

/* What one trigger catches does not make what another caught forgotten. */
static void one_that_catches_much_costs_the_others_nothing(void **state)
{
    (void)state;
    static const int noisy[] = {1, 9}; /* triggers */
    for (size_t i = 0; i < sizeof noisy / sizeof *noisy; i++) {
        struct caught *caught = caught_new();
        caught_add(caught, "app", "rare", A, now_ms);
        for (int64_t j = 0; j < 2 * CAUGHT_MAX; j++) {
            char trigger[] = {'n', (char)('0' + j % noisy[i]), '\0'};
            caught_add(caught, "app", trigger, A, now_ms + j);
        }
        char *text = caught_text(caught);
        size_t count = 0;
        assert_non_null(strstr(text, "\"rare\""));
        for (const char *at = text; (at = strstr(at, "\"trigger\"")); at++)
            count++;
        assert_int_equal(count, noisy[i] == 1 ? CAUGHT_TRIGGER_MAX + 1 : CAUGHT_MAX);
        free(text);
        caught_free(caught);
    }
}

static void the_file_is_read_back_as_it_was(void **state)
{
    (void)state;
    struct caught *caught = caught_new(), *again = caught_new();
    struct error err;
    caught_add(caught, "app", "t", A, now_ms - 9 * 24 * hour_ms); /* forgotten */
    for (int64_t i = 0; i < CAUGHT_MAX + 10; i++) {
        char trigger[] = "a-trigger-with-a-name-of-forty-character0";
        trigger[sizeof trigger - 2] = (char)('0' + i % 6);
        caught_add(caught, "an-app-with-a-name-of-the-greatest-length-there-is-in-the-file-6",
            trigger, i % 3 ? A : NULL, now_ms + i);
    }
    char *text = caught_text(caught);
    assert_true(strlen(text) <= CAUGHT_TEXT_MAX);
    assert_null(strstr(text, "\"t\""));
    assert_int_equal(caught_parse(again, text, strlen(text), &err), 0);
    char *second = caught_text(again);
    assert_string_equal(text, second);
    free(text);
    free(second);
    caught_free(caught);
    caught_free(again);
}

static void another_file_is_refused_as_a_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "7", "{}", "{\"schema\": 2, \"caught\": []}",
        "{\"schema\": 1, \"caught\": {}}", "{\"schema\": 1, \"caught\": [7]}",
        "{\"schema\": 1, \"caught\": [{\"app\": \"a\", \"trigger\": \"t\", \"group\": \"x\", "
        "\"time\": \"2026-11-23T15:04:01Z\"}]}",
        "{\"schema\": 1, \"caught\": [{\"app\": \"a\", \"trigger\": \"t\", \"group\": \"\", "
        "\"time\": \"2026-11-23T15:04:01Z\"}, {\"app\": \"a\"}]}"};
    struct caught *caught = caught_new();
    char *empty = caught_text(caught);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {""};
        assert_int_equal(caught_parse(caught, texts[i], strlen(texts[i]), &err), -1);
        assert_true(*err.text);
        char *text = caught_text(caught);
        assert_string_equal(text, empty);
        free(text);
    }
    free(empty);
    caught_free(caught);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_known_is_held_back),
        cmocka_unit_test(how_much_worse_gets_out),
        cmocka_unit_test(one_that_catches_much_costs_the_others_nothing),
        cmocka_unit_test(the_file_is_read_back_as_it_was),
        cmocka_unit_test(another_file_is_refused_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
