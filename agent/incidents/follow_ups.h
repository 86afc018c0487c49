/* Second captures: a short one of the same profiles, follow_up after the spike of an incident is
 * over, to see what of it stays. What is planned is in memory only: a restart of the agent drops
 * it.
 */
#ifndef AGENT_INCIDENTS_FOLLOW_UPS_H
#define AGENT_INCIDENTS_FOLLOW_UPS_H

#include "agent/detection/excursion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct follow_ups;
struct incidents_spiked;

struct follow_ups_setup {
    const struct config *config;
    /* How the excursions of these triggers stand, as detector_excursion tells it. */
    enum excursion (*excursion)(void *arg, const bool *triggers, int64_t *ended_ms);
    /* Whether nothing may be taken of the app just now. */
    bool (*busy)(void *arg, size_t app);
    /* Takes one with that set of profiles: its id, or NULL and err. */
    const char *(*take)(
        void *arg, size_t app, const char *follows, const char *set, struct error *err);
    void *arg;
};

struct follow_ups *follow_ups_open(const struct follow_ups_setup *setup);

/* Says of each that is planned that it is not taken. NULL is allowed. */
void follow_ups_close(struct follow_ups *follow_ups);

/* Goes on for another configuration, with what is planned where that still has the app and the set
 * of profiles; that of before may end then. */
void follow_ups_reload(struct follow_ups *follow_ups, const struct config *config);

/* An incident of a spike is complete: plans its follow-up, in place of one that is planned for the
 * app. Nothing happens where the configuration says `off`. */
void follow_ups_plan(struct follow_ups *follow_ups, const struct incidents_spiked *spiked);

/* When samples were looked at: takes what is due at now_ms (monotonic). It is due follow_up after
 * the spike was over, and after the incident's capture at the earliest; after the latter where
 * nothing tells when a spike is over. One that cannot be taken for as long again is dropped. */
void follow_ups_update(struct follow_ups *follow_ups, int64_t now_ms);

/* The incident whose follow-up is planned for the app, or NULL. due_ms (may be NULL): when
 * (monotonic); INT64_MAX: follow_up after its spike is over, which it is not yet. */
const char *follow_ups_planned(const struct follow_ups *follow_ups, size_t app, int64_t *due_ms);

#endif
