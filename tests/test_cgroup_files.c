#include "core/alloc.h"
#include "sources/cgroup/cgroup_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
        uint64_t value;
    } cases[] = {{"0\n", true, 0}, {"123\n", true, 123}, {"123", true, 123},
        {"max\n", true, UINT64_MAX}, {"9223372036854771712\n", true, 9223372036854771712u},
        {"18446744073709551615", true, UINT64_MAX}, {"18446744073709551616", false, 0},
        {"-1\n", false, 0}, {"", false, 0}, {"\n", false, 0}, {"12x\n", false, 0},
        {"maximum", false, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 0;
        bool is = cgroup_parse_number(cases[i].text, strlen(cases[i].text), &value);
        assert_int_equal(is, cases[i].is);
        assert_int_equal(value, cases[i].value);
    }
}

static void keys(void **state)
{
    (void)state;
    static const char text[] = "oom 1\noom_kill 3\noom_kill_disable 9\nMemTotal:   16 kB\nlast";
    static const struct {
        const char *key;
        bool is;
        uint64_t value;
    } cases[] = {{"oom", true, 1}, {"oom_kill", true, 3}, {"MemTotal:", true, 16},
        {"kill", false, 0}, {"last", false, 0}, {"oom_kill_", false, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 0;
        assert_int_equal(
            cgroup_parse_key(text, sizeof text - 1, cases[i].key, &value), cases[i].is);
        assert_int_equal(value, cases[i].value);
    }
}

static void cpu_quotas_of_v2(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double cores;
    } cases[] = {{"max 100000\n", NAN}, {"50000 100000\n", 0.5}, {"250000 100000", 2.5},
        {"50000\n", NAN}, {"50000 0\n", NAN}, {"0 100000\n", NAN}, {"", NAN}, {"a b", NAN}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double cores = NAN;
        bool is = cgroup_parse_cpu_max(cases[i].text, strlen(cases[i].text), &cores);
        assert_int_equal(is, !isnan(cases[i].cores));
        assert_true(!is || cores == cases[i].cores);
    }
}

static void cpu_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned count;
    } cases[] = {{"0\n", 1}, {"0-3\n", 4}, {"0-3,8", 5}, {"0,2,4-5\n", 4}, {"", 0}, {"3-1", 0},
        {"0-99999999", 0}, {"a", 0}, {"0-", 0}, {"-1", 0}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            cgroup_parse_cpu_list(cases[i].text, strlen(cases[i].text)), cases[i].count);
}

static void network_counters(void **state)
{
    (void)state;
    static const char head[] = "Inter-|   Receive  |  Transmit\n face |bytes packets\n";
    static const struct {
        const char *text;
        bool is;
        uint64_t received, sent;
    } cases[] = {
        {"    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n", false, 0, 0},
        {"  eth0: 100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n    lo: 9 1 0 0 0 0 0 0 9 1\n", true, 100,
            30},
        {"eth0:100 1 0 0 0 0 0 0 30 1\n eth1: 5 1 0 0 0 0 0 0 6 1\n", true, 105, 36},
        {"eth0: 100 1 0 0 0 0 0 0\n", false, 0, 0},
        {"eth0: many 1 0 0 0 0 0 0 4\n", false, 0, 0},
        {"", false, 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = xasprintf("%s%s", head, cases[i].text);
        uint64_t received, sent;
        assert_int_equal(cgroup_parse_net_dev(text, strlen(text), &received, &sent), cases[i].is);
        if (cases[i].is) {
            assert_int_equal(received, cases[i].received);
            assert_int_equal(sent, cases[i].sent);
        }
        free(text);
    }
}

static void mounts(void **state)
{
    (void)state;
    static const char text[] = "23 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
                               "31 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:1 - "
                               "cgroup cgroup rw,cpu,cpuacct\n"
                               "33 31 0:31 / /a\\040b/memory rw - cgroup cgroup rw,memory\n"
                               "34 31 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                               "36 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                               "no mount\n\n - - - - - -\n"
                               "35 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    struct cgroup_mounts mounts;
    cgroup_mounts_parse(&mounts, text, sizeof text - 1);
    assert_int_equal(mounts.count, 3);
    assert_string_equal(mounts.all[0].path, "/sys/fs/cgroup/cpu,cpuacct");
    assert_int_equal(mounts.all[0].controllers, 1u << CGROUP_CPU | 1u << CGROUP_CPUACCT);
    assert_string_equal(mounts.all[1].path, "/a b/memory");
    assert_true(mounts.all[2].v2);
    cgroup_mounts_free(&mounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(keys),
        cmocka_unit_test(cpu_quotas_of_v2),
        cmocka_unit_test(cpu_lists),
        cmocka_unit_test(network_counters),
        cmocka_unit_test(mounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
