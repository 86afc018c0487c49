/* An incident from its fire until it is complete in the spool, for agent/incidents/incidents.c:
 * what it is while it is captured, and how it ends. */
#ifndef AGENT_INCIDENTS_RUNNING_H
#define AGENT_INCIDENTS_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture;
struct capture_set;
struct capture_setup;
struct incident;
struct incidents_setup;
struct loop_timer;
struct recording;
struct series;

struct running {
    const struct incidents_setup *setup;
    void (*over)(struct running *running); /* it is complete; frees it */
    void *arg;
    struct incident *incident;
    /* Of the set that it was opened with, and perhaps of the CPU profiles of one that joined, and
     * of a heap. */
    struct capture *captures[3];
    size_t capture_count, capturing; /* begun, and not done yet */
    struct capture_set *made_set;    /* of one of them: made for it; NULL: neither's is */
    struct capture_set *heap_set;    /* agent/incidents/urgent_heap.h; NULL: there is none */
    char *heap_name;
    struct recording *recording;    /* NULL: no set takes a CPU profile */
    const struct series *waits_for; /* its next sample ends metrics.csv; NULL: any */
    size_t app;
    int64_t fired_ms, captured_ms; /* monotonic; captured_ms 0: still capturing */
    int64_t wall_offset_ms;        /* fixed at the fire, so that no clock step gets into the file */
    char *folder;
    struct loop_timer *first_checkpoint, *patience;
    bool foreseen; /* it is one before the harm is done: a heap was taken first, or at the join */
    bool finishing;
    bool abandoned, discarding; /* it is to be thrown away; it is being thrown away */
    bool cpu_held;            /* its CPU profile waits for that of a baseline that has given way */
    bool cpu_over;            /* the app's CPU is not profiled for it any more */
    bool merging;             /* its CPU profiles become one; then it is complete, if it was due */
    int64_t due_ms;           /* when its last row was there (monotonic); 0: it is not */
    bool completing, sealing; /* the last writing is under way; it can take no more joins */
    int64_t retry_ms;         /* after a completion that failed; 0: none did */
    bool spike_over;          /* nothing that it fired for lasts */
    const char *set;          /* its capture set's name */
    char *replaces;           /* the id of one in the spool; NULL: none */
    bool *caused_by;          /* by trigger: it opened this incident or joined it */
};

/* An incident that fires now, with its timers; the rest is the caller's to fill in. */
struct running *running_new(const struct incidents_setup *setup);
void running_free(struct running *running); /* NULL is allowed */

/* Wall time of a monotonic one, and when its excursion began (monotonic). */
int64_t running_wall(const struct running *running, int64_t mono_ms);
int64_t running_begin_ms(const struct running *running);

/* What every capture for the incident has in common. */
struct capture_setup running_capture_setup(struct running *running, const struct capture_set *set);

/* Starts one. */
void running_capture(struct running *running, const struct capture_setup *setup);

/* How much of the CPU the recorder has for it, in ms: arg is the incident. */
int64_t running_recorded_ms(void *arg);

/* Samples were pushed: completes it if these are what it waited for. */
void running_sampled(struct running *running);

/* Completes it now, or as soon as its profiles are merged. */
void running_complete(struct running *running);

/* Ends it and throws away what it has; `over` comes in a moment. */
void running_abandon(struct running *running);

#endif
