/* What somebody noted about one incident, kept beside it in review.json:
 *
 *   {"schema": 1, "looked": "2026-11-23T16:00:00.000Z", "note": "fixed in revision 8"}
 */
#ifndef REVIEW_MARK_H
#define REVIEW_MARK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { MARK_NOTE_MAX = 4000, MARK_TEXT_MAX = 64 * 1024 }; /* bytes of a note; of the file */

struct mark {
    int64_t looked_ms; /* wall; 0: nobody has looked at it */
    char *note;        /* NULL: none */
};

/* Fills mark; the caller frees what it holds with mark_free, also after an error, -1. A field of
 * another type counts as not there, a longer note is cut. */
int mark_parse(const char *text, size_t size, struct mark *mark, struct error *err);
void mark_free(struct mark *mark);

/* Whether there is nothing in it. */
bool mark_is_empty(const struct mark *mark);

/* {"looked": ..., "note": ...}, for --json; the caller decrefs. */
json_t *mark_to_json(const struct mark *mark);

/* The file's text, of at most MARK_TEXT_MAX bytes; the caller frees. */
char *mark_text(const struct mark *mark);

#endif
