#include "agent/detection/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t day_ms = 86400000;

static void bytes_count_for_a_day(void **unused)
{
    (void)unused;
    struct day day = {0};
    day_set(&day, "b", 2000, 300);
    day_set(&day, "a", 1000, 600); /* told later, but older */
    static const struct {
        int64_t now_ms;
        uint64_t bytes, limit;
        int64_t room_ms;
    } cases[] = {
        {3000, 900, 901, 3000},
        {3000, 900, 900, 1000 + 86400000},
        {3000, 900, 301, 1000 + 86400000},
        {3000, 900, 300, 2000 + 86400000},
        {999 + 86400000, 900, 901, 999 + 86400000},
        {1000 + 86400000, 300, 900, 1000 + 86400000},
        {1000 + 86400000, 300, 300, 2000 + 86400000},
        {2000 + 86400000, 0, 1, 2000 + 86400000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        day_trim(&day, cases[i].now_ms);
        assert_true(day_bytes(&day) == cases[i].bytes);
        assert_true(day_room_ms(&day, cases[i].limit, cases[i].now_ms) == cases[i].room_ms);
    }
    day_free(&day);
}

static void an_incident_counts_once(void **unused)
{
    (void)unused;
    struct day day = {0};
    day_set(&day, "a", 1000, 600);
    day_set(&day, "a", 5000, 700);
    assert_true(day_has(&day, "a") && !day_has(&day, "b"));
    assert_true(day.count == 1 && day.entries[0].wall_ms == 1000 && day_bytes(&day) == 700);
    day_drop(&day, "b");
    day_drop(&day, "a");
    assert_true(!day_has(&day, "a") && day_bytes(&day) == 0);
    day_free(&day);
}

static void a_clock_that_is_set_back_costs_a_day_at_most(void **unused)
{
    (void)unused;
    struct day day = {0};
    day_set(&day, "a", 1000 * day_ms, 600);
    day_trim(&day, 5000);
    assert_true(day_room_ms(&day, 600, 5000) == 5000 + day_ms);
    day_trim(&day, 5000 + day_ms);
    assert_true(day_bytes(&day) == 0);
    day_free(&day);
}

static void more_than_there_is_room_for_count_still(void **unused)
{
    (void)unused;
    struct day day = {0};
    for (int i = 0; i < DAY_ENTRIES_MAX + 50; i++) {
        char id[DAY_ID_SIZE];
        snprintf(id, sizeof id, "%d", i);
        day_set(&day, id, 1000 + 10 * i - (i == 7), 1); /* the seventh is close to the one before */
    }
    assert_true(day.count == DAY_ENTRIES_MAX);
    assert_true(day_bytes(&day) == DAY_ENTRIES_MAX + 50);
    assert_false(day_has(&day, "6"));
    assert_true(day_has(&day, "7"));
    day_free(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_count_for_a_day),
        cmocka_unit_test(an_incident_counts_once),
        cmocka_unit_test(a_clock_that_is_set_back_costs_a_day_at_most),
        cmocka_unit_test(more_than_there_is_room_for_count_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
