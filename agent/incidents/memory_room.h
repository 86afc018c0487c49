/* Whether there is memory for the agent's child beside the apps: it shares the task's with them,
 * and an app that is near its limit would be the one to pay. */
#ifndef AGENT_INCIDENTS_MEMORY_ROOM_H
#define AGENT_INCIDENTS_MEMORY_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct series_set;

enum { MEMORY_ROOM_WHY_SIZE = 200 };

/* An app's `memory` (share of the limit) and `memory.bytes` leave too little for child_bytes: above
 * 90%, or with less than that up to the limit. bytes NAN: not known. */
bool memory_room_is_short(double percent, double bytes, int64_t child_bytes);

/* The same of the newest samples of every app, in words. What was not measured lately leaves room.
 */
bool memory_room_lacks(const struct config *config, const struct series_set *series,
    int64_t child_bytes, int64_t now_ms, char why[MEMORY_ROOM_WHY_SIZE]);

#endif
