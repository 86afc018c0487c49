#include "agent/incidents/incidents.h"

#include "agent/capture/capture.h"
#include "agent/capture/made_sets.h"
#include "agent/capture/recording.h"
#include "agent/detection/detector.h"
#include "agent/incidents/incident_notes.h"
#include "agent/incidents/incidents_parts.h"
#include "agent/incidents/urgent_heap.h"
#include "agent/kinds.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/rds_metric.h"
#include "core/series.h"
#include "sources/source.h"

#include <stdlib.h>
#include <string.h>

/* Fires and requests that are listed in one incident; what comes after that is only logged. */
enum { MAX_JOINED = 200 };
/* From the first requests to the first checkpoint: nothing comes between a spike and its profile.
 */
static const int64_t head_start_ms = 20;
static const int64_t follow_up_max_s = 5;

struct incidents *incidents_open(const struct incidents_setup *setup)
{
    struct incidents *incidents = xcalloc(1, sizeof *incidents);
    incidents->setup = *setup;
    incidents->running = xcalloc(setup->config->app_count, sizeof *incidents->running);
    incidents->leaving = xcalloc(setup->config->app_count, sizeof *incidents->leaving);
    return incidents;
}

void incidents_close(struct incidents *incidents)
{
    if (!incidents)
        return;
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        running_free(incidents->running[i]);
        running_free(incidents->leaving[i]);
    }
    free(incidents->running);
    free(incidents->leaving);
    opened_free(&incidents->opened);
    free(incidents);
}

void incidents_reload(struct incidents *incidents, const struct config *config,
    struct recorder *recorder, struct endpoint *const *endpoints)
{
    free(incidents->running);
    free(incidents->leaving);
    incidents->setup.config = config;
    incidents->setup.recorder = recorder;
    incidents->setup.endpoints = endpoints;
    incidents->running = xcalloc(config->app_count, sizeof *incidents->running);
    incidents->leaving = xcalloc(config->app_count, sizeof *incidents->leaving);
}

static void over(struct running *running)
{
    struct incidents *incidents = running->arg;
    bool leaves = incidents->leaving[running->app] == running;
    *(leaves ? &incidents->leaving[running->app] : &incidents->running[running->app]) = NULL;
    if (!running->abandoned && running->incident->replaced && incidents->setup.replaced)
        incidents->setup.replaced(
            incidents->setup.arg, running->incident->replaced, running->incident->id);
    bool spiked = !running->abandoned && !strcmp(running->incident->kind, "spike");
    if (spiked && incidents->setup.spiked)
        incidents->setup.spiked(
            incidents->setup.arg, &(struct incidents_spiked){.app = running->app,
                                      .id = running->incident->id,
                                      .set = running->set,
                                      .triggers = running->caused_by,
                                      .captured_ms = running->captured_ms});
    if (!running->abandoned)
        incidents->setup.complete(incidents->setup.arg, running->incident->id);
    running_free(running);
}

static struct running *begin(
    struct incidents *incidents, size_t app, const char *trigger, const char *kind)
{
    const struct config *config = incidents->setup.config;
    struct running *running = running_new(&incidents->setup);
    struct incident *incident = running->incident;
    running->app = app;
    running->over = over;
    running->arg = incidents;
    incident->fired_ms = running_wall(running, running->fired_ms);
    incident->id = incident_new_id(incident->fired_ms, trigger);
    incident->service = xstrdup(config->service);
    incident->app = xstrdup(config->apps[app].name);
    for (size_t i = 0; i < config->apps[app].own_code.count; i++)
        incident_add_own_code(incident, config->apps[app].own_code.names[i]);
    incident->kind = xstrdup(kind);
    incident->trigger.name = xstrdup(trigger);
    incident->agent_version = xstrdup(STAKEOUT_VERSION);
    incident->metrics_file = xstrdup("metrics.csv");
    incident->source_url = config->source_url ? xstrdup(config->source_url) : NULL;
    incident->suppressed_since_last = incidents->suppressed;
    struct source_identity identity = {0};
    incidents->setup.identify(incidents->setup.arg, app, &identity);
    incident_note_target(incident, &identity);
    return running;
}

static void on_cpu_free(void *arg, int64_t covered_ms)
{
    const struct running *running = arg;
    for (size_t i = 0; i < running->capture_count; i++)
        capture_begin_cpu(running->captures[i], covered_ms);
}

/* Whether a calm one that has given way still has the app's CPU profiled. */
static bool cpu_is_leaving(const struct running *running)
{
    const struct incidents *incidents = running->arg;
    const struct running *leaving = incidents->leaving[running->app];
    return leaving && leaving->recording && !leaving->cpu_over;
}

static void on_cpu_done(void *arg)
{
    struct running *running = arg;
    const struct incidents *incidents = running->arg;
    struct running *next = incidents->running[running->app];
    recording_cpu_done(running->recording);
    running->cpu_over = true;
    if (next && next->cpu_held) { /* of an incident to which this calm one has given way */
        next->cpu_held = false;
        on_cpu_free(next, 0);
    }
}

/* A sample is the mean of the time before it: the rise may have begun an interval earlier. */
static struct recording *take_recording(
    struct running *running, const struct capture_set *set, int64_t fired_ms, int64_t onset_ms)
{
    const struct incidents_setup *setup = running->setup;
    struct recording_setup recording = {
        .loop = setup->loop,
        .disk = setup->disk,
        .recorder = setup->recorder,
        .worker = setup->worker,
        .config = setup->config,
        .series = setup->series,
        .app = running->app,
        .incident = running->incident,
        .folder = running->folder,
        .since_ms = onset_ms - setup->config->interval_ms,
        .fired_ms = fired_ms,
        .wall_offset_ms = running->wall_offset_ms,
        .set = set,
        .cpu_free = on_cpu_free,
        .arg = running,
    };
    return recording_take(&recording);
}

/* The requests leave before anything is written: nothing comes between the spike and its profile.
 * The note goes ahead of the files that it tells of. */
static void begin_capture(
    struct running *running, const struct capture_set *set, int64_t fired_ms, int64_t onset_ms)
{
    const struct incidents_setup *incidents = running->setup;
    running->recording = take_recording(running, set, fired_ms, onset_ms);
    running->cpu_held = running->recording && cpu_is_leaving(running);
    struct capture_setup setup = running_capture_setup(running, set);
    setup.heap_first = running->foreseen;
    setup.recorded_ms = running_recorded_ms;
    setup.heat = (struct heat){incidents->config, incidents->series, running->app};
    setup.hold_cpu = running->cpu_held ||
                     (running->recording && recording_in_flight(running->recording));
    setup.cpu_done = running->recording ? on_cpu_done : NULL;
    running_capture(running, &setup);
    if (running->recording)
        recording_move(running->recording);
}

static int start(struct incidents *incidents, struct running *running,
    const struct capture_set *set, struct error *err)
{
    running->folder = spool_begin(incidents->setup.spool, running->incident->id, err);
    if (!running->folder) {
        running_free(running);
        return -1;
    }
    running->set = set->name;
    incidents->running[running->app] = running;
    if (!incidents_is_calm(running)) {
        incidents->suppressed = 0;
        opened_add(&incidents->opened, running->incident->id);
    }
    log_info("incident %s opened: %s", running->incident->id, running->incident->trigger.reason);
    begin_capture(running, set, running->fired_ms, running_begin_ms(running));
    loop_timer_set(running->first_checkpoint, running->fired_ms + head_start_ms);
    return 0;
}

/* What joins an incident without a CPU profile and wants one gets it, with what the recorder has:
 * of a spike that was expected there is nothing else. */
static void add_cpu(struct running *running, struct capture_set *cpu, int64_t onset_ms)
{
    running->made_set = cpu;
    running->captured_ms = running->due_ms = running->retry_ms = 0;
    loop_timer_unset(running->patience);
    begin_capture(running, cpu, clock_mono_ms(), onset_ms);
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
    if (event)
        incident_note_cause(cause, event);
    else
        cause->reason = xstrdup(reason);
    cause->time_ms = running_wall(running, event ? event->time_ms : clock_mono_ms());
    log_info("incident %s joined by %s: %s", running->incident->id, cause->name, reason);
}

static int join_fire(struct running *running, const struct detector_event *event, struct error *err)
{
    const struct config *config = running->setup->config;
    const struct trigger_config *trigger = &config->triggers[event->trigger];
    struct capture_set *cpu = running->recording || running->finishing
                                  ? NULL
                                  : made_set_of_cpu(config_capture(config, trigger->capture));
    bool heap = urgent_heap_wanted(running, trigger);
    if (running->abandoned || running->sealing || (cpu && running->completing) ||
        (heap && !urgent_heap_fits(running))) {
        made_set_free(cpu);
        return error_set(err, "incident %s is just being completed", running->incident->id);
    }
    running->caused_by[event->trigger] = true;
    join(running, trigger, event, event->reason);
    if (heap)
        urgent_heap_take(running, trigger);
    if (cpu)
        add_cpu(running, cpu, event->onset_ms);
    return 0;
}

/* Has a calm one that is being taken make room for what began at onset_ms. */
static void give_way(struct incidents *incidents, size_t app, int64_t onset_ms)
{
    struct running *calm = incidents->running[app];
    if (!incidents_is_calm(calm))
        return;
    incidents->running[app] = NULL;
    incidents->leaving[app] = calm;
    if (calm->captured_ms && calm->captured_ms <= onset_ms) {
        running_complete(calm);
        return;
    }
    log_info("%s %s gives way and is thrown away", calm->incident->kind, calm->incident->id);
    running_abandon(calm);
}

void incidents_give_way(struct incidents *incidents, size_t app)
{
    give_way(incidents, app, INT64_MIN);
}

int incidents_fire(
    struct incidents *incidents, const struct detector_event *event, struct error *err)
{
    const struct trigger_config *trigger = &incidents->setup.config->triggers[event->trigger];
    give_way(incidents, trigger->app, event->onset_ms);
    struct running *running = incidents->running[trigger->app];
    if (running)
        return join_fire(running, event, err);
    running = begin(incidents, trigger->app, trigger->name, "spike");
    running->caused_by[event->trigger] = true;
    running->foreseen = trigger_kinds[trigger->kind]->foresees;
    incident_note_cause(&running->incident->trigger, event);
    running->incident->onset_ms = running_wall(running, event->onset_ms);
    if (incidents->setup.window)
        running->incident->fleet.window_ms = incidents->setup.window(
            incidents->setup.arg, running->incident->fired_ms);
    if (!rds_metric_is_series(event->metric)) /* one a minute: any other ends it sooner */
        running->waits_for = series_set_find(incidents->setup.series, event->metric);
    running->replaces = event->replaces ? xstrdup(event->replaces) : NULL;
    if (start(incidents, running, config_capture(incidents->setup.config, trigger->capture), err) <
        0)
        return -1;
    if (event->replaces)
        log_info("incident %s is worse than %s, which waits in the spool, and is to replace it",
            running->incident->id, event->replaces);
    return 0;
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
    if (running->captured_ms || running->abandoned) {
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
    give_way(incidents, app, clock_mono_ms());
    struct running *running = incidents->running[app];
    if (running)
        return join_by_hand(running, reason, set, err);
    running = begin(incidents, app, "manual", "manual");
    running->incident->trigger.reason = xstrdup(reason);
    const struct capture_set *wanted = config_capture(incidents->setup.config, set ? set : "spike");
    return start(incidents, running, wanted, err) < 0 ? NULL : incidents_running(incidents, app);
}

const char *incidents_baseline(
    struct incidents *incidents, size_t app, const char *reason, struct error *err)
{
    if (incidents_are_busy(incidents, app)) {
        error_set(err, "an incident of the app is not over yet");
        return NULL;
    }
    struct running *running = begin(incidents, app, "baseline", "baseline");
    running->incident->trigger.reason = xstrdup(reason);
    running->incident->suppressed_since_last = 0;
    const struct capture_set *set = config_capture(incidents->setup.config, "spike");
    return start(incidents, running, set, err) < 0 ? NULL : incidents_running(incidents, app);
}

const char *incidents_follow_up(struct incidents *incidents, size_t app, const char *follows,
    const char *set, struct error *err)
{
    if (incidents_are_busy(incidents, app)) {
        error_set(err, "another incident of the app is not over yet");
        return NULL;
    }
    struct running *running = begin(incidents, app, "follow_up", "follow_up");
    running->incident->trigger.reason = xasprintf("after the spike of %s", follows);
    running->incident->follows = xstrdup(follows);
    running->incident->suppressed_since_last = 0;
    running->made_set = made_set_shorter(
        config_capture(incidents->setup.config, set), follow_up_max_s);
    return start(incidents, running, running->made_set, err) < 0
               ? NULL
               : incidents_running(incidents, app);
}

void incidents_sampled(struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++)
        if (incidents->running[i])
            running_sampled(incidents->running[i]);
}

void incidents_finish(struct incidents *incidents, int64_t deadline_ms)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        struct running *running = incidents->running[i], *leaving = incidents->leaving[i];
        if (leaving && leaving->recording)
            recording_finish(leaving->recording, deadline_ms);
        if (!running || running->finishing)
            continue;
        if (incidents_is_calm(running) && !running->captured_ms) {
            incidents_give_way(incidents, i); /* half of one is none */
            continue;
        }
        running->finishing = true;
        if (running->recording)
            recording_finish(running->recording, deadline_ms);
        if (running->captured_ms)
            running_complete(running); /* also one that waits for its next try */
        else
            for (size_t k = 0; k < running->capture_count; k++)
                capture_finish(running->captures[k], deadline_ms);
    }
}
