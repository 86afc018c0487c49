/* Series: what was measured, newest last, in rings of fixed size. A gap is a missing sample, never
 * a zero. Times are milliseconds on one rising clock: monotonic in a run, the trace's in a replay.
 */
#ifndef CORE_SERIES_H
#define CORE_SERIES_H

#include "core/metric.h"

#include <stddef.h>
#include <stdint.h>

struct sample {
    int64_t time_ms;
    double value; /* a percent is 0 to 100; a rate is per second */
};

struct series {
    char *name; /* "cpu", "api.cpu", "db.received" */
    enum unit unit;
    struct sample *ring;
    size_t capacity, newest, count;
    uint64_t pushed; /* samples ever: tells whether there is a new one */
};

/* Every series of an agent, in the order in which they were added. */
struct series_set {
    struct series **all;
    size_t count;
    size_t capacity; /* samples that each series holds */
};

void series_set_init(struct series_set *set, size_t capacity);
void series_set_free(struct series_set *set);

/* The series of that name, added (with the built-in metric's unit, or none) when it is new. It
 * lives as long as the set. */
struct series *series_set_add(struct series_set *set, const char *name);
struct series *series_set_find(const struct series_set *set, const char *name);

/* Samples ever, of all series: tells whether there are new ones. */
uint64_t series_set_pushed(const struct series_set *set);

/* From here on each series holds so many samples; when it is fewer, the newest stay. Samples that
 * were got from series_at are void. */
void series_set_resize(struct series_set *set, size_t capacity);

/* Frees a series of the set. */
void series_set_remove(struct series_set *set, size_t index);

/* Fills copy with the samples of from_ms and later, so that another thread can have them. */
void series_set_copy(struct series_set *copy, const struct series_set *set, int64_t from_ms);

/* Appends a sample; the oldest goes when the ring is full. A time that does not rise and a value
 * that is not finite are left out. */
void series_push(struct series *series, int64_t time_ms, double value);

/* The sample `back` before the newest (0: the newest), or NULL when there is none. */
const struct sample *series_at(const struct series *series, size_t back);

/* How many samples are of from_ms and later: they are the newest ones. */
size_t series_count_since(const struct series *series, int64_t from_ms);

#endif
