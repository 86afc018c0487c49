#include "core/alloc.h"
#include "review/top/top_graph.h"

#include <stdlib.h>
#include <string.h>

static uint64_t value_of(const struct profile *profile, uint32_t sample, uint32_t type)
{
    return (uint64_t)profile->values[(size_t)sample * profile->sample_type_count + type];
}

/* The locations of a sample that count, the leaf first. */
static const uint32_t *stack_of(const struct top_graph *graph, uint32_t sample, uint32_t *count)
{
    const struct profile_sample *of = &graph->profile->samples[sample];
    uint32_t begin = graph->begins ? graph->begins[sample] : 0;
    *count = of->location_count - begin;
    return graph->profile->stacks + of->first_location + begin;
}

/* Most locations have one frame. */
#define SEVERAL UINT32_MAX

/* Of each location the one of `frames` that it has, or SEVERAL. */
static uint32_t *only_frames(const struct top_graph *graph, const uint32_t *frames)
{
    uint32_t locations = graph->profile->location_count;
    uint32_t *only = xrealloc(NULL, (size_t)locations + 1, sizeof *only);
    for (uint32_t i = 0; i < locations; i++)
        only[i] = graph->first[i + 1] - graph->first[i] == 1 ? frames[graph->first[i]] : SEVERAL;
    return only;
}

/* Apart from the nodes: this is where the time goes, and these stay in the cache. */
struct counted {
    uint64_t cum;
    uint32_t last_sample; /* from 1 */
};

static inline void count_frame(struct counted *node, uint32_t sample, uint64_t value)
{
    node->cum += node->last_sample != sample ? value : 0;
    node->last_sample = sample;
}

void top_graph_count(struct top_graph *graph, uint32_t sample_type)
{
    const struct profile *profile = graph->profile;
    struct counted *counted = xcalloc((size_t)graph->node_count + 1, sizeof *counted);
    uint32_t *only = only_frames(graph, graph->frames);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        uint32_t count;
        const uint32_t *stack = stack_of(graph, i, &count);
        uint64_t value = value_of(profile, i, sample_type);
        if (value == 0 || count == 0)
            continue;
        graph->nodes[graph->frames[graph->first[stack[0]]]].flat += value;
        for (uint32_t j = 0; j < count; j++) {
            if (only[stack[j]] != SEVERAL) {
                count_frame(&counted[only[stack[j]]], i + 1, value);
                continue;
            }
            for (uint32_t k = graph->first[stack[j]]; k < graph->first[stack[j] + 1]; k++)
                count_frame(&counted[graph->frames[k]], i + 1, value);
        }
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].cum = counted[i].cum;
    free(counted);
    free(only);
}

/* One function that calls another; known by both. */
struct call {
    uint64_t key; /* 0: none */
    uint64_t weight;
    uint32_t last_sample; /* from 1 */
    bool always_inline;
};

struct calls {
    struct call *table;
    uint32_t capacity, count; /* the capacity is a power of two */
};

static struct call *find_call(const struct calls *calls, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    for (;; hash++) {
        struct call *call = &calls->table[hash & (calls->capacity - 1)];
        if (call->key == key || call->key == 0)
            return call;
    }
}

static void grow(struct calls *calls)
{
    struct calls larger = {
        .capacity = calls->capacity ? calls->capacity * 2 : 1024, .count = calls->count};
    larger.table = xcalloc(larger.capacity, sizeof *larger.table);
    for (uint32_t i = 0; i < calls->capacity; i++)
        if (calls->table[i].key)
            *find_call(&larger, calls->table[i].key) = calls->table[i];
    free(calls->table);
    *calls = larger;
}

/* Once a sample, and then as the first time. */
static void add_call(
    struct calls *calls, uint64_t key, uint32_t sample, uint64_t value, bool is_inline)
{
    if (calls->count >= calls->capacity / 2)
        grow(calls);
    struct call *call = find_call(calls, key);
    if (call->key && call->last_sample == sample)
        return;
    calls->count += call->key == 0;
    call->always_inline = is_inline && (call->key == 0 || call->always_inline);
    call->key = key;
    call->weight += value;
    call->last_sample = sample;
}

/* What is left of the frames when only kept nodes count: a frame is 0, or its node's number among
 * those that are kept, from 1, and whether it may be inlined. It all stays in the cache; what most
 * are, left out or never inlined, is even. */

struct kept_frames {
    uint32_t *frames; /* as those of the graph: number * 2 + may be inlined */
    uint32_t *nodes;  /* by number */
    uint32_t *only;   /* see only_frames */
    bool may_be_inlined;
};

static void keep_frames(struct kept_frames *kept, const struct top_graph *graph)
{
    uint32_t locations = graph->profile->location_count, count = 0;
    uint32_t *numbers = xcalloc((size_t)graph->node_count + 1, sizeof *numbers);
    kept->nodes = xcalloc((size_t)graph->node_count + 1, sizeof *kept->nodes);
    kept->frames = xcalloc((size_t)graph->first[locations] + 1, sizeof *kept->frames);
    kept->may_be_inlined = false;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const struct top_node *node = &graph->nodes[i];
        if (!node->kept)
            continue;
        kept->nodes[++count] = i;
        numbers[i] = count * 2 + node->has_inline_frames;
        kept->may_be_inlined |= node->has_inline_frames;
    }
    for (uint32_t i = 0; i < graph->first[locations]; i++)
        kept->frames[i] = numbers[graph->frames[i]];
    kept->only = only_frames(graph, kept->frames);
    free(numbers);
}

/* A sample on its way from the root to the leaf, past what is not kept. */
struct descent {
    struct calls *calls;
    uint32_t parent, sample;
    uint64_t value;
};

static inline void descend(struct descent *descent, uint32_t frame, bool is_inline)
{
    if (frame == 0)
        return;
    if (frame % 2 && descent->parent && descent->parent != frame)
        add_call(descent->calls, (uint64_t)descent->parent << 32 | frame, descent->sample,
            descent->value, is_inline);
    descent->parent = frame;
}

static void add_calls(
    const struct top_graph *graph, const struct kept_frames *kept, struct descent *descent)
{
    uint32_t count;
    const uint32_t *stack = stack_of(graph, descent->sample - 1, &count);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t only = kept->only[stack[i]];
        if (only % 2 == 0) {
            descent->parent = only ? only : descent->parent; /* no branch: it is a toss-up */
            continue;
        }
        if (only != SEVERAL) {
            descend(descent, only, false);
            continue;
        }
        uint32_t first = graph->first[stack[i]], end = graph->first[stack[i] + 1];
        for (uint32_t j = end; j-- > first;)
            descend(descent, kept->frames[j], j + 1 < end);
    }
}

static void judge_calls(struct top_graph *graph, const struct kept_frames *kept,
    const struct calls *calls, int64_t cutoff)
{
    for (uint32_t i = 0; i < calls->capacity; i++) {
        const struct call *call = &calls->table[i];
        if (call->key == 0 || top_absolute(call->weight) < cutoff)
            continue;
        struct top_node *node = &graph->nodes[kept->nodes[(call->key & UINT32_MAX) / 2]];
        node->called_inline |= call->always_inline;
        node->called |= !call->always_inline;
    }
}

void top_graph_find_inlined(struct top_graph *graph, uint32_t sample_type, int64_t cutoff)
{
    struct calls calls = {.table = NULL};
    struct kept_frames kept;
    keep_frames(&kept, graph);
    for (uint32_t i = 0; kept.may_be_inlined && i < graph->profile->sample_count; i++) {
        struct descent descent = {
            .calls = &calls, .sample = i + 1, .value = value_of(graph->profile, i, sample_type)};
        if (descent.value)
            add_calls(graph, &kept, &descent);
    }
    judge_calls(graph, &kept, &calls, cutoff);
    free(calls.table);
    free(kept.frames);
    free(kept.nodes);
    free(kept.only);
}
