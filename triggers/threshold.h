/* threshold: the metric is above (or below) a level, for a while if `for` says so. */
#ifndef TRIGGERS_THRESHOLD_H
#define TRIGGERS_THRESHOLD_H

#include "config/fields.h"

#include <stdint.h>

/* Exactly one of above and below is given; both comparisons are strict. */
struct threshold_options {
    struct level above, below;
    int64_t for_ms;     /* how long it has to be beyond the level; 0: one sample is enough */
    struct level clear; /* the excursion is over beyond this; not given: the level itself */
};

#endif
