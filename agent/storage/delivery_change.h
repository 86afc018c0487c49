/* Other exporters while the agent runs. One that stays the same goes on with what it is sending;
 * one to the same destination with other options takes over what waits for the old one. What waits
 * for one that is gone goes to those that are new, so that a wrong name can be mended; if there are
 * none, it waits for the others only. Else a new one gets what is complete from then on. */
#ifndef AGENT_STORAGE_DELIVERY_CHANGE_H
#define AGENT_STORAGE_DELIVERY_CHANGE_H

#include <stddef.h>

struct config;
struct delivery;
struct delivery_change;
struct error;

/* Opens what is new. NULL and err, with nothing changed, when one can never work. */
struct delivery_change *delivery_change_open(
    struct delivery *delivery, const struct config *after, struct error *err);

/* Makes the change, with a line in the log for each exporter that comes or goes. Nobody may be
 * waiting for an answer of delivery_recall. The configuration before is not used any more. */
void delivery_change_apply(struct delivery_change *change);

/* Which exporter of the delivery as it was before (SIZE_MAX: none) had the destination that one now
 * has. */
size_t delivery_change_was(const struct delivery_change *change, size_t exporter);

/* NULL is allowed. Without delivery_change_apply everything stays as it is. */
void delivery_change_close(struct delivery_change *change);

#endif
