/* What the running agent does about what the detector says. */
#ifndef AGENT_REACTIONS_H
#define AGENT_REACTIONS_H

#include "agent/detection/excursion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent;
struct delivery_change;
struct incident_recurrence;

/* Opens the agent's detector with hooks into the agent, and has it take up what earlier runs left.
 * Everything else of the agent is open. */
void reactions_open(struct agent *agent);

/* Goes on for the agent's new configuration: its detector takes over what triggers know, and
 * cooldowns and limits go on. Learned and familiar are stopped, nothing is being written of what
 * was learned; the configuration before may end then. */
void reactions_reload(struct agent *agent, const struct delivery_change *change);

/* The recorder is another one: what was said of windows is said again. */
void reactions_arm_again(const struct agent *agent);

/* Hooks of incidents.h: how the excursions of these triggers stand; what is known of the pattern
 * that a trigger's fires belong to. */
enum excursion reactions_excursion(void *arg, const bool *triggers, int64_t *ended_ms);
void reactions_recurrence(
    void *arg, size_t trigger, int64_t wall_offset_ms, struct incident_recurrence *recurrence);

/* Says of every trigger in the log why it fired or did not, for the end of a run. */
void reactions_sum_up(const struct agent *agent);

#endif
