#include "core/known.h"

#include "core/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "0123456789abcdef"
#define B "fedcba9876543210"

static void what_is_none_is_refused_or_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count; /* -1: refused */
    } cases[] = {
        {"{\"schema\": 1, \"groups\": []}", 0},
        {"{\"schema\": 1, \"groups\": [{\"group\": \"" A "\"}]}", 1},
        {"{\"schema\": 1, \"groups\": [{\"group\": \"" A "\"}, {\"group\": \"" B "\"}]}", 2},
        {"{\"schema\": 1, \"groups\": [{\"group\": \"" A "\"}, {\"group\": \"" A "\"}]}", 1},
        {"{\"schema\": 1, \"groups\": [{\"group\": \"x\"}, {\"group\": 1}, {}, 7, null]}", 0},
        {"{\"schema\": 1, \"groups\": [{\"group\": \"" A "\", \"peak\": \"x\", \"app\": []}]}", 1},
        {"{\"schema\": 1, \"groups\": {}}", -1},
        {"{\"schema\": 1}", -1},
        {"{\"schema\": 2, \"groups\": []}", -1},
        {"{\"groups\": []}", -1},
        {"[]", -1},
        {"", -1},
        {"{\"schema\": 1, \"schema\": 1, \"groups\": []}", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct known known = {0};
        struct error err = {""};
        int status = known_parse(cases[i].text, strlen(cases[i].text), &known, &err);
        assert_int_equal(status, cases[i].count < 0 ? -1 : 0);
        if (cases[i].count >= 0)
            assert_int_equal(known.count, cases[i].count);
        else
            assert_true(*err.text);
        known_free(&known);
    }
}

static void groups_are_added_replaced_and_removed(void **state)
{
    (void)state;
    static char app[] = "api", trigger[] = "cpu-high", metric[] = "cpu", suspect[] = "main.f\n\xff";
    struct known known = {0}, again = {0};
    struct known_group group = {.group = A,
        .app = app,
        .trigger = trigger,
        .metric = metric,
        .peak = 97.2,
        .suspect = suspect,
        .marked_ms = INT64_C(1795446241000)};
    assert_int_equal(known_add(&known, &group, NULL), 0);
    group.peak = 50;
    assert_int_equal(known_add(&known, &group, NULL), 0);
    assert_int_equal(known.count, 1);
    assert_true(known.groups[0].peak == 97.2);
    group = (struct known_group){.group = B, .peak = NAN};
    assert_int_equal(known_add(&known, &group, NULL), 0);
    char *text = known_text(&known);
    assert_int_equal(known_parse(text, strlen(text), &again, NULL), 0);
    free(text);
    assert_int_equal(again.count, 2);
    const struct known_group *found = known_find(&again, A);
    assert_non_null(found);
    assert_string_equal(found->app, "api");
    assert_string_equal(found->trigger, "cpu-high");
    assert_string_equal(found->suspect, "main.f\n\xef\xbf\xbd");
    assert_true(found->peak == 97.2);
    assert_int_equal(found->marked_ms, INT64_C(1795446241000));
    assert_true(isnan(known_find(&again, B)->peak));
    assert_true(known_remove(&again, A));
    assert_false(known_remove(&again, A));
    assert_null(known_find(&again, A));
    assert_non_null(known_find(&again, B));
    strcpy(group.group, "no group");
    assert_int_equal(known_add(&again, &group, NULL), -1);
    known_free(&known);
    known_free(&again);
}

static void there_is_room_for_the_longest(void **state)
{
    (void)state;
    static char control[2001];
    memset(control, '\x01', sizeof control - 1);
    struct known known = {0};
    struct known_group group = {.app = control,
        .trigger = control,
        .metric = control,
        .suspect = control,
        .peak = -1.23456789012e-300,
        .marked_ms = 1};
    struct error err;
    for (int i = 0; i < KNOWN_GROUPS_MAX; i++) {
        snprintf(group.group, sizeof group.group, "%016x", (unsigned)i);
        assert_int_equal(known_add(&known, &group, &err), 0);
    }
    strcpy(group.group, A);
    assert_int_equal(known_add(&known, &group, &err), -1);
    char *text = known_text(&known);
    assert_true(strlen(text) <= KNOWN_TEXT_MAX);
    struct known again = {0};
    assert_int_equal(known_parse(text, strlen(text), &again, &err), 0);
    assert_int_equal(again.count, KNOWN_GROUPS_MAX);
    free(text);
    known_free(&known);
    known_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_none_is_refused_or_dropped),
        cmocka_unit_test(groups_are_added_replaced_and_removed),
        cmocka_unit_test(there_is_room_for_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
