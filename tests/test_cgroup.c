/* The cgroup source: version 1, 2 and hybrid on trees of files. */
#include "source_rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_v2(const struct tree *tree)
{
    put(tree, "proc/self/mountinfo", "24 1 0:9 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put(tree, "sys/fs/cgroup/task/api/cgroup.procs", "42\n");
    put(tree, "sys/fs/cgroup/task/api/cpu.stat",
        "usage_usec 1000000\nuser_usec 1\nnr_periods 10\nnr_throttled 0\n");
    put(tree, "sys/fs/cgroup/task/api/cpu.max", "max 100000\n");
    put(tree, "sys/fs/cgroup/task/api/memory.current", "300000\n");
    put(tree, "sys/fs/cgroup/task/api/memory.stat", "anon 150000\nfile 9\ninactive_file 100000\n");
    put(tree, "sys/fs/cgroup/task/api/memory.events", "low 0\noom 2\noom_kill 2\n");
    put(tree, "sys/fs/cgroup/task/api/memory.max", "max\n");
    put(tree, "proc/42/net/dev", "  eth0: 100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n");
}

static void v2_without_limits_is_a_share_of_the_machine(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(isnan(value(tree, "cpu")));
    assert_true(value(tree, "memory.bytes") == 200000);
    assert_true(fabs(value(tree, "memory") - 100 * 200000 / 1024000.0) < 1e-9);
    assert_true(value(tree, "memory.rss") == 150000);
    assert_true(value(tree, "oom_kills") == 2);
    assert_true(value(tree, "restarts") == 0);
    put(tree, "sys/fs/cgroup/task/api/cpu.stat",
        "usage_usec 1000100\nnr_periods 10\nnr_throttled 0\n");
    put(tree, "proc/42/net/dev", "  eth0: 300 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n");
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(value(tree, "cpu.cores") > 0);
    assert_true(fabs(value(tree, "cpu") - 25 * value(tree, "cpu.cores")) < 1e-9);
    assert_true(isnan(value(tree, "cpu.throttled")));
    assert_true(value(tree, "net.received") > 0);
    assert_true(value(tree, "net.sent") == 0);
}

static void v2_own_limits_win_over_the_parents(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    put(tree, "sys/fs/cgroup/task/cpu.max", "200000 100000\n");
    put(tree, "sys/fs/cgroup/task/api/cpu.max", "50000 100000\n");
    put(tree, "sys/fs/cgroup/task/memory.max", "500000\n");
    put(tree, "sys/fs/cgroup/task/api/memory.max", "400000\n");
    sample(tree, NULL);
    assert_true(value(tree, "memory") == 50);
    put(tree, "sys/fs/cgroup/task/api/cpu.stat",
        "usage_usec 1000100\nnr_periods 20\nnr_throttled 4\n");
    sample(tree, NULL);
    assert_true(fabs(value(tree, "cpu") - 200 * value(tree, "cpu.cores")) < 1e-9);
    assert_true(value(tree, "cpu.throttled") == 40);
    sample(tree, NULL);
    assert_true(value(tree, "cpu.throttled") == 0);
}

static void v2_limits_of_the_task_count_for_its_containers(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    put(tree, "sys/fs/cgroup/task/cpu.max", "200000 100000\n");
    put(tree, "sys/fs/cgroup/task/cpu.stat", "usage_usec 5\nnr_periods 100\nnr_throttled 10\n");
    put(tree, "sys/fs/cgroup/task/memory.max", "800000\n");
    sample(tree, NULL);
    assert_true(value(tree, "memory") == 25);
    put(tree, "sys/fs/cgroup/task/api/cpu.stat", "usage_usec 1000100\n");
    put(tree, "sys/fs/cgroup/task/cpu.stat", "usage_usec 5\nnr_periods 110\nnr_throttled 11\n");
    sample(tree, NULL);
    assert_true(fabs(value(tree, "cpu") - 50 * value(tree, "cpu.cores")) < 1e-9);
    assert_true(value(tree, "cpu.throttled") == 10);
}

static void limits_are_read_again_and_those_beyond_the_machine_ignored(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    put(tree, "sys/fs/cgroup/task/api/memory.max", "400000\n");
    sample(tree, NULL);
    assert_true(value(tree, "memory") == 50);
    put(tree, "sys/fs/cgroup/task/api/memory.max", "800000\n");
    tree->now_ms += 10000;
    sample(tree, NULL);
    assert_true(value(tree, "memory") == 25);
    put(tree, "sys/fs/cgroup/task/api/memory.max", "99999999999\n");
    tree->now_ms += 10000;
    sample(tree, NULL);
    assert_true(fabs(value(tree, "memory") - 100 * 200000 / 1024000.0) < 1e-9);
}

static void odd_files_are_gaps(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    put(tree, "sys/fs/cgroup/task/api/cpu.stat", "usage_usec none\n");
    put(tree, "sys/fs/cgroup/task/api/memory.stat", "");
    put(tree, "sys/fs/cgroup/task/api/memory.events", "oom_kill -3\n");
    put(tree, "proc/42/net/dev", "junk");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sample(tree, NULL), 0);
        assert_true(isnan(value(tree, "cpu")));
        assert_true(isnan(value(tree, "memory")));
        assert_true(isnan(value(tree, "oom_kills")));
        assert_true(isnan(value(tree, "net.sent")));
        assert_true(value(tree, "restarts") == 0);
    }
}

static void counter_that_goes_back_is_a_gap(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    sample(tree, NULL);
    put(tree, "sys/fs/cgroup/task/api/cpu.stat", "usage_usec 10\n");
    sample(tree, NULL);
    assert_true(isnan(value(tree, "cpu")));
    put(tree, "sys/fs/cgroup/task/api/cpu.stat", "usage_usec 20\n");
    sample(tree, NULL);
    assert_true(value(tree, "cpu") > 0);
}

static void v1_finds_the_cgroup_below_every_controller(void **state)
{
    struct tree *tree = *state;
    put(tree, "proc/self/mountinfo",
        "32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
        "33 31 0:30 / /cg/cpuacct rw - cgroup cgroup rw,cpuacct\n"
        "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    put(tree, "cg/cpu/task/api/cgroup.procs", "");
    put(tree, "cg/cpu/task/api/cpu.cfs_quota_us", "-1\n");
    put(tree, "cg/cpu/task/cpu.cfs_quota_us", "100000\n");
    put(tree, "cg/cpu/task/cpu.cfs_period_us", "50000\n");
    put(tree, "cg/cpu/task/cpu.stat", "nr_periods 10\nnr_throttled 1\n");
    put(tree, "cg/cpuacct/task/api/cgroup.procs", "");
    put(tree, "cg/cpuacct/task/api/cpuacct.usage", "5000000\n");
    put(tree, "cg/memory/task/api/cgroup.procs", "");
    put(tree, "cg/memory/task/api/memory.usage_in_bytes", "300000\n");
    put(tree, "cg/memory/task/api/memory.stat",
        "rss 1\ninactive_file 2\ntotal_rss 170000\ntotal_inactive_file 50000\n");
    put(tree, "cg/memory/task/api/memory.oom_control", "oom_kill_disable 0\noom_kill 1\n");
    put(tree, "cg/memory/task/api/memory.limit_in_bytes", "9223372036854771712\n");
    put(tree, "cg/memory/task/memory.limit_in_bytes", "500000\n");
    /* Hybrid: the v2 tree beside them is not where the controllers are. */
    put(tree, "cg/unified/task/api/cgroup.procs", "");
    put(tree, "cg/unified/task/api/cpu.stat", "usage_usec 7\nnr_periods 999\nnr_throttled 999\n");
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(value(tree, "memory") == 50);
    assert_true(value(tree, "memory.rss") == 170000);
    assert_true(value(tree, "oom_kills") == 1);
    put(tree, "cg/cpuacct/task/api/cpuacct.usage", "6000000\n");
    put(tree, "cg/cpu/task/cpu.stat", "nr_periods 20\nnr_throttled 6\n");
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(fabs(value(tree, "cpu") - 50 * value(tree, "cpu.cores")) < 1e-9);
    assert_true(value(tree, "cpu.throttled") == 50);
    assert_true(isnan(value(tree, "net.received"))); /* no process is to be seen */
}

static void memory_alone_is_measured_where_there_is_no_cpu(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    char *path = xasprintf("%s/sys/fs/cgroup/task/api/cpu.stat", tree->root);
    assert_int_equal(unlink(path), 0);
    free(path);
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(isnan(value(tree, "cpu")));
    assert_true(value(tree, "memory.bytes") == 200000);
}

static void missing_cgroup_is_said_and_found_later(void **state)
{
    struct tree *tree = *state;
    struct error err;
    put(tree, "proc/self/mountinfo", "24 1 0:9 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put(tree, "sys/fs/cgroup/cgroup.procs", "1\n");
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, "there is no cgroup task/api below"));
    put_v2(tree);
    assert_int_equal(sample(tree, &err), 0);
    assert_true(value(tree, "memory.bytes") == 200000);
    assert_true(value(tree, "restarts") == 0);
}

static void without_container_it_lists_others_but_never_its_own(void **state)
{
    struct tree *tree = *state;
    struct error err;
    tree->app.container = NULL;
    put_v2(tree);
    put(tree, "sys/fs/cgroup/task/stakeout/cgroup.procs", "43\n");
    put(tree, "sys/fs/cgroup/task/empty/cgroup.procs", "");
    put(tree, "proc/self/cgroup", "0::/task/stakeout\n");
    assert_null(source_cgroup.open(&tree->setup, &err));
    assert_non_null(strstr(err.text, "app.container"));
    assert_non_null(strstr(err.text, "task/api"));
    assert_null(strstr(err.text, "stakeout"));
    assert_null(strstr(err.text, "empty"));
}

static void container_cannot_leave_the_mount(void **state)
{
    struct tree *tree = *state;
    static const char *const containers[] = {"", "/", "..", "../etc", "a/../../b", "a/.."};
    put_v2(tree);
    for (size_t i = 0; i < COUNT(containers); i++) {
        struct error err;
        tree->app.container = containers[i];
        assert_null(source_cgroup.open(&tree->setup, &err));
        assert_non_null(strstr(err.text, "app.container"));
    }
    tree->app.container = "..a/b..";
    tree->source = source_cgroup.open(&tree->setup, NULL);
    assert_non_null(tree->source);
}

static void nothing_mounted_is_not_present(void **state)
{
    struct tree *tree = *state;
    struct error err;
    assert_false(source_cgroup.present(&tree->setup, NULL));
    assert_int_equal(sample(tree, &err), -1);
    put_v2(tree);
    assert_true(source_cgroup.present(&tree->setup, NULL));
}

static void its_end_and_its_new_start_are_seen(void **state)
{
    struct tree *tree = *state;
    put_v2(tree);
    assert_int_equal(sample(tree, NULL), 0);
    struct source_life life = life_of(tree);
    assert_true(life.known && !life.gone);
    assert_int_equal(life.starts, 1);
    assert_int_equal(life.oom_kills, 2);
    assert_int_equal(life.exit_code, -1);
    for (int i = 0; i < 12; i++) /* the first count of kills has it look every time for a while */
        sample(tree, NULL);
    put(tree, "sys/fs/cgroup/task/api/cgroup.procs", "");
    sample(tree, NULL);
    assert_false(life_of(tree).gone); /* processes are looked at now and then only, */
    source_cgroup.look_again(tree->source);
    put(tree, "sys/fs/cgroup/task/api/cgroup.events", "populated 1\nfrozen 0\n");
    sample(tree, NULL);
    assert_false(life_of(tree).gone);
    put(tree, "sys/fs/cgroup/task/api/cgroup.events", "populated 0\nfrozen 0\n");
    put(tree, "sys/fs/cgroup/task/api/memory.events", "oom_kill 3\n");
    sample(tree, NULL);
    assert_true(life_of(tree).gone); /* or when there is a reason */
    assert_int_equal(life_of(tree).oom_kills, 3);
    put(tree, "sys/fs/cgroup/task/api/cgroup.procs", "43\n");
    sample(tree, NULL);
    assert_false(life_of(tree).gone);
    assert_int_equal(life_of(tree).starts, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(make_cgroup_tree, v2_without_limits_is_a_share_of_the_machine),
        ON_TREE(make_cgroup_tree, its_end_and_its_new_start_are_seen),
        ON_TREE(make_cgroup_tree, v2_own_limits_win_over_the_parents),
        ON_TREE(make_cgroup_tree, v2_limits_of_the_task_count_for_its_containers),
        ON_TREE(make_cgroup_tree, limits_are_read_again_and_those_beyond_the_machine_ignored),
        ON_TREE(make_cgroup_tree, odd_files_are_gaps),
        ON_TREE(make_cgroup_tree, counter_that_goes_back_is_a_gap),
        ON_TREE(make_cgroup_tree, v1_finds_the_cgroup_below_every_controller),
        ON_TREE(make_cgroup_tree, memory_alone_is_measured_where_there_is_no_cpu),
        ON_TREE(make_cgroup_tree, missing_cgroup_is_said_and_found_later),
        ON_TREE(make_cgroup_tree, without_container_it_lists_others_but_never_its_own),
        ON_TREE(make_cgroup_tree, container_cannot_leave_the_mount),
        ON_TREE(make_cgroup_tree, nothing_mounted_is_not_present),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
