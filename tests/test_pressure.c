/* Pressure stall information: its files, and where they are. */
#include "source_rig.h"
#include "sources/pressure.h"

static void total_of_some_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
        uint64_t stalled_us;
    } cases[] = {
        {"some avg10=0.00 avg60=1.02 avg300=0.20 total=123456\nfull avg10=0 total=9\n", true,
            123456},
        {"some avg10=0.00 avg60=0.00 avg300=0.00 total=0", true, 0},
        {"some total=18446744073709551614\n", true, UINT64_MAX - 1},
        {"some total=18446744073709551616\n", false},
        {"some total=max\n", false},
        {"some total=-1\n", false},
        {"some total=\nfull total=5\n", false},
        {"some avg10=0.00\nfull avg10=0.00 total=5\n", false},
        {"full avg10=0.00 total=5\n", false},
        {"some", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t stalled_us = 0;
        assert_int_equal(
            pressure_parse(cases[i].text, strlen(cases[i].text), &stalled_us), cases[i].found);
        if (cases[i].found)
            assert_true(stalled_us == cases[i].stalled_us);
    }
}

static void put_version_1(const struct tree *tree)
{
    put(tree, "proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup/acct rw - cgroup cgroup rw,cpuacct\n"
        "32 23 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "33 23 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put(tree, "sys/fs/cgroup/acct/task/api/cgroup.procs", "42\n");
    put(tree, "sys/fs/cgroup/acct/task/api/cpuacct.usage", "1000\n");
    put(tree, "sys/fs/cgroup/unified/task/api/cgroup.procs", "");
}

static void put_pressure(const struct tree *tree, const char *populated, const char *total)
{
    char *text = xasprintf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%s\n", total);
    put(tree, "sys/fs/cgroup/unified/task/api/cgroup.events", populated);
    put(tree, "sys/fs/cgroup/unified/task/api/cpu.pressure", text);
    put(tree, "sys/fs/cgroup/unified/task/api/memory.pressure", text);
    free(text);
}

static void beside_version_1_it_is_what_the_processes_of_version_2_have(void **state)
{
    struct tree *tree = *state;
    put_version_1(tree);
    put_pressure(tree, "populated 1\n", "5");
    sample(tree, NULL);
    assert_true(isnan(value(tree, "cpu.pressure")));
    put_pressure(tree, "populated 1\n", "6");
    sample(tree, NULL);
    assert_true(value(tree, "cpu.pressure") > 0 && value(tree, "cpu.pressure") <= 100);
    assert_true(value(tree, "memory.pressure") > 0);
    assert_true(isnan(value(tree, "io.pressure")));
    put_pressure(tree, "populated 1\n", "9999999999999");
    sample(tree, NULL);
    assert_true(value(tree, "cpu.pressure") == 100); /* never more */
    put_pressure(tree, "populated 1\n", "7");
    sample(tree, NULL);
    assert_true(isnan(value(tree, "cpu.pressure")));
}

static void note(void *arg, const char *sentence)
{
    *(bool *)arg = *(bool *)arg ||
                   strstr(sentence, "cpu.pressure, memory.pressure and io.pressure");
}

static void tree_that_nobody_uses_has_none(void **state)
{
    struct tree *tree = *state;
    put_version_1(tree);
    put_pressure(tree, "populated 0\n", "5");
    for (int i = 0; i < 3; i++)
        sample(tree, NULL);
    assert_true(isnan(value(tree, "cpu.pressure")));
    bool said = false;
    source_cgroup.describe(tree->source, note, &said);
    assert_true(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total_of_some_is_read),
        ON_TREE(make_cgroup_tree, beside_version_1_it_is_what_the_processes_of_version_2_have),
        ON_TREE(make_cgroup_tree, tree_that_nobody_uses_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
