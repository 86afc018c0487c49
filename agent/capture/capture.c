#include "agent/capture/capture.h"

#include "agent/capture/endpoint.h"
#include "agent/capture/fetch.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A profile that is tried again this long after the capture began would show the calm after the
 * spike.
 */
static const int64_t patience_ms = 30000;

enum lane { LANE_CPU, LANE_MOMENT, LANE_RECORD, LANES };

struct lane_entry {
    struct capture *capture;
    struct capture_entry entry; /* the set's, with what is left of its seconds */
    struct incident_profile *profile;
    struct fetch *fetch; /* NULL: not begun */
    enum lane lane;
    bool held;
};

struct capture {
    struct capture_setup setup;
    struct lane_entry *entries;
    size_t count, ended;
    int64_t give_up_ms;
    bool spike_over, finishing;
    unsigned lost_before; /* connections of the endpoint's, when it began */
    unsigned harmless;    /* connections that were lost, and not by the app's end */
    char *gone;           /* how it ended; NULL: it did not */
    bool early;           /* half of a CPU profile is enough */
};

static void entry_done(void *arg);

/* What the own CPU profile of an entry has to record. */
static int64_t enough_ms(const struct lane_entry *entry)
{
    const struct capture *capture = entry->capture;
    const struct capture_setup *setup = &capture->setup;
    if (entry->lane != LANE_CPU || !capture->early)
        return INT64_MAX;
    const struct capture_entry *wanted = &setup->set->entries[entry - capture->entries];
    int64_t half_ms = endpoint_seconds(setup->endpoint, wanted->profile, wanted->seconds) * 1000 /
                      2;
    int64_t recorded_ms = setup->recorded_ms ? setup->recorded_ms(setup->arg) : 0;
    return half_ms > recorded_ms ? half_ms - recorded_ms : 1;
}

static void begin(struct lane_entry *entry)
{
    struct capture *capture = entry->capture;
    bool late = entry->entry.at == CAPTURE_AT_END;
    struct fetch_setup setup = {
        .loop = capture->setup.loop,
        .disk = capture->setup.disk,
        .app = capture->setup.app,
        .endpoint = capture->setup.endpoint,
        .entry = &entry->entry,
        .folder = capture->setup.folder,
        .reserve = capture->setup.reserve,
        .max_bytes = capture->setup.max_profile_bytes,
        .give_up_ms = late ? clock_mono_ms() + patience_ms : capture->give_up_ms,
        .enough_ms = enough_ms(entry),
        .incident = capture->setup.incident->id,
        .heat = capture->setup.heat,
        .wall_offset_ms = capture->setup.wall_offset_ms,
        .profile = entry->profile,
        .done = entry_done,
        .arg = entry,
    };
    entry->fetch = fetch_start(&setup);
}

static bool is_heap(const struct lane_entry *entry)
{
    return entry->lane == LANE_MOMENT && !strcmp(entry->entry.profile, "heap") &&
           entry->entry.at == CAPTURE_AT_START;
}

/* The heap before an OOM, while it is not there. */
static struct lane_entry *urgent_heap(struct capture *capture)
{
    for (size_t i = 0; capture->setup.heap_first && i < capture->count; i++)
        if (is_heap(&capture->entries[i]) && capture->entries[i].profile->status == PROFILE_PENDING)
            return &capture->entries[i];
    return NULL;
}

/* What the lane has under way, else NULL. */
static struct lane_entry *under_way(struct capture *capture, enum lane lane)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->lane == lane && entry->fetch && entry->profile->status == PROFILE_PENDING)
            return entry;
    }
    return NULL;
}

/* The lane's next entry of those that are taken then, or NULL. */
static struct lane_entry *waiting(struct capture *capture, enum lane lane, enum capture_at at)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->lane == lane && (int)at == entry->entry.at && !entry->held && !entry->fetch &&
            entry->profile->status == PROFILE_PENDING)
            return entry;
    }
    return NULL;
}

static void advance(struct capture *capture, enum lane lane)
{
    struct lane_entry *heap = urgent_heap(capture);
    if (under_way(capture, lane) || (heap && lane == LANE_RECORD))
        return;
    struct lane_entry *next = heap && lane == LANE_MOMENT
                                  ? heap
                                  : waiting(capture, lane, CAPTURE_AT_START);
    if (!next && capture->spike_over)
        next = waiting(capture, lane, CAPTURE_AT_END);
    if (next)
        begin(next);
}

/* Connections that were lost, the recorder's included. */
static unsigned losses(const struct capture *capture)
{
    const struct endpoint *endpoint = capture->setup.endpoint;
    unsigned sum = endpoint ? endpoint_losses(endpoint) - capture->lost_before : 0;
    for (size_t i = 0; i < capture->count; i++)
        sum += capture->entries[i].profile->run;
    return sum;
}

static void advance_all(struct capture *capture)
{
    if (losses(capture) > capture->harmless) /* was it the app's end? */
        return;
    if (urgent_heap(capture))
        advance(capture, LANE_MOMENT);
    for (int lane = 0; lane < LANES; lane++)
        advance(capture, (enum lane)lane);
}

static bool start_is_done(const struct capture *capture)
{
    for (size_t i = 0; i < capture->count; i++)
        if (capture->entries[i].entry.at == CAPTURE_AT_START &&
            capture->entries[i].profile->status == PROFILE_PENDING)
            return false;
    return true;
}

static void entry_done(void *arg)
{
    struct lane_entry *entry = arg;
    struct capture *capture = entry->capture;
    entry->profile->onset_covered = incident_profile_covers(
        entry->profile, capture->setup.incident->onset_ms);
    capture->ended++;
    if (entry->lane == LANE_CPU && capture->setup.cpu_done)
        capture->setup.cpu_done(capture->setup.arg);
    if (capture->ended == capture->count) {
        capture->setup.done(capture->setup.arg);
        return;
    }
    if (!capture->finishing) {
        capture->spike_over = capture->spike_over || start_is_done(capture);
        advance_all(capture);
    }
    capture->setup.progress(capture->setup.arg);
}

static enum lane lane_of(const struct capture_entry *entry)
{
    if (config_entry_is_cpu(entry))
        return LANE_CPU;
    return entry->seconds ? LANE_RECORD : LANE_MOMENT;
}

struct capture *capture_start(const struct capture_setup *setup)
{
    struct capture *capture = xcalloc(1, sizeof *capture);
    capture->setup = *setup;
    capture->give_up_ms = clock_mono_ms() + patience_ms;
    capture->lost_before = setup->endpoint ? endpoint_losses(setup->endpoint) : 0;
    capture->count = setup->set->count;
    capture->entries = xcalloc(capture->count, sizeof *capture->entries);
    size_t first = setup->incident->profile_count;
    for (size_t i = 0; i < capture->count; i++)
        incident_add_profile(setup->incident, config_entry_name(&setup->set->entries[i]));
    for (size_t i = 0; i < capture->count; i++) {
        const struct capture_entry *entry = &setup->set->entries[i];
        enum lane lane = lane_of(entry);
        capture->entries[i] = (struct lane_entry){.capture = capture,
            .entry = *entry,
            .profile = &setup->incident->profiles[first + i],
            .lane = lane,
            .held = lane == LANE_CPU && setup->hold_cpu};
    }
    capture->spike_over = start_is_done(capture);
    advance_all(capture);
    return capture;
}

void capture_spike_over(struct capture *capture)
{
    if (capture->finishing || capture->spike_over)
        return;
    capture->spike_over = true;
    advance_all(capture);
}

void capture_end_early(struct capture *capture, bool early)
{
    capture->early = early;
    for (size_t i = 0; i < capture->count && !capture->finishing; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->lane == LANE_CPU && entry->fetch && entry->profile->status == PROFILE_PENDING)
            fetch_end_early(entry->fetch, enough_ms(entry));
    }
}

static void give_up(struct lane_entry *entry)
{
    static const char stopped[] = "the agent was stopped";
    const char *gone = entry->capture->gone;
    entry->profile->status = PROFILE_FAILED;
    entry->profile->error = xasprintf("%s before this profile was begun", gone ? gone : stopped);
    log_warn("incident %s: profile %s failed: %s", entry->capture->setup.incident->id,
        entry->profile->name, entry->profile->error);
}

void capture_begin_cpu(struct capture *capture, int64_t covered_ms)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (!entry->held)
            continue;
        entry->held = false;
        if (capture->finishing || capture->gone) {
            give_up(entry);
            entry_done(entry);
            return;
        }
        int64_t left_s = (entry->entry.seconds * 1000 - covered_ms + 500) / 1000;
        entry->entry.seconds = left_s > 1 ? left_s : 1;
    }
    if (!capture->finishing && !capture->gone)
        advance_all(capture); /* unless the slice before it was the app's last */
}

/* All but one that is held, which whoever holds it ends. True when nothing else was left, so that
 * the capture is over with them. */
static bool give_up_unbegun(struct capture *capture)
{
    size_t ended = capture->ended;
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->fetch || entry->held || entry->profile->status != PROFILE_PENDING)
            continue;
        give_up(entry);
        capture->ended++; /* by nobody else, as it was not begun */
        if (entry->lane == LANE_CPU && capture->setup.cpu_done)
            capture->setup.cpu_done(capture->setup.arg);
    }
    return capture->ended > ended && capture->ended == capture->count;
}

void capture_go_on(struct capture *capture)
{
    unsigned lost = losses(capture);
    if (lost == capture->harmless || capture->finishing || capture->gone)
        return;
    capture->harmless = lost;
    advance_all(capture);
}

void capture_app_ended(struct capture *capture, const char *why)
{
    if (capture->finishing || capture->gone)
        return;
    capture->gone = xstrdup(why);
    if (give_up_unbegun(capture)) {
        capture->setup.done(capture->setup.arg);
        return;
    }
    for (size_t i = 0; i < capture->count; i++)
        if (capture->entries[i].fetch)
            fetch_give_up(capture->entries[i].fetch, why);
}

void capture_finish(struct capture *capture, int64_t deadline_ms)
{
    if (capture->finishing)
        return;
    capture->finishing = true;
    if (give_up_unbegun(capture)) {
        capture->setup.done(capture->setup.arg);
        return;
    }
    for (size_t i = 0; i < capture->count; i++)
        if (capture->entries[i].fetch)
            fetch_finish(capture->entries[i].fetch, deadline_ms);
}

void capture_free(struct capture *capture)
{
    if (!capture)
        return;
    for (size_t i = 0; i < capture->count; i++)
        fetch_free(capture->entries[i].fetch);
    free(capture->entries);
    free(capture->gone);
    free(capture);
}
