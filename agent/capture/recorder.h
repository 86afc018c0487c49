/* The recorder: while a spike is expected (or always), short CPU profiles back to back, so that one
 * is running when the spike begins. They are in the spool, in a folder an app:
 *
 *   spool/.recorder-<app>/   the newest slices; thrown away unless an incident takes them
 *
 * An app takes one CPU profile at a time, so whoever else takes one holds the recorder first. */
#ifndef AGENT_CAPTURE_RECORDER_H
#define AGENT_CAPTURE_RECORDER_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct loop;
struct offload;
struct recorder;
struct series_set;
struct slice;
struct spool;

/* Slices of one app that can exist: those that are kept, the running one, and some being checked.
 */
enum { RECORDER_CHECKING_MAX = 3, RECORDER_SLICES_MAX = RECORDER_KEEP_MAX + RECORDER_CHECKING_MAX };

struct recorder_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    const struct config *config;
    struct endpoint *const *endpoints; /* by app: what is learned of them */
    const struct series_set *series;   /* for limits.hold_off; NULL: that holds nothing off */
};

/* Every app is held: recorder_release lets it begin. */
struct recorder *recorder_open(const struct recorder_setup *setup);

/* No slice is begun any more, and what no incident took is thrown away. */
void recorder_stop(struct recorder *recorder);

/* Whether after recorder_stop nothing is left of what it recorded, nor on its way to be thrown
 * away.
 */
bool recorder_is_over(const struct recorder *recorder);

/* Frees it; after recorder_stop, and after the disk thread is closed or recorder_is_over. */
void recorder_close(struct recorder *recorder);

/* Records the app from from_ms to until_ms (monotonic; from may lie ahead), in place of any window
 * of this trigger before; an app is recorded while a window of any trigger is open. A spike of the
 * window may be noticed later: so it stays open for as long again as the slices that are kept reach
 * back, unless it is disarmed. */
void recorder_arm(
    struct recorder *recorder, size_t app, size_t trigger, int64_t from_ms, int64_t until_ms);

/* Ends the trigger's window. If it was the only one, what was recorded is thrown away at the loop's
 * next turn: an incident that opens in the same step still gets it. */
void recorder_disarm(struct recorder *recorder, size_t app, size_t trigger);

/* Holds the recorder, so that somebody else can take a CPU profile of the app, and hands the slices
 * over that reach past since_ms (monotonic): the oldest first, the one that is being recorded last
 * and not cut off. The others are thrown away. Returns how many slices there are; their owner is to
 * be set. */
size_t recorder_take(struct recorder *recorder, size_t app, int64_t since_ms,
    struct slice *slices[RECORDER_SLICES_MAX]);

/* The same for who needs no slices: they are thrown away, and one in flight is cut off. */
void recorder_hold(struct recorder *recorder, size_t app);

/* The app, which was seen to have ended at ended_ms (monotonic), was started anew: slices of before
 * are never merged with what follows, if they are not told apart already by one that was lost. */
void recorder_cut(struct recorder *recorder, size_t app, int64_t ended_ms);

/* The run of the app that it is in, by which profiles of different processes are told apart: see
 * struct incident_profile. */
unsigned recorder_run(const struct recorder *recorder, size_t app);

/* Ends one hold; the recorder goes on when there is none and it has reason to. */
void recorder_release(struct recorder *recorder, size_t app);

struct recorder_status {
    bool always, recording;
    /* The window that is open, else the next one (monotonic); those that meet are one. INT64_MIN:
     * none is armed. */
    int64_t from_ms, until_ms;
    size_t slices;       /* that are kept */
    const char *problem; /* why it does not record though it should; NULL: none */
};
void recorder_status(const struct recorder *recorder, size_t app, struct recorder_status *status);

#endif
