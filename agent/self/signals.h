/* What signals have the agent do: finish and stop, stop at once, load its configuration again. */
#ifndef AGENT_SELF_SIGNALS_H
#define AGENT_SELF_SIGNALS_H

struct agent;
struct error;

/* Takes SIGTERM, SIGINT and SIGHUP on the agent's loop, and ignores SIGPIPE; agent_close closes the
 * descriptor. -1 and err. */
int signals_open(struct agent *agent, struct error *err);

/* What the first SIGTERM does: finishes within limits.grace and stops. */
void signals_stop(struct agent *agent);

#endif
