/* The metric that fired, small enough for a list. */
#ifndef REVIEW_SPARKLINE_H
#define REVIEW_SPARKLINE_H

struct evidence;
struct incident_sparkline;

enum { SPARKLINE_VALUES = 60 };

/* Fills *sparkline, which the incident owns: means over SPARKLINE_VALUES equal parts of the time
 * that metrics.csv has, fewer when there are fewer samples. Without the metric nothing. */
void sparkline_of(const struct evidence *evidence, struct incident_sparkline *sparkline);

#endif
