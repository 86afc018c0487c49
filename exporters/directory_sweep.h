/* What the directory exporter's retention does on the disk, each in one small step: whoever runs it
 * may do something else in between. All of it blocks.
 *
 * What is removed is renamed to .gone-<id> first, so that no reader sees a part of it, and whoever
 * finds that later, as its remover was killed, removes the rest. Several may sweep one folder. */
#ifndef EXPORTERS_DIRECTORY_SWEEP_H
#define EXPORTERS_DIRECTORY_SWEEP_H

#include "exporters/retention.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { SWEEP_LISTED_MAX = 1000 }; /* incidents, the oldest; the others are only counted */

struct sweep {
    char *folder; /* <path>/service=<service> */
    const char *service;
    char **dates; /* names, the oldest first */
    size_t date_count, next_date;
    struct retained *incidents; /* the oldest first */
    size_t count;
    uint64_t total_bytes;
    size_t total, held; /* incidents that are complete; those of them that are noted */
    bool more;          /* some are not listed */
};

/* The service's text has to outlive it. */
void sweep_init(struct sweep *sweep, const char *path, const char *service);
void sweep_free(struct sweep *sweep);

/* Lists the dates. A service without a folder has none. */
int sweep_begin(struct sweep *sweep, struct error *err);

/* Lists the incidents of the next date, and removes what others left of removing one, and a folder
 * that is empty. Whether there was one. */
bool sweep_next_date(struct sweep *sweep);

/* Removes one incident, unless it has become one that is not to be removed: it is held then.
 * SWEEP_GONE: somebody else has it removed. */
enum sweep_outcome { SWEEP_REMOVED, SWEEP_GONE, SWEEP_HELD, SWEEP_FAILED };
enum sweep_outcome sweep_remove(
    const struct sweep *sweep, const struct retained *incident, struct error *err);

#endif
