/* rises: what a forecast remembers of a metric: on which scales of time it rises, and how high it
 * was before without going on. Bounded (about 6 KB), and nothing is allocated a sample.
 *
 * The samples are looked at on several scales at once: as they are, and as maxima of blocks of time
 * that double in length from scale to scale. Where the blocks are longer than a tooth of a
 * saw-tooth their maxima are its peaks. */
#ifndef TRIGGERS_RISES_H
#define TRIGGERS_RISES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RISES_SCALES = 14, /* the samples, and blocks from a 64th of the unit of time to 64 of it */
    RISES_POINTS = 8,  /* that are kept a scale */
    RISES_PAST = 128   /* stretches of half a unit that their peaks are kept of */
};

struct point {
    int64_t time_ms;
    double value;
};

struct rises_scale {
    struct point points[RISES_POINTS]; /* see rises_newest */
    unsigned count;
    struct point open; /* the maximum of the block that is not over yet */
    bool opened;
    int64_t block; /* its number */
    double jitter; /* how far a point usually lies beside the line between its neighbours */
    /* The rise, if the newest points make one. */
    bool rising;
    bool levels;   /* it does not go on as it began: a step, or the beginning of a plateau */
    double slope;  /* a millisecond; above 0 */
    double growth; /* of the points that the slope is of */
    int64_t from_ms, span_ms;
};

struct rises_stretch {
    int64_t highest_ms;
    double highest, lowest;
};

struct rises {
    int64_t unit_ms;
    struct rises_scale scales[RISES_SCALES]; /* the first: of the samples */
    struct rises_stretch past[RISES_PAST];   /* in a ring */
    unsigned past_count;
    double past_lowest;        /* INFINITY: not known */
    struct rises_stretch open; /* the one that is not over yet */
    bool opened;
    int64_t open_number;
    bool begun;
    int64_t begun_ms; /* the first sample of the process */
};

/* Zeroes it. unit_ms, at least 64: what the lengths of blocks and stretches are made of. */
void rises_init(struct rises *rises, int64_t unit_ms);

/* Takes in a sample. Times never fall. Whether the value has fallen so low that it is a new
 * process: all is forgotten then, as its past says nothing about it. */
bool rises_add(struct rises *rises, struct point sample);

/* The point of a scale that is `back` before its newest: below count and RISES_POINTS. */
const struct point *rises_newest(const struct rises_scale *scale, unsigned back);

/* Whether the rise of a scale (not the first) has ended since: on a finer one the newest points,
 * over about as long as a block of it, vary by less than half of what it would take them up. The
 * teeth of a saw-tooth vary by more. */
bool rises_is_flat_since(const struct rises *rises, unsigned index);

/* How much the peaks vary of a scale that rises: by its points, or by those of a longer scale if
 * they jitter less, as those of one finer than a tooth jitter as much as a tooth. */
double rises_jitter(const struct rises *rises, unsigned index);

/* Whether value, of a rise that began at from_ms, is more than the usual on the way to the level:
 * above all that was seen before the rise, by more than the peaks vary. */
bool rises_is_new_high(const struct rises *rises, int64_t from_ms, double level, double value);

/* How much of the newest sample (at least two were added) is to be believed: as much as the two
 * before it make likely. */
double rises_credible(const struct rises *rises);

#endif
