#include "review/compare/flame_tree.h"

#include "core/alloc.h"
#include "review/compare/flame_stacks.h"
#include "review/profile/profile.h"

#include <stdlib.h>
#include <string.h>

/* A node that may be on the page, while it is decided which are. */
struct candidate {
    double percent; /* the larger of its shares of the two totals */
    uint32_t index; /* in stacks->nodes */
};

/* A node that is on the page, where it is sorted in among its siblings. */
struct kept {
    const char *name, *file;
    int64_t value, base;
    uint32_t index, parent; /* in stacks->nodes */
    enum flame_node_kind kind;
};

struct pruning {
    const struct flame_stacks *stacks;
    struct flame_tree *tree;
    struct candidate *candidates;
    uint32_t candidate_count;
    struct kept *kept; /* by parent, then as siblings are */
    uint32_t kept_count;
    uint32_t *first_kept; /* by index in stacks->nodes: of its children, in kept */
};

static double share_of(const struct comparison *comparison, const struct stack_node *node)
{
    double percent = comparison_percent(comparison, node->value);
    double base_percent = comparison_base_percent(comparison, node->base);
    return percent > base_percent ? percent : base_percent;
}

/* The larger first; a parent, which never has less than its child, before the child, as it has the
 * lower index. */
static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->percent != b->percent)
        return a->percent > b->percent ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void find_candidates(struct pruning *pruning)
{
    const struct flame_stacks *stacks = pruning->stacks;
    pruning->candidates = xcalloc(stacks->node_count, sizeof *pruning->candidates);
    for (uint32_t i = 1; i < stacks->node_count; i++) {
        double percent = share_of(&pruning->tree->comparison, &stacks->nodes[i]);
        if (stacks->nodes[i].kind != FLAME_OTHER && percent >= pruning->tree->least_percent)
            pruning->candidates[pruning->candidate_count++] = (struct candidate){percent, i};
    }
    qsort(pruning->candidates, pruning->candidate_count, sizeof *pruning->candidates,
        compare_candidates);
}

/* How many of the candidates are kept so that they and the nodes for the rest of each one's
 * children are at most max. */
static uint32_t choose_count(const struct pruning *pruning, uint32_t max)
{
    const struct stack_node *nodes = pruning->stacks->nodes;
    uint32_t *missing = xcalloc(pruning->stacks->node_count, sizeof *missing);
    uint32_t rests = nodes[0].child_count > 0, best = 0;
    missing[0] = nodes[0].child_count;
    for (uint32_t i = 0; i < pruning->candidate_count; i++) {
        const struct stack_node *node = &nodes[pruning->candidates[i].index];
        missing[pruning->candidates[i].index] = node->child_count;
        rests += node->child_count > 0;
        rests -= --missing[node->parent] == 0;
        if (1 + i + 1 + rests <= max)
            best = i + 1;
    }
    free(missing);
    return best;
}

static int compare_kept(const void *left, const void *right)
{
    const struct kept *a = left, *b = right;
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    if ((a->kind == FLAME_OTHER) != (b->kind == FLAME_OTHER))
        return a->kind == FLAME_OTHER ? 1 : -1;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    if (a->base != b->base)
        return a->base > b->base ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Lists the first `count` candidates and one node for the rest of each one's children. */
static void keep(struct pruning *pruning, uint32_t count)
{
    const struct flame_stacks *stacks = pruning->stacks;
    uint32_t *rest_of = xcalloc(stacks->node_count, sizeof *rest_of); /* index + 1; 0: none */
    bool *is_kept = xcalloc(stacks->node_count, sizeof *is_kept);
    pruning->kept = xcalloc((size_t)count * 2 + 2, sizeof *pruning->kept);
    is_kept[0] = true;
    for (uint32_t i = 0; i < count; i++)
        is_kept[pruning->candidates[i].index] = true;
    for (uint32_t i = 1; i < stacks->node_count; i++) {
        const struct stack_node *node = &stacks->nodes[i];
        const struct stack_name *name = &stacks->names[node->name];
        struct kept kept = {.name = name->text,
            .file = name->file,
            .value = node->value,
            .base = node->base,
            .index = i,
            .parent = node->parent,
            .kind = node->kind};
        if (is_kept[i]) {
            pruning->kept[pruning->kept_count++] = kept;
        } else if (is_kept[node->parent] && rest_of[node->parent]) {
            struct kept *rest = &pruning->kept[rest_of[node->parent] - 1];
            rest->value = comparison_add(rest->value, node->value);
            rest->base = comparison_add(rest->base, node->base);
        } else if (is_kept[node->parent]) {
            kept.name = "(other)";
            kept.kind = FLAME_OTHER;
            pruning->kept[pruning->kept_count++] = kept;
            rest_of[node->parent] = pruning->kept_count;
        }
    }
    free(rest_of);
    free(is_kept);
    qsort(pruning->kept, pruning->kept_count, sizeof *pruning->kept, compare_kept);
    pruning->first_kept = xcalloc(stacks->node_count, sizeof *pruning->first_kept);
    for (uint32_t i = pruning->kept_count; i-- > 0;)
        pruning->first_kept[pruning->kept[i].parent] = i;
}

/* Adds a node and all below it, which is at most as deep as the tree may be. */
static void add_nodes(
    const struct pruning *pruning, const struct kept *kept, uint32_t parent, uint32_t depth)
{
    struct flame_tree *tree = pruning->tree;
    uint32_t index = tree->count++;
    tree->nodes[index] = (struct flame_node){.name = kept->name,
        .file = kept->file,
        .value = kept->value,
        .base = kept->base,
        .parent = parent,
        .depth = depth,
        .kind = kept->kind};
    if (depth > tree->depth)
        tree->depth = depth;
    if (kept->kind != FLAME_OTHER)
        for (uint32_t i = pruning->first_kept[kept->index];
             i < pruning->kept_count && pruning->kept[i].parent == kept->index; i++)
            add_nodes(pruning, &pruning->kept[i], index, depth + 1);
    tree->nodes[index].end = tree->count;
}

static void prune(struct flame_tree *tree, const struct flame_stacks *stacks, uint32_t max)
{
    struct pruning pruning = {.stacks = stacks, .tree = tree};
    find_candidates(&pruning);
    uint32_t count = choose_count(&pruning, max);
    if (count < pruning.candidate_count)
        tree->least_percent = pruning.candidates[count].percent;
    keep(&pruning, count);
    tree->nodes = xcalloc((size_t)pruning.kept_count + 1, sizeof *tree->nodes);
    const struct kept root = {.name = "all",
        .file = "",
        .value = stacks->nodes[0].value,
        .base = stacks->nodes[0].base,
        .kind = FLAME_ROOT};
    add_nodes(&pruning, &root, FLAME_TREE_NONE, 0);
    free(pruning.candidates);
    free(pruning.kept);
    free(pruning.first_kept);
}

void flame_tree_build(struct flame_tree *tree, const struct profile *profile, uint32_t sample_type,
    const struct profile *base, const struct flame_tree_limits *limits)
{
    static const struct flame_tree_limits none;
    if (!limits)
        limits = &none;
    *tree = (struct flame_tree){.comparison = comparison_of(profile, sample_type, base),
        .type = "",
        .unit = "",
        .least_percent = limits->least_percent > 0 ? limits->least_percent
                                                   : FLAME_TREE_LEAST_PERCENT};
    if (sample_type < profile->sample_type_count) {
        const struct profile_value_type *type = &profile->sample_types[sample_type];
        tree->type = profile->strings[type->type].text;
        tree->unit = profile->strings[type->unit].text;
    }
    struct flame_stacks stacks;
    flame_stacks_build(&stacks, profile, base, &tree->comparison,
        limits->depth ? limits->depth : FLAME_TREE_DEPTH, tree->least_percent);
    prune(tree, &stacks, limits->nodes ? limits->nodes : FLAME_TREE_NODES);
    tree->addresses = stacks.addresses;
    tree->address_count = stacks.address_count;
    stacks.addresses = NULL;
    stacks.address_count = 0;
    flame_stacks_free(&stacks);
}

void flame_tree_free(struct flame_tree *tree)
{
    for (uint32_t i = 0; i < tree->address_count; i++)
        free(tree->addresses[i]);
    free(tree->addresses);
    free(tree->nodes);
    *tree = (struct flame_tree){.count = 0};
}
