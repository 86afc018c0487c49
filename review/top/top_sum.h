/* Inside top: the samples that are counted, as pprof merges them before it does. */
#ifndef REVIEW_TOP_SUM_H
#define REVIEW_TOP_SUM_H

#include <stdint.h>

struct error;
struct profile;

/* Both replace *profile, which they free, and leave it as it was after an error (-1). */

/* Subtracts a base, which is freed, also after an error. */
int top_subtract(struct profile **profile, struct profile *base, struct error *err);

/* Adds up what is the same, if that makes a difference to what is counted. */
int top_compact(struct profile **profile, uint32_t sample_type, struct error *err);

/* The sum of a type's values, each without its sign; it wraps. */
int64_t top_sum(const struct profile *profile, uint32_t sample_type);

#endif
