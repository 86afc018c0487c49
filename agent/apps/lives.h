/* The lives of the apps as the running agent follows them: their ends and new starts are logged,
 * and whoever needs to know of them is told. */
#ifndef AGENT_APPS_LIVES_H
#define AGENT_APPS_LIVES_H

#include "agent/apps/app_life.h"

#include <stddef.h>

struct agent;
struct lives;

struct lives *lives_open(struct agent *agent);
void lives_close(struct lives *lives); /* NULL is allowed */

/* Looks how the apps fare; at every tick, before anything else looks at the samples. */
void lives_update(struct lives *lives);

/* The configuration is another one, and the apps may be: nothing is known of them. */
void lives_reload(struct lives *lives);

/* The app's newest end, for the incident that it may belong to; lives until the next update. True
 * while an end is likely of which the source has not told yet. */
bool lives_end(const struct lives *lives, size_t app, const struct app_end **end);

#endif
