/* Saying something about an incident where it is stored: that it was looked at, a note, that its
 * group is known. Needs the right to write there; of two who write at once the later one stays. */
#ifndef REVIEW_MARKING_H
#define REVIEW_MARKING_H

#include "review/history/mark.h"

#include <stdbool.h>

struct known;
struct store;
struct store_incident;

/* What is noted about it; an empty mark when there is nothing. 1 and err when there is something
 * that is no mark: it counts as nothing, and a later write replaces it. -1 and err when it cannot
 * be read. mark_free in any case. */
int marking_read(
    struct store *store, const struct store_incident *stored, struct mark *mark, struct error *err);
int marking_write(struct store *store, const struct store_incident *stored, const struct mark *mark,
    struct error *err);

/* The known groups of a service; none when nobody has marked one. known_free in any case. */
int marking_read_known(
    struct store *store, const char *service, struct known *known, struct error *err);

/* Marks the incident's group as known, with the higher of `peak` (of the metric that fired, among
 * all of the group; NAN: not known) and its own, or takes it off. now_ms: wall. */
int marking_set_known(struct store *store, const struct store_incident *stored, bool known,
    double peak, int64_t now_ms, struct error *err);

#endif
