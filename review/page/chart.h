/* Small multiples: one row a metric, all on the same time axis, as SVG that scales with the page
 * while its texts do not. */
#ifndef REVIEW_CHART_H
#define REVIEW_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct series;

/* A moment with a name, or a stretch of time. Wall ms. */
struct chart_mark {
    int64_t from_ms, to_ms; /* to_ms 0: a moment */
    const char *label;      /* NULL: none */
};

struct chart_row {
    const struct series *series;
    double level; /* that a trigger watches, dashed; NAN: none */
    bool fired;   /* it is what the incident is about */
};

/* What all rows share. */
struct chart {
    int64_t from_ms, to_ms;           /* of the axis */
    int64_t onset_ms, fired_ms;       /* 0: not known */
    const struct chart_mark *windows; /* when profiles were recorded */
    size_t window_count;
    const int64_t *earlier; /* onsets before this one; those outside the axis are left out */
    size_t earlier_count;
    size_t points; /* that a row is drawn with at most */
};

/* The head names the onset and the fire, a row is one metric, the foot has the times, the windows
 * and the earlier onsets. All belong into one element of the class "charts". */
void chart_put_head(struct buf *out, const struct chart *chart);
void chart_put_row(struct buf *out, const struct chart *chart, const struct chart_row *row);
void chart_put_foot(struct buf *out, const struct chart *chart);

#endif
