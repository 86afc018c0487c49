/* What incidents.c and what asks it (incidents_known.c) share. */
#ifndef AGENT_INCIDENTS_INCIDENTS_PARTS_H
#define AGENT_INCIDENTS_INCIDENTS_PARTS_H

#include "agent/incidents/incidents.h"
#include "agent/incidents/opened.h"
#include "agent/incidents/running.h"

struct incidents {
    struct incidents_setup setup;
    struct running **running; /* by app */
    struct running **leaving; /* by app: a calm one that has given way and is not over yet */
    struct opened opened;
    int64_t suppressed;
};

/* A baseline or a follow-up: of a calm time, and it gives way to what is not. NULL: neither. */
bool incidents_is_calm(const struct running *running);

#endif
