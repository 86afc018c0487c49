#include "agent/self/worker.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t patience_ms = 60000;

struct bench {
    struct loop *loop;
    struct worker *worker;
};

struct outcome {
    bool done;
    int status;
    char why[600];
    int order; /* which one it was to be done */
};

static int outcomes;

static int set_up(void **state)
{
    struct bench *bench = xcalloc(1, sizeof *bench);
    struct error err;
    bench->loop = loop_open(&err);
    assert_non_null(bench->loop);
    outcomes = 0;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    worker_close(bench->worker);
    loop_close(bench->loop);
    free(bench);
    return 0;
}

static void open_worker(struct bench *bench, const char *program)
{
    struct worker_setup setup = {.loop = bench->loop, .program = program};
    bench->worker = worker_open(&setup);
}

static void on_done(void *arg, int status, const char *why)
{
    struct outcome *outcome = arg;
    assert_false(outcome->done);
    outcome->done = true;
    outcome->status = status;
    outcome->order = ++outcomes;
    assert_int_equal(status != 0, why != NULL);
    snprintf(outcome->why, sizeof outcome->why, "%s", why ? why : "");
}

static struct worker_job *submit(
    struct bench *bench, const char *script, int64_t in_ms, struct outcome *outcome)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    *outcome = (struct outcome){0};
    struct worker_task task = {
        .argv = argv, .deadline_ms = clock_mono_ms() + in_ms, .done = on_done, .arg = outcome};
    return worker_submit(bench->worker, &task);
}

static void wait_for(struct bench *bench, const struct outcome *outcome)
{
    assert_true(loop_run_until(bench->loop, &outcome->done, clock_mono_ms() + patience_ms));
}

static void how_a_child_ends_is_told(void **state)
{
    static const struct {
        const char *script;
        int64_t in_ms;
        int status;
        const char *why;
    } cases[] = {
        {"exit 0", 60000, 0, ""},
        {"echo all is well >&2; exit 0", 60000, 0, ""},
        {"exit 3", 60000, 3, "it ended with status 3"},
        {"echo a warning >&2; echo no such profile >&2; exit 1", 60000, 1, "no such profile"},
        {"printf 'cut off' >&2; exit 1", 60000, 1, "cut off"},
        {"echo why >&2; echo >&2; exit 1", 60000, 1, "why"},
        {"kill -9 $$", 60000, -1, "it was killed by signal 9"},
        {"exec 2>&-; sleep 0.1; exit 4", 60000, 4, "it ended with status 4"},
        {"exec sleep 60", 100, -1, "it did not finish in time"},
        {"exec sleep 60", -1, -1, "it did not finish in time"},
    };
    struct bench *bench = *state;
    open_worker(bench, "/bin/sh");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome;
        submit(bench, cases[i].script, cases[i].in_ms, &outcome);
        assert_false(outcome.done);
        wait_for(bench, &outcome);
        assert_string_equal(outcome.why, cases[i].why);
        assert_int_equal(outcome.status, cases[i].status);
    }
}

/* A child may say what it likes: only so much of it becomes the agent's log. */
static void a_crash_of_a_child_is_logged(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    size_t lines = 0;
    char line[4096];
    open_worker(bench, "/bin/sh");
    FILE *log = tmpfile();
    assert_non_null(log);
    int before = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    submit(bench,
        "echo begins >&2; i=0; while [ $i -lt 90 ]; do echo crash: line $i >&2; "
        "i=$((i + 1)); done; kill -6 $$",
        60000, &outcome);
    wait_for(bench, &outcome);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_string_equal(outcome.why, "it was killed by signal 6: where it crashed is in the log");
    for (rewind(log); fgets(line, sizeof line, log); lines++) {
        char end[32];
        snprintf(end, sizeof end, ": crash: line %zu\"\n", lines);
        assert_non_null(strstr(line, "level=error msg=\"child process "));
        assert_non_null(strstr(line, end));
    }
    assert_int_equal(lines, 65);
    fclose(log);
}

/* Its standard error is closed, so that only a look at it tells of its end. */
static void a_hurry_does_not_put_off_the_end(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    bool never = false;
    open_worker(bench, "/bin/sh");
    struct worker_job *job = submit(bench, "exec 2>&-; sleep 0.5; exit 0", 60000, &outcome);
    loop_run_until(bench->loop, &never, clock_mono_ms() + 200);
    worker_hurry(job, clock_mono_ms() + 5000);
    wait_for(bench, &outcome);
    assert_int_equal(outcome.status, 0);
}

static void a_child_knows_none_of_our_secrets(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "secret", 1), 0);
    assert_int_equal(setenv("LANG", "C", 1), 0);
    open_worker(bench, "/bin/sh");
    submit(bench, "echo ${AWS_SECRET_ACCESS_KEY:-none} $LANG >&2; test -n \"$PATH\" && exit 1",
        60000, &outcome);
    wait_for(bench, &outcome);
    assert_string_equal(outcome.why, "none C");
    unsetenv("AWS_SECRET_ACCESS_KEY");
}

/* As for an agent that was started without standard input and output. */
static void closed_descriptors_are_in_nobodys_way(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    int saved[3];
    open_worker(bench, "/bin/sh");
    submit(bench, "echo why >&2; exit 1", 60000, &outcome);
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        close(fd);
    }
    bool done = loop_run_until(bench->loop, &outcome.done, clock_mono_ms() + patience_ms);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    assert_true(done);
    assert_string_equal(outcome.why, "why");
}

static void a_child_that_says_much_is_not_held_up(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    open_worker(bench, "/bin/sh");
    submit(bench, "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1", 60000, &outcome);
    wait_for(bench, &outcome);
    assert_int_equal(outcome.status, 1);
    assert_int_equal(strspn(outcome.why, "x"), strlen(outcome.why));
    assert_true(strlen(outcome.why) > 100);
}

static void one_runs_and_the_others_wait(void **state)
{
    struct bench *bench = *state;
    struct outcome first, second, third;
    char folder[] = "/tmp/stakeout-worker-XXXXXX", script[200];
    assert_non_null(mkdtemp(folder));
    snprintf(script, sizeof script, "mkdir %s/x && sleep 0.05 && rmdir %s/x", folder, folder);
    open_worker(bench, "/bin/sh");
    submit(bench, script, 60000, &first);
    submit(bench, script, 60000, &second);
    submit(bench, script, 60000, &third);
    wait_for(bench, &third);
    assert_int_equal(first.status + second.status + third.status, 0);
    assert_true(first.order == 1 && second.order == 2 && third.order == 3);
    rmdir(folder);
}

static void on_urgent_wanted(void *arg)
{
    struct bench *bench = ((void **)arg)[0];
    struct outcome *urgent = ((void **)arg)[1];
    const char *const argv[] = {"sh", "-c", "exit 0", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct worker_task task = {.argv = argv,
            .deadline_ms = clock_mono_ms() + patience_ms,
            .urgent = true,
            .done = on_done,
            .arg = &urgent[i]};
        worker_submit(bench->worker, &task);
    }
}

/* Before all that wait, after what runs, and in their own order. */
static void what_is_urgent_goes_first(void **state)
{
    struct bench *bench = *state;
    struct outcome running, waiting, urgent[2] = {{0}, {0}};
    open_worker(bench, "/bin/sh");
    submit(bench, "exec sleep 0.2", patience_ms, &running);
    submit(bench, "exit 0", patience_ms, &waiting);
    void *arg[] = {bench, urgent};
    struct loop_timer *timer = loop_timer_new(bench->loop, on_urgent_wanted, arg);
    loop_timer_set(timer, clock_mono_ms() + 20);
    wait_for(bench, &waiting);
    assert_int_equal(running.order, 1);
    assert_int_equal(urgent[0].order, 2);
    assert_int_equal(urgent[1].order, 3);
    assert_int_equal(waiting.order, 4);
    loop_timer_free(timer);
}

static void a_deadline_can_be_moved_up(void **state)
{
    struct bench *bench = *state;
    struct outcome running, waiting;
    open_worker(bench, "/bin/sh");
    struct worker_job *job = submit(bench, "exec sleep 60", 600000, &running);
    worker_hurry(submit(bench, "exec sleep 60", 600000, &waiting), clock_mono_ms());
    bool never = false;
    loop_run_until(bench->loop, &never, clock_mono_ms() + 50);
    assert_false(running.done);
    worker_hurry(job, INT64_MAX); /* never back */
    worker_hurry(job, clock_mono_ms());
    wait_for(bench, &waiting);
    assert_string_equal(running.why, "it did not finish in time");
    assert_string_equal(waiting.why, "it did not finish in time");
}

static void a_program_that_is_not_there_is_told(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    open_worker(bench, "/nowhere/at/all");
    submit(bench, "", 60000, &outcome);
    wait_for(bench, &outcome);
    if (outcome.status != 127) { /* as valgrind has it, which cannot share memory with the child */
        assert_int_equal(outcome.status, -1);
        assert_string_equal(outcome.why, "it could not be started: No such file or directory");
    }
}

/* Descriptors, signals (glibc itself ignores two of its own, 32 and 33) and the mark. */
static void a_child_inherits_nothing_it_should_not(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    int open_here = fcntl(STDOUT_FILENO, F_DUPFD, 40); /* not close-on-exec */
    assert_true(open_here >= 40);
    open_worker(bench, "/bin/sh");
    char script[400];
    snprintf(script, sizeof script,
        "test ! -e /proc/self/fd/%d || { echo a descriptor >&2; exit 1; };"
        "grep -q '^SigBlk:.0*$' /proc/self/status || { echo a blocked signal >&2; exit 1; };"
        "grep -q '^SigIgn:.*[08]0000000$' /proc/self/status || { echo an ignored one >&2; exit 1; "
        "};"
        "test $STAKEOUT_CHILD = %ld || { echo the mark >&2; exit 1; }",
        open_here, (long)getpid());
    submit(bench, script, 60000, &outcome);
    wait_for(bench, &outcome);
    assert_string_equal(outcome.why, "");
    close(open_here);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_DFL);
}

static void closing_kills_the_child(void **state)
{
    struct bench *bench = *state;
    struct outcome running, waiting;
    open_worker(bench, "/bin/sh");
    submit(bench, "exec sleep 600", 600000, &running);
    submit(bench, "exit 0", 600000, &waiting);
    bool never = false;
    loop_run_until(bench->loop, &never, clock_mono_ms() + 50);
    worker_close(bench->worker);
    bench->worker = NULL;
    assert_false(running.done || waiting.done);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void a_child_is_told_its_limit(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    struct worker_setup setup = {
        .loop = bench->loop, .program = "/bin/sh", .child_memory_bytes = 40 << 20};
    bench->worker = worker_open(&setup);
    assert_int_equal(worker_child_memory(bench->worker), 40 << 20);
    submit(bench, "echo $STAKEOUT_CHILD_MEMORY >&2; exit 1", 60000, &outcome);
    wait_for(bench, &outcome);
    assert_string_equal(outcome.why, "41943040");
}

/* Whether so much more can be had. */
static bool can_have(size_t bytes)
{
    void *more = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return more != MAP_FAILED && munmap(more, bytes) == 0;
}

/* Both keep more of the address space for themselves than a limit lets them. */
static bool is_watched(void)
{
#ifdef STAKEOUT_SANITIZED
    return true;
#else
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
#endif
}

/* qemu-user says that it has set such a limit, and has not: it would be its own. */
static bool limits_are_kept(void)
{
    struct rlimit before, lower, after;
    getrlimit(RLIMIT_AS, &before);
    lower = before;
    lower.rlim_cur = before.rlim_cur == RLIM_INFINITY ? (rlim_t)1 << 46 : before.rlim_cur - 1;
    setrlimit(RLIMIT_AS, &lower);
    getrlimit(RLIMIT_AS, &after);
    setrlimit(RLIMIT_AS, &before);
    return after.rlim_cur == lower.rlim_cur;
}

/* What is mapped at the start of a child is not counted; the limit is of what comes on top. */
static void memory_is_limited_whatever_is_mapped(void **state)
{
    (void)state;
    if (is_watched() || !limits_are_kept())
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        char text[32];
        snprintf(text, sizeof text, "%ld", (long)getppid());
        setenv("STAKEOUT_CHILD", text, 1);
        setenv("STAKEOUT_CHILD_MEMORY", "41943040", 1);
        worker_settle_child();
        FILE *file = fopen("/proc/self/oom_score_adj", "re");
        bool first = file && fgets(text, sizeof text, file) && !strcmp(text, "1000\n");
        _exit(first && can_have(24 << 20) && !can_have(41 << 20) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a process of its own, as it cannot be undone. */
static int settled(const char *mark, bool modest)
{
    pid_t pid = fork();
    if (pid == 0) {
        int before = getpriority(PRIO_PROCESS, 0);
        struct rlimit cpu;
        if (mark)
            setenv("STAKEOUT_CHILD", mark, 1);
        else
            unsetenv("STAKEOUT_CHILD");
        worker_settle_child();
        getrlimit(RLIMIT_CPU, &cpu);
        bool lowered = getpriority(PRIO_PROCESS, 0) >= before + (before < 10 ? 1 : 0);
        bool bounded = cpu.rlim_cur != RLIM_INFINITY;
        _exit((modest ? lowered && bounded : !bounded) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void only_a_child_settles(void **state)
{
    (void)state;
    char mark[32];
    snprintf(mark, sizeof mark, "%ld", (long)getpid());
    assert_int_equal(settled(NULL, false), 0);
    assert_int_equal(settled(mark, true), 0);
    assert_int_equal(settled("1234567890", true), EXIT_FAILURE); /* its agent is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(how_a_child_ends_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_of_a_child_is_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hurry_does_not_put_off_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_knows_none_of_our_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closed_descriptors_are_in_nobodys_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_that_says_much_is_not_held_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_runs_and_the_others_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_urgent_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deadline_can_be_moved_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_inherits_nothing_it_should_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_kills_the_child, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_is_told_its_limit, set_up, tear_down),
        cmocka_unit_test(memory_is_limited_whatever_is_mapped),
        cmocka_unit_test(only_a_child_settles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
