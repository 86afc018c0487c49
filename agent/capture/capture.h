/* The profiles of one incident, in three lanes beside one another, each of which takes one after
 * the other in the set's order: CPU profiles (an app can take only one at a time), those of a
 * moment, and those that record for some seconds. One failure never costs the rest.
 *
 * What the set has `at: end` comes in its lane when the spike is over, and at the latest when all
 * others are done. */
#ifndef AGENT_CAPTURE_CAPTURE_H
#define AGENT_CAPTURE_CAPTURE_H

#include "agent/capture/heat.h"

#include <stdbool.h>
#include <stdint.h>

struct app_config;
struct capture;
struct capture_set;
struct endpoint;
struct incident;
struct loop;
struct offload;
struct reserve;

struct capture_setup {
    struct loop *loop;
    struct offload *disk;
    const struct app_config *app;
    struct endpoint *endpoint; /* the app's */
    const struct capture_set *set;
    const char *folder;        /* of the incident in the spool; it exists */
    struct reserve *reserve;   /* takes what the disk does not; NULL: nothing does */
    struct incident *incident; /* gets its profiles, and their results as they come */
    uint64_t max_profile_bytes;
    struct heat heat;       /* while it is too hot, CPU profiles and traces do not begin */
    int64_t wall_offset_ms; /* wall time minus monotonic time */
    bool heap_first;        /* an OOM is near: nothing before the heap, and nothing that records
                               beside it but the CPU */
    /* How much of the CPU is recorded by others for this incident: the recorder's slices. NULL:
     * none is. */
    int64_t (*recorded_ms)(void *arg);
    bool hold_cpu;               /* the app's CPU is being profiled: capture_begin_cpu will tell */
    void (*cpu_done)(void *arg); /* the app's CPU is not profiled any more; NULL: nobody asks */
    void (*progress)(void *arg); /* after each profile but the last */
    void (*done)(void *arg);     /* after the last, once; none of them from within capture_start */
    void *arg;
};

/* Starts the first requests at once. What the setup points to outlives the capture. */
struct capture *capture_start(const struct capture_setup *setup);

/* Begins the CPU profile that was held. covered_ms of it are there already: it is the shorter for
 * that, but a second at least. */
void capture_begin_cpu(struct capture *capture, int64_t covered_ms);

/* The spike is over: begins what waits for that. Not from within a call of the capture; more calls
 * than one, and those after the capture has ended, do nothing. */
void capture_spike_over(struct capture *capture);

/* Has its CPU profiles end when half of their seconds is recorded, slices of the recorder included,
 * as the spike is over; false: it goes on, and they are to be whole if they have not been ended
 * yet. Not from within a call of the capture, nor after `done`. */
void capture_end_early(struct capture *capture, bool early);

/* Ends it early: running CPU profiles are kept, the others get until deadline_ms (monotonic), those
 * that have not begun are given up; one that is held is when capture_begin_cpu is called. `done`
 * comes as ever; from within this when nothing is under way. */
void capture_finish(struct capture *capture, int64_t deadline_ms);

/* After a connection that was lost nothing more is begun until it is known whether that was the
 * app's end: this says that it was not. Not from within a call of the capture. */
void capture_go_on(struct capture *capture);

/* The app has ended (why: in words): profiles that have not begun or wait for another try are given
 * up. What is under way ends by itself. `done` comes as ever; from within this when nothing is
 * under way. Not from within a call of the capture. */
void capture_app_ended(struct capture *capture, const char *why);

/* Frees it; `done` must have been called. */
void capture_free(struct capture *capture);

#endif
