/* The cgroup source on a real cgroup, version 1, where this machine allows one. */
#include "core/buf.h"
#include "core/clock.h"
#include "source_rig.h"
#include "sources/cgroup/cgroup_files.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(make_cgroup_tree, real_cgroup_is_measured_across_its_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
