/* The goroutines of a program by what they do, as a table: what grew most first, each with its
 * stack folded below. Styles are in review/page/flame.css (page_flame_css); no script is needed. */
#ifndef REVIEW_GOROUTINE_TABLE_H
#define REVIEW_GOROUTINE_TABLE_H

#include <stddef.h>

struct buf;
struct goroutines;

struct goroutine_table_options {
    const char *now, *then; /* what profile and base are called; NULL: "now", "calm day" */
    size_t rows;            /* at most; 0: 12 */
};

void goroutine_table_write(struct buf *out, const struct goroutines *goroutines,
    const struct goroutine_table_options *options);

#endif
