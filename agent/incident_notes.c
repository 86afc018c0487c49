#include "agent/incident_notes.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "core/series.h"
#include "sources/source.h"

#include <math.h>
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

void incident_note_usage(
    struct incident *incident, const struct series *cpu, int64_t after_ms, int64_t to_ms)
{
    double sum = 0;
    size_t count = 0;
    const struct sample *sample;
    for (size_t back = 0; cpu && (sample = series_at(cpu, back)); back++) {
        if (sample->time_ms <= after_ms)
            break;
        if (sample->time_ms <= to_ms) {
            sum += sample->value;
            count++;
        }
    }
    incident->cpu_mean = count ? sum / (double)count : NAN;
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void incident_note_target(struct incident *incident, const struct source_identity *identity)
{
    struct utsname machine;
    const char *host = identity->host;
    if (!host && uname(&machine) == 0)
        host = machine.nodename;
    incident->target = (struct incident_target){
        .task_arn = copy(identity->task_arn),
        .cluster = copy(identity->cluster),
        .family = copy(identity->family),
        .revision = copy(identity->revision),
        .container = copy(identity->container),
        .image = copy(identity->image),
        .host = copy(host),
        .started_ms = identity->started_wall_ms,
    };
}
