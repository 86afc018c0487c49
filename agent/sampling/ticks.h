/* The agent's ticks: when it samples. */
#ifndef AGENT_SAMPLING_TICKS_H
#define AGENT_SAMPLING_TICKS_H

struct agent;
struct error;

/* From now on the agent samples at the interval of its configuration. -1 and err. The agent closes
 * the descriptor. */
int ticks_open(struct agent *agent, struct error *err);

/* The interval is another one. -1 and err, and it is as it was. */
int ticks_set(struct agent *agent, struct error *err);

#endif
