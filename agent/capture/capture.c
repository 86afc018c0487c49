#include "agent/capture/capture.h"

#include "agent/capture/fetch.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A profile that is tried again this long after the capture began would show the calm after the
 * spike.
 */
static const int64_t patience_ms = 30000;

struct lane_entry {
    struct capture *capture;
    struct capture_entry entry; /* the set's, with what is left of its seconds */
    struct incident_profile *profile;
    struct fetch *fetch; /* NULL: not begun */
    bool cpu, held;
};

struct capture {
    struct capture_setup setup;
    struct lane_entry *entries;
    size_t count, ended;
    int64_t give_up_ms;
    bool finishing;
};

static void entry_done(void *arg);

/* Begins the next entry of the CPU lane or of the other one. */
static void advance(struct capture *capture, bool cpu)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->cpu != cpu || entry->held || entry->profile->status != PROFILE_PENDING)
            continue;
        struct fetch_setup setup = {
            .loop = capture->setup.loop,
            .disk = capture->setup.disk,
            .app = capture->setup.app,
            .entry = &entry->entry,
            .folder = capture->setup.folder,
            .max_bytes = capture->setup.max_profile_bytes,
            .give_up_ms = capture->give_up_ms,
            .wall_offset_ms = capture->setup.wall_offset_ms,
            .profile = entry->profile,
            .done = entry_done,
            .arg = entry,
        };
        entry->fetch = fetch_start(&setup);
        return;
    }
}

static void entry_done(void *arg)
{
    struct lane_entry *entry = arg;
    struct capture *capture = entry->capture;
    entry->profile->onset_covered = incident_profile_covers(
        entry->profile, capture->setup.incident->onset_ms);
    capture->ended++;
    if (entry->cpu && capture->setup.cpu_done)
        capture->setup.cpu_done(capture->setup.arg);
    if (capture->ended == capture->count) {
        capture->setup.done(capture->setup.arg);
        return;
    }
    if (!capture->finishing)
        advance(capture, entry->cpu);
    capture->setup.progress(capture->setup.arg);
}

struct capture *capture_start(const struct capture_setup *setup)
{
    struct capture *capture = xcalloc(1, sizeof *capture);
    capture->setup = *setup;
    capture->give_up_ms = clock_mono_ms() + patience_ms;
    capture->count = setup->set->count;
    capture->entries = xcalloc(capture->count, sizeof *capture->entries);
    size_t first = setup->incident->profile_count;
    for (size_t i = 0; i < capture->count; i++)
        incident_add_profile(setup->incident, setup->set->entries[i].profile);
    for (size_t i = 0; i < capture->count; i++) {
        const struct capture_entry *entry = &setup->set->entries[i];
        bool cpu = !strcmp(entry->profile, "cpu");
        capture->entries[i] = (struct lane_entry){.capture = capture,
            .entry = *entry,
            .profile = &setup->incident->profiles[first + i],
            .cpu = cpu,
            .held = cpu && setup->hold_cpu};
    }
    advance(capture, true);
    advance(capture, false);
    return capture;
}

static void give_up(struct lane_entry *entry)
{
    entry->profile->status = PROFILE_FAILED;
    entry->profile->error = xstrdup("the agent was stopped before this profile was begun");
}

void capture_begin_cpu(struct capture *capture, int64_t covered_ms)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (!entry->held)
            continue;
        entry->held = false;
        if (capture->finishing) {
            give_up(entry);
            entry_done(entry);
            return;
        }
        int64_t left_s = (entry->entry.seconds * 1000 - covered_ms + 500) / 1000;
        entry->entry.seconds = left_s > 1 ? left_s : 1;
    }
    advance(capture, true);
}

void capture_finish(struct capture *capture, int64_t deadline_ms)
{
    if (capture->finishing)
        return;
    capture->finishing = true;
    for (size_t i = 0; i < capture->count; i++) {
        struct lane_entry *entry = &capture->entries[i];
        if (entry->fetch || entry->held)
            continue;
        give_up(entry);
        capture->ended++; /* by nobody else, as it was not begun */
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
    free(capture);
}
