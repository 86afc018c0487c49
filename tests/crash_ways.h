/* Ways to crash, for tests/test_crash.c. Where a call comes last, something follows it, as it would
 * be no call but a jump else. */
#ifndef TESTS_CRASH_WAYS_H
#define TESTS_CRASH_WAYS_H

#include "core/alloc.h"
#include "core/crash.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/offload.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile int *volatile nowhere;

__attribute__((noinline)) static void write_to_null(void)
{
    *nowhere = 1;
}

static void (*volatile no_function)(void);

static void call_null(void)
{
    no_function();
    *nowhere = 1;
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

/* As the worker's child does at its limit: nothing can be mapped any more, by the unwinder either.
 */
static void run_out_of_memory(void)
{
    struct rlimit none = {1, 1};
    setrlimit(RLIMIT_AS, &none);
    for (;;)
        xcalloc(1, 4096);
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

/* Standard error is a pipe that nobody reads, and full. */
static void crash_with_full_log(void)
{
    int ends[2];
    char byte = 0;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        _exit(99);
    while (write(ends[1], &byte, 1) == 1)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], STDERR_FILENO);
    write_to_null();
}

static void crash_with_closed_log(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        _exit(99);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    write_to_null();
}

static const struct crash_way {
    void (*how)(void);
    int number;
    const char *signal, *reason, *thread;
    const char *address; /* what it begins with */
    /* One among the frames; NULL: of an overflow only the innermost are told. */
    void (*function)(void);
} crash_ways[] = {
    {write_to_null, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0", write_to_null},
    {call_null, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0", call_null},
    {overflow, SIGSEGV, "SIGSEGV", "the stack overflowed", "test_crash", "0x", NULL},
    {call_abort, SIGABRT, "SIGABRT", "raised by itself", "test_crash", "", call_abort},
    {run_out_of_memory, SIGABRT, "SIGABRT", "raised by itself", "test_crash", "",
        run_out_of_memory},
    {raise_segv, SIGSEGV, "SIGSEGV", "raised by itself", "test_crash", "", raise_segv},
    {trap, SIGTRAP, "SIGTRAP", "raised by itself", "test_crash", "", trap},
    {touch_lost_page, SIGBUS, "SIGBUS", "has become shorter", "test_crash", "0x", touch_lost_page},
    {write_to_null_in_thread, SIGSEGV, "SIGSEGV", "nothing is mapped", "wor?ker", "0x0",
        write_to_null},
    {overflow_in_thread, SIGSEGV, "SIGSEGV", "the stack overflowed", "wor?ker", "0x", NULL},
    {write_to_null_in_offload, SIGSEGV, "SIGSEGV", "nothing is mapped", "disk", "0x0",
        write_to_null},
    {crash_in_many_threads, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
        write_to_null},
    {crash_in_constructor, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
        crash_in_constructor},
    {crash_with_the_loader_lock, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
        crash_with_the_loader_lock},
    {crash_with_full_log, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
        write_to_null},
    {crash_with_closed_log, SIGSEGV, "SIGSEGV", "nothing is mapped", "test_crash", "0x0",
        write_to_null},
};

#endif
