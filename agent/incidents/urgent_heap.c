#include "agent/incidents/urgent_heap.h"

#include "agent/capture/capture.h"
#include "agent/capture/made_sets.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/running.h"
#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/loop.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for so shortly after another shows the same, and costs the app a collection. */
static const int64_t as_new_ms = 3000;

static const struct capture_entry *heap_of(const struct capture_set *set)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (!strcmp(set->entries[i].profile, "heap") && !set->entries[i].path)
            return &set->entries[i];
    return NULL;
}

bool urgent_heap_wanted(const struct running *running, const struct trigger_config *trigger)
{
    const struct incident *incident = running->incident;
    const struct incident_profile *heap = incident_find_profile(incident, "heap");
    bool is_new = heap && heap->requested_ms &&
                  heap->requested_ms > running_wall(running, clock_mono_ms()) - as_new_ms;
    return trigger_kinds[trigger->kind]->foresees && !running->foreseen && !running->finishing &&
           !running->abandoned && !is_new && incident->profile_count < INCIDENT_PROFILES_MAX &&
           heap_of(config_capture(running->setup->config, trigger->capture));
}

bool urgent_heap_fits(const struct running *running)
{
    return !running->completing && !running->sealing &&
           !(running->captured_ms && running->recording);
}

/* The heap of the trigger's set, at once, under a name that the incident does not have. */
static void make_set(struct running *running, const struct trigger_config *trigger)
{
    const struct config *config = running->setup->config;
    const struct capture_entry *heap = heap_of(config_capture(config, trigger->capture));
    struct capture_set *set = xcalloc(1, sizeof *set);
    set->entries = xcalloc(1, sizeof *set->entries);
    set->count = 1;
    if (incident_find_profile(running->incident, "heap"))
        running->heap_name = xasprintf("heap-%s", trigger->name);
    set->entries[0] = *heap;
    set->entries[0].name = running->heap_name;
    set->entries[0].at = CAPTURE_AT_START;
    running->heap_set = set;
}

void urgent_heap_take(struct running *running, const struct trigger_config *trigger)
{
    running->foreseen = true;
    running->captured_ms = running->due_ms = running->retry_ms = 0;
    loop_timer_unset(running->patience);
    make_set(running, trigger);
    const struct capture_setup setup = running_capture_setup(running, running->heap_set);
    running_capture(running, &setup);
}
