#include "review/suspect/explained.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "core/series.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Gaps of up to 3 spacings are bridged, as triggers do; what is left out then is taken to be like
 * the rest, unless it is more than this part of the time. */
static const double bridged_spacings = 3.5, covered_least = 0.8;

static const char *text_of(const struct profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

/* Nanoseconds in the unit of a sample type; 0: it is no time. */
static double unit_ns(const char *unit)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"nanoseconds", 1}, {"ns", 1}, {"microseconds", 1e3}, {"us", 1e3},
        {"milliseconds", 1e6}, {"ms", 1e6}, {"seconds", 1e9}, {"s", 1e9}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(unit, units[i].name))
            return units[i].ns;
    return 0;
}

static double profile_cpu_s(const struct profile *profile)
{
    for (uint32_t type = 0; type < profile->sample_type_count; type++) {
        double ns = unit_ns(text_of(profile, profile->sample_types[type].unit));
        if (ns <= 0 || strcmp(text_of(profile, profile->sample_types[type].type), "cpu") != 0)
            continue;
        double sum = 0;
        for (uint32_t i = 0; i < profile->sample_count; i++)
            sum += (double)profile->values[(size_t)i * profile->sample_type_count + type];
        return sum * ns / 1e9;
    }
    return NAN;
}

static const struct series *find_cores(const struct evidence *evidence)
{
    const struct series *series = series_set_find(&evidence->metrics, "cpu.cores");
    const char *app = evidence->incident->app;
    if (series || !app)
        return series;
    char *name = xasprintf("%s.cpu.cores", app);
    series = series_set_find(&evidence->metrics, name);
    free(name);
    return series;
}

static double between(double low, double value, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* The usual distance between two samples, in ms: their median would be exact, the smallest is near
 * enough and no gap can hide it. */
static double spacing_ms(const struct series *series)
{
    double spacing = INFINITY;
    for (size_t back = 0; back + 1 < series->count; back++)
        spacing = fmin(spacing,
            (double)(series_at(series, back)->time_ms - series_at(series, back + 1)->time_ms));
    return spacing;
}

/* A sample is the mean over the interval that ends at its time. */
static double container_cpu_s(const struct series *series, double from_ms, double to_ms)
{
    double sum = 0, covered_ms = 0, longest_ms = spacing_ms(series) * bridged_spacings;
    for (size_t back = 0; back + 1 < series->count; back++) {
        const struct sample *sample = series_at(series, back);
        double end = (double)sample->time_ms;
        double start = (double)series_at(series, back + 1)->time_ms;
        if (end - start > longest_ms)
            continue;
        double part_ms = between(from_ms, end, to_ms) - between(from_ms, start, to_ms);
        sum += sample->value * part_ms / 1000;
        covered_ms += part_ms;
    }
    if (!(to_ms > from_ms) || covered_ms < covered_least * (to_ms - from_ms))
        return NAN;
    return sum * (to_ms - from_ms) / covered_ms;
}

void explained_find(const struct evidence *evidence, const struct evidence_profile *cpu,
    struct incident_explained *explained)
{
    *explained = (struct incident_explained){NAN, NAN, NAN};
    if (!cpu || !cpu->profile)
        return;
    explained->profile_cpu_s = profile_cpu_s(cpu->profile);
    const struct incident_profile *listed = &evidence->incident->profiles[cpu->listed];
    double from_ms = (double)listed->requested_ms, to_ms = (double)listed->finished_ms;
    if (listed->seconds > 0) /* the answer comes a moment after the recording has ended */
        to_ms = fmin(to_ms, from_ms + listed->seconds * 1000);
    const struct series *cores = find_cores(evidence);
    if (cores && listed->requested_ms)
        explained->container_cpu_s = container_cpu_s(cores, from_ms, to_ms);
    if (explained->container_cpu_s > 0)
        explained->percent = 100 * explained->profile_cpu_s / explained->container_cpu_s;
}
