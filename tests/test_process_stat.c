/* What the kernel says of one process, by table. */
#include "sources/process/process_stat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define FIELDS(state, times, threads, started)                                                     \
    state " 7 1 1 0 -1 4194304 9 9 9 9 " times " 20 -5 " threads " 0 " started " 1000 20 1 1\n"

static void stat_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        char run;
        uint64_t own, reaped, threads, started;
        bool ended;
    } cases[] = {
        {"42 (api) " FIELDS("S", "10 5 3 2", "8", "900"), "api", 'S', 15, 5, 8, 900, false},
        {"42 (a (b) c) d) " FIELDS("R", "1 0 0 0", "1", "5"), "a (b) c) d", 'R', 1, 0, 1, 5, false},
        {"42 () " FIELDS("S", "0 0 0 0", "1", "0"), "", 'S', 0, 0, 1, 0, false},
        {"42 (kworker/u8:2-events_unbound) " FIELDS("I", "0 0 0 0", "1", "9"), "kworker/u8:2-ev",
            'I', 0, 0, 1, 9, false},
        {"42 (gone) " FIELDS("Z", "1 1 1 1", "1", "9"), "gone", 'Z', 2, 2, 1, 9, true},
        {"42 (leader) " FIELDS("Z", "1 1 1 1", "4", "9"), "leader", 'Z', 2, 2, 4, 9, false},
        {"42 (dead) " FIELDS("X", "1 1 1 1", "0", "9"), "dead", 'X', 2, 2, 0, 9, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct process_stat stat;
        assert_true(process_stat_parse(&stat, cases[i].text, strlen(cases[i].text)));
        assert_string_equal(stat.name, cases[i].name);
        assert_int_equal(stat.state, cases[i].run);
        assert_int_equal(stat.parent, 7);
        assert_true(stat.own_ticks == cases[i].own && stat.reaped_ticks == cases[i].reaped);
        assert_true(stat.threads == cases[i].threads && stat.started_ticks == cases[i].started);
        assert_int_equal(process_stat_ended(&stat), cases[i].ended);
    }
}

static void odd_stat_is_none(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "42", "42 (api", "42 )api( S 1", "42 (api) S",
        "42 (api) S 7 1 1 0 -1 4194304 9 9 9 9 10 5 3 2 20 0 8 0",
        "42 (api) " FIELDS("S", "-1 5 3 2", "8", "900"),
        "42 (api) " FIELDS("S", "max 5 3 2", "8", "900"),
        "42 (api) " FIELDS("S", "99999999999999999999 5 3 2", "8", "900"),
        "42 (api) " FIELDS("Sleep", "1 5 3 2", "8", "900")};
    struct process_stat stat;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_false(process_stat_parse(&stat, cases[i], strlen(cases[i])));
    static const char whole[] = "42 (api) " FIELDS("S", "10 5 3 2", "8", "900");
    for (size_t length = 0; length < sizeof whole; length++) /* never beyond its end */
        process_stat_parse(&stat, whole, length);
}

static void memory_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
        uint64_t anonymous, file;
    } cases[] = {
        {"1000 300 100 50 0 200 0\n", true, 200, 100},
        {"1000 90 100 50 0 200 0\n", true, 0, 100},
        {"0 0 0 0 0 0 0\n", true, 0, 0},
        {"1000 300\n", false},
        {"1000 x 100", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t anonymous = 0, file = 0;
        assert_int_equal(
            process_memory_parse(cases[i].text, strlen(cases[i].text), &anonymous, &file),
            cases[i].found);
        assert_true(anonymous == cases[i].anonymous && file == cases[i].file);
    }
}

static void newest_id_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
        unsigned long pid;
    } cases[] = {
        {"0.20 0.18 0.12 1/80 11206\n", true, 11206},
        {"0.20 0.18 0.12 1/80\n", false},
        {"0.20 0.18 0.12 1/80 -3\n", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned long pid = 0;
        assert_int_equal(
            process_newest_parse(cases[i].text, strlen(cases[i].text), &pid), cases[i].found);
        assert_int_equal(pid, cases[i].pid);
    }
}

static void pids_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned long pid;
    } cases[] = {{"42", 42}, {"1", 1}, {"0", 0}, {"", 0}, {"api", 0}, {"4 2", 0}, {"-4", 0},
        {"42x", 0}, {"max", 0}, {"99999999999", 0}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(process_pid_parse(cases[i].text), cases[i].pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_is_read),
        cmocka_unit_test(odd_stat_is_none),
        cmocka_unit_test(memory_is_told_apart),
        cmocka_unit_test(newest_id_is_read),
        cmocka_unit_test(pids_are_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
