/* The process source: trees of files, and real processes where only the kernel can tell. */
#include "source_rig.h"

#include "core/log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* A process that began so many ticks after boot and has used so many of CPU. */
static void put_process(const struct tree *tree, int pid, int parent, const char *name, int ticks,
    int reaped, int started)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "proc/%d/stat", pid);
    snprintf(text, sizeof text, "%d (%s) S %d 1 1 0 -1 0 9 9 9 9 %d 0 %d 0 20 0 1 0 %d 9 9\n", pid,
        name, parent, ticks, reaped, started);
    put(tree, path, text);
    snprintf(path, sizeof path, "proc/%d/statm", pid);
    put(tree, path, "1000 30 10 5 0 20 0\n");
    snprintf(path, sizeof path, "proc/%d/status", pid);
    snprintf(text, sizeof text, "Name:\t%s\nTgid:\t%d\nPid:\t%d\n", name, pid, pid);
    put(tree, path, text);
}

static void put_loadavg(const struct tree *tree, int newest)
{
    char text[64];
    snprintf(text, sizeof text, "0.20 0.18 0.12 1/80 %d\n", newest);
    put(tree, "proc/loadavg", text);
}

/* What has ended keeps its open file, which says nothing any more. */
static void end_process(const struct tree *tree, int pid)
{
    char path[64];
    snprintf(path, sizeof path, "proc/%d/stat", pid);
    put(tree, path, "");
    char *folder = xasprintf("%s/proc/%d", tree->root, pid);
    assert_int_equal(fs_remove(folder, NULL), 0);
    free(folder);
}

static int make_tree(void **state)
{
    struct tree *tree = make_source_tree(&source_process, "api", 2000);
    put_loadavg(tree, 50);
    put_process(tree, 1, 0, "init", 0, 0, 1);
    char *self = xasprintf("%s/proc/self", tree->root);
    assert_int_equal(symlink("30", self), 0);
    free(self);
    put_process(tree, 30, 1, "stakeout", 0, 0, 3);
    *state = tree;
    return 0;
}

static void one_is_found_among_those_of_its_name(void **state)
{
    struct tree *tree = *state;
    static const struct {
        const char *wanted, *problem; /* NULL: it is found */
    } cases[] = {
        {"api", NULL},
        {"1", NULL},
        {"web", NULL},                    /* 21 descends from 20 */
        {"long-name-of-a-service", NULL}, /* of the command line */
        {"worker", "2 processes are called worker"},
        {"none", "there is no process none"},
        {"99", "there is no process 99"},
        {"51", "there is no process 51"}, /* a thread */
        {"30", "30 is the pid of stakeout itself"},
        {"stakeout", "there is no process stakeout"},
        {"helper", "there is no process helper"}, /* of stakeout's own */
        {"ended", "there is no process ended"},
    };
    put_process(tree, 10, 1, "api", 0, 0, 4);
    put_process(tree, 20, 1, "web", 0, 0, 5);
    put_process(tree, 25, 20, "sh", 0, 0, 6);
    put_process(tree, 21, 25, "web", 0, 0, 6);
    put_process(tree, 22, 1, "worker", 0, 0, 7);
    put_process(tree, 23, 1, "worker", 0, 0, 8);
    put_process(tree, 24, 1, "long-name-of-a-", 0, 0, 8);
    put(tree, "proc/24/cmdline", "/usr/bin/long-name-of-a-service");
    put_process(tree, 31, 30, "helper", 0, 0, 9);
    put_process(tree, 32, 1, "ended", 0, 0, 9);
    put(tree, "proc/32/stat", "32 (ended) Z 1 1 1 0 -1 0 9 9 9 9 1 0 1 0 20 0 1 0 9 9 9\n");
    put_process(tree, 51, 1, "thread", 0, 0, 9);
    put(tree, "proc/51/status", "Name:\tthread\nTgid:\t10\nPid:\t51\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        tree->app.container = cases[i].wanted;
        int status = sample(tree, &err);
        assert_int_equal(status, cases[i].problem ? -1 : 0);
        if (cases[i].problem && strcmp(cases[i].wanted, "51") != 0)
            assert_non_null(strstr(err.text, cases[i].problem));
        source_process.close(tree->source);
        tree->source = NULL;
    }
    struct error err;
    tree->app.container = "worker";
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, "22 (since ")); /* which they are */
    assert_non_null(strstr(err.text, "23 (since "));
}

static void what_is_no_name_is_refused(void **state)
{
    struct tree *tree = *state;
    static const char *const names[] = {NULL, "", "system.slice/api.service", "/usr/bin/api"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct error err, why;
        tree->app.container = names[i];
        assert_false(source_process.present(&tree->setup, &why));
        assert_null(source_process.open(&tree->setup, &err));
        assert_non_null(strstr(err.text, "app.container"));
        assert_string_equal(err.text, why.text);
    }
}

static void descendants_count_and_memory_of_files_once(void **state)
{
    struct tree *tree = *state;
    double page = (double)sysconf(_SC_PAGESIZE);
    put_process(tree, 10, 1, "api", 100, 50, 4);
    put_process(tree, 11, 10, "child", 1000, 0, 5);
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(value(tree, "memory.rss") == 40 * page);
    assert_true(value(tree, "memory.bytes") == 50 * page);
    assert_true(fabs(value(tree, "memory") - 100 * 50 * page / 1024000) < 1e-9);
    assert_true(isnan(value(tree, "cpu"))); /* what they used before is not counted */
    assert_int_equal(sample(tree, NULL), 0);
    assert_true(value(tree, "cpu.cores") == 0);
    put_process(tree, 11, 10, "child", 1001, 0, 5);
    sample(tree, NULL);
    assert_true(value(tree, "cpu.cores") > 0);
    assert_true(fabs(value(tree, "cpu") - 25 * value(tree, "cpu.cores")) < 1e-6);
    put_process(tree, 52, 11, "new", 7, 0, 2000000000); /* began after the last reading */
    put_loadavg(tree, 52);
    sample(tree, NULL);
    assert_true(value(tree, "cpu.cores") > 0);
    assert_true(value(tree, "memory.rss") == 60 * page);
    put_process(tree, 11, 10, "child", 1001, 7, 5); /* waited for it */
    end_process(tree, 52);
    sample(tree, NULL);
    assert_true(value(tree, "cpu.cores") == 0);     /* counted already */
    put_process(tree, 53, 10, "missed", 500, 0, 6); /* not told by ids */
    tree->now_ms += 100000;
    sample(tree, NULL);
    assert_true(value(tree, "cpu.cores") == 0);
    assert_true(value(tree, "memory.rss") == 60 * page);
}

static size_t descriptors_left(void)
{
    int taken[64];
    size_t count = 0;
    while (count < COUNT(taken) && (taken[count] = dup(STDIN_FILENO)) >= 0)
        count++;
    for (size_t i = 0; i < count; i++)
        close(taken[i]);
    return count;
}

/* As in a container with a low limit; a capture needs some, too. */
static void descendants_leave_descriptors_to_others(void **state)
{
    struct tree *tree = *state;
    double page = (double)sysconf(_SC_PAGESIZE);
    struct rlimit before, few;
    put_process(tree, 10, 1, "api", 0, 0, 4);
    for (int i = 0; i < 60; i++)
        put_process(tree, 100 + i, 10, "child", 0, 0, 5);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = 80, .rlim_max = before.rlim_max};
    log_setup(LOG_ERROR, LOG_LOGFMT); /* that it leaves some out is a warning */
    setrlimit(RLIMIT_NOFILE, &few);
    assert_int_equal(sample(tree, NULL), 0);
    assert_int_equal(sample(tree, NULL), 0);
    assert_in_range(descriptors_left(), 38, 45);
    double processes = value(tree, "memory.rss") / (20 * page);
    assert_true(processes > 5 && processes < 20);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void want_of_descriptors_is_told(void **state)
{
    struct tree *tree = *state;
    struct rlimit before, none;
    struct error err;
    put_process(tree, 10, 1, "api", 0, 0, 4);
    tree->source = source_process.open(&tree->setup, NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int status = sample(tree, &err);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(status, -1);
    assert_non_null(
        strstr(err.text, "all 0 files that stakeout may have open are open: raise the"));
    assert_int_equal(sample(tree, &err), 0);
}

static void own_cgroup_limits_it(void **state)
{
    struct tree *tree = *state;
    double page = (double)sysconf(_SC_PAGESIZE);
    put_process(tree, 10, 1, "api", 0, 0, 4);
    put(tree, "proc/10/cgroup", "0::/docker/abc\n");
    put(tree, "proc/10/mountinfo", "24 1 0:9 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cgroup.procs", "10\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cgroup.events", "populated 1\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cpu.max", "50000 100000\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cpu.stat",
        "usage_usec 5\nnr_periods 9\nnr_throttled 3\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cpu.pressure", "some avg10=0 total=5\n");
    put(tree, "proc/10/root/sys/fs/cgroup/memory.max", "512000\n");
    put(tree, "proc/10/root/sys/fs/cgroup/memory.events", "oom 1\noom_kill 1\n");
    put(tree, "proc/10/net/dev", "  eth0: 100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n");
    sample(tree, NULL);
    put_process(tree, 10, 1, "api", 1, 0, 4);
    put(tree, "proc/10/root/sys/fs/cgroup/cpu.stat",
        "usage_usec 5\nnr_periods 19\nnr_throttled 8\n");
    put(tree, "proc/10/root/sys/fs/cgroup/cpu.pressure", "some avg10=0 total=6\n");
    put(tree, "proc/10/net/dev", "  eth0: 300 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n");
    sample(tree, NULL);
    assert_true(fabs(value(tree, "cpu") - 200 * value(tree, "cpu.cores")) < 1e-6);
    assert_true(value(tree, "cpu.throttled") == 50);
    assert_true(value(tree, "cpu.pressure") > 0);
    assert_true(fabs(value(tree, "memory") - 100 * 30 * page / 512000) < 1e-9);
    assert_true(value(tree, "oom_kills") == 1);
    assert_true(value(tree, "net.received") > 0 && value(tree, "net.sent") == 0);
}

static void another_process_of_its_name_is_a_restart(void **state)
{
    struct tree *tree = *state;
    put_process(tree, 10, 1, "api", 100, 0, 4);
    sample(tree, NULL);
    assert_true(value(tree, "restarts") == 0 && life_of(tree).starts == 1);
    end_process(tree, 10);
    struct error err;
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, "the process api has ended: the next one of that name"));
    assert_true(life_of(tree).gone && isnan(value(tree, "memory")));
    put_process(tree, 10, 1, "api", 3, 0, 900); /* with the same pid */
    assert_int_equal(sample(tree, &err), 0);
    assert_true(value(tree, "restarts") == 1 && life_of(tree).starts == 2 && !life_of(tree).gone);
    assert_true(isnan(value(tree, "cpu")));
    end_process(tree, 10); /* and one that follows at once is found in the same moment */
    put_process(tree, 60, 1, "api", 3, 0, 950);
    assert_int_equal(sample(tree, &err), 0);
    assert_true(value(tree, "restarts") == 2);
}

static void pid_that_another_has_now_is_not_the_app(void **state)
{
    static const char ended[] = "the process 10 has ended: set app.container to the program's name";
    struct tree *tree = *state;
    struct error err;
    tree->app.container = "10";
    put_process(tree, 10, 1, "api", 100, 0, 4);
    assert_int_equal(sample(tree, &err), 0);
    end_process(tree, 10);
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, ended));
    put_process(tree, 10, 1, "api", 100, 0, 5);
    assert_int_equal(sample(tree, &err), -1);
    assert_non_null(strstr(err.text, ended));
    assert_int_equal(life_of(tree).starts, 1);
}

/* A child burns CPU and ends between two samples: its parent, this program, has its time. */
static void burn(double seconds)
{
    pid_t child = fork();
    if (child == 0) {
        clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
        while (clock() < end) {
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void real_time_of_ended_children_is_counted_once(void **state)
{
    struct tree *tree = *state;
    char pid[16];
    pid_t app = fork();
    if (app == 0) {
        for (;;) {
            raise(SIGSTOP);
            burn(0.2);
        }
    }
    waitpid(app, NULL, WUNTRACED);
    snprintf(pid, sizeof pid, "%d", (int)app);
    tree->app.container = pid;
    tree->setup.root = "/";
    assert_int_equal(sample(tree, NULL), 0);
    double burnt_s = 0;
    int64_t at_ms = tree->now_ms;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 3; i++) {
        kill(app, SIGCONT);
        waitpid(app, NULL, WUNTRACED);
        assert_int_equal(sample(tree, NULL), 0);
        clock_gettime(CLOCK_MONOTONIC, &after);
        double spent_s = (double)(after.tv_sec - before.tv_sec) +
                         (double)(after.tv_nsec - before.tv_nsec) / 1e9;
        before = after;
        burnt_s += value(tree, "cpu.cores") * spent_s;
    }
    siginfo_t ended;
    kill(app, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)app, &ended, WEXITED | WNOWAIT), 0);
    assert_true(tree->now_ms > at_ms);
    assert_true(burnt_s > 0.5 && burnt_s < 0.9);
    assert_int_equal(sample(tree, NULL), -1); /* it is a zombie now, */
    waitpid(app, NULL, 0);
    assert_int_equal(sample(tree, NULL), -1); /* and now it is not even that */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(make_tree, one_is_found_among_those_of_its_name),
        ON_TREE(make_tree, what_is_no_name_is_refused),
        ON_TREE(make_tree, descendants_count_and_memory_of_files_once),
        ON_TREE(make_tree, descendants_leave_descriptors_to_others),
        ON_TREE(make_tree, want_of_descriptors_is_told),
        ON_TREE(make_tree, own_cgroup_limits_it),
        ON_TREE(make_tree, another_process_of_its_name_is_a_restart),
        ON_TREE(make_tree, pid_that_another_has_now_is_not_the_app),
        ON_TREE(make_tree, real_time_of_ended_children_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
