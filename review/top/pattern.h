/* Regular expressions as profiles have them in drop_frames and keep_frames: Go's syntax
 * (golang.org/s/re2syntax), without classes of Unicode (\p). They come from outside: matching takes
 * time in proportion to the text and the expression, which is bounded. */
#ifndef REVIEW_PATTERN_H
#define REVIEW_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern;

enum pattern_status {
    PATTERN_OK,
    PATTERN_WRONG,        /* no regular expression */
    PATTERN_TOO_LARGE,    /* or too deep */
    PATTERN_NOT_SUPPORTED /* \p */
};

/* *pattern, which pattern_free frees, is NULL unless it is OK. */
enum pattern_status pattern_compile(const char *text, size_t size, struct pattern **pattern);
void pattern_free(struct pattern *pattern);

/* Whether it matches anywhere in the text. *steps is what it may still cost, a step being a state
 * that is looked at, and is 0 when that was not enough: the answer is then of no meaning. */
bool pattern_matches(struct pattern *pattern, const char *text, size_t size, uint64_t *steps);

#endif
