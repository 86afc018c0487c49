/* HTML as text in a buffer: nothing that comes from a profile, a bucket or a user is put on a page
 * in any other way. */
#ifndef REVIEW_HTML_H
#define REVIEW_HTML_H

struct buf;

/* The text with & < > " ' as references: safe as content and within a quoted attribute. A byte that
 * is not UTF-8, a control character other than a tab or a line's end, and what turns the direction
 * of text (U+202E and the like) become U+FFFD. */
void html_text(struct buf *out, const char *text);

/* Our own markup as it is, in which %s is put as html_text does; %d %zu %lld %.Nf and the like are
 * as in printf. */
void html_printf(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
