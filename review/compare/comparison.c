#include "review/compare/comparison.h"

#include "review/profile/measure.h"
#include "review/profile/profile.h"

#include <string.h>

static const char *type_of(const struct profile *profile, uint32_t sample_type)
{
    return profile->strings[profile->sample_types[sample_type].type].text;
}

static const char *unit_of(const struct profile *profile, uint32_t sample_type)
{
    return profile->strings[profile->sample_types[sample_type].unit].text;
}

int64_t comparison_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static int64_t total_of(const struct profile *profile, uint32_t sample_type)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = profile->values[(size_t)i * profile->sample_type_count + sample_type];
        total = comparison_add(total, value > 0 ? value : 0);
    }
    return total;
}

static bool is_amount(const char *type)
{
    static const char *const amounts[] = {"inuse_space", "inuse_objects", "goroutine"};
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
        if (!strcmp(type, amounts[i]))
            return true;
    return false;
}

static void find_base(
    struct comparison *comparison, const struct profile *profile, const struct profile *base)
{
    const char *type = type_of(profile, comparison->sample_type);
    for (uint32_t i = 0; i < base->sample_type_count; i++) {
        double ratio;
        if (strcmp(type_of(base, i), type) != 0 ||
            !measure_ratio(unit_of(base, i), unit_of(profile, comparison->sample_type), &ratio))
            continue;
        comparison->base_sample_type = i;
        comparison->base_ratio = ratio;
        comparison->base_total = total_of(base, i);
        comparison->has_base = comparison->base_total > 0;
        return;
    }
}

struct comparison comparison_of(
    const struct profile *profile, uint32_t sample_type, const struct profile *base)
{
    struct comparison comparison = {.sample_type = sample_type, .base_ratio = 1};
    if (sample_type >= profile->sample_type_count)
        return comparison;
    if (is_amount(type_of(profile, sample_type)))
        comparison.kind = COMPARISON_AMOUNTS;
    comparison.total = total_of(profile, sample_type);
    if (base)
        find_base(&comparison, profile, base);
    return comparison;
}

static double percent(int64_t value, int64_t total)
{
    return total > 0 ? (double)value / (double)total * 100 : 0;
}

double comparison_percent(const struct comparison *comparison, int64_t value)
{
    return percent(value, comparison->total);
}

double comparison_base_percent(const struct comparison *comparison, int64_t base_value)
{
    return percent(base_value, comparison->base_total);
}

double comparison_amount(const struct comparison *comparison, int64_t value, int64_t base_value)
{
    return (double)value - (double)base_value * comparison->base_ratio;
}

double comparison_points(const struct comparison *comparison, int64_t value, int64_t base_value)
{
    if (!comparison->has_base)
        return 0;
    if (comparison->kind == COMPARISON_SHARES)
        return comparison_percent(comparison, value) -
               comparison_base_percent(comparison, base_value);
    double total = (double)comparison->total;
    double base_total = (double)comparison->base_total * comparison->base_ratio;
    double larger = total > base_total ? total : base_total;
    return comparison_amount(comparison, value, base_value) / larger * 100;
}
