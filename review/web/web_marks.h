/* What people note about an incident: review.json, which lies beside it.
 *   {"schema": 1, "looked": "<RFC 3339>", "note": "..."} */
#ifndef REVIEW_WEB_MARKS_H
#define REVIEW_WEB_MARKS_H

#include <stddef.h>
#include <stdint.h>

enum { WEB_NOTE_MAX = 4096 }; /* bytes */

struct error;

struct web_marks {
    int64_t looked_ms; /* wall; 0: not looked at */
    char *note;        /* NULL: none */
};

/* Filled in any case; web_marks_free frees it. Empty text is no mark; -1 and err when it is no
 * review.json. A note that is too long is cut. */
int web_marks_parse(const char *text, size_t size, struct web_marks *marks, struct error *err);
void web_marks_free(struct web_marks *marks);

/* As it is stored; the caller frees. */
char *web_marks_format(const struct web_marks *marks);

/* A copy of at most max bytes that ends with a whole character; the caller frees. */
char *web_marks_cut(const char *text, size_t max);

#endif
