/* What happened, in one sentence of plain words and numbers: "CPU rose from 12% to 97% for 41 s at
 * 15:04:01 UTC; 61% of it in GetRematchStreak, which is 0.3% on a calm day; the database sent
 * 310 MB/s, 40 times the usual". */
#ifndef REVIEW_HEADLINE_H
#define REVIEW_HEADLINE_H

struct evidence;
struct series;

/* From the metrics, the trigger and the suspect that the incident's analysis has by now. Never
 * NULL; the caller frees. It quotes what is stored: a page escapes it, a terminal cleans it. */
char *headline_of(const struct evidence *evidence);

/* The series of the metric that fired; without one (a manual incident, a baseline) that of the
 * app's CPU. NULL when metrics.csv has none of them. */
const struct series *headline_series(const struct evidence *evidence);

#endif
