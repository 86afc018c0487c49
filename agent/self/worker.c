#include "agent/self/worker.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/crash.h"
#include "core/log.h"
#include "core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names a worker's child, with the agent's process id; and what memory it may have, in bytes. */
static const char mark[] = "STAKEOUT_CHILD", memory_mark[] = "STAKEOUT_CHILD_MEMORY";

enum { NICENESS = 10, CPU_SECONDS = 60, WHY_SIZE = 512 };

/* What is logged of one child's crash: its head and its frames. A child of which somebody has taken
 * hold cannot fill the log. */
enum { CRASH_LINES_MAX = CRASH_FRAMES_MAX + 1 };

/* Between the end of a child's standard error and its end as a process there is a moment. */
static const int64_t reap_again_ms = 5;

struct worker_job {
    struct worker_job *next;
    struct worker *worker;
    char **argv;
    int64_t deadline_ms;
    bool urgent;
    void (*done)(void *arg, int status, const char *why);
    void *arg;
};

struct worker {
    struct loop *loop;
    char *program;
    int64_t child_memory_bytes;
    struct worker_job *first; /* the one that runs or is about to; the others wait */
    pid_t pid;                /* 0: none runs */
    int said;                 /* the child's standard error; -1: none, or it is at its end */
    struct loop_watch *watch;
    struct loop_timer *timer; /* the next start, the deadline, or the next look at its end */
    bool late;                /* it was killed at its deadline */
    char line[WHY_SIZE];      /* the last line it said */
    size_t line_size;
    bool line_ended;
    int crash_lines; /* those of its crash that were logged */
};

static void wake(void *arg);

struct worker *worker_open(const struct worker_setup *setup)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->loop = setup->loop;
    worker->program = xstrdup(setup->program ? setup->program : "/proc/self/exe");
    worker->child_memory_bytes = setup->child_memory_bytes;
    worker->said = -1;
    worker->timer = loop_timer_new(setup->loop, wake, worker);
    return worker;
}

void worker_limit(struct worker *worker, int64_t child_memory_bytes)
{
    worker->child_memory_bytes = child_memory_bytes;
}

int64_t worker_child_memory(const struct worker *worker)
{
    return worker->child_memory_bytes;
}

static void free_job(struct worker_job *job)
{
    for (char **arg = job->argv; *arg; arg++)
        free(*arg);
    free(job->argv);
    free(job);
}

static void stop_listening(struct worker *worker)
{
    loop_unwatch(worker->watch);
    worker->watch = NULL;
    if (worker->said >= 0)
        close(worker->said);
    worker->said = -1;
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->pid) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    stop_listening(worker);
    loop_timer_free(worker->timer);
    for (struct worker_job *job = worker->first; job;) {
        struct worker_job *next = job->next;
        free_job(job);
        job = next;
    }
    free(worker->program);
    free(worker);
}

struct worker_job *worker_submit(struct worker *worker, const struct worker_task *task)
{
    struct worker_job *job = xcalloc(1, sizeof *job);
    size_t count = 0;
    while (task->argv[count])
        count++;
    job->worker = worker;
    job->argv = xcalloc(count + 1, sizeof *job->argv);
    for (size_t i = 0; i < count; i++)
        job->argv[i] = xstrdup(task->argv[i]);
    job->deadline_ms = task->deadline_ms;
    job->urgent = task->urgent;
    job->done = task->done;
    job->arg = task->arg;
    struct worker_job **place = &worker->first;
    while (*place && ((worker->pid && *place == worker->first) || (*place)->urgent || !job->urgent))
        place = &(*place)->next;
    job->next = *place;
    *place = job;
    if (worker->first == job)
        loop_timer_set(worker->timer, 0);
    return job;
}

void worker_hurry(struct worker_job *job, int64_t deadline_ms)
{
    struct worker *worker = job->worker;
    if (deadline_ms >= job->deadline_ms)
        return;
    job->deadline_ms = deadline_ms;
    /* Once it has closed its standard error the timer is set already, for a look at its end. */
    if (worker->pid && worker->first == job && !worker->late && worker->said >= 0)
        loop_timer_set(worker->timer, deadline_ms);
}

/* The job at the head is over. */
static void conclude(struct worker *worker, int status, const char *why)
{
    struct worker_job *job = worker->first;
    worker->first = job->next;
    worker->pid = 0;
    stop_listening(worker);
    loop_timer_unset(worker->timer);
    if (worker->first)
        loop_timer_set(worker->timer, 0);
    job->done(job->arg, status, why);
    free_job(job);
}

static void conclude_ended(struct worker *worker, int ended)
{
    int status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    char why[WHY_SIZE];
    if (worker->late)
        snprintf(why, sizeof why, "it did not finish in time");
    else if (status > 0 && worker->line_size)
        snprintf(why, sizeof why, "%.*s", (int)worker->line_size, worker->line);
    else if (status > 0)
        snprintf(why, sizeof why, "it ended with status %d", status);
    else if (status < 0)
        snprintf(why, sizeof why, "it was killed by signal %d%s", WTERMSIG(ended),
            worker->crash_lines ? ": where it crashed is in the log" : "");
    conclude(worker, worker->late ? -1 : status, status || worker->late ? why : NULL);
}

/* Looks for the child's end, without waiting for it. */
static void reap(struct worker *worker)
{
    int ended;
    pid_t pid = waitpid(worker->pid, &ended, WNOHANG);
    if (pid == worker->pid)
        conclude_ended(worker, ended);
    else if (pid < 0 && errno != EINTR)
        conclude(worker, -1, "its end was not told");
    else
        loop_timer_set(worker->timer, clock_mono_ms() + reap_again_ms);
}

/* The log is where people look for a crash, a child's as well. */
static void pass_on_crash(struct worker *worker)
{
    size_t size = strlen(crash_prefix);
    if (worker->line_size < size || memcmp(worker->line, crash_prefix, size) != 0 ||
        worker->crash_lines == CRASH_LINES_MAX)
        return;
    worker->crash_lines++;
    log_error("child process %ld: %.*s", (long)worker->pid, (int)worker->line_size, worker->line);
}

/* Keeps the last line that is not empty, and of that what has room. */
static void take_line(struct worker *worker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            if (!worker->line_ended)
                pass_on_crash(worker);
            worker->line_ended = true;
            continue;
        }
        if (worker->line_ended)
            worker->line_size = 0;
        worker->line_ended = false;
        if (worker->line_size + 1 < sizeof worker->line)
            worker->line[worker->line_size++] = data[i];
    }
}

/* Standard error: its end is the child's, on every kernel (pidfd_open needs 5.3). */
static void on_said(void *arg)
{
    struct worker *worker = arg;
    char block[4096];
    ssize_t got = read(worker->said, block, sizeof block);
    if (got > 0)
        take_line(worker, block, (size_t)got);
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)))
        return;
    stop_listening(worker);
    reap(worker);
}

/* The child's descriptors: nothing of the agent's, standard error to us. curl's sockets, among
 * others, are not close-on-exec everywhere. */
static int set_files(posix_spawn_file_actions_t *files, int said)
{
    int code = posix_spawn_file_actions_init(files);
    if (code)
        return code;
    code = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!code)
        code = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!code)
        code = posix_spawn_file_actions_adddup2(files, said, STDERR_FILENO);
    if (!code)
        code = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    if (code)
        posix_spawn_file_actions_destroy(files);
    return code;
}

/* The agent takes its signals through a descriptor and ignores SIGPIPE; the child does not. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_init(attributes);
    if (code)
        return code;
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return 0;
}

/* The marks, and what a program needs to start: no key and no token of ours. Only the array and the
 * marks are new: the caller frees them. */
static char **child_environment(const struct worker *worker, char *marks[2])
{
    static const char *const passed[] = {"PATH=", "LANG=", "LC_ALL=", "LD_LIBRARY_PATH=",
        "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS="};
    size_t count = 0;
    char **environment = xcalloc(sizeof passed / sizeof *passed + 3, sizeof *environment);
    marks[0] = xasprintf("%s=%ld", mark, (long)getpid());
    marks[1] = xasprintf("%s=%lld", memory_mark, (long long)worker->child_memory_bytes);
    environment[count++] = marks[0];
    environment[count++] = marks[1];
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        for (char **own = environ; *own; own++)
            if (!strncmp(*own, passed[i], strlen(passed[i]))) {
                environment[count++] = *own;
                break;
            }
    return environment;
}

/* A child has no children: whatever program stands in for this one, it ends after one. */
static int spawn(struct worker *worker, int said)
{
    if (getenv(mark))
        return EPERM;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = set_files(&files, said);
    if (code)
        return code;
    code = set_signals(&attributes);
    if (!code) {
        char *marks[2];
        char **environment = child_environment(worker, marks);
        code = posix_spawn(
            &worker->pid, worker->program, &files, &attributes, worker->first->argv, environment);
        free(marks[0]);
        free(marks[1]);
        free(environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return code;
}

/* A pipe whose second end is none of the child's 0, 1 and 2: these may be closed in the agent. */
static int open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    if (ends[1] > STDERR_FILENO)
        return 0;
    int above = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int code = above < 0 ? errno : 0;
    close(ends[1]);
    ends[1] = above;
    if (code)
        close(ends[0]);
    return code;
}

static void start(struct worker *worker)
{
    int ends[2];
    worker->late = worker->line_ended = false;
    worker->line_size = 0;
    worker->crash_lines = 0;
    int code = open_pipe(ends);
    if (!code) {
        code = spawn(worker, ends[1]);
        close(ends[1]);
        if (code)
            close(ends[0]);
    }
    if (code) {
        char why[WHY_SIZE];
        worker->pid = 0;
        snprintf(why, sizeof why, "it could not be started: %s", strerror(code));
        conclude(worker, -1, why);
        return;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    worker->said = ends[0];
    worker->watch = loop_watch_readable(worker->loop, worker->said, on_said, worker);
    loop_timer_set(worker->timer, worker->first->deadline_ms);
}

static void wake(void *arg)
{
    struct worker *worker = arg;
    if (!worker->pid && worker->first) {
        start(worker);
        return;
    }
    if (!worker->pid)
        return;
    if (!worker->late && clock_mono_ms() >= worker->first->deadline_ms) {
        worker->late = true;
        kill(worker->pid, SIGKILL);
    }
    reap(worker);
}

static void set_limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur > most) {
        limit.rlim_cur = most;
        setrlimit(resource, &limit);
    }
}

#ifndef STAKEOUT_SANITIZED /* AddressSanitizer reserves more address space than there is memory */
/* There is no limit of what is resident; there is one of address space. Of that, libraries, the
 * program and stacks take some tens of MiB at once, of which little becomes memory, and that is
 * shared with the agent: it comes on top. What the process has of its own already does not. */
static void limit_memory(int64_t most_bytes)
{
    char text[128];
    unsigned long long size, resident, shared;
    rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE), mapped = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fgets(text, sizeof text, file) &&
        sscanf(text, "%llu %llu %llu", &size, &resident, &shared) == 3 && resident >= shared &&
        size >= resident - shared)
        mapped = (rlim_t)(size - (resident - shared)) * page;
    if (file)
        fclose(file);
    set_limit(RLIMIT_AS, mapped + (rlim_t)most_bytes);
}
#endif

/* Where the container runs out of memory, the kernel is to take the child, not the agent, and not
 * the app. */
static void give_way(void)
{
    static const char first[] = "1000";
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, first, sizeof first - 1);
    (void)written; /* it is as before then */
    close(fd);
}

void worker_settle_child(void)
{
    const char *agent = getenv(mark);
    if (!agent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (strtol(agent, NULL, 10) != getppid())
        _exit(EXIT_FAILURE); /* it died before we could ask */
    if (getpriority(PRIO_PROCESS, 0) < NICENESS)
        setpriority(PRIO_PROCESS, 0, NICENESS);
    set_limit(RLIMIT_CPU, CPU_SECONDS);
    set_limit(RLIMIT_CORE, 0);
    give_way();
#ifndef STAKEOUT_SANITIZED
    const char *memory = getenv(memory_mark);
    int64_t most_bytes = memory ? strtoll(memory, NULL, 10) : 0;
    if (most_bytes > 0)
        limit_memory(most_bytes);
#endif
}
