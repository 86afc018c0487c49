#include "agent/incidents.h"

#include "agent/capture.h"
#include "agent/detector.h"
#include "agent/incident_notes.h"
#include "agent/incident_writing.h"
#include "agent/recording.h"
#include "agent/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/series.h"
#include "sources/source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t first_retry_ms = 1000, longest_retry_ms = 60000;
/* Fires and requests that are listed in one incident; what comes after that is only logged. */
enum { MAX_JOINED = 200 };
enum { MAX_OPENED = 32 }; /* ids that are remembered for who asks what became of them */
/* From the first requests to the first checkpoint: nothing comes between a spike and its profile.
 */
static const int64_t head_start_ms = 20;

/* An incident from its fire until it is complete in the spool. */
struct running {
    struct incidents *incidents;
    struct incident *incident;
    struct capture *capture;
    struct recording *recording;    /* NULL: its set takes no CPU profile */
    const struct series *waits_for; /* its next sample ends metrics.csv; NULL: any */
    size_t app;
    int64_t fired_ms, captured_ms; /* monotonic; captured_ms 0: still capturing */
    int64_t wall_offset_ms;        /* fixed at the fire, so that no clock step gets into the file */
    char *folder;
    struct loop_timer *first_checkpoint, *patience;
    bool finishing;
    bool merging;   /* its CPU profiles become one; then it is complete, if it was due */
    int64_t due_ms; /* when the last row was there before that (monotonic); 0: it was not */
    bool completing, sealing; /* the last writing is under way; it can take no more joins */
    int64_t retry_ms;         /* after a completion that failed; 0: none did */
    const char *set;          /* its capture set's name */
    bool *caused_by;          /* by trigger: it opened this incident or joined it */
};

struct incidents {
    struct incidents_setup setup;
    struct running **running; /* by app */
    char *opened[MAX_OPENED]; /* ids, the newest at [opened_count - 1] modulo MAX_OPENED */
    size_t opened_count;
    int64_t suppressed;
};

struct incidents *incidents_open(const struct incidents_setup *setup)
{
    struct incidents *incidents = xcalloc(1, sizeof *incidents);
    incidents->setup = *setup;
    incidents->running = xcalloc(setup->config->app_count, sizeof *incidents->running);
    return incidents;
}

static void running_free(struct running *running)
{
    loop_timer_free(running->first_checkpoint);
    loop_timer_free(running->patience);
    capture_free(running->capture);
    recording_free(running->recording);
    incident_free(running->incident);
    free(running->folder);
    free(running->caused_by);
    free(running);
}

void incidents_close(struct incidents *incidents)
{
    if (!incidents)
        return;
    for (size_t i = 0; i < incidents->setup.config->app_count; i++)
        if (incidents->running[i])
            running_free(incidents->running[i]);
    free(incidents->running);
    for (size_t i = 0; i < MAX_OPENED; i++)
        free(incidents->opened[i]);
    free(incidents);
}

const char *incidents_running(const struct incidents *incidents, size_t app)
{
    const struct running *running = incidents->running[app];
    return running ? running->incident->id : NULL;
}

bool incidents_can_join(const struct incidents *incidents, size_t app)
{
    const struct running *running = incidents->running[app];
    return running && !running->sealing;
}

static const struct running *find(const struct incidents *incidents, const char *id)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++)
        if (incidents->running[i] && !strcmp(incidents->running[i]->incident->id, id))
            return incidents->running[i];
    return NULL;
}

bool incidents_is_running(const struct incidents *incidents, const char *id)
{
    return find(incidents, id) != NULL;
}

bool incidents_opened(const struct incidents *incidents, const char *id)
{
    for (size_t i = 0; i < MAX_OPENED; i++)
        if (incidents->opened[i] && !strcmp(incidents->opened[i], id))
            return true;
    return false;
}

static void remember(struct incidents *incidents, const char *id)
{
    char **place = &incidents->opened[incidents->opened_count++ % MAX_OPENED];
    free(*place);
    *place = xstrdup(id);
}

bool incidents_failing(const struct incidents *incidents, const char *id)
{
    const struct running *running = find(incidents, id);
    return running && running->retry_ms;
}

const char *incidents_last(const struct incidents *incidents)
{
    return incidents->opened_count ? incidents->opened[(incidents->opened_count - 1) % MAX_OPENED]
                                   : NULL;
}

bool incidents_idle(const struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++)
        if (incidents->running[i])
            return false;
    return true;
}

static int64_t wall_of(const struct running *running, int64_t mono_ms)
{
    return mono_ms + running->wall_offset_ms;
}

static int64_t begin_ms(const struct running *running)
{
    const struct incident *incident = running->incident;
    int64_t onset = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    return onset - running->wall_offset_ms;
}

static void written(void *arg, const char *id, bool ok);

static void write_down(struct running *running, bool last)
{
    const struct incidents_setup *setup = &running->incidents->setup;
    struct incident_writing writing = {
        .disk = setup->disk,
        .spool = setup->spool,
        .incident = running->incident,
        .series = setup->series,
        .onset_ms = begin_ms(running),
        .until_ms = running->due_ms ? running->due_ms : INT64_MAX,
        .wall_offset_ms = running->wall_offset_ms,
        .sealing = last ? &running->sealing : NULL,
        .written = written,
        .arg = running,
    };
    incident_write(&writing);
}

static void on_progress(void *arg)
{
    write_down(arg, false);
}

/* The pattern of the trigger that opened it, else of one that joined. */
static void note_recurrence(struct running *running)
{
    const struct incidents_setup *setup = &running->incidents->setup;
    struct incident_recurrence *recurrence = &running->incident->recurrence;
    for (int opener = 1; opener >= 0; opener--)
        for (size_t i = 0; i < setup->config->trigger_count; i++)
            if (running->caused_by[i] && isnan(recurrence->period_s) && setup->recurrence &&
                (!opener ||
                    !strcmp(setup->config->triggers[i].name, running->incident->trigger.name)))
                setup->recurrence(setup->arg, i, running->wall_offset_ms, recurrence);
}

static void complete(void *arg)
{
    struct running *running = arg;
    if (running->merging && !running->due_ms)
        running->due_ms = clock_mono_ms();
    if (running->completing || running->merging)
        return;
    running->completing = true;
    loop_timer_unset(running->first_checkpoint);
    loop_timer_unset(running->patience);
    const struct config *config = running->incidents->setup.config;
    char *cpu = config->single_app ? xstrdup("cpu")
                                   : xasprintf("%s.cpu", config->apps[running->app].name);
    const struct series_set *series = running->incidents->setup.series;
    incident_note_peaks(running->incident, series, begin_ms(running));
    incident_note_usage(
        running->incident, series_set_find(series, cpu), running->fired_ms, running->captured_ms);
    free(cpu);
    note_recurrence(running);
    write_down(running, true);
}

/* What cannot be written now (a full disk) is tried again for as long as it takes. */
static void written(void *arg, const char *id, bool ok)
{
    struct running *running = arg;
    struct incidents *incidents = running->incidents;
    if (ok) {
        log_info("incident %s finished", id);
        incidents->running[running->app] = NULL;
        incidents->setup.complete(incidents->setup.arg, id);
        running_free(running);
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
    int64_t two_ms = 2 * running->incidents->setup.config->interval_ms;
    return two_ms > 15000 ? two_ms : 15000;
}

static void on_merged(void *arg)
{
    struct running *running = arg;
    running->merging = false;
    if (running->due_ms)
        complete(running);
}

static void on_captured(void *arg)
{
    struct running *running = arg;
    running->captured_ms = clock_mono_ms();
    running->incident->finished_ms = wall_of(running, running->captured_ms);
    running->merging = running->recording &&
                       recording_merge(running->recording, on_merged, running);
    if (running->finishing) {
        complete(running);
        return;
    }
    write_down(running, false);
    loop_timer_set(running->patience, running->captured_ms + patience_ms(running));
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
    const struct series_set *series = running->incidents->setup.series;
    bool measuring = false;
    for (size_t i = 0; i < series->count; i++) {
        if (has_sample_after(series->all[i], running->captured_ms))
            return true;
        measuring = measuring ||
                    has_sample_after(series->all[i], running->captured_ms - patience_ms(running));
    }
    return !measuring;
}

void incidents_sampled(struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        struct running *running = incidents->running[i];
        if (running && running->captured_ms && !running->retry_ms && last_row_is_there(running))
            complete(running);
    }
}

static struct running *begin(
    struct incidents *incidents, size_t app, const char *trigger, const char *kind)
{
    const struct config *config = incidents->setup.config;
    struct running *running = xcalloc(1, sizeof *running);
    running->incidents = incidents;
    running->app = app;
    running->caused_by = xcalloc(config->trigger_count, sizeof *running->caused_by);
    running->fired_ms = clock_mono_ms();
    running->wall_offset_ms = clock_wall_ms() - running->fired_ms;
    running->first_checkpoint = loop_timer_new(incidents->setup.loop, on_progress, running);
    running->patience = loop_timer_new(incidents->setup.loop, complete, running);
    struct incident *incident = running->incident = incident_new();
    incident->fired_ms = wall_of(running, running->fired_ms);
    incident->id = incident_new_id(incident->fired_ms, trigger);
    incident->service = xstrdup(config->service);
    incident->app = xstrdup(config->apps[app].name);
    incident->kind = xstrdup(kind);
    incident->trigger.name = xstrdup(trigger);
    incident->agent_version = xstrdup(STAKEOUT_VERSION);
    incident->metrics_file = xstrdup("metrics.csv");
    incident->suppressed_since_last = incidents->suppressed;
    struct source_identity identity = {0};
    incidents->setup.identify(incidents->setup.arg, app, &identity);
    incident_note_target(incident, &identity);
    return running;
}

static void on_cpu_free(void *arg, int64_t covered_ms)
{
    capture_begin_cpu(((struct running *)arg)->capture, covered_ms);
}

static void on_cpu_done(void *arg)
{
    recording_cpu_done(((struct running *)arg)->recording);
}

/* A sample is the mean of the time before it: the rise may have begun an interval earlier. */
static struct recording *take_recording(struct running *running, const struct capture_set *set)
{
    const struct incidents_setup *setup = &running->incidents->setup;
    struct recording_setup recording = {
        .loop = setup->loop,
        .disk = setup->disk,
        .recorder = setup->recorder,
        .worker = setup->worker,
        .app = running->app,
        .incident = running->incident,
        .folder = running->folder,
        .since_ms = begin_ms(running) - setup->config->interval_ms,
        .fired_ms = running->fired_ms,
        .wall_offset_ms = running->wall_offset_ms,
        .set = set,
        .ends_window = running->incident->onset_ms != 0,
        .cpu_free = on_cpu_free,
        .arg = running,
    };
    return recording_take(&recording);
}

/* The requests leave before anything is written: nothing comes between the spike and its profile.
 */
static int start(struct running *running, const char *set_name, struct error *err)
{
    struct incidents *incidents = running->incidents;
    const struct config *config = incidents->setup.config;
    const struct capture_set *set = config_capture(config, set_name);
    running->folder = spool_begin(incidents->setup.spool, running->incident->id, err);
    if (!running->folder) {
        running_free(running);
        return -1;
    }
    running->recording = take_recording(running, set);
    struct capture_setup setup = {
        .loop = incidents->setup.loop,
        .disk = incidents->setup.disk,
        .app = &config->apps[running->app],
        .set = set,
        .folder = running->folder,
        .incident = running->incident,
        .max_profile_bytes = spool_room(
            incidents->setup.spool, config->limits.spool_bytes, config->limits.profile_bytes),
        .wall_offset_ms = running->wall_offset_ms,
        .hold_cpu = running->recording && recording_in_flight(running->recording),
        .cpu_done = running->recording ? on_cpu_done : NULL,
        .progress = on_progress,
        .done = on_captured,
        .arg = running,
    };
    running->set = setup.set->name;
    incidents->suppressed = 0;
    incidents->running[running->app] = running;
    remember(incidents, running->incident->id);
    running->capture = capture_start(&setup);
    log_info("incident %s opened: %s", running->incident->id, running->incident->trigger.reason);
    loop_timer_set(running->first_checkpoint, running->fired_ms + head_start_ms);
    return 0;
}

/* A fire (event and trigger), or a request by hand (both NULL), while one is running. */
static void join(struct running *running, const struct trigger_config *trigger,
    const struct detector_event *event, const char *reason)
{
    if (running->incident->joined_count == MAX_JOINED) {
        log_warn("incident %s has %d joined already; one more is not listed: %s",
            running->incident->id, MAX_JOINED, reason);
        return;
    }
    struct incident_cause *cause = incident_add_joined(running->incident);
    cause->name = xstrdup(trigger ? trigger->name : "manual");
    cause->metric = event ? xstrdup(event->metric) : NULL;
    cause->reason = xstrdup(reason);
    cause->value = event ? event->value : NAN;
    cause->limit = event ? event->limit : NAN;
    cause->time_ms = wall_of(running, event ? event->time_ms : clock_mono_ms());
    log_info("incident %s joined by %s: %s", running->incident->id, cause->name, reason);
}

int incidents_fire(
    struct incidents *incidents, const struct detector_event *event, struct error *err)
{
    const struct trigger_config *trigger = &incidents->setup.config->triggers[event->trigger];
    struct running *running = incidents->running[trigger->app];
    if (running && running->sealing)
        return error_set(err, "incident %s is just being completed", running->incident->id);
    if (running) {
        running->caused_by[event->trigger] = true;
        join(running, trigger, event, event->reason);
        return 0;
    }
    running = begin(incidents, trigger->app, trigger->name, "spike");
    running->caused_by[event->trigger] = true;
    struct incident *incident = running->incident;
    incident->trigger.metric = xstrdup(event->metric);
    incident->trigger.reason = xstrdup(event->reason);
    incident->trigger.value = event->value;
    incident->trigger.limit = event->limit;
    incident->onset_ms = wall_of(running, event->onset_ms);
    running->waits_for = series_set_find(incidents->setup.series, event->metric);
    return start(running, trigger->capture, err);
}

void incidents_suppressed(struct incidents *incidents)
{
    incidents->suppressed++;
}

/* A request by hand joins a capture that still can give what it asks for. */
static const char *join_by_hand(
    struct running *running, const char *reason, const char *set, struct error *err)
{
    const char *id = running->incident->id;
    if (running->captured_ms) {
        error_set(err, "incident %s is just being completed: try again in some seconds", id);
        return NULL;
    }
    if (set && strcmp(set, running->set) != 0) {
        error_set(err,
            "incident %s is running with the capture set \"%s\": try again when it is done", id,
            running->set);
        return NULL;
    }
    join(running, NULL, NULL, reason);
    return id;
}

const char *incidents_manual(
    struct incidents *incidents, size_t app, const char *reason, const char *set, struct error *err)
{
    struct running *running = incidents->running[app];
    if (running)
        return join_by_hand(running, reason, set, err);
    running = begin(incidents, app, "manual", "manual");
    running->incident->trigger.reason = xstrdup(reason);
    return start(running, set ? set : "spike", err) < 0 ? NULL : incidents_running(incidents, app);
}

void incidents_finish(struct incidents *incidents, int64_t deadline_ms)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        struct running *running = incidents->running[i];
        if (!running || running->finishing)
            continue;
        running->finishing = true;
        if (running->recording)
            recording_finish(running->recording, deadline_ms);
        if (running->captured_ms)
            complete(running); /* also one that waits for its next try */
        else
            capture_finish(running->capture, deadline_ms);
    }
}
