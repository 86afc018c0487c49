/* One baseline on its way to the shelf, on the disk thread: from an incident's folder, or from a
 * packed one that a store gave back. */
#ifndef AGENT_BASELINE_STOWING_H
#define AGENT_BASELINE_STOWING_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct incident;

struct stowing {
    const struct config *config;
    const char *shelf; /* the folder <state>/baselines; it need not be there */
    const char *from;  /* the incident's folder, which is also packed on the shelf; NULL: */
    const char *data;  /* the packed one */
    size_t size;
    /* Filled in: */
    struct incident *incident; /* the caller frees; NULL: it could not be read */
    bool kept;
    struct error err;
};

/* Does it. Blocks. */
void stowing_work(struct stowing *stowing);

/* Whether this is a baseline of an app of the configuration, as far as can be told from what it
 * says. -1 and err. */
int stowing_check(const struct config *config, const struct incident *incident, struct error *err);

#endif
