/* The cgroup source: version 1, 2 and hybrid on trees of files, and a real cgroup where this
 * machine allows one. */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/series.h"
#include "sources/cgroup_files.h"
#include "sources/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A source on a tree of files of our own. */
struct tree {
    char root[64];
    struct series_set series;
    struct source_app app;
    struct source_setup setup;
    void *source;
    int64_t now_ms;
};

static void put(const struct tree *tree, const char *path, const char *text)
{
    char *whole = xasprintf("%s/%s", tree->root, path);
    char *folder = xstrdup(whole);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(fs_make_folders(folder, NULL), 0);
    /* Written in place, as the kernel's files change: they are kept open. */
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    free(folder);
    free(whole);
}

static int make_tree(void **state)
{
    struct tree *tree = xcalloc(1, sizeof *tree);
    strcpy(tree->root, "/tmp/test_cgroup.XXXXXX");
    assert_non_null(mkdtemp(tree->root));
    series_set_init(&tree->series, 10);
    tree->app = (struct source_app){.prefix = "", .container = "/task/api/"};
    tree->setup = (struct source_setup){.series = &tree->series,
        .root = tree->root,
        .apps = &tree->app,
        .app_count = 1,
        .interval_ms = 1000};
    tree->now_ms = 1000;
    put(tree, "proc/meminfo", "MemTotal:       1000 kB\nMemFree:        500 kB\n");
    put(tree, "sys/devices/system/cpu/online", "0-3\n");
    *state = tree;
    return 0;
}

static int remove_tree(void **state)
{
    struct tree *tree = *state;
    if (tree->source)
        source_cgroup.close(tree->source);
    fs_remove(tree->root, NULL);
    series_set_free(&tree->series);
    free(tree);
    return 0;
}

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

static int sample(struct tree *tree, struct error *err)
{
    if (!tree->source) {
        tree->source = source_cgroup.open(&tree->setup, err);
        assert_non_null(tree->source);
    }
    tree->now_ms += 1000;
    return source_cgroup.sample(tree->source, tree->now_ms, err);
}

/* The value of this tick, NAN for a gap. */
static double value(const struct tree *tree, const char *name)
{
    const struct series *series = series_set_find(&tree->series, name);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    return newest && newest->time_ms == tree->now_ms ? newest->value : NAN;
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
    assert_false(source_cgroup.present(&tree->setup));
    assert_int_equal(sample(tree, &err), -1);
    put_v2(tree);
    assert_true(source_cgroup.present(&tree->setup));
}

/* A real cgroup, version 1, of this machine. */
static const char *const controllers[] = {"cpu", "cpuacct", "memory"};

static char *real_path(size_t controller, const char *name, const char *file)
{
    return xasprintf(
        "/sys/fs/cgroup/%s/%s%s%s", controllers[controller], name, *file ? "/" : "", file);
}

static bool make_cgroup(const char *name)
{
    bool made = true;
    for (size_t i = 0; i < COUNT(controllers); i++) {
        char *path = real_path(i, name, ""), *file = real_path(i, name, "cgroup.procs");
        made = mkdir(path, 0755) == 0 && fs_exists(file) && made;
        free(file);
        free(path);
    }
    return made;
}

static void remove_cgroup(const char *name)
{
    for (size_t i = 0; i < COUNT(controllers); i++) {
        char *path = real_path(i, name, "");
        rmdir(path);
        free(path);
    }
}

static void write_real(size_t controller, const char *name, const char *file, const char *text)
{
    char *path = real_path(controller, name, file);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    free(path);
}

enum { CHILD_BYTES = 4 << 20 };

/* What the child does, once it is in its cgroup, until it is killed or we are gone. */
static void be_busy(int placed)
{
    static volatile char memory[CHILD_BYTES];
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(placed, &byte, 1) < 0)
        _exit(1);
    for (size_t i = 0;; i = (i + 4096) % CHILD_BYTES)
        memory[i]++;
}

/* A child in the cgroup that burns CPU and has CHILD_BYTES of memory. */
static pid_t start_busy(const char *name)
{
    int placed[2];
    assert_int_equal(pipe(placed), 0);
    pid_t child = fork();
    if (child == 0)
        be_busy(placed[0]);
    assert_true(child > 0);
    char pid[16];
    snprintf(pid, sizeof pid, "%d\n", child);
    for (size_t i = 0; i < COUNT(controllers); i++)
        write_real(i, name, "cgroup.procs", pid);
    assert_int_equal(write(placed[1], "", 1), 1);
    close(placed[0]);
    close(placed[1]);
    return child;
}

static void stop(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static uint64_t real_usage_ns(const char *name)
{
    char *path = real_path(1, name, "cpuacct.usage");
    struct buf text;
    uint64_t usage = 0;
    fs_read(path, 64, &text, NULL);
    cgroup_parse_number(text.data, text.size, &usage);
    buf_free(&text);
    free(path);
    return usage;
}

static void wait_for_usage(const char *name, uint64_t usage_ns)
{
    while (real_usage_ns(name) < usage_ns)
        usleep(1000);
}

static void real_cgroup_is_measured_across_its_restart(void **state)
{
    struct tree *tree = *state;
    char name[64];
    snprintf(name, sizeof name, "stakeout-test-%d", getpid());
    if (!make_cgroup(name)) {
        remove_cgroup(name);
        print_message("skipped: no cgroup v1 can be made here\n");
        skip();
    }
    write_real(0, name, "cpu.cfs_quota_us", "50000\n");
    tree->setup.root = "/";
    tree->app.container = name;
    pid_t child = start_busy(name);
    wait_for_usage(name, 20000000);
    assert_int_equal(sample(tree, NULL), 0);
    uint64_t before_ns = real_usage_ns(name);
    int64_t before_ms = clock_mono_ms();
    wait_for_usage(name, before_ns + 300000000);
    assert_int_equal(sample(tree, NULL), 0);
    double truth = (double)(real_usage_ns(name) - before_ns) / 1e6 /
                   (double)(clock_mono_ms() - before_ms);
    assert_true(fabs(value(tree, "cpu.cores") - truth) < 0.2 * truth);
    assert_true(fabs(value(tree, "cpu") - 200 * value(tree, "cpu.cores")) < 1e-6);
    assert_true(value(tree, "cpu.throttled") >= 0 && value(tree, "cpu.throttled") <= 100);
    assert_true(value(tree, "memory.bytes") >= CHILD_BYTES);
    struct source_identity identity;
    source_cgroup.identify(tree->source, 0, &identity);
    assert_true(llabs(clock_wall_ms() - identity.started_wall_ms) < 60000);
    stop(child);
    remove_cgroup(name);
    assert_true(make_cgroup(name));
    int status = sample(tree, NULL);
    double cpu = value(tree, "cpu"), restarts = value(tree, "restarts");
    remove_cgroup(name);
    assert_int_equal(status, 0);
    assert_true(isnan(cpu));
    assert_true(restarts == 1);
    struct error err;
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, "there is no cgroup"));
}

static struct source_life life_of(const struct tree *tree)
{
    struct source_life life;
    source_cgroup.life(tree->source, 0, &life);
    return life;
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

#define ON_TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(v2_without_limits_is_a_share_of_the_machine),
        ON_TREE(its_end_and_its_new_start_are_seen),
        ON_TREE(v2_own_limits_win_over_the_parents),
        ON_TREE(v2_limits_of_the_task_count_for_its_containers),
        ON_TREE(limits_are_read_again_and_those_beyond_the_machine_ignored),
        ON_TREE(odd_files_are_gaps),
        ON_TREE(counter_that_goes_back_is_a_gap),
        ON_TREE(v1_finds_the_cgroup_below_every_controller),
        ON_TREE(memory_alone_is_measured_where_there_is_no_cpu),
        ON_TREE(missing_cgroup_is_said_and_found_later),
        ON_TREE(without_container_it_lists_others_but_never_its_own),
        ON_TREE(container_cannot_leave_the_mount),
        ON_TREE(nothing_mounted_is_not_present),
        ON_TREE(real_cgroup_is_measured_across_its_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
