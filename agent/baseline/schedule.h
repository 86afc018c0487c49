/* When an app's next baseline is taken: a decision over what is known, without a clock. */
#ifndef AGENT_BASELINE_SCHEDULE_H
#define AGENT_BASELINE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum need {
    NEED_FIRST,  /* there is none */
    NEED_DEPLOY, /* there are some, of what ran before */
    NEED_NEXT    /* `every` after the newest */
};

/* Times are ms on one clock; INT64_MIN: never. */
struct situation {
    int64_t now_ms;
    int64_t every_ms;
    int64_t calm_since_ms; /* INT64_MIN: it is not calm */
    int64_t captured_ms;   /* when the last capture of the app ended */
    int64_t newest_ms;     /* the newest baseline of what runs now */
    int64_t failed_ms;     /* the last try that brought no profile, or less than what is kept */
    unsigned lessers;      /* so many in a row, that one the last, brought some, but less */
    bool deployed;         /* there are baselines, but none of what runs now */
};

struct plan {
    enum need need;
    bool now;       /* take it */
    int64_t due_ms; /* else it is taken then, if it is calm until then, or from now on */
};

/* The first takes 10 s of calm. The others take a minute of it, so that what a spike or a deploy
 * leaves behind has settled; one that is due in the ordinary way also keeps two minutes' distance
 * from a capture. */
void schedule_plan(const struct situation *situation, struct plan *plan);

#endif
