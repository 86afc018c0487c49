#include "review/top/top.h"

#include "core/alloc.h"
#include "core/error.h"
#include "review/profile/measure.h"
#include "review/top/top_graph.h"
#include "review/top/top_sum.h"
#include "review/top/totals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Callers with less of the samples do not say whether a function was inlined; pprof's default. */
static const double call_fraction = 0.001;

/* What nodes that are printed alike are sorted by: pprof prints all that it knows of them, and
 * compares that. */
static int compare_rest(const struct top_node *a, const struct top_node *b)
{
    int order = shown_name_compare(a->name, b->name);
    if (order)
        return order;
    char *left = xasprintf("%" PRId64 " 0 %s}", a->start_line, a->file);
    char *right = xasprintf("%" PRId64 " 0 %s}", b->start_line, b->file);
    order = strcmp(left, right);
    free(left);
    free(right);
    return order;
}

static int compare_values(int64_t a, int64_t b)
{
    return (a < b) - (a > b);
}

static int compare(const struct top_node *a, const struct top_node *b, bool by_cum)
{
    int flat = compare_values(top_absolute(a->flat), top_absolute(b->flat));
    int cum = compare_values(top_absolute(a->cum), top_absolute(b->cum));
    int name = shown_name_compare(a->printed, b->printed);
    int first = by_cum ? cum : flat, last = by_cum ? flat : cum;
    if (first || name || last)
        return first ? first : name ? name : last;
    return compare_rest(a, b);
}

static int by_flat(const void *a, const void *b)
{
    return compare(*(struct top_node *const *)a, *(struct top_node *const *)b, false);
}

static int by_cum(const void *a, const void *b)
{
    return compare(*(struct top_node *const *)a, *(struct top_node *const *)b, true);
}

static int64_t cutoff_of(int64_t total, double fraction)
{
    return top_absolute((uint64_t)measure_integer((double)total * fraction));
}

/* Those that have anything and, where there is a cutoff, that much. Without any that is below it,
 * all are kept, those that have nothing too: they are still between others. */
static size_t keep_large(struct top *top, struct top_node **kept, int64_t cutoff)
{
    struct top_graph *graph = top->graph;
    size_t count = 0, all = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        struct top_node *node = &graph->nodes[i];
        bool has_any = node->flat || node->cum;
        all += has_any;
        node->kept = has_any && (cutoff <= 0 || top_absolute(node->cum) >= cutoff);
        if (node->kept)
            kept[count++] = node;
    }
    top->dropped_count = all - count;
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].kept |= top->dropped_count == 0;
    return count;
}

static void keep_first(struct top *top, struct top_node **sorted, size_t count, uint64_t most)
{
    size_t kept = 0;
    top->kept_count = top->row_count = count;
    if (most == 0)
        return;
    size_t shown = most < count ? (size_t)most : count;
    /* The absolute value of the least number is below 0, which pprof takes for too little. */
    for (size_t i = 0; i < shown; i++)
        kept += top_absolute(sorted[i]->cum) >= 0;
    if (kept == count)
        return;
    struct top_graph *graph = top->graph;
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].kept = false;
    top->row_count = 0;
    for (size_t i = 0; i < shown; i++) {
        sorted[i]->kept = top_absolute(sorted[i]->cum) >= 0;
        if (sorted[i]->kept)
            sorted[top->row_count++] = sorted[i];
    }
}

static void tell(struct top *top, struct top_node *const *nodes)
{
    top->rows = xcalloc(top->row_count + 1, sizeof *top->rows);
    for (size_t i = 0; i < top->row_count; i++) {
        const struct top_node *node = nodes[i];
        top->rows[i] = (struct top_row){.name = node->printed.text,
            .name_size = node->printed.size,
            .inlined = !node->called_inline ? TOP_NOT_INLINED
                       : node->called       ? TOP_PARTLY_INLINED
                                            : TOP_INLINED,
            .flat = (int64_t)node->flat,
            .cum = (int64_t)node->cum};
    }
}

/* One unit for all: that of the least value, or a larger one in which it is at least 0.01. */
static const char *choose_unit(const struct top *top)
{
    int64_t least = 0, most = top->total;
    const char *least_unit, *most_unit, *unit;
    if (top->row_count == 0)
        return MEASURE_BEST;
    for (size_t i = 0; i < top->row_count; i++) {
        int64_t value = top_absolute((uint64_t)top->rows[i].flat);
        if (value == 0)
            value = top_absolute((uint64_t)top->rows[i].cum);
        if (value > 0 && (least == 0 || value < least))
            least = value;
    }
    least = least ? least : most;
    int64_t hundred = (int64_t)((uint64_t)least * 100);
    measure_scale(least, top->unit, MEASURE_BEST, &least_unit);
    measure_scale(most, top->unit, MEASURE_BEST, &most_unit);
    unit = least_unit;
    if (strcmp(least_unit, most_unit) != 0 && hundred < most)
        measure_scale(hundred, top->unit, MEASURE_BEST, &unit);
    return *unit ? unit : top->unit;
}

static void fill(struct top *top, const struct top_options *options)
{
    struct top_graph *graph = top->graph;
    uint64_t flat = 0;
    struct top_node **nodes = xcalloc((size_t)graph->node_count + 1, sizeof *nodes);
    top_graph_count(graph, top->sample_type);
    for (uint32_t i = 0; i < graph->node_count; i++)
        flat += graph->nodes[i].flat;
    size_t count = keep_large(top, nodes, cutoff_of((int64_t)flat, options->fraction));
    qsort(nodes, count, sizeof(struct top_node *), options->by_cum ? by_cum : by_flat);
    keep_first(top, nodes, count, options->row_count);
    top_graph_find_inlined(graph, top->sample_type, cutoff_of((int64_t)flat, call_fraction));
    tell(top, nodes);
    free(nodes);
}

static int find_type(struct top *top, const char *name, struct error *err)
{
    const struct profile *profile = top->profile;
    int type = totals_sample_type(profile, name);
    if (type >= 0) {
        top->sample_type = (uint32_t)type;
        top->unit = profile->strings[profile->sample_types[type].unit].text;
        return 0;
    }
    if (profile->sample_type_count == 0)
        return error_set(err, "the profile has no samples");
    char types[300] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < profile->sample_type_count && used < sizeof types; i++) {
        int size = snprintf(types + used, sizeof types - used, "%s%s", i ? ", " : "",
            profile->strings[profile->sample_types[i].type].text);
        used += size > 0 ? (size_t)size : sizeof types;
    }
    return error_set(
        err, "the profile has no sample type \"%.80s\"; it has: %s", name ? name : "", types);
}

int top_make(struct top *top, struct profile *profile, struct profile *base,
    const struct top_options *options, struct error *err)
{
    *top = (struct top){.fraction = options->fraction, .profile = profile};
    if (base && top_subtract(&top->profile, base, err) < 0)
        return -1;
    if (find_type(top, options->sample_type, err) < 0)
        return -1;
    if (!base && top_compact(&top->profile, top->sample_type, err) < 0)
        return -1;
    top->unit = top->profile->strings[top->profile->sample_types[top->sample_type].unit].text;
    if (top_graph_make(&top->graph, top->profile, err) < 0)
        return -1;
    top->total = top_sum(top->profile, top->sample_type);
    fill(top, options);
    top->shown_unit = choose_unit(top);
    return 0;
}

void top_free(struct top *top)
{
    top_graph_free(top->graph);
    profile_free(top->profile);
    free(top->rows);
    *top = (struct top){.rows = NULL};
}
