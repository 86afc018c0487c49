/* Metrics and their values in the words of a sentence. */
#ifndef REVIEW_HEADLINE_WORDS_H
#define REVIEW_HEADLINE_WORDS_H

#include "core/metric.h"

struct buf;

/* "CPU", "memory of api", "traffic from the database games"; the series' own name when it is no
 * built-in metric. */
void headline_metric(struct buf *out, const char *series);

/* A series' name without its app's or database's: "cpu"; the name itself when it is not built in.
 */
const char *headline_bare_name(const char *series);

/* As much as one says aloud: "12%", "0.3%", "310 MB/s", "1.2 cores", "15,400". */
const char *headline_value(enum unit unit, double value, char text[VALUE_TEXT_SIZE]);

/* "40 times", "2.5 times", "over 1,000 times". */
const char *headline_times(double factor, char text[VALUE_TEXT_SIZE]);

/* "41 s", "3 min 20 s". */
const char *headline_duration(double seconds, char text[VALUE_TEXT_SIZE]);

#endif
