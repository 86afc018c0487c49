/* Inside the flame tree: the stacks of two profiles merged by function name. Stacks are followed
 * from the root on, all samples side by side, and only to where they have enough to be seen: time
 * and memory do not depend on how many different stacks there are below. */
#ifndef REVIEW_FLAME_STACKS_H
#define REVIEW_FLAME_STACKS_H

#include "review/compare/flame_tree.h"

#include <stddef.h>

struct stack_node {
    int64_t value, base;
    uint32_t name; /* in names */
    uint32_t parent, depth;
    uint32_t child_count; /* those that became FLAME_OTHER are one */
    enum flame_node_kind kind;
    size_t first_item, item_count; /* the samples that go through it; of no use afterwards */
};

struct flame_stacks {
    struct stack_node *nodes; /* [0] is the root; parents are before their children */
    uint32_t node_count, node_capacity;
    struct stack_name {
        const char *text, *file;
    } * names;
    uint32_t name_count, name_capacity;
    char **addresses; /* owned: names of functions that have none */
    uint32_t address_count, address_capacity;
};

/* The samples of profile, and those of base if the comparison has one. Samples below 0, which only
 * differences of profiles have, are left out. A child that has less than least_percent of both
 * totals is in its parent's FLAME_OTHER. The caller frees it. */
void flame_stacks_build(struct flame_stacks *stacks, const struct profile *profile,
    const struct profile *base, const struct comparison *comparison, uint32_t depth_max,
    double least_percent);
void flame_stacks_free(struct flame_stacks *stacks);

#endif
