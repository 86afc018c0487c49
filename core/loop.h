/* The event loop: one thread, one curl_multi_poll that waits for every HTTP transfer and for our
 * own descriptors and timers in one call. Callbacks run on the loop's thread and must not take
 * long: what may (fsync, name look-ups, hashing) goes to core/offload. */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct loop;
struct loop_timer;
struct loop_watch;

/* What a finished transfer calls; put its address into CURLOPT_PRIVATE of the handle. The handle
 * has been taken out of the multi handle already. */
struct loop_transfer {
    void (*done)(struct loop_transfer *transfer, CURLcode result);
};

/* Something that goes on when who began it has been closed. */
struct loop_lingering {
    struct loop_lingering *next;
    void (*move)(void *arg, struct loop *to); /* it is to go on there */
    void (*end)(void *arg);                   /* and frees it */
    void *arg;
};

/* NULL and err when the machine refuses. Also starts libcurl, once per process. */
struct loop *loop_open(struct error *err);

/* Gives what lingers two seconds, all of it together, on a loop of its own. */
void loop_close(struct loop *loop);

/* It is the caller's until it is over, which it says itself unless it has been ended. */
void loop_linger(struct loop *loop, struct loop_lingering *lingering);
void loop_linger_over(struct loop *loop, struct loop_lingering *lingering);

CURLM *loop_multi(struct loop *loop);

/* Serves events until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Serves events until *flag is true or deadline_ms (monotonic; INT64_MAX: none) has passed. For
 * commands, which have nothing else to do meanwhile. Returns *flag. */
bool loop_run_until(struct loop *loop, const bool *flag, int64_t deadline_ms);

/* Calls `ready` whenever fd is readable. The descriptor stays the caller's. */
struct loop_watch *loop_watch_readable(
    struct loop *loop, int fd, void (*ready)(void *arg), void *arg);
void loop_unwatch(struct loop_watch *watch);

/* A one-shot timer, unset at first. Setting it again moves it; at_ms is monotonic. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*expired)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t at_ms);
void loop_timer_unset(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

#endif
