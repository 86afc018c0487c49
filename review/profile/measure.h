/* Units that are multiples of one another: bytes and times, in all the ways profilers write them.
 */
#ifndef REVIEW_MEASURE_H
#define REVIEW_MEASURE_H

#include <stdbool.h>

/* Whether values in one unit can be told in the other, and by what to multiply them. The same text
 * is always the same unit, with the ratio 1. */
bool measure_ratio(const char *from, const char *to, double *ratio);

#endif
