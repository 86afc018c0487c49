/* counter: a metric that only ever counts up (oom_kills, restarts) has risen. */
#ifndef TRIGGERS_COUNTER_H
#define TRIGGERS_COUNTER_H

#include <stdint.h>

struct counter_options {
    int64_t increases; /* by so much or more */
    int64_t within_ms; /* in so much time; 0: from one sample to the next */
};

#endif
