/* Which of the incidents that wait in the spool is less interesting than a fire: where
 * limits.per_hour is reached, that one gives its place to it. A decision without a clock.
 *
 * What counts first is what an incident is:
 *   3  the app's end: memory that runs out, a kill, a restart
 *   2  any other spike
 *   1  one of a group that somebody has marked as known
 *   0  a follow-up, or one of which no profile is there
 * Then by how much: of the same metric of the same app its highest value, of others how many times
 * the level it is that it crossed, which for `spike` is what is usual.
 *
 * A fire is worse than what waits when it is of a higher class, and at least as much beyond its
 * level unless it is of class 3; or of the same class and clearly worse, as with known groups
 * (caught_worse_level in agent/detection/caught.h). */
#ifndef AGENT_DETECTION_INTEREST_H
#define AGENT_DETECTION_INTEREST_H

#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>

struct interest {
    bool grave; /* the app's end */
    bool known, follow_up, empty;
    const char *app, *metric; /* metric NULL: none */
    enum unit unit;
    double value; /* the highest that is known, so far; NAN: not known */
    double limit; /* the level it crossed; NAN: none */
    bool down;    /* it fires for the value being low */
};

/* Whether the fire is worse. */
bool interest_is_worse(const struct interest *fire, const struct interest *waiting);

/* The least interesting of those than which the fire is worse, of equal ones the last; `count` when
 * there is none. */
size_t interest_choose(const struct interest *fire, const struct interest *waiting, size_t count);

#endif
