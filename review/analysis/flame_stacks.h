/* Inside the flame tree: the stacks of two profiles merged by function name, before it is decided
 * which nodes a page has room for. Memory is bounded: when there are too many nodes, what the
 * smallest samples would add becomes FLAME_OTHER. */
#ifndef REVIEW_FLAME_STACKS_H
#define REVIEW_FLAME_STACKS_H

#include "review/analysis/flame_tree.h"
#include "review/profile/hash_index.h"

#include <stdbool.h>

struct stack_node {
    int64_t value, base;
    uint32_t name; /* in names; of no meaning for FLAME_OTHER and FLAME_DEEPER */
    uint32_t parent;
    uint32_t child_count;
    enum flame_node_kind kind;
};

struct flame_stacks {
    struct stack_node *nodes; /* [0] is the root; parents are before their children */
    uint32_t node_count, node_capacity;
    struct hash_index by_parent; /* nodes */
    struct stack_name {
        const char *text, *file;
    } * names;
    uint32_t name_count, name_capacity;
    struct hash_index by_text; /* names */
    char **addresses;          /* owned: names of functions that have none */
    uint32_t address_count, address_capacity;
    uint32_t depth_max;
};

void flame_stacks_init(struct flame_stacks *stacks, uint32_t depth_max);
void flame_stacks_free(struct flame_stacks *stacks);

/* Adds the samples of a profile to the values, or to the base's. Those below 0, which only
 * differences of profiles have, are left out. */
void flame_stacks_add(
    struct flame_stacks *stacks, const struct profile *profile, uint32_t sample_type, bool is_base);

#endif
