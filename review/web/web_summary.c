#include "review/web/web_summary.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/analysis/reanalysis.h"
#include "review/history/history.h"
#include "review/history/mark.h"
#include "review/store/store.h"
#include "review/suspect/go_names.h"
#include "review/web/web_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A text on its way into the summary's allocation. */
struct text {
    const char **to;
    char *from;
};

enum { TEXTS_MAX = 16 };

struct texts {
    struct text all[TEXTS_MAX];
    size_t count, bytes;
};

static void add_text(struct texts *texts, const char **to, const char *from)
{
    char *cut = web_words_cut(from ? from : "", WEB_SUMMARY_TEXT_MAX);
    texts->all[texts->count++] = (struct text){to, cut};
    texts->bytes += strlen(cut) + 1;
}

/* Points of the sparkline that fall into one of ours, as their highest: a spike must not vanish. */
static double highest(const struct incident_sparkline *sparkline, size_t index, size_t count)
{
    double value = NAN;
    size_t from = index * sparkline->count / count, to = (index + 1) * sparkline->count / count;
    for (size_t i = from; i < to; i++)
        value = fmax(value, sparkline->values[i]);
    return value;
}

static void draw_spark(const struct incident *incident, struct web_spark *spark)
{
    const struct incident_sparkline *sparkline = &incident->analysis.sparkline;
    size_t count = sparkline->count < WEB_SPARK_POINTS ? sparkline->count : WEB_SPARK_POINTS;
    spark->max = NAN;
    for (size_t i = 0; i < sparkline->count; i++)
        spark->max = fmax(spark->max, sparkline->values[i]);
    if (!(spark->max > 0) || !isfinite(spark->max))
        return;
    spark->count = (uint8_t)count;
    spark->from_ms = sparkline->from_ms;
    spark->to_ms = sparkline->to_ms;
    for (size_t i = 0; i < count; i++) {
        double level = highest(sparkline, i, count) / spark->max * (WEB_SPARK_GAP - 1);
        spark->levels[i] = isnan(level) ? WEB_SPARK_GAP : level < 0 ? 0 : (uint8_t)lround(level);
    }
}

static void find_capture(const struct incident *incident, struct web_spark *spark)
{
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (profile->status == PROFILE_FAILED || !profile->requested_ms)
            continue;
        if (!spark->begin_ms || profile->requested_ms < spark->begin_ms)
            spark->begin_ms = profile->requested_ms;
        if (profile->finished_ms > spark->end_ms)
            spark->end_ms = profile->finished_ms;
    }
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median before the onset. */
static double find_normal(const struct incident *incident)
{
    const struct incident_sparkline *sparkline = &incident->analysis.sparkline;
    double before[INCIDENT_SPARKLINE_MAX];
    size_t count = 0;
    int64_t onset_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    double part_ms = (double)(sparkline->to_ms - sparkline->from_ms) / (double)sparkline->count;
    for (size_t i = 0; i < sparkline->count; i++) {
        double end_ms = (double)sparkline->from_ms + part_ms * (double)(i + 1);
        if (end_ms <= (double)onset_ms && !isnan(sparkline->values[i]))
            before[count++] = sparkline->values[i];
    }
    if (count == 0)
        return NAN;
    qsort(before, count, sizeof *before, compare_numbers);
    return before[count / 2];
}

static void take_texts(
    const struct store_incident *stored, struct web_summary *summary, struct texts *texts)
{
    static const struct incident nothing;
    const struct incident *incident = stored->incident ? stored->incident : &nothing;
    const struct incident_analysis *analysis = &incident->analysis;
    const struct incident_function *suspect = &analysis->suspect;
    const char *reason = incident->trigger.reason;
    add_text(texts, &summary->id, stored->id);
    add_text(texts, &summary->service, stored->service);
    add_text(texts, &summary->app, incident->app);
    add_text(texts, &summary->kind, incident->kind);
    add_text(texts, &summary->trigger, incident->trigger.name);
    add_text(texts, &summary->metric, incident->trigger.metric);
    add_text(texts, &summary->headline, analysis->headline ? analysis->headline : reason);
    char *name = suspect->function ? go_names_short(suspect->function) : NULL;
    add_text(texts, &summary->suspect, name);
    free(name);
    add_text(texts, &summary->profile, suspect->profile);
    add_text(texts, &summary->sample, suspect->sample);
    add_text(texts, &summary->revision, incident->target.revision);
    add_text(texts, &summary->image, incident->target.image);
    add_text(texts, &summary->baseline, incident->baseline);
    add_text(texts, &summary->follows, incident->follows);
    add_text(texts, &summary->problem, stored->incident ? NULL : stored->problem.text);
}

static void take_numbers(const struct store_incident *stored, struct web_summary *summary)
{
    const struct incident *incident = stored->incident;
    if (!incident) {
        incident_id_time(stored->id, &summary->fired_ms);
        summary->cum_percent = summary->baseline_percent = NAN;
        summary->peak = summary->normal = summary->spark.max = NAN;
        summary->growing_peak = summary->volume = summary->period_s = summary->jitter_s = NAN;
        return;
    }
    summary->fired_ms = incident->fired_ms;
    summary->onset_ms = incident->onset_ms;
    summary->cum_percent = incident->analysis.suspect.cum_percent;
    summary->baseline_percent = incident->analysis.suspect.baseline_percent;
    summary->duplicate = incident->fleet.duplicate;
    summary->copies = (uint32_t)incident->fleet.seen_by;
    summary->analysed = !reanalysis_helps(incident);
    summary->normal = find_normal(incident);
    summary->peak = incident_peak(incident);
    draw_spark(incident, &summary->spark);
    find_capture(incident, &summary->spark);
    struct history_entry entry;
    history_entry_of(incident, &entry);
    memcpy(summary->group, entry.group, sizeof entry.group);
    summary->growing_peak = entry.peak;
    summary->volume = entry.volume;
    summary->period_s = entry.period_s;
    summary->jitter_s = entry.jitter_s;
}

struct web_summary *web_summary_new(const struct store_incident *stored)
{
    struct texts texts = {.count = 0};
    struct web_summary numbers = {.seen = 0};
    take_texts(stored, &numbers, &texts);
    struct web_summary *summary = xcalloc(1, sizeof *summary + texts.bytes);
    char *at = (char *)(summary + 1);
    for (size_t i = 0; i < texts.count; i++) {
        size_t size = strlen(texts.all[i].from) + 1;
        *texts.all[i].to = memcpy(at, texts.all[i].from, size);
        free(texts.all[i].from);
        at += size;
    }
    *summary = numbers;
    take_numbers(stored, summary);
    summary->stamp = stored->stamp;
    if (stored->marks.size > 0) {
        struct mark mark;
        mark_parse(stored->marks.data, stored->marks.size, &mark, NULL);
        web_summary_mark(summary, &mark);
        mark_free(&mark);
    }
    return summary;
}

bool web_summary_mark(struct web_summary *summary, const struct mark *mark)
{
    char *note = mark->note ? web_words_cut(mark->note, WEB_SUMMARY_TEXT_MAX) : NULL;
    bool same = note && summary->note ? !strcmp(note, summary->note) : note == summary->note;
    same = same && summary->looked_ms == mark->looked_ms;
    free(summary->note);
    summary->note = note;
    summary->looked_ms = mark->looked_ms;
    return !same;
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

void web_summary_entry(const struct web_summary *summary, struct history_entry *entry)
{
    *entry = (struct history_entry){.id = summary->id,
        .service = summary->service,
        .kind = summary->kind,
        .fired_ms = summary->fired_ms,
        .metric = text_or_null(summary->metric),
        .peak = summary->growing_peak,
        .volume = summary->volume,
        .revision = text_or_null(summary->revision),
        .image = text_or_null(summary->image),
        .period_s = summary->period_s,
        .jitter_s = summary->jitter_s,
        .duplicate = summary->duplicate};
    memcpy(entry->group, summary->group, sizeof entry->group);
}

void web_summary_free(struct web_summary *summary)
{
    if (!summary)
        return;
    free(summary->note);
    free(summary);
}

int web_summary_compare(const char *id, const char *service, const struct web_summary *other)
{
    int order = strcmp(other->id, id);
    return order ? order : strcmp(service, other->service);
}
