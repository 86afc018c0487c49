/* The stream of what happens to a container: JSON objects, one a line, as it happens. Pure: bytes
 * in, counts out. */
#ifndef SOURCES_DOCKER_DOCKER_EVENTS_H
#define SOURCES_DOCKER_DOCKER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOCKER_EVENT_MAX = 8192 }; /* longer lines are left out */

/* Zeroed: nothing has happened. */
struct docker_events {
    char *line; /* what has come of the next one; DOCKER_EVENT_MAX, or NULL */
    size_t size;
    bool too_long;
    bool kills_said;      /* the engine tells of kills for want of memory; Podman does not */
    bool stopping;        /* somebody has it end */
    bool signalled;       /* or has sent it a signal, */
    int64_t signalled_ms; /* then */
    uint64_t ends, starts, oom_kills;
    int64_t exit_code; /* of the newest end; -1: not known */
};

/* Takes what has come. True when any of the counts has changed. */
bool docker_events_take(struct docker_events *events, const char *data, size_t size);

/* The stream has ended: what has come of a line is void. The counts stay. */
void docker_events_end(struct docker_events *events);

#endif
