#include "agent/incidents/incident_notes.h"

#include "agent/detection/detector.h"
#include "core/alloc.h"
#include "core/incident.h"
#include "core/series.h"
#include "sources/source.h"

#include <math.h>
#include <stdbool.h>
#include <sys/utsname.h>

void incident_note_peaks(
    struct incident *incident, const struct series_set *series, int64_t begin_ms, int64_t until_ms)
{
    incident_clear_peaks(incident);
    for (size_t i = 0; i < series->count; i++) {
        double peak = -INFINITY;
        const struct sample *sample;
        for (size_t back = 0; (sample = series_at(series->all[i], back)); back++) {
            if (sample->time_ms < begin_ms)
                break;
            if (sample->time_ms <= until_ms)
                peak = fmax(peak, sample->value);
        }
        if (isfinite(peak))
            incident_add_peak(incident, series->all[i]->name, peak);
    }
}

/* From the first profile's request to the last one's end, in wall ms; false: there was none. */
static bool capture_span(const struct incident *incident, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = INT64_MAX;
    *to_ms = 0;
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (!profile->requested_ms || !profile->finished_ms)
            continue;
        *from_ms = profile->requested_ms < *from_ms ? profile->requested_ms : *from_ms;
        *to_ms = profile->finished_ms > *to_ms ? profile->finished_ms : *to_ms;
    }
    return *from_ms < *to_ms;
}

/* A sample is the mean of the time since the one before it: it counts as far as that lies within.
 */
static double mean_of(const struct series *series, int64_t from_ms, int64_t to_ms)
{
    double sum = 0, length_ms = 0;
    const struct sample *sample = series ? series_at(series, 0) : NULL, *before;
    for (size_t back = 1; sample && sample->time_ms > from_ms; back++, sample = before) {
        before = series_at(series, back);
        int64_t begin_ms = before && before->time_ms > from_ms ? before->time_ms : from_ms;
        int64_t end_ms = sample->time_ms < to_ms ? sample->time_ms : to_ms;
        if (!before || end_ms <= begin_ms)
            continue; /* how long the oldest has lasted nobody knows */
        sum += sample->value * (double)(end_ms - begin_ms);
        length_ms += (double)(end_ms - begin_ms);
    }
    return length_ms > 0 ? sum / length_ms : NAN;
}

static double highest_of(const struct series *series, int64_t from_ms, int64_t to_ms)
{
    double highest = NAN;
    const struct sample *sample;
    for (size_t back = 0; series && (sample = series_at(series, back)); back++) {
        if (sample->time_ms < from_ms)
            break;
        if (sample->time_ms <= to_ms)
            highest = fmax(highest, sample->value);
    }
    return highest;
}

void incident_note_usage(struct incident *incident, const struct series *cpu,
    const struct series *memory, int64_t wall_offset_ms)
{
    int64_t from_ms, to_ms;
    incident->cpu_mean = incident->memory_max = NAN;
    if (!capture_span(incident, &from_ms, &to_ms))
        return;
    incident->cpu_mean = mean_of(cpu, from_ms - wall_offset_ms, to_ms - wall_offset_ms);
    incident->memory_max = highest_of(memory, from_ms - wall_offset_ms, to_ms - wall_offset_ms);
}

void incident_note_target(struct incident *incident, const struct source_identity *identity)
{
    struct utsname machine;
    const char *host = identity->host;
    if (!host && uname(&machine) == 0)
        host = machine.nodename;
    incident->target = (struct incident_target){
        .task_arn = xstrdup_or_null(identity->task_arn),
        .cluster = xstrdup_or_null(identity->cluster),
        .family = xstrdup_or_null(identity->family),
        .revision = xstrdup_or_null(identity->revision),
        .container = xstrdup_or_null(identity->container),
        .image = xstrdup_or_null(identity->image),
        .host = xstrdup_or_null(host),
        .started_ms = identity->started_wall_ms,
    };
}

void incident_note_cause(struct incident_cause *cause, const struct detector_event *event)
{
    cause->metric = xstrdup(event->metric);
    cause->reason = xstrdup(event->reason);
    cause->value = event->value;
    cause->limit = event->limit;
    cause->down = event->down;
}
