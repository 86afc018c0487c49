/* A series of means of whole periods as steps: what was measured is a stretch, not a moment. */
#ifndef REVIEW_CHART_STEPS_H
#define REVIEW_CHART_STEPS_H

#include <stdint.h>

struct buf;
struct chart_frame;
struct series;

/* The `d` of a path, where a sample is the mean of the period that ends at its time; a period
 * without a sample is a gap. */
void chart_steps(struct buf *out, const struct series *series, const struct chart_frame *frame,
    int64_t period_ms);

#endif
