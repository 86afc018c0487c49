/* spike: the metric, or several together, left what is usual for them in their own history. */
#ifndef TRIGGERS_SPIKE_H
#define TRIGGERS_SPIKE_H

#include "config/fields.h"

struct spike_rule {
    double score;          /* fires above this; in robust standard deviations */
    int direction;         /* enum direction of triggers/baseline.h */
    struct level at_least; /* how far from its baseline a metric has to be; may be not given */
};

struct spike_options {
    struct spike_rule spike;
};

#endif
