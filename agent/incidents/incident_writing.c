#include "agent/incidents/incident_writing.h"

#include "agent/kinds.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/csv.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"
#include "core/rds_metric.h"
#include "core/series.h"

#include <stdlib.h>
#include <string.h>

static const int64_t before_onset_ms = 5 * 60 * 1000;
static const size_t max_metrics_bytes = 64 << 20;

struct job {
    struct incident_writing writing;
    struct series_set samples;
    struct buf csv;
};

static void format_metrics(void *arg)
{
    struct job *job = arg;
    buf_init(&job->csv, max_metrics_bytes);
    if (csv_write_series(&job->csv, &job->samples, INT64_MIN, job->writing.until_ms,
            job->writing.wall_offset_ms) < 0)
        log_error("incident %s: metrics.csv is too large and is cut", job->writing.incident->id);
}

static void spool_it(void *arg)
{
    struct job *job = arg;
    const struct incident_writing *writing = &job->writing;
    if (writing->sealing) {
        *writing->sealing = true;
        if (writing->discard)
            spool_discard(writing->spool, writing->incident->id, writing->written, writing->arg);
        else
            spool_complete(
                writing->spool, writing->incident, &job->csv, writing->written, writing->arg);
    } else {
        spool_checkpoint(writing->spool, writing->incident, &job->csv);
    }
    buf_free(&job->csv);
    series_set_free(&job->samples);
    free(job);
}

void incident_write(const struct incident_writing *writing)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->writing = *writing;
    series_set_copy(&job->samples, writing->series, writing->onset_ms - before_onset_ms);
    offload_submit(writing->disk, format_metrics, spool_it, job);
}

/* The longest that a set can take: CPU profiles come one after the other, the rest beside them, and
 * last those of the spike's end. */
static int64_t capture_seconds(const struct capture_set *set)
{
    int64_t cpu = 0, others = 0, late = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct capture_entry *entry = &set->entries[i];
        if (entry->at == CAPTURE_AT_END)
            late += entry->seconds;
        else
            *(config_entry_is_cpu(entry) ? &cpu : &others) += entry->seconds;
    }
    return (cpu > others ? cpu : others) + late + 60; /* for requests and retries */
}

/* How long before its fire an excursion of the trigger can have begun. */
static int64_t lookback_ms(const struct config *config, const struct trigger_config *trigger)
{
    const struct trigger_kind *kind = trigger_kinds[trigger->kind];
    int64_t longest_ms = 0;
    for (size_t i = 0; i < trigger->scope.member_count; i++) {
        int64_t ms = lookback_ms(config, &config->triggers[trigger->members[i]]);
        longest_ms = ms > longest_ms ? ms : longest_ms;
    }
    return longest_ms +
           (kind->lookback_ms ? kind->lookback_ms(trigger->options, config->interval_ms) : 0);
}

int64_t incident_longest_s(const struct config *config)
{
    int64_t longest_s = 0;
    for (size_t i = 0; i < config->capture_count; i++) {
        int64_t seconds = capture_seconds(&config->captures[i]);
        longest_s = seconds > longest_s ? seconds : longest_s;
    }
    return longest_s;
}

size_t incident_history(const struct config *config)
{
    int64_t longest_ms = 0, capture_s = incident_longest_s(config);
    for (size_t i = 0; i < config->trigger_count; i++) {
        int64_t ms = lookback_ms(config, &config->triggers[i]);
        longest_ms = ms > longest_ms ? ms : longest_ms;
    }
    int64_t late_ms = config_polls_rds(config) ? RDS_LATE_MS : 0; /* a fire is of so long ago */
    return (size_t)((before_onset_ms + longest_ms + late_ms + capture_s * 1000) /
                    config->interval_ms) +
           2;
}
