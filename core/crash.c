#include "core/crash.h"

#include "core/crash_modules.h"
#include "core/crash_text.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* The unwinder of this process alone; only addresses are asked of it, as names need memory. */
#define UNW_LOCAL_ONLY
#include <libunwind.h>

const char crash_prefix[] = "crash: ";

/* The kernel's frame for a signal takes up to 11 KiB (AMX), an unwinder's state a few. */
enum { STACK_BYTES = 64 * 1024 };

/* How long a report may take. The unwinder asks the loader, whose lock another thread may hold for
 * ever; a disk or the reader of standard error may hang. */
enum { REPORT_S = 5, END_S = 1 };

/* How long a reader of standard error may leave no room for a line, of which it then gets no more.
 * Where there is any, there is room for PIPE_BUF bytes, more than a line has. */
enum { LOG_MS = 500 };

/* An overflow of the stack touches it this far below its pointer: what one frame may take. */
enum { OVERFLOW_BYTES = 64 * 1024 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

#ifdef STAKEOUT_SANITIZED
enum { sanitized = 1 };
#else
enum { sanitized = 0 };
#endif

static bool installed;
static pthread_key_t stack_key; /* its destructor gives a thread's stack back */

/* Set before a crash. */
static char folder[PATH_MAX - 64]; /* "": none */

/* The crash: the first one. */
static struct {
    _Atomic pid_t thread; /* 0: there was none */
    siginfo_t info;
    _Atomic int file; /* -1: there is none */
    char path[PATH_MAX];
} crash = {.file = -1};

static void write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        size -= (size_t)written;
    }
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say_to_file(const struct crash_line *line)
{
    int file = crash.file;
    if (file < 0)
        return;
    write_all(file, line->text, line->size);
    write_all(file, "\n", 1);
}

static bool log_hangs(void)
{
    static bool hangs;
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    hangs = hangs || poll(&log, 1, LOG_MS) == 0;
    return hangs;
}

/* As log_write does, in whose functions a crash may have happened. What comes here is clean. */
static void say_to_log(const struct crash_line *text)
{
    struct crash_line line = {.size = 0};
    int format = log_chosen_format();
    if (log_hangs())
        return;
    if (format >= 0) {
        crash_put(&line, format == LOG_JSON ? "{\"time\":\"" : "time=");
        crash_put_time(&line, now_ms());
        crash_put(&line,
            format == LOG_JSON ? "\",\"level\":\"error\",\"msg\":\"" : " level=error msg=\"");
    }
    crash_put(&line, crash_prefix);
    crash_put(&line, text->text);
    if (format >= 0)
        crash_put(&line, format == LOG_JSON ? "\"}" : "\"");
    crash_put(&line, "\n");
    write_all(STDERR_FILENO, line.text, line.size);
}

static void say_field(const char *name, const char *text)
{
    struct crash_line line = {.size = 0};
    crash_put(&line, name);
    crash_put(&line, " ");
    crash_put_clean(&line, text);
    say_to_file(&line);
}

static bool is_sent(const siginfo_t *info)
{
    return info->si_code <= 0;
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined __x86_64__
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined __aarch64__
    return (uintptr_t)context->uc_mcontext.sp;
#else
    (void)context;
    return 0;
#endif
}

static uintptr_t program_counter(const ucontext_t *context)
{
#if defined __x86_64__
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined __aarch64__
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static void put_reason(struct crash_line *line, const siginfo_t *info, const ucontext_t *context)
{
    uintptr_t address = (uintptr_t)info->si_addr, stack = stack_pointer(context);
    if (is_sent(info) && info->si_pid == getpid()) {
        crash_put(line, "raised by itself");
    } else if (is_sent(info)) {
        crash_put(line, "sent by process ");
        crash_put_number(line, (uint64_t)info->si_pid);
    } else if (info->si_signo == SIGSEGV && address + OVERFLOW_BYTES >= stack &&
               address < stack + (uintptr_t)sysconf(_SC_PAGESIZE)) {
        crash_put(line, "the stack overflowed");
    } else {
        crash_put(line, crash_reason(info->si_signo, info->si_code));
    }
}

/* Into the file one thing a line; into the log one line. */
static void say_head(const siginfo_t *info, const ucontext_t *context, int64_t time_ms)
{
    struct crash_line time = {.size = 0}, process = {.size = 0}, reason = {.size = 0};
    struct crash_line address = {.size = 0}, line = {.size = 0};
    char thread[16 + 1] = "";
    prctl(PR_GET_NAME, thread);
    crash_put_time(&time, time_ms);
    crash_put_number(&process, (uint64_t)getpid());
    put_reason(&reason, info, context);
    if (!is_sent(info))
        crash_put_hex(&address, (uintptr_t)info->si_addr);
    say_field("crash", "1");
    say_field("version", STAKEOUT_VERSION);
    say_field("time", time.text);
    say_field("process", process.text);
    say_field("thread", thread);
    say_field("signal", crash_signal_name(info->si_signo));
    say_field("reason", reason.text);
    if (address.size)
        say_field("address", address.text);
    crash_put(&line, crash_signal_name(info->si_signo));
    crash_put(&line, reason.size ? ", " : "");
    crash_put(&line, reason.text);
    crash_put(&line, address.size ? ", at address " : "");
    crash_put(&line, address.text);
    crash_put(&line, ", in thread ");
    crash_put_clean(&line, thread);
    crash_put(
        &line, " of stakeout " STAKEOUT_VERSION "; scripts/crash-lines tells the lines of these:");
    say_to_log(&line);
}

static void say_frame(unsigned number, uintptr_t address)
{
    struct crash_line line = {.size = 0};
    struct crash_place place;
    if (!crash_modules_find(address, &place)) {
        crash_modules_note_now();
        crash_modules_find(address, &place);
    }
    crash_put_frame(&line, number, &place);
    say_to_file(&line);
    say_to_log(&line);
}

/* The instruction itself, for which nobody needs to be asked, and who called: their addresses are
 * those that a return goes to, the instruction before is the call. */
static void say_frames(ucontext_t *context)
{
    unw_cursor_t cursor;
    unw_word_t address;
    say_frame(0, program_counter(context));
    if (unw_init_local2(&cursor, (unw_context_t *)context, UNW_INIT_SIGNAL_FRAME) < 0)
        return;
    for (unsigned i = 1; i < CRASH_FRAMES_MAX && unw_step(&cursor) > 0; i++) {
        if (unw_get_reg(&cursor, UNW_REG_IP, &address) < 0 || address == 0)
            return;
        say_frame(i, address - 1);
    }
}

static void say_end(const char *how)
{
    struct crash_line line = {.size = 0};
    say_field("end", how);
    if (crash.file < 0)
        return;
    crash_put(&line, "this is also in ");
    crash_put_clean(&line, crash.path);
    say_to_log(&line);
}

static void open_file(int64_t time_ms)
{
    struct crash_line name = {.size = 0};
    if (!*folder)
        return;
    crash_put(&name, "/crash-");
    crash_put_time(&name, time_ms);
    crash_put(&name, ".txt");
    strcpy(crash.path, folder);
    strcat(crash.path, name.text);
    crash.file = open(crash.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Process 1 of a container has no default action for what is sent. */
static void end_as_process_1(int number)
{
    if (getpid() == 1)
        _exit(128 + number);
}

static void send_again(void)
{
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), crash.info.si_signo, &crash.info);
}

/* The report takes too long. This may be another thread than the one that crashed. To say so may
 * take too long as well, then it comes again. */
static void on_alarm(int number)
{
    (void)number;
    static atomic_flag told = ATOMIC_FLAG_INIT;
    sigset_t crashed;
    if (!atomic_flag_test_and_set(&told)) {
        alarm(END_S);
        say_end("timeout");
    }
    signal(crash.info.si_signo, SIG_DFL);
    end_as_process_1(crash.info.si_signo);
    sigemptyset(&crashed);
    sigaddset(&crashed, crash.info.si_signo);
    send_again();
    pthread_sigmask(SIG_UNBLOCK, &crashed, NULL);
    _exit(128 + crash.info.si_signo);
}

static void set_alarm(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGALRM);
    sigaction(SIGALRM, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(REPORT_S);
    signal(SIGPIPE, SIG_IGN); /* the reader of standard error may be gone: that is not the cause */
}

/* A signal that the kernel sent because of an instruction comes back when that is run again. */
static bool comes_back(const siginfo_t *info)
{
    int number = info->si_signo;
    return !is_sent(info) &&
           (number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE);
}

/* All of these signals are blocked while this runs: a crash in here ends the process at once, with
 * what is written by then. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    pid_t none = 0;
    if (!atomic_compare_exchange_strong(&crash.thread, &none, gettid()))
        for (;;)
            pause(); /* until the report of another thread is written */
    crash.info = *info;
    set_alarm();
    int64_t time_ms = now_ms();
    open_file(time_ms);
    say_head(info, context, time_ms);
    say_frames(context);
    say_end("complete");
    signal(number, SIG_DFL);
    if (comes_back(info))
        return;
    end_as_process_1(number);
    send_again(); /* it is blocked until this returns */
}

void crash_let_through(sigset_t *mask)
{
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        sigdelset(mask, crash_signals[i]);
}

static void give_back(void *stack)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, STACK_BYTES);
}

void crash_guard_thread(void)
{
    if (!installed || pthread_getspecific(stack_key))
        return;
    int page = (int)sysconf(_SC_PAGESIZE);
    char *memory = mmap(
        NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return;
    mprotect(memory, (size_t)page, PROT_NONE); /* this stack may overflow as well */
    stack_t stack = {.ss_sp = memory + page, .ss_size = (size_t)(STACK_BYTES - page)};
    sigset_t crashes;
    sigemptyset(&crashes);
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        sigaddset(&crashes, crash_signals[i]);
    pthread_setspecific(stack_key, memory);
    sigaltstack(&stack, NULL);
    pthread_sigmask(SIG_UNBLOCK, &crashes, NULL);
}

void crash_install(void)
{
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (sanitized || installed || pthread_key_create(&stack_key, give_back) != 0)
        return;
    installed = true;
    crash_modules_note();
    crash_guard_thread();
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        sigaddset(&action.sa_mask, crash_signals[i]);
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        sigaction(crash_signals[i], &action, NULL);
}

void crash_note_library(void)
{
    if (installed)
        crash_modules_note();
}

void crash_keep_in(const char *path)
{
    folder[0] = '\0';
    if (strlen(path) < sizeof folder)
        strcpy(folder, path);
}
