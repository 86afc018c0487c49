/* A worse spike takes the place of the least interesting incident that still waits in the spool,
 * where limits.per_hour is reached. The old one is chosen at the fire (agent/detection/interest.h),
 * taken back from the exporters when the new one is about to be complete, and removed once that is
 * so on disk: whatever the agent is killed at, the next start finds both, or the new one with
 * `replaced` in its incident.json, and then removes the old one. When an exporter has begun to send
 * the old one meanwhile, or the disk does not take the new one, both are kept. */
#ifndef AGENT_INCIDENTS_REPLACING_H
#define AGENT_INCIDENTS_REPLACING_H

#include <stdbool.h>

struct agent;
struct detector_event;
struct replacing;

struct replacing *replacing_open(void);
void replacing_close(struct replacing *replacing); /* NULL is allowed */

/* The hook of the detector, with the agent. It looks at REPLACING_MOST of those that wait, the last
 * to be sent, and has REPLACING_READS of them at a time read by the disk thread: it is asked again
 * with the next sample. */
enum { REPLACING_MOST = 64, REPLACING_READS = 8 };
const char *replacing_choose(void *agent, const struct detector_event *event);

/* The hooks of the incidents: whether the old one was taken back from the exporters; and the new
 * one is complete, so the old one goes. */
bool replacing_take_back(void *agent, const char *old, const char *id);
void replacing_remove(void *agent, const char *old, const char *id);

/* Removes what an earlier run replaced and did not live to remove, before delivery takes it up.
 * Blocks. */
void replacing_take_up(struct agent *agent);

#endif
