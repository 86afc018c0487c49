/* How far the samples of a metric usually lie apart. It comes from the data: the nominal interval
 * may be another, and spacing may change in mid-stream. */
#ifndef TRIGGERS_SPACING_H
#define TRIGGERS_SPACING_H

#include <stdbool.h>
#include <stdint.h>

enum { SPACING_DISTANCES = 5 };

/* Zeroes are a stream that has not begun. */
struct spacing {
    bool sampled;
    int64_t last_ms;
    int64_t distances_ms[SPACING_DISTANCES]; /* the oldest is overwritten first */
    unsigned count, next;
    int64_t usual_ms; /* their median, the lower one of an even number; 0 while there is none */
};

/* Takes in the time of a sample. Returns the distance to the one before; 0: there was none. */
int64_t spacing_take(struct spacing *spacing, int64_t time_ms);

/* Whether so long a distance is a gap: more than 3 of the usual ones, and a quarter for jitter. */
bool spacing_is_gap(int64_t usual_ms, int64_t distance_ms);

#endif
