#include "review/analysis/sparkline.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/analysis/headline.h"
#include "review/evidence/evidence.h"

#include <math.h>
#include <stdlib.h>

/* A longer line has two samples a value at least; where they are rare, one each, so that no value
 * in the middle is a gap only for being between two samples. */
static size_t value_count(const struct series *series, int64_t span_ms)
{
    int64_t widest_ms = 0;
    for (size_t back = 0; back + 1 < series->count; back++) {
        int64_t gap_ms = series_at(series, back)->time_ms - series_at(series, back + 1)->time_ms;
        if (widest_ms == 0 || gap_ms < widest_ms)
            widest_ms = gap_ms;
    }
    int64_t count = widest_ms > 0 ? span_ms / widest_ms + 1 : 1;
    return count < SPARKLINE_VALUES ? (size_t)count : SPARKLINE_VALUES;
}

void sparkline_of(const struct evidence *evidence, struct incident_sparkline *sparkline)
{
    const struct series *series = headline_series(evidence);
    if (!series || series->count < 2)
        return;
    int64_t from_ms = series_at(series, series->count - 1)->time_ms;
    int64_t to_ms = series_at(series, 0)->time_ms, span_ms = to_ms - from_ms;
    size_t count = value_count(series, span_ms);
    double *sums = xcalloc(count, sizeof *sums);
    size_t *samples = xcalloc(count, sizeof *samples);
    for (size_t back = 0; back < series->count; back++) {
        const struct sample *sample = series_at(series, back);
        double part = (double)(sample->time_ms - from_ms) / (double)span_ms;
        size_t at = (size_t)(part * (double)count);
        at = at < count ? at : count - 1;
        sums[at] += sample->value;
        samples[at]++;
    }
    for (size_t i = 0; i < count; i++)
        sums[i] = samples[i] ? sums[i] / (double)samples[i] : NAN;
    free(samples);
    *sparkline = (struct incident_sparkline){.metric = xstrdup(series->name),
        .from_ms = from_ms,
        .to_ms = to_ms,
        .values = sums,
        .count = count};
}
