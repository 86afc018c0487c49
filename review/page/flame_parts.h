/* Inside the flame graph: what its picture, its table and the script's data have in common. */
#ifndef REVIEW_FLAME_PARTS_H
#define REVIEW_FLAME_PARTS_H

#include "review/compare/flame_tree.h"
#include "review/page/flame.h"

#include <stdbool.h>

struct buf;

struct flame_page {
    struct buf *out;
    const struct flame_tree *tree;
    struct flame_options options; /* with nothing left to be NULL but owners */
    bool is_amounts;
    double least_percent; /* of what the picture or the table shows without a script */
};

/* Percentage points from which on a change has the next colour, and the classes of those that are
 * larger: "p1" to "p5" for what grew, "m1" to "m5" for what shrank, "z" for less. flame.js knows
 * them too. */
enum { FLAME_STEPS = 5 };
extern const double flame_steps[FLAME_STEPS];
const char *flame_change_class(double points);

/* 'o' own, 'l' library, 's' standard library and runtime, 'u' not known, 'x' no function. */
char flame_owner_letter(const struct flame_page *page, const struct flame_node *node);

double flame_percent(const struct flame_page *page, const struct flame_node *node);
double flame_points(const struct flame_page *page, const struct flame_node *node);

/* "61.2% of CPU time (15.3 s), calm day 0.3%, +60.9 points" */
void flame_write_numbers(const struct flame_page *page, const struct flame_node *node);

/* The share of now, or of the base if that is larger, from which on at most `count` nodes have as
 * much, but never less than the first of the steps 0.5, 1, 2, 3, 5, 10. */
double flame_least_percent(const struct flame_page *page, uint32_t count, bool with_base);

void flame_write_picture(const struct flame_page *page);
void flame_write_data(const struct flame_page *page);
void flame_write_table(const struct flame_page *page);

#endif
