/* A series as the path of a line, in few bytes. */
#ifndef REVIEW_CHART_LINE_H
#define REVIEW_CHART_LINE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct series;

/* Where a point comes to lie: time from_ms to to_ms is 0 to width, value low to high is height
 * to 0. */
struct chart_frame {
    int64_t from_ms, to_ms;
    double low, high;
    int width, height;
};

/* The `d` of a path. Of more samples than `points`, the least and the most of each stretch stay, so
 * that no peak is lost. A time without samples of more than three times the usual spacing is a gap.
 * Nothing when there is no sample in the frame. */
void chart_line(
    struct buf *out, const struct series *series, const struct chart_frame *frame, size_t points);

#endif
