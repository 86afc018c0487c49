/* Where it shows: the metrics around the incident, those that moved first. */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "core/series.h"
#include "review/analysis/headline.h"
#include "review/analysis/headline_words.h"
#include "review/analysis/movement.h"
#include "review/evidence/evidence.h"
#include "review/history/history.h"
#include "review/page/chart.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/page/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_MAX = 14,  /* rows that are open */
    FOLDED_MAX = 50, /* and that are not */
    POINTS = 400,
    POINTS_FOLDED = 100
};

/* The lower, the further up. */
enum rank { RANK_FIRED, RANK_STORY, RANK_JOINED, RANK_MOVED, RANK_FLAT };

struct row {
    struct chart_row chart;
    struct movement movement;
    enum rank rank;
};

struct rows {
    struct row *all;
    size_t count, open; /* the first ones are open */
};

static const struct incident_cause *joined_by(const struct incident *incident, const char *metric)
{
    for (size_t i = 0; i < incident->joined_count; i++)
        if (incident->joined[i].metric && !strcmp(incident->joined[i].metric, metric))
            return &incident->joined[i];
    return NULL;
}

/* Whether another series says the same in the better unit: cpu.cores beside cpu. */
static bool is_double(const struct evidence *evidence, const char *name, const char *bare)
{
    static const char *const pairs[][2] = {{"cpu.cores", "cpu"}, {"memory.bytes", "memory"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(pairs[i][0], bare) != 0)
            continue;
        char *other = xasprintf("%.*s%s", (int)(strlen(name) - strlen(bare)), name, pairs[i][1]);
        bool found = series_set_find(&evidence->metrics, other) != NULL;
        free(other);
        return found;
    }
    return false;
}

static struct row row_of(const struct evidence *evidence, const struct series *series)
{
    const struct incident *incident = evidence->incident;
    const struct incident_cause *joined = joined_by(incident, series->name);
    const char *bare = headline_bare_name(series->name);
    struct row row = {.chart = {.series = series, .level = NAN}};
    movement_of(series, incident->onset_ms ? incident->onset_ms : incident->fired_ms,
        MOVEMENT_EITHER, &row.movement);
    bool moved = row.movement.strength >= MOVEMENT_FLAT;
    row.chart.fired = series == headline_series(evidence);
    if (row.chart.fired && incident->trigger.metric)
        row.chart.level = incident->trigger.limit;
    else if (joined)
        row.chart.level = joined->limit;
    if (row.chart.fired)
        row.rank = RANK_FIRED;
    else if (!moved || is_double(evidence, series->name, bare))
        row.rank = RANK_FLAT;
    else if (!strcmp(bare, "cpu") || !strcmp(bare, "db.received"))
        row.rank = RANK_STORY;
    else
        row.rank = joined ? RANK_JOINED : RANK_MOVED;
    return row;
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->movement.strength != b->movement.strength)
        return a->movement.strength > b->movement.strength ? -1 : 1;
    return strcmp(a->chart.series->name, b->chart.series->name);
}

static struct rows rows_of(const struct evidence *evidence)
{
    struct rows rows = {.all = xcalloc(evidence->metrics.count + 1, sizeof *rows.all)};
    for (size_t i = 0; i < evidence->metrics.count; i++)
        if (evidence->metrics.all[i]->count > 0)
            rows.all[rows.count++] = row_of(evidence, evidence->metrics.all[i]);
    qsort(rows.all, rows.count, sizeof *rows.all, compare_rows);
    while (rows.open < rows.count && rows.open < SHOWN_MAX && rows.all[rows.open].rank != RANK_FLAT)
        rows.open++;
    return rows;
}

static struct chart_mark window_of(const struct incident_profile *profile)
{
    struct chart_mark mark = {.from_ms = profile->requested_ms};
    char *label = isfinite(profile->seconds) && profile->seconds > 0
                      ? xasprintf("%.60s %.3g s", profile->name, profile->seconds)
                      : xasprintf("%.60s", profile->name);
    if (isfinite(profile->seconds) && profile->seconds > 0)
        mark.to_ms = mark.from_ms + (int64_t)fmin(profile->seconds * 1000, 86400e3);
    mark.label = label;
    return mark;
}

/* What the chart marks; the caller frees the labels. */
static struct chart_mark *windows_of(const struct incident *incident, size_t *count)
{
    struct chart_mark *windows = xcalloc(incident->profile_count + 1, sizeof *windows);
    *count = 0;
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if ((profile->status == PROFILE_OK || profile->status == PROFILE_TRUNCATED) &&
            profile->requested_ms)
            windows[(*count)++] = window_of(profile);
    }
    return windows;
}

/* Onsets before this one, as far as their ids tell them. */
static int64_t *earlier_of(const struct page *page, size_t *count)
{
    const struct history *history = page->extras->history;
    *count = 0;
    if (!history || history->earlier_count == 0)
        return NULL;
    int64_t *earlier = xcalloc(history->earlier_count, sizeof *earlier);
    for (size_t i = 0; i < history->earlier_count; i++)
        if (incident_id_time(history->earlier[i], &earlier[*count]) == 0)
            (*count)++;
    return earlier;
}

static void span_of(const struct rows *rows, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = INT64_MAX;
    *to_ms = INT64_MIN;
    for (size_t i = 0; i < rows->count; i++) {
        const struct series *series = rows->all[i].chart.series;
        int64_t first_ms = series_at(series, series->count - 1)->time_ms;
        int64_t last_ms = series_at(series, 0)->time_ms;
        *from_ms = first_ms < *from_ms ? first_ms : *from_ms;
        *to_ms = last_ms > *to_ms ? last_ms : *to_ms;
    }
}

static void put_rows(
    struct buf *out, const struct chart *chart, const struct row *rows, size_t count)
{
    buf_puts(out, "<div class=\"charts\">\n");
    chart_put_head(out, chart);
    for (size_t i = 0; i < count; i++)
        chart_put_row(out, chart, &rows[i].chart);
    chart_put_foot(out, chart);
    buf_puts(out, "</div>\n");
}

/* Those that did nothing, or too many: folded. */
static void put_folded(struct buf *out, struct chart *chart, const struct rows *rows)
{
    size_t folded = rows->count - rows->open, shown = folded < FOLDED_MAX ? folded : FOLDED_MAX;
    if (folded == 0)
        return;
    html_printf(out, "<details><summary>%zu more that %s</summary>\n", folded,
        folded == 1 ? "hardly moved, or says the same" : "hardly moved, or say the same");
    chart->points = POINTS_FOLDED;
    put_rows(out, chart, rows->all + rows->open, shown);
    if (shown < folded)
        html_printf(out, "<p class=\"note\">%zu more are in metrics.csv.</p>\n", folded - shown);
    buf_puts(out, "</details>\n");
}

static void put_table(struct buf *out, const struct rows *rows)
{
    char text[VALUE_TEXT_SIZE];
    buf_puts(out, "<details><summary>As a table</summary>\n<div class=\"scroll\"><table>\n<caption "
                  "class=\"unseen\">Metrics: usual level and furthest value</caption>\n<thead><tr>"
                  "<th scope=\"col\">Metric</th><th scope=\"col\" class=\"number\">Usually</th><th "
                  "scope=\"col\" class=\"number\">Furthest</th><th "
                  "scope=\"col\">At</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < rows->count && i < SHOWN_MAX + FOLDED_MAX; i++) {
        const struct row *row = &rows->all[i];
        enum unit unit = row->chart.series->unit;
        html_printf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">%s</td>",
            row->chart.series->name,
            isfinite(row->movement.usual) ? headline_value(unit, row->movement.usual, text) : "");
        html_printf(out, "<td class=\"number\">%s</td><td>",
            isfinite(row->movement.extreme) ? headline_value(unit, row->movement.extreme, text)
                                            : "");
        if (row->movement.extreme_ms)
            page_time(out, row->movement.extreme_ms, false);
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n</details>\n");
}

static void put_charts(struct buf *out, const struct page *page, const struct rows *rows)
{
    const struct incident *incident = page->evidence->incident;
    struct chart chart = {
        .onset_ms = incident->onset_ms, .fired_ms = incident->fired_ms, .points = POINTS};
    struct chart_mark *windows = windows_of(incident, &chart.window_count);
    int64_t *earlier = earlier_of(page, &chart.earlier_count);
    chart.windows = windows;
    chart.earlier = earlier;
    span_of(rows, &chart.from_ms, &chart.to_ms);
    if (rows->open > 0)
        put_rows(out, &chart, rows->all, rows->open);
    put_folded(out, &chart, rows);
    put_table(out, rows);
    for (size_t i = 0; i < chart.window_count; i++)
        free((char *)(uintptr_t)windows[i].label);
    free(windows);
    free(earlier);
}

void page_charts(struct buf *out, const struct page *page)
{
    struct rows rows = rows_of(page->evidence);
    const char *problem = page->evidence->no_metrics.text;
    buf_puts(
        out, "<section aria-labelledby=\"metrics\">\n<h2 id=\"metrics\">Where it shows</h2>\n");
    if (rows.count > 0)
        put_charts(out, page, &rows);
    if (rows.count == 0 || *problem) {
        buf_puts(out, "<p class=\"note\">");
        page_clipped(out, *problem ? problem : "metrics.csv has no samples", 400);
        buf_puts(out, rows.count ? ": what came before is shown.</p>\n" : ".</p>\n");
    }
    buf_puts(out, "</section>\n");
    free(rows.all);
}
