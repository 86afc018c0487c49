#include "core/offload.h"

#include "core/alloc.h"
#include "core/crash.h"
#include "core/error.h"
#include "core/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct job {
    struct job *next;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct queue {
    struct job *first;
    struct job **last;
};

struct offload {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t finished;
    /* Under lock. A job is waiting, then worked on, then worked. */
    struct queue waiting, worked;
    bool working;
    bool closing;               /* the thread takes no further job */
    bool abandoned;             /* nobody will join the thread: all this is its own */
    void (*dispose)(void *arg); /* of what gets no `done`; NULL: it is lost */
    int event;                  /* tells the loop that there is something in `worked` */
    struct loop_watch *watch;
};

static void enqueue(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
}

static struct job *dequeue(struct queue *queue)
{
    struct job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->last = &queue->first;
    return job;
}

static void forget(struct offload *offload, struct queue *queue)
{
    for (struct job *job; (job = dequeue(queue));) {
        if (offload->dispose)
            offload->dispose(job->arg);
        free(job);
    }
}

static void free_offload(struct offload *offload)
{
    forget(offload, &offload->waiting);
    forget(offload, &offload->worked);
    if (offload->event >= 0)
        close(offload->event);
    pthread_cond_destroy(&offload->finished);
    pthread_cond_destroy(&offload->wake);
    pthread_mutex_destroy(&offload->lock);
    free(offload);
}

static void *run(void *arg)
{
    struct offload *offload = arg;
    crash_guard_thread();
    pthread_mutex_lock(&offload->lock);
    while (!offload->closing) {
        struct job *job = dequeue(&offload->waiting);
        if (!job) {
            pthread_cond_wait(&offload->wake, &offload->lock);
            continue;
        }
        offload->working = true;
        pthread_mutex_unlock(&offload->lock);
        job->work(job->arg);
        pthread_mutex_lock(&offload->lock);
        offload->working = false;
        enqueue(&offload->worked, job);
        pthread_cond_signal(&offload->finished);
        uint64_t one = 1;
        (void)!write(offload->event, &one, sizeof one);
    }
    bool abandoned = offload->abandoned;
    pthread_mutex_unlock(&offload->lock);
    if (abandoned)
        free_offload(offload);
    return NULL;
}

static void deliver(void *arg)
{
    struct offload *offload = arg;
    uint64_t count;
    (void)!read(offload->event, &count, sizeof count);
    for (;;) {
        pthread_mutex_lock(&offload->lock);
        struct job *job = dequeue(&offload->worked);
        pthread_mutex_unlock(&offload->lock);
        if (!job)
            return;
        if (job->done)
            job->done(job->arg);
        free(job);
    }
}

/* The thread takes no signals: they are the loop's. Its stack is small: jobs are plain I/O. */
static int start_thread(struct offload *offload, const char *name)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&offload->thread, &attributes, run, offload);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (code == 0)
        pthread_setname_np(offload->thread, name);
    return code;
}

static struct offload *new_offload(void)
{
    struct offload *offload = xcalloc(1, sizeof *offload);
    offload->waiting.last = &offload->waiting.first;
    offload->worked.last = &offload->worked.first;
    pthread_mutex_init(&offload->lock, NULL);
    pthread_cond_init(&offload->wake, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&offload->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return offload;
}

struct offload *offload_open(struct loop *loop, const char *name, struct error *err)
{
    struct offload *offload = new_offload();
    offload->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = offload->event < 0 ? errno : start_thread(offload, name);
    if (code) {
        error_set(err, "cannot start the %s thread: %s", name, strerror(code));
        free_offload(offload);
        return NULL;
    }
    offload->watch = loop_watch_readable(loop, offload->event, deliver, offload);
    return offload;
}

/* Waits and delivers until nothing is left, also of what `done` submits meanwhile. */
static void drain(struct offload *offload, int64_t deadline_ms)
{
    struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
    for (;;) {
        deliver(offload);
        int code = 0;
        pthread_mutex_lock(&offload->lock);
        while (code == 0 && !offload->worked.first && (offload->working || offload->waiting.first))
            code = pthread_cond_timedwait(&offload->finished, &offload->lock, &until);
        bool undelivered = offload->worked.first != NULL;
        pthread_mutex_unlock(&offload->lock);
        if (!undelivered)
            return;
    }
}

bool offload_leave(struct offload *offload, int64_t deadline_ms, void (*dispose)(void *arg))
{
    if (!offload)
        return true;
    drain(offload, deadline_ms);
    loop_unwatch(offload->watch);
    pthread_t thread = offload->thread;
    pthread_mutex_lock(&offload->lock);
    bool hangs = offload->working;
    offload->closing = true;
    offload->abandoned = hangs;
    offload->dispose = dispose;
    pthread_cond_signal(&offload->wake);
    pthread_mutex_unlock(&offload->lock);
    if (hangs) {
        pthread_detach(thread); /* which frees the offload, if its job ever returns */
        return false;
    }
    pthread_join(thread, NULL);
    deliver(offload); /* what ended at the last moment */
    bool drained = !offload->waiting.first;
    free_offload(offload);
    return drained;
}

bool offload_close_by(struct offload *offload, int64_t deadline_ms)
{
    return offload_leave(offload, deadline_ms, NULL);
}

void offload_close(struct offload *offload)
{
    offload_close_by(offload, INT64_MAX);
}

void offload_submit(
    struct offload *offload, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct job *job = xcalloc(1, sizeof *job);
    *job = (struct job){.work = work, .done = done, .arg = arg};
    pthread_mutex_lock(&offload->lock);
    enqueue(&offload->waiting, job);
    pthread_cond_signal(&offload->wake);
    pthread_mutex_unlock(&offload->lock);
}
