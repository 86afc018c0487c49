/* A thread for what may block (fsync, copying, name look-ups) so that the loop never does. Jobs run
 * one after the other in the order of their submission; results come back on the loop's thread. */
#ifndef CORE_OFFLOAD_H
#define CORE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct loop;
struct offload;

/* `name` (at most 15 characters) is the thread's name. NULL and err when no thread can be had. */
struct offload *offload_open(struct loop *loop, const char *name, struct error *err);

/* Runs every job that was submitted, also by a `done` that runs meanwhile, calls its `done` and
 * ends the thread. Not to be called from a `done`. */
void offload_close(struct offload *offload);

/* The same until deadline_ms (monotonic). False: a job hangs (a dead mount, a silent name server).
 * It is left to its detached thread; it and what waited behind it never get a `done`, so their args
 * are lost, and what the hanging one was given must not be freed. */
bool offload_close_by(struct offload *offload, int64_t deadline_ms);

/* The same, where nothing is lost: every arg that gets no `done` is given to `dispose`, on whatever
 * thread, that of the hanging job once it comes back. False: there are such args. */
bool offload_leave(struct offload *offload, int64_t deadline_ms, void (*dispose)(void *arg));

/* `work` runs on the thread and may touch nothing but what arg gives it; `done` (may be NULL) runs
 * afterwards on the loop's thread and frees arg. */
void offload_submit(
    struct offload *offload, void (*work)(void *arg), void (*done)(void *arg), void *arg);

#endif
