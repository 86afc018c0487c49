/* Fetches one profile from the debug endpoint into the incident's folder: the request, its answer
 * (errors are read and understood), the check of what came, and another try where that makes sense.
 */
#ifndef AGENT_CAPTURE_FETCH_H
#define AGENT_CAPTURE_FETCH_H

#include "agent/capture/heat.h"

#include <stdbool.h>
#include <stdint.h>

struct app_config;
struct capture_entry;
struct endpoint;
struct fetch;
struct http_result;
struct incident_profile;
struct loop;
struct offload;
struct reserve;

struct fetch_setup {
    struct loop *loop;
    struct offload *disk;
    const struct app_config *app;
    struct endpoint
        *endpoint; /* the app's: what fits is asked for, and what is refused is learned */
    const struct capture_entry *entry;
    const char *folder;      /* where the file goes */
    struct reserve *reserve; /* takes it where the disk does not; NULL: nothing does */
    uint64_t max_bytes;      /* of the profile */
    int64_t give_up_ms;      /* monotonic: no new try after that, but for the first */
    int64_t enough_ms;       /* as of fetch_end_early; 0: all that the entry asks for */
    int64_t wall_offset_ms;  /* wall time minus monotonic time */
    /* Filled; must not move while the fetch runs. Its `run` is counted up by each connection that
     * was lost: what is recorded after it may be of another process. */
    struct incident_profile *profile;
    const char *incident; /* its id, for the log; NULL: it is of none */
    struct heat heat;     /* while it is too hot, no try begins: it fails if that lasts too long */
    /* One of many that are mostly thrown away: hardly logged, and not synced to the disk. */
    bool passing;
    /* The whole answer is there and is about to be checked: the app is free for the next one. Only
     * before a `done` of a profile that came. NULL: nobody asks. */
    void (*answered)(void *arg);
    void (*done)(void *arg); /* once, when the profile is ok, truncated or failed */
    void *arg;
};

/* Starts at once. The setup's pointers outlive it; the struct itself is copied. */
struct fetch *fetch_start(const struct fetch_setup *setup);

/* Has a running CPU profile end now and keeps it; another profile gets until deadline_ms
 * (monotonic), and what waits for another try is given up. `done` comes as ever. */
void fetch_finish(struct fetch *fetch, int64_t deadline_ms);

/* Has a CPU profile end, and be kept, once it has recorded this much, in as many tries as that
 * takes: less than was asked for makes it `ended_early`. INT64_MAX: its full length after all, if
 * it has not been ended yet. A running one is half-closed; over TLS that is not possible, and it
 * takes its full length, as it does where the endpoint drops what is half-closed. One that waits
 * for another try asks for no more, a second at least. */
void fetch_end_early(struct fetch *fetch, int64_t enough_ms);

/* There is no other try, for that reason; one that is under way ends by itself. `done` comes as
 * ever. */
void fetch_give_up(struct fetch *fetch, const char *why);

/* The length that was asked for last: less than the entry's where the app allows no more. */
int64_t fetch_seconds(const struct fetch *fetch);

/* Frees it; before `done` was called while the agent ends, or
 * before `answered`: the request is dropped then, and what came stays under its temporary name. */
void fetch_free(struct fetch *fetch);

#endif
