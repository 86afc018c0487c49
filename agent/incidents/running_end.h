/* An incident whose app ends: what it says of that, and what it goes on with. */
#ifndef AGENT_INCIDENTS_RUNNING_END_H
#define AGENT_INCIDENTS_RUNNING_END_H

#include <stdbool.h>

struct running;

/* Notes the app's end in the incident, if it had one since the spike began; profiles that have not
 * begun, or wait for another try, are then given up: the app's successor is not in the spike. To be
 * called at every tick. Returns whether more may come to be known of it in the next seconds, which
 * an incident that is otherwise complete waits for. */
bool running_note_end(struct running *running);

#endif
