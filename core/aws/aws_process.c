#include "core/aws/aws_process.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, MAX_OUTPUT = 65536, REAP_PAUSE_MS = 20 };

struct aws_process {
    struct loop *loop;
    pid_t pid; /* 0: reaped */
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    int64_t deadline_ms;
    struct buf output;
    void (*done)(void *arg, const char *output, size_t size, const struct error *err);
    void *arg;
};

static void release(struct aws_process *process)
{
    if (process->watch)
        loop_unwatch(process->watch);
    loop_timer_free(process->timer);
    if (process->fd >= 0)
        close(process->fd);
    char *output = buf_take(&process->output);
    OPENSSL_cleanse(output, strlen(output));
    free(output);
    buf_free(&process->output);
    free(process);
}

/* With all that the shell started: it leads a process group. */
static void kill_now(struct aws_process *process)
{
    kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
}

void aws_process_cancel(struct aws_process *process)
{
    if (!process)
        return;
    kill_now(process);
    release(process);
}

static void conclude(struct aws_process *process, const struct error *err)
{
    if (err)
        process->done(process->arg, NULL, 0, err);
    else
        process->done(process->arg, process->output.data, process->output.size, NULL);
    release(process);
}

static void stop_reading(struct aws_process *process)
{
    loop_unwatch(process->watch);
    process->watch = NULL;
    close(process->fd);
    process->fd = -1;
}

static void fail(struct aws_process *process, const char *why)
{
    struct error err;
    error_set(&err, "%s", why);
    kill_now(process);
    conclude(process, &err);
}

/* Its output has ended; so will it. */
static void reap(struct aws_process *process)
{
    int ended;
    struct error err;
    pid_t pid = waitpid(process->pid, &ended, WNOHANG);
    if (pid == 0) {
        loop_timer_set(process->timer, clock_mono_ms() + REAP_PAUSE_MS);
        return;
    }
    process->pid = 0;
    if (pid > 0 && WIFEXITED(ended) && WEXITSTATUS(ended) == 0) {
        conclude(process, NULL);
        return;
    }
    if (pid > 0 && WIFEXITED(ended))
        error_set(&err, "it ended with status %d: run it by hand to see why", WEXITSTATUS(ended));
    else
        error_set(&err, "it was killed");
    conclude(process, &err);
}

static void on_timer(void *arg)
{
    struct aws_process *process = arg;
    if (clock_mono_ms() >= process->deadline_ms)
        fail(process, "it did not end within a minute");
    else
        reap(process);
}

static void on_output(void *arg)
{
    struct aws_process *process = arg;
    char block[4096];
    ssize_t got = read(process->fd, block, sizeof block);
    if (got < 0 && errno == EINTR)
        return;
    if (got > 0 && buf_append(&process->output, block, (size_t)got) < 0) {
        fail(process, "it printed more than 64 KiB");
    } else if (got <= 0) {
        stop_reading(process);
        reap(process);
    }
    OPENSSL_cleanse(block, sizeof block);
}

/* In the child, between fork and exec: nothing here may allocate or lock. Its standard input is
 * empty and its errors go where ours go. Nothing else of ours is inherited, nor are blocked
 * signals; and it ends with us, however we end: the shell is told, and ends its whole group, as
 * what it runs is not told. */
static _Noreturn void become(const char *command, int output, pid_t parent)
{
    static char shell[] = "sh", option[] = "-c";
    static char script[] = "trap 'kill -s KILL 0' TERM; eval \"$1\" & wait $!";
    char *arguments[] = {shell, option, script, shell, (char *)(uintptr_t)command, NULL};
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int input = open("/dev/null", O_RDONLY);
    if (getppid() == parent && input >= 0 && dup2(input, STDIN_FILENO) >= 0 &&
        dup2(output, STDOUT_FILENO) >= 0 && close_range(STDERR_FILENO + 1, ~0U, 0) == 0 &&
        sigprocmask(SIG_SETMASK, &none, NULL) == 0)
        execve("/bin/sh", arguments, environ);
    _exit(126);
}

/* 0 or a code. */
static int spawn(pid_t *pid, const char *command, int output)
{
    if (access("/bin/sh", X_OK) < 0)
        return errno;
    pid_t parent = getpid();
    *pid = fork();
    if (*pid < 0)
        return errno;
    if (*pid == 0)
        become(command, output, parent);
    setpgid(*pid, *pid); /* whoever of both comes first: its group may be killed at once */
    return 0;
}

struct aws_process *aws_process_start(struct loop *loop, const char *command,
    void (*done)(void *arg, const char *output, size_t size, const struct error *err), void *arg,
    struct error *err)
{
    int ends[2];
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_set(err, "it cannot be run: %s", strerror(errno));
        return NULL;
    }
    int code = spawn(&pid, command, ends[1]);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        error_set(err, "it cannot be run: /bin/sh: %s", strerror(code));
        return NULL;
    }
    struct aws_process *process = xcalloc(1, sizeof *process);
    *process = (struct aws_process){
        .loop = loop, .pid = pid, .fd = ends[0], .done = done, .arg = arg};
    buf_init(&process->output, MAX_OUTPUT);
    process->watch = loop_watch_readable(loop, ends[0], on_output, process);
    process->deadline_ms = clock_mono_ms() + PATIENCE_MS;
    process->timer = loop_timer_new(loop, on_timer, process);
    loop_timer_set(process->timer, process->deadline_ms);
    return process;
}
