/* What an incident has of the recorder: the slices that reach back to its onset, moved into its
 * folder, and in the end one CPU profile made of them and of the capture's own.
 */
#ifndef AGENT_CAPTURE_RECORDING_H
#define AGENT_CAPTURE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_set;
struct config;
struct incident;
struct loop;
struct offload;
struct recorder;
struct recording;
struct series_set;
struct worker;

struct recording_setup {
    struct loop *loop;
    struct offload *disk;
    struct recorder *recorder;
    struct worker *worker;
    const struct config *config;
    const struct series_set *series; /* of its apps: whether there is memory for a merge */
    size_t app;
    struct incident *incident;  /* gets the slices as its first profiles */
    const char *folder;         /* of the incident in the spool */
    int64_t since_ms, fired_ms; /* monotonic; slices are wanted that reach past since_ms */
    int64_t wall_offset_ms;     /* wall time minus monotonic time */
    const struct capture_set *set;
    /* The slice that was in flight is over: the capture may begin its own CPU profile. covered_ms:
     * what that slice has of the time after the fire. Never from within a call. */
    void (*cpu_free)(void *arg, int64_t covered_ms);
    void *arg;
};

/* Takes them, before the incident has other profiles, and keeps the recorder from beginning new
 * ones: an app takes one CPU profile at a time. What the setup points to outlives the recording.
 * NULL when the set has no CPU profile: the recorder goes on. */
struct recording *recording_take(const struct recording_setup *setup);

/* Begins to move the files: once the incident, with its slices pending, is given to be noted, so
 * that the next start after a kill finds them wherever they are. */
void recording_move(struct recording *recording);

/* Whether the capture has to wait for cpu_free. */
bool recording_in_flight(const struct recording *recording);

/* The capture has had its CPU profile: the recorder may go on. */
void recording_cpu_done(struct recording *recording);

/* How much of the app's CPU its slices have, the one in flight up to now. */
int64_t recording_recorded_ms(const struct recording *recording);

/* Ends a slice that is in flight and keeps it; a merge, too, has until deadline_ms (monotonic). */
void recording_finish(struct recording *recording, int64_t deadline_ms);

/* After the capture: makes one profile "cpu" of the slices and of its CPU profile. Where that fails
 * or memory is short, all stays as it is, and the log says so. False: there is nothing to do, and
 * `done` is not called.
 */
bool recording_merge(struct recording *recording, void (*done)(void *arg), void *arg);

/* Frees it: after `done`, or when the disk thread and the worker are closed. NULL is allowed. */
void recording_free(struct recording *recording);

#endif
