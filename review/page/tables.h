/* The functions of a profile as a table: those that grew, in percentage points with bars (memory in
 * use: in bytes), and what shrank folded below; without a base the top of what there is. By what
 * they and all that they call take, or by themselves, at a click. Styles are in
 * review/page/flame.css (page_flame_css); no script is needed. */
#ifndef REVIEW_TABLES_H
#define REVIEW_TABLES_H

#include <stddef.h>

struct buf;
struct growth;
struct owners;

struct tables_options {
    const char *id;              /* letters and digits, once on the page: "cputop" */
    const char *title;           /* what it is of: "CPU time" */
    const char *now, *then;      /* what profile and base are called; NULL: "now", "calm day" */
    const struct owners *owners; /* NULL: nobody's code is told apart */
    size_t rows;                 /* at most; 0: 20 */
    /* The address of a function's source, which the caller frees; NULL: there is none. The member
     * itself may be NULL. What is neither http: nor https: is no link. */
    char *(*source)(const void *arg, const char *function, const char *file, long long line);
    const void *source_arg;
};

void tables_write_growth(
    struct buf *out, const struct growth *growth, const struct tables_options *options);

#endif
