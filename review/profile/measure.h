/* Units that are multiples of one another: bytes and times, in all the ways profilers write them,
 * and how values in them are told. What is told is what pprof tells:
 * github.com/google/pprof/blob/main/internal/measurement/measurement.go */
#ifndef REVIEW_MEASURE_H
#define REVIEW_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Whether values in one unit can be told in the other, and by what to multiply them. The same text
 * is always the same unit, with the ratio 1. */
bool measure_ratio(const char *from, const char *to, double *ratio);

/* The unit that suits a value best. */
#define MEASURE_BEST "minimum"

/* The value in another unit, and what stands behind it: "kB"; "" for units that go without saying.
 * *unit is constant or `to`. */
double measure_scale(int64_t value, const char *from, const char *to, const char **unit);

/* "2.50MB", "15ms", "0", at the end of a buffer, which has room. */
void measure_label(struct buf *out, int64_t value, const char *from, const char *to);

/* "12.34%", "  100%", " 0.05%": at least six characters; of a total of 0 everything is 0%. */
enum { MEASURE_PERCENT_SIZE = 32 };
void measure_percent(int64_t value, int64_t total, char text[MEASURE_PERCENT_SIZE]);

/* A number as an integer, which is INT64_MIN when it does not fit, as it is on the machines where
 * pprof runs. */
int64_t measure_integer(double value);

#endif
