/* One slice of a recorder: a short CPU profile in a file. It belongs to the recorder until an
 * incident takes it over. */
#ifndef AGENT_CAPTURE_SLICE_H
#define AGENT_CAPTURE_SLICE_H

#include "config/config.h"
#include "core/incident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_config;
struct endpoint;
struct error;
struct fetch;
struct loop;
struct offload;
struct slice;

enum slice_state {
    SLICE_RECORDING,
    SLICE_CHECKING, /* the app is free again; its file is being looked at */
    SLICE_ENDED
};

/* Who is told of a slice's way: `answered` when the app is free for the next CPU profile, `ended`
 * when it is known whether its file is there. Each once, in this order, on the loop, never from
 * within a call. */
struct slice_owner {
    void (*answered)(void *arg, struct slice *slice);
    void (*ended)(void *arg, struct slice *slice);
    void *arg;
};

struct slice_setup {
    struct loop *loop;
    struct offload *disk;
    const struct app_config *app;
    struct endpoint *endpoint; /* the app's; NULL: nothing is learned */
    const char *folder;        /* it exists; its file is <folder>/cpu.slice-<number>.pb.gz */
    unsigned number;
    int64_t seconds;
    uint64_t max_bytes;
    struct slice_owner owner;
};

struct slice {
    enum slice_state state;
    struct incident_profile profile; /* its times are monotonic; complete once it has ended */
    int64_t seconds;                 /* what was asked for last */
    /* The rest is slice.c's own. */
    struct slice_setup setup;
    struct capture_entry entry;
    struct fetch *fetch;
    bool dropped;
};

/* Starts it at once. What the setup points to outlives the slice. */
struct slice *slice_start(const struct slice_setup *setup);

/* From now on somebody else is told. */
void slice_hand_over(struct slice *slice, const struct slice_owner *owner);

/* Has the app end it now and keeps it; until deadline_ms (monotonic), then it fails. */
void slice_finish(struct slice *slice, int64_t deadline_ms);

/* Moves the file of a slice that has ended to `path`, on the same file system, and makes it
 * durable; `moved` gets whether that worked. */
void slice_move(
    struct slice *slice, const char *path, void (*moved)(void *arg, bool ok), void *arg);

/* Removes it and its file, whatever its state; one that is recording is cut off. Nobody is told. */
void slice_drop(struct slice *slice);

/* Frees it and leaves its file alone: after a move, or when the disk thread is closed. */
void slice_free(struct slice *slice);

/* What the names of slices begin with: "cpu.slice-"; whether a profile's name is one. */
extern const char slice_prefix[];
bool slice_is_profile(const char *name);

#endif
