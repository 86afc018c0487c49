#include "agent/incidents/running.h"

#include "agent/apps/app_metric.h"
#include "agent/capture/capture.h"
#include "agent/capture/made_sets.h"
#include "agent/capture/recording.h"
#include "agent/incidents/incident_notes.h"
#include "agent/incidents/incident_writing.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/running_end.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an app gets to send what it has of a CPU profile that nobody wants any more: it takes Go 0.1
 * to 0.2 s, a busy one more. Then the connection is closed, which ends it, too. */
static const int64_t abandon_ms = 2000;
static const int64_t first_retry_ms = 1000, longest_retry_ms = 60000;
static const int64_t moment_ms = 2000;

static void out_of_patience(void *arg)
{
    running_complete(arg);
}

static void progress(void *arg);

struct running *running_new(const struct incidents_setup *setup)
{
    struct running *running = xcalloc(1, sizeof *running);
    running->setup = setup;
    running->caused_by = xcalloc(setup->config->trigger_count, sizeof *running->caused_by);
    running->fired_ms = clock_mono_ms();
    running->wall_offset_ms = clock_wall_ms() - running->fired_ms;
    running->first_checkpoint = loop_timer_new(setup->loop, progress, running);
    running->patience = loop_timer_new(setup->loop, out_of_patience, running);
    running->incident = incident_new();
    return running;
}

void running_free(struct running *running)
{
    if (!running)
        return;
    loop_timer_free(running->first_checkpoint);
    loop_timer_free(running->patience);
    for (size_t i = 0; i < running->capture_count; i++)
        capture_free(running->captures[i]);
    made_set_free(running->made_set);
    made_set_free(running->heap_set);
    free(running->heap_name);
    recording_free(running->recording);
    incident_free(running->incident);
    free(running->folder);
    free(running->replaces);
    free(running->caused_by);
    free(running);
}

int64_t running_wall(const struct running *running, int64_t mono_ms)
{
    return mono_ms + running->wall_offset_ms;
}

int64_t running_begin_ms(const struct running *running)
{
    const struct incident *incident = running->incident;
    int64_t onset = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    return onset - running->wall_offset_ms;
}

static void written(void *arg, const char *id, bool ok);

static void write_down(struct running *running, bool last)
{
    const struct incidents_setup *setup = running->setup;
    struct incident_writing writing = {
        .disk = setup->disk,
        .spool = setup->spool,
        .incident = running->incident,
        .series = setup->series,
        .onset_ms = running_begin_ms(running),
        .until_ms = running->due_ms ? running->due_ms : INT64_MAX,
        .wall_offset_ms = running->wall_offset_ms,
        .sealing = last ? &running->sealing : NULL,
        .discard = running->discarding,
        .written = written,
        .arg = running,
    };
    incident_write(&writing);
}

static void progress(void *arg)
{
    const struct running *running = arg;
    if (!running->abandoned)
        write_down(arg, false);
}

/* The pattern of the trigger that opened it, else of one that joined. */
static void note_recurrence(struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    struct incident_recurrence *recurrence = &running->incident->recurrence;
    for (int opener = 1; opener >= 0; opener--)
        for (size_t i = 0; i < setup->config->trigger_count; i++)
            if (running->caused_by[i] && isnan(recurrence->period_s) && setup->recurrence &&
                (!opener ||
                    !strcmp(setup->config->triggers[i].name, running->incident->trigger.name)))
                setup->recurrence(setup->arg, i, running->wall_offset_ms, recurrence);
}

static void note_baseline(struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    struct incident *incident = running->incident;
    if (!setup->baseline || !strcmp(incident->kind, "baseline"))
        return;
    const char *id = setup->baseline(setup->arg, incident);
    free(incident->baseline);
    incident->baseline = id ? xstrdup(id) : NULL;
}

/* Once it is taken back it is out of the exporters' reach, so this may be tried again. */
static void note_replaced(struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    struct incident *incident = running->incident;
    if (!running->replaces || incident->replaced || !setup->take_back)
        return;
    if (setup->take_back(setup->arg, running->replaces, incident->id))
        incident->replaced = xstrdup(running->replaces);
    else {
        free(running->replaces);
        running->replaces = NULL;
    }
}

/* Nothing of later belongs to it. A source's clock may be a little ahead of ours. */
static int64_t last_row_ms(const struct running *running)
{
    const struct series_set *series = running->setup->series;
    int64_t last_ms = clock_mono_ms();
    for (size_t i = 0; i < series->count; i++) {
        const struct sample *newest = series_at(series->all[i], 0);
        if (newest && newest->time_ms > last_ms)
            last_ms = newest->time_ms;
    }
    return last_ms;
}

static const struct series *own_series(const struct running *running, const char *metric)
{
    const struct incidents_setup *incidents = running->setup;
    return app_metric_series(incidents->config, incidents->series, running->app, metric);
}

void running_complete(struct running *running)
{
    if (!running->due_ms)
        running->due_ms = last_row_ms(running);
    if (running->completing || running->merging)
        return;
    running->completing = true;
    loop_timer_unset(running->first_checkpoint);
    loop_timer_unset(running->patience);
    if (running->abandoned) {
        running->discarding = true;
        write_down(running, true);
        return;
    }
    incident_note_peaks(
        running->incident, running->setup->series, running_begin_ms(running), running->due_ms);
    incident_note_usage(running->incident, own_series(running, "cpu"),
        own_series(running, "memory"), running->wall_offset_ms);
    incident_note_coverage(running->incident);
    note_recurrence(running);
    note_baseline(running);
    if (running->setup->note)
        running->setup->note(running->setup->arg, running->incident, running_begin_ms(running));
    note_replaced(running);
    write_down(running, true);
}

/* What cannot be written now (a full disk) is tried again for as long as it takes. */
static void written(void *arg, const char *id, bool ok)
{
    struct running *running = arg;
    if (running->abandoned && !running->discarding) { /* only since it was given to be written */
        running->completing = running->sealing = false;
        running_complete(running);
        return;
    }
    if (ok || running->discarding) {
        if (!running->discarding)
            log_info("incident %s finished", id);
        running->over(running);
        return;
    }
    running->retry_ms = running->retry_ms ? running->retry_ms * 2 : first_retry_ms;
    if (running->retry_ms > longest_retry_ms)
        running->retry_ms = longest_retry_ms;
    log_error("incident %s could not be completed in the spool; next try in %.0f s", id,
        (double)running->retry_ms / 1000);
    running->completing = running->sealing = false;
    loop_timer_set(running->patience, clock_mono_ms() + running->retry_ms);
}

/* How long the last row is waited for: Fargate's figures are up to 10 s late. */
static int64_t patience_ms(const struct running *running)
{
    int64_t two_ms = 2 * running->setup->config->interval_ms;
    return two_ms > 15000 ? two_ms : 15000;
}

static void on_merged(void *arg)
{
    struct running *running = arg;
    running->merging = false;
    if (running->due_ms || running->abandoned)
        running_complete(running);
}

static void captured(void *arg)
{
    struct running *running = arg;
    if (--running->capturing) {
        progress(running);
        return;
    }
    running->captured_ms = clock_mono_ms();
    running->incident->finished_ms = running_wall(running, running->captured_ms);
    running->merging = running->recording && !running->abandoned &&
                       recording_merge(running->recording, on_merged, running);
    if (running->finishing || running->abandoned) {
        running_complete(running);
        return;
    }
    if (running->setup->captured)
        running->setup->captured(running->setup->arg);
    write_down(running, false);
    loop_timer_set(running->patience, running->captured_ms + patience_ms(running));
}

struct capture_setup running_capture_setup(struct running *running, const struct capture_set *set)
{
    const struct incidents_setup *incidents = running->setup;
    const struct config *config = incidents->config;
    return (struct capture_setup){
        .loop = incidents->loop,
        .disk = incidents->disk,
        .app = &config->apps[running->app],
        .endpoint = incidents->endpoints[running->app],
        .set = set,
        .folder = running->folder,
        .reserve = spool_reserve(incidents->spool),
        .incident = running->incident,
        .max_profile_bytes = spool_room(
            incidents->spool, config->limits.spool_bytes, config->limits.profile_bytes),
        .wall_offset_ms = running->wall_offset_ms,
        .progress = progress,
        .done = captured,
        .arg = running,
    };
}

void running_capture(struct running *running, const struct capture_setup *setup)
{
    running->capturing++;
    running->captures[running->capture_count++] = capture_start(setup);
    spool_note(running->setup->spool, running->incident);
}

int64_t running_recorded_ms(void *arg)
{
    const struct running *running = arg;
    return running->recording ? recording_recorded_ms(running->recording) : 0;
}

static bool has_sample_after(const struct series *series, int64_t time_ms)
{
    const struct sample *newest = series_at(series, 0);
    return newest && newest->time_ms >= time_ms;
}

/* Where nothing is measured there is nothing to wait for. */
static bool last_row_is_there(const struct running *running)
{
    if (running->waits_for)
        return has_sample_after(running->waits_for, running->captured_ms);
    const struct series_set *series = running->setup->series;
    bool measuring = false;
    for (size_t i = 0; i < series->count; i++) {
        if (has_sample_after(series->all[i], running->captured_ms))
            return true;
        measuring = measuring ||
                    has_sample_after(series->all[i], running->captured_ms - patience_ms(running));
    }
    return !measuring;
}

/* Not for long: it is complete without that as well. */
static bool waits_for_others(const struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    return setup->late && clock_mono_ms() < running->captured_ms + moment_ms &&
           setup->late(setup->arg);
}

/* Once it is over, or goes on after all. */
static void tell_captures(struct running *running, bool over)
{
    const struct incident *incident = running->incident;
    char lasted[RFC3339_SIZE];
    running->spike_over = over;
    if (over)
        log_info("incident %s: its spike is over, since %s", incident->id,
            rfc3339_format(incident->ended_ms, lasted));
    else
        log_info("incident %s: its spike goes on", incident->id);
    if (running->finishing || running->abandoned || running->captured_ms)
        return;
    for (size_t i = 0; i < running->capture_count; i++) {
        capture_end_early(running->captures[i], over);
        if (over)
            capture_spike_over(running->captures[i]);
    }
}

static void watch_spike(struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    int64_t ended_ms;
    enum excursion excursion = setup->excursion
                                   ? setup->excursion(setup->arg, running->caused_by, &ended_ms)
                                   : EXCURSION_UNTOLD;
    bool over = excursion == EXCURSION_OVER || excursion == EXCURSION_EBBED;
    running->incident->ended_ms = over ? running_wall(running, ended_ms) : 0;
    if (over != running->spike_over)
        tell_captures(running, over);
}

void running_sampled(struct running *running)
{
    if (running->completing)
        return;
    bool more_to_come = running_note_end(running); /* before what waits for the spike's end */
    watch_spike(running);
    if (running->captured_ms && !running->retry_ms && !more_to_come && last_row_is_there(running) &&
        !waits_for_others(running))
        running_complete(running);
}

void running_abandon(struct running *running)
{
    int64_t deadline_ms = clock_mono_ms() + abandon_ms;
    running->abandoned = true;
    if (running->recording)
        recording_finish(running->recording, deadline_ms);
    if (running->captured_ms)
        running_complete(running);
    else
        for (size_t i = 0; i < running->capture_count; i++)
            capture_finish(running->captures[i], deadline_ms);
}
