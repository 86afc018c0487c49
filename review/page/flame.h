/* A flame graph as a piece of a page: an icicle, the root on top. With a base it is a difference,
 * and its colours can be those of a plain graph by a click; its table is behind another.
 *
 * It needs no script: without one there are frames from half a percent on, with full names and
 * numbers in titles. review/page/flame.js (embedded as page_flame_js), which looks for every
 * .flame on the page, adds the small frames, zoom, search, the keyboard and the details line.
 * Styles: review/page/flame.css (page_flame_css). Nothing here needs inline styles, handlers or
 * script: a strict Content-Security-Policy is no obstacle. */
#ifndef REVIEW_FLAME_H
#define REVIEW_FLAME_H

struct buf;
struct flame_tree;
struct owners;

struct flame_options {
    const char *id;              /* letters and digits, once on the page: "cpu" */
    const char *title;           /* what it is of: "CPU time" */
    const char *now, *then;      /* what profile and base are called; NULL: "now", "calm day" */
    const struct owners *owners; /* NULL: nobody's code is told apart */
};

void flame_write(
    struct buf *out, const struct flame_tree *tree, const struct flame_options *options);

#endif
