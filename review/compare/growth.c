#include "review/compare/growth.h"

#include "core/alloc.h"
#include "review/profile/profile.h"

#include <stdlib.h>
#include <string.h>

static struct growth_function *add(struct growth *growth, const struct function_total *total)
{
    struct growth_function *function = &growth->functions[growth->count++];
    *function = (struct growth_function){
        .name = total->name, .file = total->file, .line = total->line};
    return function;
}

/* Differences of profiles have values below 0; nothing that is counted is. */
static int64_t not_below_0(int64_t value)
{
    return value > 0 ? value : 0;
}

static void unite(struct growth *growth)
{
    const struct totals *now = &growth->totals, *base = &growth->base_totals;
    growth->functions = xcalloc(now->count + base->count, sizeof *growth->functions);
    for (size_t i = 0; i < now->count; i++) {
        const struct function_total *total = &now->functions[i];
        const struct function_total *before = growth->comparison.has_base
                                                  ? totals_find(base, total->name)
                                                  : NULL;
        struct growth_function *function = add(growth, total);
        function->flat = not_below_0(total->flat);
        function->cum = not_below_0(total->cum);
        function->base_flat = before ? not_below_0(before->flat) : 0;
        function->base_cum = before ? not_below_0(before->cum) : 0;
    }
    for (size_t i = 0; i < base->count; i++) {
        const struct function_total *before = &base->functions[i];
        if (totals_find(now, before->name))
            continue;
        struct growth_function *function = add(growth, before);
        function->base_flat = not_below_0(before->flat);
        function->base_cum = not_below_0(before->cum);
    }
    for (size_t i = 0; i < growth->count; i++) {
        struct growth_function *function = &growth->functions[i];
        function->flat_points = comparison_points(
            &growth->comparison, function->flat, function->base_flat);
        function->cum_points = comparison_points(
            &growth->comparison, function->cum, function->base_cum);
    }
}

static int falling(double a, double b)
{
    return a > b ? -1 : a < b;
}

static int falling_cum(const struct growth_function *a, const struct growth_function *b)
{
    int order = falling(a->cum_points, b->cum_points);
    order = order ? order : falling((double)a->cum, (double)b->cum);
    order = order ? order : b->is_preferred - a->is_preferred;
    order = order ? order : falling(a->flat_points, b->flat_points);
    order = order ? order : falling((double)a->flat, (double)b->flat);
    return order ? order : strcmp(a->name, b->name);
}

static int falling_flat(const struct growth_function *a, const struct growth_function *b)
{
    int order = falling(a->flat_points, b->flat_points);
    order = order ? order : falling((double)a->flat, (double)b->flat);
    return order ? order : falling_cum(a, b);
}

static int rising_cum(const struct growth_function *a, const struct growth_function *b)
{
    int order = falling(b->cum_points, a->cum_points);
    order = order ? order : falling((double)a->base_cum, (double)b->base_cum);
    order = order ? order : falling(b->flat_points, a->flat_points);
    return order ? order : strcmp(a->name, b->name);
}

static int compare_functions(const void *a, const void *b)
{
    return falling_cum(a, b);
}

void growth_of(struct growth *growth, const struct profile *profile, uint32_t sample_type,
    const struct profile *base)
{
    *growth = (struct growth){
        .comparison = comparison_of(profile, sample_type, base), .type = "", .unit = ""};
    if (sample_type < profile->sample_type_count) {
        const struct profile_value_type *type = &profile->sample_types[sample_type];
        growth->type = profile->strings[type->type].text;
        growth->unit = profile->strings[type->unit].text;
        totals_of(profile, sample_type, &growth->totals);
    }
    if (growth->comparison.has_base)
        totals_of(base, growth->comparison.base_sample_type, &growth->base_totals);
    unite(growth);
    qsort(growth->functions, growth->count, sizeof *growth->functions, compare_functions);
}

void growth_prefer(struct growth *growth, const char *name)
{
    for (size_t i = 0; i < growth->count; i++)
        growth->functions[i].is_preferred = name && !strcmp(growth->functions[i].name, name);
    qsort(growth->functions, growth->count, sizeof *growth->functions, compare_functions);
}

void growth_free(struct growth *growth)
{
    free(growth->functions);
    totals_free(&growth->totals);
    totals_free(&growth->base_totals);
    *growth = (struct growth){.count = 0};
}

static int by_pointer(const void *left, const void *right, void *compare)
{
    const struct growth_function *const *a = left, *const *b = right;
    int (*const *order)(const struct growth_function *, const struct growth_function *) = compare;
    return (*order)(*a, *b);
}

const struct growth_function **growth_sorted(const struct growth *growth, enum growth_order order)
{
    int (*compare)(const struct growth_function *,
        const struct growth_function *) = order == GROWTH_CUM_GREW    ? falling_cum
                                          : order == GROWTH_FLAT_GREW ? falling_flat
                                                                      : rising_cum;
    const struct growth_function **sorted = xcalloc(growth->count, sizeof *sorted);
    for (size_t i = 0; i < growth->count; i++)
        sorted[i] = &growth->functions[i];
    qsort_r(sorted, growth->count, sizeof *sorted, by_pointer, &compare);
    return sorted;
}
