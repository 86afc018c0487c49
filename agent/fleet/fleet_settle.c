/* Settling an incident before the store that the fleet shares is sent it: this agent says that it
 * saw the spike, a slot is taken if that is still to be done, the others are counted, and
 * incident.json says so. The store is the one that is to get the incident, so where it does not
 * answer the incident waits as it would anyway; where it refuses, the incident goes as it is. */
#include "agent/fleet/fleet_parts.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_claims.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "exporters/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies see a spike within some seconds, and what they write takes a moment: who counts waits for
 * that long after the fire, which a CPU profile of 25 s does anyway. */
static const int64_t count_after_ms = 15000;

struct settling {
    struct fleet *fleet;       /* NULL: nobody waits for what is at_disk */
    struct incident *incident; /* NULL: it is being read, or cannot be */
    char *path, *text;         /* of its incident.json, as it is to be */
    struct error err;
    struct fleet_claim *claim;
    struct loop_timer *timer;
    bool waiting; /* for the time at which the others are counted */
    bool at_disk; /* its file is being read or written */
    bool changed;
};

static void settling_free(struct settling *settling)
{
    fleet_claim_free(settling->claim);
    loop_timer_free(settling->timer);
    incident_free(settling->incident);
    free(settling->path);
    free(settling->text);
    free(settling);
}

/* It is the delivery's turn. */
static void end(struct settling *settling, const struct send_result *result)
{
    struct fleet *fleet = settling->fleet;
    fleet->settling = NULL;
    settling_free(settling);
    delivery_settled(fleet->setup.delivery, fleet->exporter, result);
}

static void go(struct settling *settling)
{
    end(settling, &(struct send_result){.outcome = SEND_STORED});
}

static void wait_for_store(struct settling *settling, int64_t retry_after_ms, const char *reason)
{
    struct send_result result = {.outcome = SEND_RETRY, .retry_after_ms = retry_after_ms};
    snprintf(result.reason, sizeof result.reason, "%s", reason);
    end(settling, &result);
}

/* On the disk thread. */
static void write_it(void *arg)
{
    struct settling *settling = arg;
    fs_write(settling->path, settling->text, strlen(settling->text), &settling->err);
}

static void written(void *arg)
{
    struct settling *settling = arg;
    if (settling->err.text[0])
        log_warn("incident %s does not say what its fleet settled: %s", settling->incident->id,
            settling->err.text);
    settling->at_disk = false;
    if (settling->fleet)
        go(settling);
    else
        settling_free(settling);
}

static void write_down(struct settling *settling)
{
    if (!settling->changed) {
        go(settling);
        return;
    }
    settling->text = incident_to_text(settling->incident);
    settling->at_disk = true;
    offload_submit(settling->fleet->setup.disk, write_it, written, settling);
}

static void counted(void *arg, const struct count_result *result)
{
    struct settling *settling = arg;
    if (result->count > 0) {
        settling->incident->fleet.seen_by = result->count;
        settling->changed = true;
    } else if (result->count < 0) {
        log_debug("how many copies saw the spike of incident %s is not known: %s",
            settling->incident->id, result->reason);
    }
    write_down(settling);
}

/* Later agents are not waited for when this one is to end. */
static void count(void *arg)
{
    struct settling *settling = arg;
    struct fleet *fleet = settling->fleet;
    const struct incident *incident = settling->incident;
    settling->waiting = false;
    int64_t wait_ms = incident->fired_ms + count_after_ms - clock_wall_ms();
    if (wait_ms > 0 && wait_ms <= count_after_ms && !fleet->hurried) {
        settling->waiting = true;
        loop_timer_set(settling->timer, clock_mono_ms() + wait_ms);
        return;
    }
    char *key = fleet_plan_key(
        incident->service, incident->trigger.name, incident->fleet.window_ms, "seen/");
    fleet->store.count(fleet, key, counted, settling);
    free(key);
}

static void note_slot(struct settling *settling, const struct fleet_claim_result *result)
{
    struct fleet *fleet = settling->fleet;
    struct incident_fleet *place = &settling->incident->fleet;
    settling->changed = true;
    if (result->answer == FLEET_SLOT) {
        place->slot = (int64_t)result->slot + 1;
        fleet->taken++;
        fleet_probe(fleet);
        return;
    }
    place->duplicate = true;
    fleet->duplicates++;
    log_info("incident %s is a duplicate: other copies have taken the spike; it is stored all the "
             "same",
        settling->incident->id);
}

static void claimed(void *arg, const struct fleet_claim_result *result)
{
    struct settling *settling = arg;
    struct fleet *fleet = settling->fleet;
    bool told = result->answer == FLEET_SLOT || result->answer == FLEET_NONE;
    if (result->answer == FLEET_UNKNOWN && !result->refused) {
        wait_for_store(settling, result->retry_after_ms, result->reason);
        return;
    }
    if (told)
        note_slot(settling, result);
    else if (result->answer == FLEET_UNABLE)
        fleet_say_unable(fleet, result->reason);
    else if (!fleet->forbidden)
        log_warn(
            "fleet settles nothing, and each agent takes its own incidents: %s", result->reason);
    fleet->forbidden = result->answer == FLEET_UNKNOWN;
    if (told)
        count(settling);
    else
        go(settling);
}

static void marked(void *arg, const struct claim_result *result)
{
    struct settling *settling = arg;
    struct fleet *fleet = settling->fleet;
    const struct incident *incident = settling->incident;
    if (result->outcome == CLAIM_FAILED && !result->refused) {
        wait_for_store(settling, result->retry_after_ms, result->reason);
        return;
    }
    if (!incident_fleet_open(&incident->fleet)) {
        count(settling);
        return;
    }
    settling->claim = fleet_claim_start(&(struct fleet_claim_setup){.loop = fleet->setup.loop,
        .store = fleet->store,
        .service = incident->service,
        .trigger = incident->trigger.name,
        .id = incident->id,
        .window_ms = incident->fleet.window_ms,
        .slots = (size_t)fleet->setup.config->fleet.incidents,
        .again = true,
        .done = claimed,
        .arg = settling});
}

/* On the disk thread. */
static void read_it(void *arg)
{
    struct settling *settling = arg;
    settling->incident = incident_read(settling->path, NULL);
}

static void have_read(void *arg)
{
    struct settling *settling = arg;
    struct fleet *fleet = settling->fleet;
    const struct incident *incident = settling->incident;
    settling->at_disk = false;
    if (!fleet) {
        settling_free(settling);
    } else if (!incident || !incident->fleet.window_ms || !incident->trigger.name) {
        go(settling);
    } else {
        fleet_ask_no_more(fleet, incident->id);
        fleet_mark(fleet, incident->trigger.name, incident->fleet.window_ms, marked, settling);
    }
}

/* One that is in memory only, as the disk takes no files, cannot be changed: it goes as it is. */
bool fleet_settle(void *arg, size_t exporter, const char *id)
{
    struct fleet *fleet = arg;
    if (exporter != fleet->exporter || fleet->unable || spool_in_memory(fleet->setup.spool, id))
        return true;
    struct settling *settling = xcalloc(1, sizeof *settling);
    *settling = (struct settling){.fleet = fleet,
        .path = spool_file(fleet->setup.spool, id, "incident.json"),
        .timer = loop_timer_new(fleet->setup.loop, count, settling),
        .at_disk = true};
    fleet->settling = settling;
    offload_submit(fleet->setup.disk, read_it, have_read, settling);
    return false;
}

void fleet_settle_hurry(struct fleet *fleet)
{
    const struct settling *settling = fleet->settling;
    if (settling && settling->waiting)
        loop_timer_set(settling->timer, 0);
}

void fleet_settle_stop(struct fleet *fleet)
{
    struct settling *settling = fleet->settling;
    if (!settling)
        return;
    fleet->settling = NULL;
    fleet->store.forget(fleet, settling);
    if (settling->at_disk) {
        fleet_claim_free(settling->claim);
        settling->claim = NULL;
        settling->fleet = NULL;
    } else {
        settling_free(settling);
    }
    delivery_settled(fleet->setup.delivery, fleet->exporter, NULL);
}
