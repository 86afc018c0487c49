/* What the agent does while an app is calm: it takes baselines and follow-ups. Calm is when nothing
 * of the app is unusual, and nothing else wants its profiler or is about to. */
#ifndef AGENT_BASELINE_CALM_H
#define AGENT_BASELINE_CALM_H

struct agent;

/* Opens the agent's baselines and follow-ups with hooks into the agent. Everything else of it is
 * open. */
void calm_open(struct agent *agent);

/* After every check of the detector. */
void calm_update(struct agent *agent);

#endif
