#include "review/top/top_sum.h"

#include "core/alloc.h"
#include "core/error.h"
#include "review/profile/measure.h"
#include "review/profile/profile.h"
#include "review/profile/profile_merge.h"

#include <math.h>

int64_t top_sum(const struct profile *profile, uint32_t sample_type)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = profile->values[(size_t)i * profile->sample_type_count + sample_type];
        sum += value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    }
    return (int64_t)sum;
}

/* pprof, as of Go 1.19, knows no columns: locations that differ only in them are one. */
static void forget_columns(struct profile *profile)
{
    for (uint32_t i = 0; i < profile->line_count; i++)
        profile->lines[i].column = 0;
}

static struct profile *merge(struct profile *profile, struct profile *other, struct error *err)
{
    forget_columns(profile);
    if (other)
        forget_columns(other);
    struct profile_merge *merge = profile_merge_open();
    if (profile_merge_add(merge, profile, err) < 0 ||
        (other && profile_merge_add(merge, other, err) < 0)) {
        profile_merge_free(merge);
        return NULL;
    }
    return profile_merge_close(merge);
}

static int replace(struct profile **profile, struct profile *by)
{
    if (!by)
        return -1;
    profile_free(*profile);
    *profile = by;
    return 0;
}

/* A double holds these; in pprof, larger values are rounded to one when they are negated. */
static const int64_t most_exact = INT64_C(1) << 53;

static bool all_exact(const struct profile *profile)
{
    size_t count = (size_t)profile->sample_count * profile->sample_type_count;
    for (size_t i = 0; i < count; i++)
        if (profile->values[i] > most_exact || profile->values[i] < -most_exact)
            return false;
    return true;
}

static void negate(struct profile *profile)
{
    size_t count = (size_t)profile->sample_count * profile->sample_type_count;
    for (size_t i = 0; i < count; i++)
        profile->values[i] = measure_integer(round(-(double)profile->values[i]));
}

/* pprof gives a profile without mappings one of which nothing is known, and all locations to it. It
 * is then the first of a sum, and its locations are not those that have none. */
static void have_a_mapping(struct profile *profile)
{
    if (profile->mapping_count > 0)
        return;
    profile->mappings = xrealloc(profile->mappings, 1, sizeof *profile->mappings);
    profile->mappings[0] = (struct profile_mapping){.start = 0};
    profile->mapping_count = 1;
    for (uint32_t i = 0; i < profile->location_count; i++)
        profile->locations[i].mapping = 0;
}

/* Mappings that become one take one's file, of which only what has no name is told. */
static bool files_matter(const struct profile *profile)
{
    if (profile->mapping_count < 2)
        return false;
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].line_count == 0)
            return true;
    for (uint32_t i = 0; i < profile->function_count; i++)
        if (profile->strings[profile->functions[i].name].size == 0)
            return true;
    return false;
}

int top_subtract(struct profile **profile, struct profile *base, struct error *err)
{
    have_a_mapping(*profile);
    have_a_mapping(base);
    /* pprof adds each of them up first, which makes a difference where it rounds, and to which
     * mapping is the first. */
    if ((!all_exact(base) || files_matter(base)) && replace(&base, merge(base, NULL, err)) < 0) {
        profile_free(base);
        return -1;
    }
    negate(base);
    /* What is said of the time is pprof's way, too: the earlier, if the first has any. */
    int64_t time_ns = (*profile)->time_ns;
    if (time_ns == 0 || base->time_ns < time_ns)
        time_ns = base->time_ns;
    int status = replace(profile, merge(*profile, base, err));
    if (status == 0)
        (*profile)->time_ns = time_ns;
    else
        error_prefix(err, "--base");
    profile_free(base);
    return status;
}

/* Whether all are at least 0 and their sum fits: then it is that of their sums. */
static bool adds_up(const struct profile *profile, uint32_t sample_type)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = profile->values[(size_t)i * profile->sample_type_count + sample_type];
        if (value < 0 || __builtin_add_overflow(sum, value, &sum))
            return false;
    }
    return true;
}

int top_compact(struct profile **profile, uint32_t sample_type, struct error *err)
{
    if (adds_up(*profile, sample_type) && !files_matter(*profile))
        return 0;
    return replace(profile, merge(*profile, NULL, err));
}
