#include "review/compare/flame_stacks.h"

#include "core/alloc.h"
#include "review/compare/flame_names.h"
#include "review/profile/array.h"
#include "review/profile/profile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NO_NAME UINT32_MAX

/* A sample on its way from the root of its stack to the leaf. */
struct item {
    int64_t value;
    uint32_t locations_left; /* before the one that it is in */
    uint32_t first_location; /* in the stacks */
    uint32_t frames_left;    /* of the location that it is in */
    uint32_t name : 31;      /* of the frame that it has come to */
    uint32_t is_base : 1;
};

/* What the samples of one node have next, by name. */
struct tally {
    int64_t value, base;
    size_t items; /* while they are moved: where the next one goes */
};

struct builder {
    struct flame_stacks *stacks;
    const struct comparison *comparison;
    const struct profile *profiles[2]; /* and the base */
    struct flame_frames frames[2];
    struct item *items, *moved; /* those of a node are next to one another */
    size_t item_count;
    struct tally *tallies; /* by name; zeroes but for those in seen */
    uint32_t *seen;        /* names of the node at work */
    uint32_t seen_count;
    uint32_t depth_max;
    double least_percent;
};

static void add_items(struct builder *builder, bool is_base, uint32_t sample_type)
{
    const struct profile *profile = builder->profiles[is_base];
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = profile->values[(size_t)i * profile->sample_type_count + sample_type];
        if (value <= 0)
            continue;
        struct stack_node *root = &builder->stacks->nodes[0];
        int64_t *sum = is_base ? &root->base : &root->value;
        *sum = comparison_add(*sum, value);
        builder->items[builder->item_count++] = (struct item){.value = value,
            .locations_left = profile->samples[i].location_count,
            .first_location = profile->samples[i].first_location,
            .is_base = is_base};
    }
}

/* Has the item come to its next frame: its name, or NO_NAME behind the leaf. */
static uint32_t step(const struct builder *builder, struct item *item)
{
    const struct profile *profile = builder->profiles[item->is_base];
    const struct flame_frames *frames = &builder->frames[item->is_base];
    if (item->frames_left == 0 && item->locations_left == 0)
        return NO_NAME;
    if (item->frames_left == 0)
        item->locations_left--;
    uint32_t location = profile->stacks[item->first_location + item->locations_left];
    size_t first = frames->first[location];
    if (item->frames_left == 0)
        item->frames_left = (uint32_t)(frames->first[location + 1] - first);
    item->frames_left--;
    return frames->frames[first + item->frames_left];
}

static struct stack_node *add_child(struct builder *builder, uint32_t parent, uint32_t name,
    enum flame_node_kind kind, const struct tally *tally)
{
    struct flame_stacks *stacks = builder->stacks;
    stacks->nodes = array_room(
        stacks->nodes, stacks->node_count, 1, &stacks->node_capacity, sizeof *stacks->nodes);
    struct stack_node *node = &stacks->nodes[stacks->node_count++];
    *node = (struct stack_node){.value = tally->value,
        .base = tally->base,
        .name = name,
        .parent = parent,
        .depth = stacks->nodes[parent].depth + 1,
        .kind = kind};
    stacks->nodes[parent].child_count++;
    return node;
}

static void add_to(struct tally *sum, const struct tally *more)
{
    sum->value = comparison_add(sum->value, more->value);
    sum->base = comparison_add(sum->base, more->base);
    sum->items += more->items;
}

/* Counts what a node's samples have next. */
static void count(struct builder *builder, const struct stack_node *node)
{
    for (size_t i = node->first_item; i < node->first_item + node->item_count; i++) {
        struct item *item = &builder->items[i];
        uint32_t name = step(builder, item);
        item->name = name & (NO_NAME >> 1);
        if (name == NO_NAME)
            continue;
        struct tally *tally = &builder->tallies[name];
        if (tally->items == 0)
            builder->seen[builder->seen_count++] = name;
        int64_t *sum = item->is_base ? &tally->base : &tally->value;
        *sum = comparison_add(*sum, item->value);
        tally->items++;
    }
}

static bool is_enough(const struct builder *builder, const struct tally *tally)
{
    return comparison_percent(builder->comparison, tally->value) >= builder->least_percent ||
           comparison_base_percent(builder->comparison, tally->base) >= builder->least_percent;
}

/* Adds a child for each name that has enough, with room for its samples, and one for the rest. */
static void add_children(struct builder *builder, uint32_t index, size_t first_item)
{
    struct tally rest = {.items = 0};
    bool is_deepest = builder->stacks->nodes[index].depth >= builder->depth_max;
    for (uint32_t i = 0; i < builder->seen_count; i++) {
        uint32_t name = builder->seen[i];
        struct tally *tally = &builder->tallies[name];
        if (is_deepest || !is_enough(builder, tally)) {
            add_to(&rest, tally);
            *tally = (struct tally){.items = 0};
            continue;
        }
        struct stack_node *child = add_child(builder, index, name, FLAME_FUNCTION, tally);
        child->first_item = first_item;
        child->item_count = tally->items;
        tally->items = first_item + 1; /* not 0, which says that it has no child */
        first_item += child->item_count;
    }
    if (rest.items > 0 && is_deepest)
        add_child(builder, index, FLAME_NAME_DEEPER, FLAME_DEEPER, &rest);
    else if (rest.items > 0)
        add_child(builder, index, FLAME_NAME_OTHER, FLAME_OTHER, &rest);
}

/* Moves the samples to those of the children that they belong to. */
static void move_items(struct builder *builder, size_t first, size_t item_count)
{
    memcpy(builder->moved, &builder->items[first], item_count * sizeof *builder->items);
    for (size_t i = 0; i < item_count; i++) {
        const struct item *item = &builder->moved[i];
        if (item->name == NO_NAME >> 1)
            continue;
        struct tally *tally = &builder->tallies[item->name];
        if (tally->items > 0)
            builder->items[tally->items++ - 1] = *item;
    }
}

static void expand(struct builder *builder, uint32_t index)
{
    const struct stack_node node = builder->stacks->nodes[index];
    count(builder, &node);
    add_children(builder, index, node.first_item);
    move_items(builder, node.first_item, node.item_count);
    for (uint32_t i = 0; i < builder->seen_count; i++)
        builder->tallies[builder->seen[i]] = (struct tally){.items = 0};
    builder->seen_count = 0;
}

void flame_stacks_build(struct flame_stacks *stacks, const struct profile *profile,
    const struct profile *base, const struct comparison *comparison, uint32_t depth_max,
    double least_percent)
{
    struct builder builder = {.stacks = stacks,
        .comparison = comparison,
        .profiles = {profile, comparison->has_base ? base : NULL},
        .depth_max = depth_max,
        .least_percent = least_percent};
    struct hash_index by_text = {.count = 0};
    size_t items = profile->sample_count;
    *stacks = (struct flame_stacks){.node_count = 1};
    stacks->nodes = array_room(NULL, 0, 1, &stacks->node_capacity, sizeof *stacks->nodes);
    stacks->nodes[0] = (struct stack_node){.name = FLAME_NAME_ALL, .kind = FLAME_ROOT};
    flame_names_init(stacks);
    flame_names_add(stacks, &by_text, profile, &builder.frames[0]);
    if (comparison->has_base) {
        flame_names_add(stacks, &by_text, base, &builder.frames[1]);
        items += base->sample_count;
    }
    hash_index_free(&by_text);
    builder.items = xcalloc(items, sizeof *builder.items);
    builder.moved = xcalloc(items, sizeof *builder.moved);
    builder.tallies = xcalloc(stacks->name_count, sizeof *builder.tallies);
    builder.seen = xcalloc(stacks->name_count, sizeof *builder.seen);
    if (comparison->sample_type < profile->sample_type_count)
        add_items(&builder, false, comparison->sample_type);
    if (comparison->has_base)
        add_items(&builder, true, comparison->base_sample_type);
    stacks->nodes[0].item_count = builder.item_count;
    for (uint32_t i = 0; i < stacks->node_count; i++)
        expand(&builder, i);
    flame_frames_free(&builder.frames[0]);
    flame_frames_free(&builder.frames[1]);
    free(builder.items);
    free(builder.moved);
    free(builder.tallies);
    free(builder.seen);
}

void flame_stacks_free(struct flame_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->address_count; i++)
        free(stacks->addresses[i]);
    free(stacks->addresses);
    free(stacks->names);
    free(stacks->nodes);
}
