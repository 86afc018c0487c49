/* What the index keeps of an incident: what a row of the list says, in about half a kilobyte. */
#ifndef REVIEW_WEB_SUMMARY_H
#define REVIEW_WEB_SUMMARY_H

#include "review/history/group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_entry;
struct mark;
struct store_incident;

enum {
    WEB_SPARK_POINTS = 60,
    WEB_SPARK_GAP = 255, /* levels are 0 to 254 */
    WEB_SUMMARY_TEXT_MAX = 300
};

/* The metric that fired, in levels of spark_max. */
struct web_spark {
    uint8_t levels[WEB_SPARK_POINTS];
    uint8_t count;
    double max;               /* what level 254 stands for; NAN: nothing is known */
    int64_t from_ms, to_ms;   /* wall */
    int64_t begin_ms, end_ms; /* when profiles were taken; 0: none were */
};

/* Texts are part of the same allocation, cut to WEB_SUMMARY_TEXT_MAX, "" when there is none;
 * numbers that are not known are NAN. */
struct web_summary {
    const char *id, *service, *app, *kind, *trigger, *metric;
    const char *headline;         /* what happened: the analysis's, else the trigger's reason */
    const char *suspect;          /* the short name of its function */
    const char *profile;          /* "cpu": in which the suspect was found */
    const char *sample;           /* "inuse_space": the sample type of that */
    const char *revision, *image; /* of the target */
    const char *baseline;         /* the id of the incident that it is compared with */
    const char *follows;          /* of a follow-up: the id of the spike's incident */
    const char *problem;          /* why it cannot be read; "": it can */
    char group[GROUP_SIZE];
    int64_t fired_ms, onset_ms;           /* wall; onset 0: not known */
    double cum_percent, baseline_percent; /* of the suspect */
    double peak, normal; /* of the metric that fired: at most, and before the onset */
    double growing_peak, volume, period_s, jitter_s; /* as in struct history_entry */
    struct web_spark spark;
    bool duplicate;  /* of others of its fleet */
    uint32_t copies; /* that saw the spike; 0: not known */
    bool analysed;   /* it has been, with nothing left out, or cannot be */
    /* What people noted. */
    int64_t looked_ms; /* 0: nobody has looked at it */
    char *note;        /* its own allocation; NULL: there is none */
    uint64_t stamp;    /* of incident.json, as struct store_incident has it */
    uint32_t seen;     /* the listing in which it was there last */
};

/* Of an incident that was read, or could not be. Free it with web_summary_free. */
struct web_summary *web_summary_new(const struct store_incident *stored);
void web_summary_free(struct web_summary *summary);

/* What was noted about it is this now. Whether that is news. */
bool web_summary_mark(struct web_summary *summary, const struct mark *mark);

/* For the history of its group. Texts belong to the summary. */
void web_summary_entry(const struct web_summary *summary, struct history_entry *entry);

/* Newest first: the order of the list. Ids sort like the times in them. */
int web_summary_compare(const char *id, const char *service, const struct web_summary *other);

#endif
