/* Numbers and times as the pages say them. */
#ifndef REVIEW_WEB_WORDS_H
#define REVIEW_WEB_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum { WEB_WORDS_SIZE = 64 };

/* When something was, as short as can be: "15:04" today, "Mon 15:04" within six days, "23 Nov
 * 15:04", "23 Nov 2025". UTC. */
const char *web_words_when(int64_t wall_ms, int64_t now_ms, char text[WEB_WORDS_SIZE]);

/* "2026-11-23 15:04:01 UTC" */
const char *web_words_exactly(int64_t wall_ms, char text[WEB_WORDS_SIZE]);

/* A metric's value in its unit: "97%", "310 MB/s". */
const char *web_words_value(const char *metric, double value, char text[WEB_WORDS_SIZE]);

/* "61%", "0.3%" */
const char *web_words_percent(double percent, char text[WEB_WORDS_SIZE]);

/* What a share of a sample type is of: "cpu" -> "CPU", "inuse_space" -> "memory in use". Another is
 * as it is. */
const char *web_words_sample(const char *sample);

/* A copy of at most max bytes that ends with a whole character; the caller frees. */
char *web_words_cut(const char *text, size_t max);

#endif
