/* The same spike's other incidents: how often, since when, how regular, and whether it gets worse.
 * Incidents belong together when they have the same group (see group.h). */
#ifndef REVIEW_HISTORY_H
#define REVIEW_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
    VERDICT_NEW,   /* seen for the first time */
    VERDICT_SEEN,  /* before, and nobody has said that it is known */
    VERDICT_KNOWN, /* somebody has */
    VERDICT_WORSE, /* it grows, whether known or not */
    VERDICT_GONE   /* not since a revision that others of its service have outlived */
};

struct history {
    enum verdict verdict;
    char *verdict_text;         /* "gone since revision 7, 12 days ago" */
    size_t count;               /* incidents of the group, this one included */
    int64_t first_ms, last_ms;  /* when the first and the newest fired, wall */
    double period_s, jitter_s;  /* NAN: not regular */
    double peak_week_percent;   /* trend of the peak of the metric that fired, % a week; NAN */
    double volume_week_percent; /* trend of the database's volume, % a week; NAN */
    char *frequency;            /* "14th time since 2 November, every 30 min" */
    char *trend;                /* a plain sentence; NULL: nothing to say */
    char **earlier;             /* ids, newest first, at most HISTORY_EARLIER_MAX */
    size_t earlier_count;
};

enum { HISTORY_EARLIER_MAX = 20 };

#endif
