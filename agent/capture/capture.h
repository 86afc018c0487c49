/* The profiles of one incident: CPU profiles at once and one after the other (an app can take only
 * one at a time), the others one after the other beside them. One failure never costs the rest. */
#ifndef AGENT_CAPTURE_CAPTURE_H
#define AGENT_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

struct app_config;
struct capture;
struct capture_set;
struct incident;
struct loop;
struct offload;

struct capture_setup {
    struct loop *loop;
    struct offload *disk;
    const struct app_config *app;
    const struct capture_set *set;
    const char *folder;        /* of the incident in the spool; it exists */
    struct incident *incident; /* gets its profiles, and their results as they come */
    uint64_t max_profile_bytes;
    int64_t wall_offset_ms;      /* wall time minus monotonic time */
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

/* Ends it early: running CPU profiles are kept, the others get until deadline_ms (monotonic), those
 * that have not begun are given up; one that is held is when capture_begin_cpu is called. `done`
 * comes as ever. */
void capture_finish(struct capture *capture, int64_t deadline_ms);

/* Frees it; `done` must have been called. */
void capture_free(struct capture *capture);

#endif
