/* Whether an incident may be opened now, and opening one by hand. */
#ifndef AGENT_INCIDENTS_ADMISSION_H
#define AGENT_INCIDENTS_ADMISSION_H

#include <stddef.h>

struct agent;
struct config;
struct error;

/* Why none may be opened ("the spool is full ..."), or NULL. */
const char *admission_refusal(const struct agent *agent);

/* Whether the names (NULL: not given) of an app and a capture set exist: 0, or -1 and err. */
int admission_check(
    const struct config *config, const char *app, const char *set, struct error *err);

/* Takes an incident by hand: of the named app (NULL: the first), with the named capture set (NULL:
 * spike, or that of an incident that is running). Its id, or NULL and err. */
const char *admission_take(
    struct agent *agent, const char *app, const char *reason, const char *set, struct error *err);

#endif
