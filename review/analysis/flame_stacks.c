#include "review/analysis/flame_stacks.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 1 << 19, NAME_DEEPER = 0, NAME_OTHER = 1 };

/* A profile whose samples are being added. */
struct source {
    const struct profile *profile;
    uint32_t sample_type;
    bool is_base;
    uint32_t *line_names;     /* by line: index in stacks->names */
    uint32_t *location_names; /* by location, where it has no line */
};

struct sample_value {
    int64_t value;
    uint32_t sample;
};

struct name_key {
    const struct flame_stacks *stacks;
    const char *text;
};

static bool same_name(const void *arg, uint32_t index)
{
    const struct name_key *key = arg;
    return index > NAME_OTHER && !strcmp(key->stacks->names[index].text, key->text);
}

static uint32_t add_name(struct flame_stacks *stacks, const char *text, const char *file)
{
    stacks->names = array_room(
        stacks->names, stacks->name_count, 1, &stacks->name_capacity, sizeof *stacks->names);
    stacks->names[stacks->name_count] = (struct stack_name){text, file};
    return stacks->name_count++;
}

static uint32_t find_name(
    struct flame_stacks *stacks, const char *text, const char *file, bool *is_new)
{
    struct name_key key = {stacks, text};
    uint32_t hash = hash_finish(hash_bytes(0, text, strlen(text)));
    uint32_t index = hash_index_find(&stacks->by_text, hash, same_name, &key);
    *is_new = index == HASH_INDEX_NONE;
    if (*is_new) {
        index = add_name(stacks, text, file);
        hash_index_add(&stacks->by_text, hash, index);
    }
    return index;
}

/* The name of what has none, as profilers print it. */
static uint32_t address_name(struct flame_stacks *stacks, uint64_t address)
{
    char *text = xasprintf("0x%" PRIx64, address);
    bool is_new;
    uint32_t index = find_name(stacks, text, "", &is_new);
    if (!is_new) {
        free(text);
        return index;
    }
    stacks->addresses = array_room(stacks->addresses, stacks->address_count, 1,
        &stacks->address_capacity, sizeof *stacks->addresses);
    stacks->addresses[stacks->address_count++] = text;
    return index;
}

static void source_init(struct source *source, struct flame_stacks *stacks)
{
    const struct profile *profile = source->profile;
    uint32_t *functions = xcalloc(profile->function_count, sizeof *functions);
    bool is_new;
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct profile_function *function = &profile->functions[i];
        functions[i] = find_name(stacks, profile->strings[function->name].text,
            profile->strings[function->file].text, &is_new);
    }
    source->line_names = xcalloc(profile->line_count, sizeof *source->line_names);
    source->location_names = xcalloc(profile->location_count, sizeof *source->location_names);
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        if (location->line_count == 0)
            source->location_names[i] = address_name(stacks, location->address);
        for (uint32_t j = 0; j < location->line_count; j++) {
            uint32_t line = location->first_line + j;
            uint32_t name = functions[profile->lines[line].function];
            source->line_names[line] = stacks->names[name].text[0]
                                           ? name
                                           : address_name(stacks, location->address);
        }
    }
    free(functions);
}

struct node_key {
    const struct flame_stacks *stacks;
    uint32_t parent, name;
};

static bool same_node(const void *arg, uint32_t index)
{
    const struct node_key *key = arg;
    const struct stack_node *node = &key->stacks->nodes[index];
    return node->parent == key->parent && node->name == key->name;
}

static enum flame_node_kind kind_of(uint32_t name)
{
    return name == NAME_OTHER ? FLAME_OTHER : name == NAME_DEEPER ? FLAME_DEEPER : FLAME_FUNCTION;
}

static uint32_t find_child(struct flame_stacks *stacks, uint32_t parent, uint32_t name)
{
    struct node_key key = {stacks, parent, name};
    uint32_t hash = hash_finish(hash_number(hash_number(0, parent), name));
    uint32_t index = hash_index_find(&stacks->by_parent, hash, same_node, &key);
    if (index != HASH_INDEX_NONE)
        return index;
    if (stacks->node_count >= NODES_MAX && name != NAME_OTHER)
        return find_child(stacks, parent, NAME_OTHER);
    stacks->nodes = array_room(
        stacks->nodes, stacks->node_count, 1, &stacks->node_capacity, sizeof *stacks->nodes);
    index = stacks->node_count++;
    stacks->nodes[index] = (struct stack_node){
        .name = name, .parent = parent, .kind = kind_of(name)};
    stacks->nodes[parent].child_count++;
    hash_index_add(&stacks->by_parent, hash, index);
    return index;
}

static void count_in(struct flame_stacks *stacks, uint32_t index, int64_t value, bool is_base)
{
    struct stack_node *node = &stacks->nodes[index];
    int64_t *sum = is_base ? &node->base : &node->value;
    *sum = comparison_add(*sum, value);
}

/* One more frame of a stack: whether there is any use in a next one. */
static bool add_frame(struct flame_stacks *stacks, const struct source *source, uint32_t name,
    int64_t value, uint32_t *node, uint32_t *depth)
{
    uint32_t child = find_child(
        stacks, *node, *depth < stacks->depth_max ? name : (uint32_t)NAME_DEEPER);
    count_in(stacks, child, value, source->is_base);
    *node = child;
    ++*depth;
    return stacks->nodes[child].kind == FLAME_FUNCTION;
}

static void add_sample(
    struct flame_stacks *stacks, const struct source *source, const struct sample_value *item)
{
    const struct profile *profile = source->profile;
    const struct profile_sample *sample = &profile->samples[item->sample];
    uint32_t node = 0, depth = 0;
    count_in(stacks, 0, item->value, source->is_base);
    for (uint32_t i = sample->location_count; i-- > 0;) {
        uint32_t index = profile->stacks[sample->first_location + i];
        const struct profile_location *location = &profile->locations[index];
        if (location->line_count == 0 &&
            !add_frame(stacks, source, source->location_names[index], item->value, &node, &depth))
            return;
        for (uint32_t j = location->line_count; j-- > 0;)
            if (!add_frame(stacks, source, source->line_names[location->first_line + j],
                    item->value, &node, &depth))
                return;
    }
}

/* The largest first, so that it is the small ones for which there may be no room. */
static int compare_values(const void *left, const void *right)
{
    const struct sample_value *a = left, *b = right;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->sample < b->sample ? -1 : 1;
}

void flame_stacks_init(struct flame_stacks *stacks, uint32_t depth_max)
{
    *stacks = (struct flame_stacks){.depth_max = depth_max};
    stacks->nodes = array_room(NULL, 0, 1, &stacks->node_capacity, sizeof *stacks->nodes);
    stacks->nodes[stacks->node_count++] = (struct stack_node){
        .parent = FLAME_TREE_NONE, .kind = FLAME_ROOT};
    add_name(stacks, "(deeper)", "");
    add_name(stacks, "(other)", "");
}

void flame_stacks_free(struct flame_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->address_count; i++)
        free(stacks->addresses[i]);
    free(stacks->addresses);
    free(stacks->names);
    free(stacks->nodes);
    hash_index_free(&stacks->by_parent);
    hash_index_free(&stacks->by_text);
}

void flame_stacks_add(
    struct flame_stacks *stacks, const struct profile *profile, uint32_t sample_type, bool is_base)
{
    struct source source = {.profile = profile, .sample_type = sample_type, .is_base = is_base};
    struct sample_value *values = xcalloc(profile->sample_count, sizeof *values);
    uint32_t count = 0;
    source_init(&source, stacks);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = profile->values[(size_t)i * profile->sample_type_count + sample_type];
        if (value > 0)
            values[count++] = (struct sample_value){value, i};
    }
    qsort(values, count, sizeof *values, compare_values);
    for (uint32_t i = 0; i < count; i++)
        add_sample(stacks, &source, &values[i]);
    free(values);
    free(source.line_names);
    free(source.location_names);
}
