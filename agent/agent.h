/* The running agent: samples at every tick, has the triggers look, opens incidents, delivers them.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

struct agent;
struct config;
struct error;

/* Everything opened, nothing running. NULL and err for what can never work. */
struct agent *agent_open(const struct config *config, struct error *err);
void agent_close(struct agent *agent);

/* At SIGHUP the configuration is read again from this file, which is copied. Without it the agent
 * says that what it was given cannot change (text in the environment, a command line). */
void agent_reload_from(struct agent *agent, const char *file);

/* Runs until SIGTERM or SIGINT, then finishes within limits.grace; a second signal ends it at once.
 * -1: it has ended by itself, for what the log says. */
int agent_run(struct agent *agent);

/* Without triggers: takes one incident of the named app (NULL: the first) and runs until it is
 * stored or cannot be. 0 when stored; -1 with err when it is left in the spool. *id is the
 * incident's (the caller frees), NULL when none was opened. */
int agent_capture(struct agent *agent, const char *app, const char *reason, const char *set,
    char **id, struct error *err);

#endif
