/* A fire that foresees the end of memory joins an incident that runs already, for another spike.
 * The heap that this one took at its start may be that of calm times: the fire takes one of its
 * own. */
#ifndef AGENT_INCIDENTS_URGENT_HEAP_H
#define AGENT_INCIDENTS_URGENT_HEAP_H

#include <stdbool.h>

struct running;
struct trigger_config;

/* Whether the fire of this trigger wants one: once an incident, where the trigger's set has a heap
 * and the incident has none that is just as new. */
bool urgent_heap_wanted(const struct running *running, const struct trigger_config *trigger);

/* Whether the incident can take it: not while it is written for the last time, or its CPU profiles
 * become one. */
bool urgent_heap_fits(const struct running *running);

/* Asks for it at once: "heap", or "heap-TRIGGER" where the incident has a heap. */
void urgent_heap_take(struct running *running, const struct trigger_config *trigger);

#endif
