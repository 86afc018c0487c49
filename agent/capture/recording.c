#include "agent/capture/recording.h"

#include "agent/capture/cpu_merge.h"
#include "agent/capture/profile_check.h"
#include "agent/capture/recorder.h"
#include "agent/capture/slice.h"
#include "agent/incidents/memory_room.h"
#include "agent/self/worker.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The capture's own CPU profile takes what the slices leave of the set's seconds, at least this. */
static const int64_t own_ms = 1000;

/* Merging takes a fraction of a second; less time than this is none. */
static const int64_t least_ms = 500;

/* It is in a child of low priority, on a machine that may still be in its spike. */
static const int64_t merge_ms = 60000;

/* From the natural end of a slice that cannot be cut short to its answer. */
static const int64_t slack_ms = 15000;

/* One slice: the incident's profile of the same index. */
struct part {
    struct recording *recording;
    struct slice *slice; /* NULL: its file is where it belongs, or there is none */
    size_t index;
};

struct recording {
    struct recording_setup setup;
    struct part parts[RECORDER_SLICES_MAX];
    size_t count;
    size_t pending;          /* parts whose file is not where it belongs yet */
    struct part *in_flight;  /* NULL: the app is free */
    unsigned run;            /* of the app, when the capture's own CPU profile begins */
    struct loop_timer *cut;  /* ends a slice that takes longer than the capture needs */
    bool cpu_done, released; /* the recorder is held until both: lane over, files moved */
    bool merging;            /* `done` will be called */
    struct worker_job *job;
    int64_t deadline_ms;
    void (*done)(void *arg);
    void *arg;
};

static struct incident_profile *profile_of(const struct part *part)
{
    return &part->recording->setup.incident->profiles[part->index];
}

static void settle(struct recording *recording);

static void lose(struct part *part, const char *why)
{
    struct incident_profile *profile = profile_of(part);
    profile->status = PROFILE_FAILED;
    free(profile->error);
    profile->error = xstrdup(why);
    free(profile->file);
    profile->file = NULL;
    log_warn("incident %s has lost a slice of the recorder: %s",
        part->recording->setup.incident->id, why);
}

static void part_settled(struct part *part)
{
    slice_free(part->slice);
    part->slice = NULL;
    part->recording->pending--;
    settle(part->recording);
}

static void on_moved(void *arg, bool ok)
{
    struct part *part = arg;
    if (!ok)
        lose(part, "it could not be moved within the spool");
    part_settled(part);
}

/* What is known of a slice that has ended, on the incident's clock. */
static void note_slice(struct part *part)
{
    const struct incident_profile *from = &part->slice->profile;
    const struct recording_setup *setup = &part->recording->setup;
    struct incident_profile *to = profile_of(part);
    to->status = from->status;
    free(to->file);
    to->file = profile_file_name(to->name, PROFILE_FORM_PPROF);
    to->http_status = from->http_status;
    to->seconds = from->seconds;
    to->requested_ms = from->requested_ms + setup->wall_offset_ms;
    to->finished_ms = from->finished_ms + setup->wall_offset_ms;
    to->bytes = from->bytes;
    memcpy(to->sha256, from->sha256, sizeof to->sha256);
    to->attempts = from->attempts;
    to->run = from->run;
    to->onset_covered = incident_profile_covers(to, setup->incident->onset_ms);
    to->error = from->error ? xstrdup(from->error) : NULL;
}

/* Its file follows: what is listed is there before the next checkpoint, which is written by the
 * same thread. */
static void keep_part(struct part *part)
{
    note_slice(part);
    char *path = xasprintf("%s/%s", part->recording->setup.folder, profile_of(part)->file);
    slice_move(part->slice, path, on_moved, part);
    free(path);
}

static void on_ended(void *arg, struct slice *slice)
{
    struct part *part = arg;
    if (slice->profile.run > part->recording->run)
        part->recording->run = slice->profile.run;
    if (slice->profile.status == PROFILE_FAILED) {
        lose(part, slice->profile.error);
        slice_drop(slice);
        part->slice = NULL;
        part_settled(part);
    } else {
        keep_part(part);
    }
}

static void on_answered(void *arg, struct slice *slice)
{
    struct part *part = arg;
    struct recording *recording = part->recording;
    if (recording->in_flight != part)
        return;
    recording->in_flight = NULL;
    loop_timer_unset(recording->cut);
    int64_t covered_ms = slice->profile.finished_ms - recording->setup.fired_ms;
    bool came = slice->state == SLICE_CHECKING && covered_ms > 0;
    recording->setup.cpu_free(recording->setup.arg, came ? covered_ms : 0);
}

static int64_t natural_end_ms(const struct slice *slice)
{
    return slice->profile.requested_ms + slice->seconds * 1000;
}

/* A connection that cannot be half-closed (TLS) leaves the slice to its natural end. */
static void cut_short(void *arg)
{
    struct recording *recording = arg;
    if (!recording->in_flight)
        return;
    struct slice *slice = recording->in_flight->slice;
    slice_finish(slice, natural_end_ms(slice) + slack_ms);
}

static void add_part(struct recording *recording, struct slice *slice)
{
    const struct recording_setup *setup = &recording->setup;
    struct part *part = &recording->parts[recording->count];
    *part = (struct part){recording, slice, setup->incident->profile_count};
    char *name = xasprintf("%s%zu", slice_prefix, recording->count + 1);
    struct incident_profile *profile = incident_add_profile(setup->incident, name);
    profile->file = profile_file_name(
        slice->profile.name, PROFILE_FORM_PPROF); /* until it is moved */
    profile->url = xstrdup(slice->profile.url);
    profile->requested_ms = slice->profile.requested_ms + setup->wall_offset_ms;
    free(name);
    recording->count++;
    recording->pending++;
    if (slice->state == SLICE_ENDED)
        return;
    struct slice_owner owner = {on_answered, on_ended, part};
    slice_hand_over(slice, &owner);
    if (slice->state == SLICE_RECORDING)
        recording->in_flight = part;
}

/* Of the set's CPU profile; 0: it has none. */
static int64_t cpu_seconds(const struct capture_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->entries[i].profile, "cpu"))
            return set->entries[i].seconds;
    return 0;
}

struct recording *recording_take(const struct recording_setup *setup)
{
    int64_t seconds = cpu_seconds(setup->set);
    if (!seconds)
        return NULL;
    struct slice *slices[RECORDER_SLICES_MAX];
    struct recording *recording = xcalloc(1, sizeof *recording);
    recording->setup = *setup;
    recording->deadline_ms = INT64_MAX;
    recording->cut = loop_timer_new(setup->loop, cut_short, recording);
    recording->run = recorder_run(setup->recorder, setup->app);
    size_t count = recorder_take(setup->recorder, setup->app, setup->since_ms, slices);
    for (size_t i = 0; i < count; i++)
        add_part(recording, slices[i]);
    int64_t enough_ms = setup->fired_ms + seconds * 1000 - own_ms;
    if (recording->in_flight && natural_end_ms(recording->in_flight->slice) > enough_ms)
        loop_timer_set(recording->cut, enough_ms);
    return recording;
}

void recording_move(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++)
        if (recording->parts[i].slice->state == SLICE_ENDED)
            keep_part(&recording->parts[i]);
}

bool recording_in_flight(const struct recording *recording)
{
    return recording->in_flight != NULL;
}

static void keep_slices(const struct recording *recording, const char *why)
{
    log_warn("incident %s: its CPU profile stays in slices, as they could not be merged: %s",
        recording->setup.incident->id, why);
}

static void conclude(struct recording *recording)
{
    recording->merging = false;
    recording->done(recording->arg);
}

static void on_committed(void *arg, const char *why)
{
    struct recording *recording = arg;
    if (why)
        keep_slices(recording, why);
    else
        log_info("incident %s: the recorder's slices are in its CPU profile",
            recording->setup.incident->id);
    conclude(recording);
}

static void on_merged(void *arg, int status, const char *why)
{
    struct recording *recording = arg;
    const struct recording_setup *setup = &recording->setup;
    recording->job = NULL;
    if (status == 0) {
        cpu_merge_commit(setup->disk, setup->incident, setup->folder, on_committed, recording);
        return;
    }
    cpu_merge_discard(setup->disk, setup->folder);
    keep_slices(recording, why);
    conclude(recording);
}

/* A slice that never came says nothing that the log does not. */
static void forget_failed(struct incident *incident)
{
    for (size_t i = incident->profile_count; i-- > 0;)
        if (slice_is_profile(incident->profiles[i].name) &&
            incident->profiles[i].status == PROFILE_FAILED)
            incident_remove_profile(incident, i);
}

/* Whether a merge cannot begin, with the reason in words. The app would be short of what the child
 * takes. */
static bool is_hindered(const struct recording *recording, char why[MEMORY_ROOM_WHY_SIZE])
{
    const struct recording_setup *setup = &recording->setup;
    int64_t now_ms = clock_mono_ms();
    if (now_ms + least_ms > recording->deadline_ms) {
        snprintf(why, MEMORY_ROOM_WHY_SIZE, "there is no time left");
        return true;
    }
    return memory_room_lacks(
        setup->config, setup->series, worker_child_memory(setup->worker), now_ms, why);
}

/* False when there is nothing to merge, or no time or memory for it. */
static bool start_merge(struct recording *recording)
{
    const struct recording_setup *setup = &recording->setup;
    forget_failed(setup->incident);
    if (cpu_merge_leaves_slices(setup->incident))
        log_info("incident %s: slices of the recorder stay on their own, as the app was started "
                 "anew since",
            setup->incident->id);
    char **argv = cpu_merge_command(
        setup->incident, setup->folder, worker_child_memory(setup->worker));
    if (!argv)
        return false;
    char why[MEMORY_ROOM_WHY_SIZE];
    bool hindered = is_hindered(recording, why);
    struct worker_task task = {
        .argv = (const char *const *)argv,
        .deadline_ms = recording->deadline_ms,
        .urgent = true, /* its incident is not even complete */
        .done = on_merged,
        .arg = recording,
    };
    if (hindered)
        keep_slices(recording, why);
    else
        recording->job = worker_submit(setup->worker, &task);
    cpu_merge_free_command(argv);
    return !hindered;
}

/* Goes on with what waited for the slices' files. */
static void settle(struct recording *recording)
{
    if (recording->pending)
        return;
    if (recording->cpu_done && !recording->released) {
        recording->released = true;
        recorder_release(recording->setup.recorder, recording->setup.app);
    }
    if (recording->merging && !start_merge(recording))
        conclude(recording);
}

static int64_t part_recorded_ms(const struct part *part)
{
    const struct slice *slice = part->slice;
    const struct incident_profile *profile = slice ? &slice->profile : profile_of(part);
    if (slice && slice->state == SLICE_RECORDING)
        return clock_mono_ms() - profile->requested_ms;
    bool kept = profile->status == PROFILE_OK || (slice && slice->state == SLICE_CHECKING);
    return kept ? profile->finished_ms - profile->requested_ms : 0;
}

int64_t recording_recorded_ms(const struct recording *recording)
{
    int64_t recorded_ms = 0;
    for (size_t i = 0; i < recording->count; i++)
        recorded_ms += part_recorded_ms(&recording->parts[i]);
    return recorded_ms;
}

void recording_cpu_done(struct recording *recording)
{
    recording->cpu_done = true;
    settle(recording);
}

bool recording_merge(struct recording *recording, void (*done)(void *arg), void *arg)
{
    int64_t deadline_ms = clock_mono_ms() + merge_ms;
    if (deadline_ms < recording->deadline_ms)
        recording->deadline_ms = deadline_ms;
    recording->done = done;
    recording->arg = arg;
    struct incident_profile *own = incident_find_profile(recording->setup.incident, "cpu");
    if (own)
        own->run += recording->run;
    recording->merging = recording->count && (recording->pending || start_merge(recording));
    return recording->merging;
}

void recording_finish(struct recording *recording, int64_t deadline_ms)
{
    if (recording->in_flight)
        slice_finish(recording->in_flight->slice, deadline_ms);
    if (deadline_ms < recording->deadline_ms)
        recording->deadline_ms = deadline_ms;
    if (recording->job)
        worker_hurry(recording->job, deadline_ms);
}

void recording_free(struct recording *recording)
{
    if (!recording)
        return;
    for (size_t i = 0; i < recording->count; i++)
        slice_free(recording->parts[i].slice);
    loop_timer_free(recording->cut);
    free(recording);
}
