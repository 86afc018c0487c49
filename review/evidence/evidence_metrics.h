/* metrics.csv of an incident as series. */
#ifndef REVIEW_EVIDENCE_METRICS_H
#define REVIEW_EVIDENCE_METRICS_H

struct buf;
struct error;
struct series_set;

/* Five minutes of 30 metrics every 100 ms are half of it. */
enum { EVIDENCE_METRICS_MAX = 2 * 1024 * 1024 };

/* Fills the set in any case, with as many of the newest rows as memory is given to; `name` is for
 * messages. err is "" when all is well; what came before a fault is there nevertheless. */
void evidence_metrics_read(
    struct series_set *set, const struct buf *file, const char *name, struct error *err);

#endif
