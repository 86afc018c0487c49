/* Children of this program crash in every way, and what they leave is read. */
#include "core/crash.h"

#include "agent/crash_report.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/crash_modules.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <jansson.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child left. */
struct remains {
    int ended; /* as waitpid tells it */
    char *folder;
    char *path; /* of the report; NULL: there is none */
    struct buf text, said;
    struct crash_report report;
};

static volatile int *volatile nowhere;

__attribute__((noinline)) static void write_to_null(void)
{
    *nowhere = 1;
}

static void (*volatile no_function)(void);

static void call_null(void)
{
    no_function();
    *nowhere = 1; /* so that what comes before is no jump */
}

__attribute__((noinline)) static int overflow_stack(volatile char *above)
{
    volatile char frame[512];
    frame[0] = *above;
    return frame[0] == 1 ? 0 : overflow_stack(frame) + frame[0];
}

static void overflow(void)
{
    volatile char frame = 0;
    overflow_stack(&frame);
}

static void call_abort(void)
{
    abort();
}

static void raise_segv(void)
{
    raise(SIGSEGV);
    *nowhere = 1;
}

static void trap(void)
{
    raise(SIGTRAP);
    *nowhere = 1;
}

/* A file that becomes shorter below its mapping. */
static void touch_lost_page(void)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 4096) < 0)
        _exit(99);
    volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || ftruncate(fd, 0) < 0)
        _exit(99);
    (void)page[0];
}

static void *run_in_thread(void *arg)
{
    void (*const *how)(void) = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    crash_guard_thread();
    pthread_setname_np(pthread_self(), "wor\"ker");
    (*how)();
    return NULL;
}

static void in_thread(void (*how)(void))
{
    pthread_t thread;
    pthread_create(&thread, NULL, run_in_thread, &how);
    pthread_join(thread, NULL);
}

static void write_to_null_in_thread(void)
{
    in_thread(write_to_null);
}

static void overflow_in_thread(void)
{
    in_thread(overflow);
}

static void run_job(void *arg)
{
    (void)arg;
    write_to_null();
}

static void write_to_null_in_offload(void)
{
    struct error err;
    struct loop *loop = loop_open(&err);
    offload_submit(offload_open(loop, "disk", &err), run_job, NULL, NULL);
    pause();
}

static void *write_to_null_together(void *arg)
{
    crash_guard_thread();
    pthread_barrier_wait(arg);
    write_to_null();
    return NULL;
}

static void crash_in_many_threads(void)
{
    enum { THREADS = 6 };
    pthread_t thread;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, write_to_null_together, &barrier);
    for (;;)
        pause();
}

static void crash_in_constructor(void)
{
    setenv("CRASHING", "1", 1);
    dlopen(CRASHING_MODULE, RTLD_NOW);
    *nowhere = 1;
}

static int hold(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info;
    (void)size;
    pthread_barrier_wait(arg);
    for (;;)
        pause();
    return 0;
}

static void *hold_loader_lock(void *arg)
{
    dl_iterate_phdr(hold, arg);
    return NULL;
}

static void crash_while_another_holds_the_loader(void)
{
    pthread_t thread;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, hold_loader_lock, &barrier);
    pthread_barrier_wait(&barrier);
    write_to_null();
}

static int crash_inside(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info;
    (void)size;
    (void)arg;
    write_to_null();
    return 0;
}

static void crash_with_the_loader_lock(void)
{
    dl_iterate_phdr(crash_inside, NULL);
    *nowhere = 1;
}

static void crash_in_library(void)
{
    void *library = dlopen(CRASHING_MODULE, RTLD_NOW);
    void (*crash)(void) = NULL;
    *(void **)&crash = library ? dlsym(library, "crashing_crash") : NULL;
    if (crash)
        crash();
}

static int find_report(void *arg, const char *name)
{
    struct remains *remains = arg;
    if (name[0] == '.')
        return 0;
    assert_null(remains->path); /* there is one at most */
    remains->path = xasprintf("%s/%s", remains->folder, name);
    return 0;
}

static void read_all(int fd, struct buf *out)
{
    char block[4096];
    buf_init(out, 1 << 20);
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
}

/* Has a child crash. format -1: there is no log. */
static struct remains *crash_by(void (*how)(void), int format, bool keep)
{
    struct remains *remains = xcalloc(1, sizeof *remains);
    int ends[2];
    struct error err;
    char folder[] = "/tmp/stakeout-crash-XXXXXX";
    assert_non_null(mkdtemp(folder));
    remains->folder = xstrdup(folder);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (format >= 0)
            log_setup(LOG_INFO, (enum log_format)format);
        crash_install();
        if (keep)
            crash_keep_in(folder);
        how();
        _exit(98);
    }
    close(ends[1]);
    read_all(ends[0], &remains->said);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &remains->ended, 0), pid);
    assert_int_equal(fs_each(folder, find_report, remains, &err), 0);
    if (remains->path) {
        assert_int_equal(fs_read(remains->path, CRASH_REPORT_BYTES, &remains->text, &err), 0);
        if (crash_report_parse(remains->text.data, remains->text.size, &remains->report, &err) < 0)
            fail_msg("%s: %s", err.text, remains->text.data);
    }
    return remains;
}

static void bury(struct remains *remains)
{
    fs_remove(remains->folder, NULL);
    if (remains->path)
        buf_free(&remains->text);
    buf_free(&remains->said);
    free(remains->path);
    free(remains->folder);
    free(remains);
}

/* Whether one of the frames is in a function of this program (the child's addresses are the
 * parent's). */
static bool is_in(const struct remains *remains, void (*function)(void))
{
    struct crash_place place;
    crash_modules_note();
    assert_true(crash_modules_find((uintptr_t)function, &place));
    const char *at = remains->text.data;
    while ((at = strstr(at, " test_crash+")) != NULL) {
        unsigned long long offset = strtoull(at + strlen(" test_crash+"), NULL, 16);
        if (offset >= place.offset && offset < place.offset + 256)
            return true;
        at++;
    }
    return false;
}

static void ends_as_ever(const struct remains *remains, int number)
{
    if (!WIFSIGNALED(remains->ended) || WTERMSIG(remains->ended) != number)
        fail_msg("it ended with %x, not by signal %d:\n%s", (unsigned)remains->ended, number,
            remains->said.data);
}

static void every_way_is_reported(void **state)
{
    (void)state;
    static void (*const frameless)(void) = NULL;
    const struct {
        void (*how)(void);
        int number;
        const char *signal, *reason, *thread, *address;
        void (*function)(void); /* among the frames */
    } ways[] = {
        {write_to_null, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
            write_to_null},
        {call_null, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0", call_null},
        {overflow, SIGSEGV, "SIGSEGV", "the stack overflowed", "test_crash", "0x", frameless},
        {call_abort, SIGABRT, "SIGABRT", "raised by itself", "test_crash", "", call_abort},
        {raise_segv, SIGSEGV, "SIGSEGV", "raised by itself", "test_crash", "", raise_segv},
        {trap, SIGTRAP, "SIGTRAP", "raised by itself", "test_crash", "", trap},
        {touch_lost_page, SIGBUS, "SIGBUS", "has become shorter", "test_crash", "0x",
            touch_lost_page},
        {write_to_null_in_thread, SIGSEGV, "SIGSEGV", "nothing is mapped", "wor?ker", "0x0",
            write_to_null},
        {overflow_in_thread, SIGSEGV, "SIGSEGV", "the stack overflowed", "wor?ker", "0x",
            frameless},
        {write_to_null_in_offload, SIGSEGV, "SIGSEGV", "nothing is mapped", "disk", "0x0",
            write_to_null},
        {crash_in_many_threads, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
            write_to_null},
        {crash_in_constructor, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
            crash_in_constructor},
        {crash_with_the_loader_lock, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
            crash_with_the_loader_lock},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct remains *remains = crash_by(ways[i].how, LOG_LOGFMT, true);
        const struct crash_report *report = &remains->report;
        ends_as_ever(remains, ways[i].number);
        if (!remains->path || !report->complete || strcmp(report->signal, ways[i].signal) != 0 ||
            !strstr(report->reason, ways[i].reason) ||
            strcmp(report->thread, ways[i].thread) != 0 ||
            strncmp(report->address, ways[i].address, strlen(ways[i].address)) != 0 ||
            (ways[i].function && !is_in(remains, ways[i].function)))
            fail_msg("way %zu is not reported right:\n%s", i, remains->said.data);
        assert_string_equal(report->version, STAKEOUT_VERSION);
        assert_true(report->time_ms > 0);
        bury(remains);
    }
}

/* A lock that is never given back: what is known without it is written, and the end comes. */
static void check_timeout(void (*how)(void))
{
    struct remains *remains = crash_by(how, LOG_LOGFMT, true);
    ends_as_ever(remains, SIGSEGV);
    assert_non_null(remains->path);
    assert_false(remains->report.complete);
    assert_true(remains->report.frame_count > 0);
    assert_true(is_in(remains, write_to_null));
    assert_non_null(strstr(remains->text.data, "end timeout\n"));
    bury(remains);
}

static void a_held_loader_lock_does_not_hang_it(void **state)
{
    (void)state;
    check_timeout(crash_while_another_holds_the_loader);
}

static void a_library_that_was_loaded_since_is_known(void **state)
{
    (void)state;
    struct remains *remains = crash_by(crash_in_library, LOG_LOGFMT, true);
    ends_as_ever(remains, SIGSEGV);
    assert_true(remains->report.complete);
    assert_ptr_equal(
        strstr(remains->report.frames[0], "libcrashing.so+0x"), remains->report.frames[0]);
    assert_non_null(strstr(remains->text.data, "(build id "));
    bury(remains);
}

static void without_a_folder_it_is_in_the_log_only(void **state)
{
    (void)state;
    struct remains *remains = crash_by(write_to_null, LOG_LOGFMT, false);
    ends_as_ever(remains, SIGSEGV);
    assert_null(remains->path);
    assert_non_null(strstr(remains->said.data, "#0 test_crash+0x"));
    assert_null(strstr(remains->said.data, "this is also in"));
    bury(remains);
}

static void check_lines(int format, const char *start, const char *end)
{
    struct remains *remains = crash_by(write_to_null, format, true);
    size_t lines = 0;
    char *rest = remains->said.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
        assert_int_equal(strncmp(line, start, strlen(start)), 0);
        assert_true(strlen(line) > strlen(end));
        assert_string_equal(line + strlen(line) - strlen(end), end);
        json_t *json = format == LOG_JSON ? json_loads(line, 0, NULL) : NULL;
        assert_int_equal(json != NULL, format == LOG_JSON);
        json_decref(json);
    }
    assert_true(lines >= 4);
    bury(remains);
}

static void the_log_has_its_format(void **state)
{
    (void)state;
    check_lines(LOG_LOGFMT, "time=", "\"");
    check_lines(LOG_JSON, "{\"time\":\"", "\"}");
    check_lines(-1, crash_prefix, "");
}

/* Process 1 of a container, to which the kernel sends no signal by default. */
static void crash_as_process_1(void)
{
    if (unshare(CLONE_NEWPID) < 0)
        _exit(77);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSEGV);
        _exit(97);
    }
    int ended;
    waitpid(pid, &ended, 0);
    _exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 96);
}

static void process_1_ends_as_well(void **state)
{
    (void)state;
    struct remains *remains = crash_by(crash_as_process_1, LOG_LOGFMT, true);
    assert_true(WIFEXITED(remains->ended));
    int status = WEXITSTATUS(remains->ended);
    if (status != 77) {
        assert_int_equal(status, 128 + SIGSEGV);
        assert_true(remains->report.complete);
    }
    bury(remains);
    if (status == 77)
        skip();
}

static bool is_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_reported),
        cmocka_unit_test(a_held_loader_lock_does_not_hang_it),
        cmocka_unit_test(a_library_that_was_loaded_since_is_known),
        cmocka_unit_test(without_a_folder_it_is_in_the_log_only),
        cmocka_unit_test(the_log_has_its_format),
        cmocka_unit_test(process_1_ends_as_well),
    };
#ifdef STAKEOUT_SANITIZED
    return 77; /* the sanitizers report crashes themselves */
#endif
    if (is_under_valgrind())
        return 77; /* which takes the signals itself, and follows into the children */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
