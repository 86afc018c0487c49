/* The axes of charts: round numbers in the unit that people say them in. */
#ifndef REVIEW_CHART_SCALE_H
#define REVIEW_CHART_SCALE_H

#include "core/metric.h"

#include <stddef.h>
#include <stdint.h>

enum { CHART_TICKS_MAX = 8, CHART_TIME_TICKS_MAX = 16 };

struct chart_axis {
    double low, high; /* round themselves; low < high */
    double ticks[CHART_TICKS_MAX];
    size_t tick_count;
};

/* An axis that shows least to most, in steps of 1, 2 or 5 times a power of ten of the unit in which
 * the values are said (MiB for bytes, MB/s for rates). It begins at 0 unless all is far from it. */
void chart_axis_of(enum unit unit, double least, double most, struct chart_axis *axis);

/* Round wall times from from_ms to to_ms, at most `most` (and CHART_TIME_TICKS_MAX); returns how
 * many. */
size_t chart_times(int64_t from_ms, int64_t to_ms, size_t most, int64_t *ticks);

/* A number of an axis: "80%", "20 MB/s", "1.5". */
const char *chart_label(enum unit unit, double value, char text[VALUE_TEXT_SIZE]);

#endif
