/* What the running agent does about what the detector says. */
#ifndef AGENT_REACTIONS_H
#define AGENT_REACTIONS_H

struct agent;

/* Opens the agent's detector with hooks into the agent, and has it take up what earlier runs left.
 * Everything else of the agent is open. */
void reactions_open(struct agent *agent);

/* Says of every trigger in the log why it fired or did not, for the end of a run. */
void reactions_sum_up(const struct agent *agent);

#endif
