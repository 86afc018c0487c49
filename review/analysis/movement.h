/* How a metric moved around an incident: from what level, how far, for how long. */
#ifndef REVIEW_MOVEMENT_H
#define REVIEW_MOVEMENT_H

#include <stdbool.h>
#include <stdint.h>

struct series;

enum movement_way {
    MOVEMENT_EITHER, /* whichever is further from the usual level */
    MOVEMENT_UP,
    MOVEMENT_DOWN
};

/* Times are as in the series. */
struct movement {
    double usual;       /* median of the samples before the onset, earlier spikes of the same kind
                         * left out; NAN: too few */
    double below;       /* how far the lowest tenth of them is away from it at least; NAN as well */
    double above;       /* the same of the highest tenth */
    double extreme;     /* the furthest value from the onset on; NAN: there is none */
    int64_t extreme_ms; /* its time */
    bool falls;         /* the extreme is below the usual level */
    int64_t until_ms;   /* back on this side of half way for good; while `lasts` the last sample */
    bool lasts;         /* it was not back when the samples end */
    double strength;    /* 0: nowhere; below MOVEMENT_FLAT it did nothing to speak of */
};

/* In units of what is ordinary for the metric: its own noise, a twentieth of its level, or the
 * least that anybody would look at. */
#define MOVEMENT_FLAT 3.0

/* What is at onset_ms or later belongs to the spike; 0: there was none, and the last sample is
 * compared with all. */
void movement_of(const struct series *series, int64_t onset_ms, enum movement_way way,
    struct movement *movement);

#endif
