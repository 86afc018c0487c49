/* The agent's knowledge of known groups: it asks the stores for known.json at its start and every
 * ten minutes, notes the group of what was caught, and says whether a fire is to be held back
 * (agent/detection/caught.h). What cannot be read makes nothing known. */
#ifndef AGENT_DETECTION_FAMILIAR_H
#define AGENT_DETECTION_FAMILIAR_H

#include "agent/detection/caught.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct delivery;
struct delivery_change;
struct detector_event;
struct familiar;
struct loop;
struct offload;
struct spool;

struct familiar_setup {
    const struct config *config;
    struct loop *loop;
    struct offload *disk;
    struct delivery *delivery;
    struct spool *spool;
};

/* Takes up what an earlier run noted: blocks. */
struct familiar *familiar_open(const struct familiar_setup *setup);

/* Before the delivery is closed: nothing is asked any more. NULL is allowed. */
void familiar_stop(struct familiar *familiar);

/* After the delivery and the disk thread are closed. NULL is allowed. */
void familiar_close(struct familiar *familiar);

/* After familiar_stop: goes on for another configuration of the same service and `state`, with what
 * is known of the stores that stay. */
void familiar_reload(struct familiar *familiar, const struct config *config,
    struct delivery *delivery, const struct delivery_change *change);

/* From the loop, every now and then. */
void familiar_update(struct familiar *familiar);

/* A complete incident of the spool, analysed or not, before it is delivered. */
void familiar_note(struct familiar *familiar, const char *id);

/* Whether a group is marked as known. */
bool familiar_knows(const struct familiar *familiar, const char *group);

/* Whether the fire is held back, with the reason in words. */
bool familiar_explains(
    const struct familiar *familiar, const struct detector_event *event, char why[CAUGHT_WHY_SIZE]);

#endif
