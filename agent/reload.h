/* Another configuration without a restart: at SIGHUP the agent reads its file again. One with
 * errors is refused: they are logged, a line each, and the agent goes on as before.
 *
 * A good one waits until no incident is being taken, so that each ends with what it began with: for
 * as long as the longest capture can take; what runs then is finished early, as at SIGTERM. Then it
 * takes effect at once. Nothing is lost: the spool and its deliveries, the series, what triggers
 * know (agent/detection/detector.h), cooldowns and limits go on; the recorder begins anew.
 * `service` and `state` cannot change. */
#ifndef AGENT_RELOAD_H
#define AGENT_RELOAD_H

#include "core/error.h"

#include <stdbool.h>
#include <stdint.h>

struct agent;
struct reload;

/* Everything else of the agent is open. */
struct reload *reload_open(struct agent *agent);

/* The file is to be read. Who asks while one is on its way is heard after it. */
void reload_ask(struct reload *reload);

/* The agent is to end: nothing is reloaded any more. NULL is allowed. */
void reload_stop(struct reload *reload);

/* After the disk thread is closed. NULL is allowed. */
void reload_close(struct reload *reload);

struct reload_status {
    int64_t loaded_wall_ms; /* the configuration that the agent has */
    uint64_t done, refused;
    const char *refusal; /* why the last one was refused; NULL: it was not */
    int64_t refused_wall_ms;
    const char *waits_for;       /* the incident after which one takes effect; NULL: none waits */
    const char *waits_for_other; /* what else: "the recorder to ..."; NULL: nothing, so far */
};
void reload_status(const struct reload *reload, struct reload_status *status);

#endif
