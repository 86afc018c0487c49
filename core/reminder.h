/* Trouble that goes on is said when it begins, and then at a growing distance: what says the same
 * line every half minute hides all others. Pure. */
#ifndef CORE_REMINDER_H
#define CORE_REMINDER_H

#include <stdbool.h>
#include <stdint.h>

enum { REMINDER_CAUSES = 4 };

/* Zero: nothing was said. */
struct reminder {
    struct {
        uint64_t cause;               /* 0: none */
        int64_t next_ms, distance_ms; /* monotonic, when it is to be said again */
    } causes[REMINDER_CAUSES];
};

/* Whether it is to be said at this moment (monotonic) that there is this trouble: the first time,
 * after five minutes, and at twice the distance each time, up to six hours. Causes that differ in
 * their numbers only are the same; of more than REMINDER_CAUSES at once, the one that is due last
 * is forgotten. */
bool reminder_due(struct reminder *reminder, const char *cause, int64_t now_ms);

/* The trouble is over. Whether anything was said of it. */
bool reminder_over(struct reminder *reminder);

#endif
