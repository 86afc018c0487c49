/* The arithmetic of a history: whether times are regular, and whether values grow. */
#ifndef REVIEW_HISTORY_STATS_H
#define REVIEW_HISTORY_STATS_H

#include "review/history/history.h"

#include <stddef.h>
#include <stdint.h>

/* The spacing of times (rising, ms) and its jitter (one standard deviation) in seconds, both NAN
 * when they are not regular. Some onsets may be missing: what lies two or three periods apart
 * counts as that. */
void history_spacing(const int64_t *times_ms, size_t count, double *period_s, double *jitter_s);

/* The trend of values over rising times; NAN and what is not positive is left out. */
void history_trend(
    const int64_t *times_ms, const double *values, size_t count, struct history_trend *trend);

/* How long the longest pause between two of the times is, of the newest HISTORY_PAUSES; 0 when
 * there are fewer than two times. */
enum { HISTORY_PAUSES = 20 };
int64_t history_longest_pause(const int64_t *times_ms, size_t count);

#endif
