#include "core/loop.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"

#include <limits.h>
#include <stdlib.h>

struct loop_watch {
    struct loop *loop;
    struct loop_watch *next;
    int fd;
    bool removed; /* freed only between rounds: a callback may unwatch any watch */
    void (*ready)(void *arg);
    void *arg;
};

struct loop_timer {
    struct loop *loop;
    struct loop_timer *next;
    int64_t at_ms; /* INT64_MAX while unset */
    bool removed;
    void (*expired)(void *arg);
    void *arg;
};

struct loop {
    CURLM *multi;
    struct loop_watch *watches;
    struct loop_timer *timers; /* a handful: a list is simpler than a heap and as fast */
    bool stopped;
    struct loop_lingering *lingering;
    bool alone; /* nothing lingers any more */
};

static const int64_t linger_ms = 2000;

struct loop *loop_open(struct error *err)
{
    static bool started;
    if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, "libcurl cannot be started");
        return NULL;
    }
    started = true;
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->multi = curl_multi_init();
    if (!loop->multi) {
        free(loop);
        error_set(err, "libcurl cannot open a multi handle");
        return NULL;
    }
    return loop;
}

static void sweep(struct loop *loop, bool all)
{
    for (struct loop_watch **at = &loop->watches; *at;) {
        struct loop_watch *watch = *at;
        if (all || watch->removed) {
            *at = watch->next;
            free(watch);
        } else {
            at = &watch->next;
        }
    }
    for (struct loop_timer **at = &loop->timers; *at;) {
        struct loop_timer *timer = *at;
        if (all || timer->removed) {
            *at = timer->next;
            free(timer);
        } else {
            at = &timer->next;
        }
    }
}

void loop_linger(struct loop *loop, struct loop_lingering *lingering)
{
    lingering->next = loop->lingering;
    loop->lingering = lingering;
}

void loop_linger_over(struct loop *loop, struct loop_lingering *lingering)
{
    struct loop_lingering **at = &loop->lingering;
    while (*at != lingering)
        at = &(*at)->next;
    *at = lingering->next;
    loop->alone = loop->lingering == NULL;
}

/* This one may have timers of parts that are lost, and cannot be run any more. */
static void finish_lingering(struct loop *loop)
{
    struct loop *last = loop_open(NULL);
    for (struct loop_lingering *lingering = loop->lingering; last && lingering;
         lingering = lingering->next)
        lingering->move(lingering->arg, last);
    loop->alone = false;
    if (last)
        loop_run_until(last, &loop->alone, clock_mono_ms() + linger_ms);
    while (loop->lingering) {
        struct loop_lingering *lingering = loop->lingering;
        loop->lingering = lingering->next;
        lingering->end(lingering->arg);
    }
    loop_close(last);
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->lingering)
        finish_lingering(loop);
    sweep(loop, true);
    curl_multi_cleanup(loop->multi);
    free(loop);
}

CURLM *loop_multi(struct loop *loop)
{
    return loop->multi;
}

struct loop_watch *loop_watch_readable(
    struct loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
    struct loop_watch *watch = xcalloc(1, sizeof *watch);
    *watch = (struct loop_watch){
        .loop = loop, .next = loop->watches, .fd = fd, .ready = ready, .arg = arg};
    loop->watches = watch;
    return watch;
}

void loop_unwatch(struct loop_watch *watch)
{
    if (watch)
        watch->removed = true;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*expired)(void *arg), void *arg)
{
    struct loop_timer *timer = xcalloc(1, sizeof *timer);
    *timer = (struct loop_timer){
        .loop = loop, .next = loop->timers, .at_ms = INT64_MAX, .expired = expired, .arg = arg};
    loop->timers = timer;
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t at_ms)
{
    timer->at_ms = at_ms;
}

void loop_timer_unset(struct loop_timer *timer)
{
    timer->at_ms = INT64_MAX;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    timer->at_ms = INT64_MAX;
    timer->removed = true;
}

static int64_t next_timer_ms(const struct loop *loop)
{
    int64_t next = INT64_MAX;
    for (const struct loop_timer *timer = loop->timers; timer; timer = timer->next)
        if (timer->at_ms < next)
            next = timer->at_ms;
    return next;
}

static void run_timers(struct loop *loop)
{
    int64_t now = clock_mono_ms();
    for (struct loop_timer *timer = loop->timers; timer; timer = timer->next) {
        if (timer->removed || timer->at_ms > now)
            continue;
        timer->at_ms = INT64_MAX;
        timer->expired(timer->arg);
    }
}

/* Tells whether there were any: what waits for one must not wait a round longer. */
static bool finish_transfers(struct loop *loop)
{
    int queued;
    bool any = false;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &queued))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        /* Both fields before the handle leaves the multi handle: the message dies with it. */
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;
        struct loop_transfer *transfer = NULL;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
        curl_multi_remove_handle(loop->multi, handle);
        transfer->done(transfer, result);
        any = true;
    }
    return any;
}

enum { MAX_WATCHES = 64 };

/* Fills polled with the descriptors of the live watches, in their order. */
static unsigned collect(struct loop *loop, struct curl_waitfd *polled)
{
    unsigned count = 0;
    for (struct loop_watch *watch = loop->watches; watch && count < MAX_WATCHES;
         watch = watch->next)
        if (!watch->removed)
            polled[count++] = (struct curl_waitfd){.fd = watch->fd, .events = CURL_WAIT_POLLIN};
    return count;
}

static void serve_watches(struct loop *loop, const struct curl_waitfd *polled, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!polled[i].revents)
            continue;
        for (struct loop_watch *watch = loop->watches; watch; watch = watch->next)
            if (!watch->removed && watch->fd == polled[i].fd)
                watch->ready(watch->arg);
    }
}

/* One round: wait for the first of transfers, descriptors, timers and limit_ms; serve all. */
static void serve(struct loop *loop, int64_t limit_ms)
{
    int running;
    /* First, so that requests that callbacks started are on their way before we wait. */
    curl_multi_perform(loop->multi, &running);
    bool finished = finish_transfers(loop);
    sweep(loop, false);
    struct curl_waitfd polled[MAX_WATCHES];
    unsigned count = collect(loop, polled);
    int64_t wake_ms = next_timer_ms(loop);
    if (limit_ms < wake_ms)
        wake_ms = limit_ms;
    int64_t wait_ms = wake_ms == INT64_MAX ? INT_MAX : wake_ms - clock_mono_ms();
    if (finished || loop->stopped || wait_ms < 0)
        wait_ms = 0;
    curl_multi_poll(loop->multi, polled, count, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms, NULL);
    serve_watches(loop, polled, count);
    run_timers(loop);
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped)
        serve(loop, INT64_MAX);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

bool loop_run_until(struct loop *loop, const bool *flag, int64_t deadline_ms)
{
    while (!*flag && clock_mono_ms() < deadline_ms)
        serve(loop, deadline_ms);
    return *flag;
}
