/* The agent's part in a fleet (agent/fleet/fleet_plan.h): asking for a slot when an incident is
 * opened, and settling what is left when one is about to be stored. */
#ifndef AGENT_FLEET_FLEET_H
#define AGENT_FLEET_FLEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct config;
struct delivery;
struct detector_event;
struct fleet;
struct incident;
struct incidents;
struct loop;
struct offload;
struct spool;

struct fleet_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct delivery *delivery;
    const struct config *config;
    /* The incident that this fire opened is thrown away, as others have it. The event is valid
     * within the call. */
    void (*given_up)(void *arg, const struct detector_event *fire, const char *why);
    void *arg;
};

/* Without a fleet in the configuration it does nothing. Has the delivery ask it. */
struct fleet *fleet_open(const struct fleet_setup *setup);

/* Nothing is asked any more: before the delivery is closed or changed. What it was settling is
 * asked about again. NULL is allowed. */
void fleet_stop(struct fleet *fleet);

/* After the disk thread is closed. */
void fleet_close(struct fleet *fleet);

/* Goes on for another configuration and its delivery, after fleet_stop. */
void fleet_reload(struct fleet *fleet, const struct config *config);

/* The window that a fire at this wall time is in; 0: there is no fleet. */
int64_t fleet_window(const struct fleet *fleet, int64_t fired_wall_ms);

/* This fire has just opened the incident of this id, whose first requests have left. */
void fleet_opened(struct fleet *fleet, struct incidents *incidents,
    const struct detector_event *fire, const char *id);

/* The agent is to end: nothing waits for other agents any more. */
void fleet_hurry(struct fleet *fleet);

/* What `status` tells of it; null where there is none. */
json_t *fleet_status_json(const struct fleet *fleet);
/* For Prometheus. */
void fleet_metrics(const struct fleet *fleet, struct buf *out);

#endif
