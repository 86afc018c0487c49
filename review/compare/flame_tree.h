/* The call tree of a profile and of the base that it is compared with, merged by function name from
 * the root to the leaf; inlined functions have nodes of their own. It is small enough for a page:
 * what is too small, too deep or too much becomes nodes that say so. */
#ifndef REVIEW_FLAME_TREE_H
#define REVIEW_FLAME_TREE_H

#include "review/compare/comparison.h"

#include <stddef.h>
#include <stdint.h>

struct profile;

#define FLAME_TREE_NONE UINT32_MAX

struct flame_node {
    const char *name;    /* as the profile has it; a function without one is its address in hex */
    const char *file;    /* "": not known */
    int64_t value, base; /* with all below it, each in its own unit */
    uint32_t parent;     /* FLAME_TREE_NONE: it is the root */
    uint32_t depth;      /* the root's is 0 */
    uint32_t end;        /* index behind its last descendant: end - index - 1 of them */
    enum flame_node_kind {
        FLAME_FUNCTION,
        FLAME_ROOT,  /* everything */
        FLAME_OTHER, /* those of its parent's children that are too small */
        FLAME_DEEPER /* what is called beyond the depth limit */
    } kind;
};

/* Nodes in the order of a walk that visits parents before their children and children by falling
 * value, then falling base, then name, FLAME_OTHER last: equal profiles have equal trees. Texts
 * live as long as the two profiles. */
struct flame_tree {
    struct flame_node *nodes; /* [0] is the root */
    uint32_t count;           /* at least 1 */
    uint32_t depth;           /* of the deepest node */
    struct comparison comparison;
    const char *type, *unit; /* of the sample type: "cpu", "nanoseconds" */
    double least_percent;    /* what has less, now and in the base, is in FLAME_OTHER */
    char **addresses;        /* names of functions that have none */
    uint32_t address_count;
};

struct flame_tree_limits {
    uint32_t nodes;       /* at most so many; 0: FLAME_TREE_NODES */
    uint32_t depth;       /* frames of a stack, the outermost first; 0: FLAME_TREE_DEPTH */
    double least_percent; /* of either total; 0: FLAME_TREE_LEAST_PERCENT */
};

enum { FLAME_TREE_NODES = 3000, FLAME_TREE_DEPTH = 200 };
#define FLAME_TREE_LEAST_PERCENT 0.1

/* base: NULL, or what to compare with; limits: NULL for the defaults. The tree is filled in any
 * case (a profile without samples has a root of 0), and the caller frees it. */
void flame_tree_build(struct flame_tree *tree, const struct profile *profile, uint32_t sample_type,
    const struct profile *base, const struct flame_tree_limits *limits);
void flame_tree_free(struct flame_tree *tree);

#endif
