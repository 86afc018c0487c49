/* The same spike's other incidents: how often, since when, how regular, and whether it gets worse.
 * Incidents belong together when they have the same group (see group.h). */
#ifndef REVIEW_HISTORY_H
#define REVIEW_HISTORY_H

#include "review/history/group.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known;

/* What is needed of one incident. Texts belong to the incident. */
struct history_entry {
    const char *id, *service, *kind;
    char group[GROUP_SIZE];
    int64_t fired_ms;             /* wall */
    const char *metric;           /* that fired; NULL: none */
    double peak;                  /* its highest; NAN: not known, or it fired for being low */
    double volume;                /* the most that a database sent, bytes/s; NAN */
    const char *revision, *image; /* of the task; NULL: not known */
    double period_s, jitter_s;    /* of the pattern that the agent saw; NAN: none */
    bool duplicate;               /* of others of the same fleet and spike */
};

void history_entry_of(const struct incident *incident, struct history_entry *entry);

/* Many incidents in order, so that each group is found at once. */
struct history_book;

/* Of all the incidents that are known, of any service, baselines too. The texts in the entries
 * outlive the book, the entries need not. A duplicate does not count where its group has others. */
struct history_book *history_book_new(const struct history_entry *entries, size_t count);
void history_book_free(struct history_book *book);

enum verdict {
    VERDICT_NEW,   /* seen for the first time */
    VERDICT_SEEN,  /* before, and nobody has said that it is known */
    VERDICT_KNOWN, /* somebody has */
    VERDICT_WORSE, /* it grows, whether known or not */
    VERDICT_GONE   /* not since a revision that others of its service have outlived */
};

/* "new", "seen", ... */
extern const char *const verdict_names[];

struct history;

/* For people: "known, and worse" when a group is marked and that is not all; else its name. */
const char *history_verdict_name(const struct history *history);

/* How something changes over weeks. */
struct history_trend {
    double week_percent; /* growth, % a week; NAN: it cannot be told from chance */
    double now, then;    /* medians of its newest day and its oldest; the fitted line's values where
                          * those say the contrary */
    int64_t now_ms, then_ms;
};

enum { HISTORY_EARLIER_MAX = 20, HISTORY_POINTS_MAX = 60 };

/* What one of the group's incidents reached. */
struct history_point {
    int64_t time_ms;
    double peak;   /* of the metric that fired; NAN: not known, or of another metric */
    double volume; /* the most that a database sent, bytes/s; NAN */
};

struct history {
    enum verdict verdict;
    bool known;                   /* somebody has marked the group, whatever the verdict: it is
                                     captured once a week */
    char *verdict_text;           /* "gone since revision 8, 12 days ago" */
    size_t count;                 /* incidents of the group */
    size_t ordinal;               /* which of them it is that was asked for, from 1 on */
    int64_t first_ms, last_ms;    /* when the first and the newest fired, wall */
    double period_s, jitter_s;    /* NAN: not regular */
    struct history_trend peak;    /* of the metric that fired */
    struct history_trend volume;  /* of what the database sent */
    char *frequency;              /* "14th time since 2 November, every 30 min" */
    char *trend;                  /* a plain sentence; NULL: nothing to say */
    char **earlier;               /* ids of those before it, newest first */
    size_t earlier_count;         /* at most HISTORY_EARLIER_MAX */
    struct history_point *points; /* the oldest first; of many some, spread evenly */
    size_t point_count;           /* at most HISTORY_POINTS_MAX */
};

/* The history of a group, as seen from its incident `id` (NULL: its newest). known NULL: nothing is
 * known. now_ms: wall. -1 when the book has no incident of it; out is then empty. history_free in
 * any case. */
int history_of(const struct history_book *book, const char *service, const char *group,
    const char *id, const struct known *known, int64_t now_ms, struct history *out);
void history_free(struct history *history);

/* The same history as seen from another incident of the group, which fired at that time: only its
 * ordinal, its frequency and what came earlier are others, so that a group's history is made once.
 * Nothing changes for an incident that is none of them. */
void history_see_from(const struct history_book *book, const char *service, const char *group,
    const char *id, int64_t fired_ms, int64_t now_ms, struct history *history);

/* For --json; the caller decrefs. */
json_t *history_to_json(const struct history *history);

#endif
