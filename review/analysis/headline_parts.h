/* What follows the first part of a headline: who it is, and what else moved. */
#ifndef REVIEW_HEADLINE_PARTS_H
#define REVIEW_HEADLINE_PARTS_H

struct buf;
struct evidence;

/* "; 61% of it in GetRematchStreak, which is 0.3% on a calm day", or nothing. */
void headline_put_suspect(struct buf *out, const struct evidence *evidence);

/* "; the database sent 310 MB/s, 40 times the usual", or nothing: what else moved and tells most
 * about the reason. */
void headline_put_companion(struct buf *out, const struct evidence *evidence);

#endif
