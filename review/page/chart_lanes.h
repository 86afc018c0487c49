/* Below the charts: when each profile was recorded, and the onsets before this one. */
#ifndef REVIEW_CHART_LANES_H
#define REVIEW_CHART_LANES_H

#include "review/page/chart.h"

enum { CHART_LANES_MAX = 5, CHART_LANE_MARKS_MAX = 64, CHART_LANE_LABEL_SIZE = 120 };

struct chart_lane_mark {
    double from, to; /* percent of the axis; the same: a moment */
    char label[CHART_LANE_LABEL_SIZE];
    int lane;
};

struct chart_lanes {
    struct chart_lane_mark marks[CHART_LANE_MARKS_MAX];
    size_t mark_count;
    int lane_count;
};

/* Moments next to one another share a label; what would cover a label comes into the next lane. */
void chart_lanes_of(const struct chart *chart, struct chart_lanes *lanes);
void chart_lanes_put(struct buf *out, const struct chart *chart, const struct chart_lanes *lanes);

/* Where a time is on the axis, in percent from 0 to 100. */
double chart_percent(const struct chart *chart, int64_t time_ms);

#endif
