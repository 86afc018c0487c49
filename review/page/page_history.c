/* Whether it has happened before: as far as the incident itself knows, or the store. */
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/evidence/evidence.h"
#include "review/history/history.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/page/report.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void put_sentence(struct buf *out, const char *element, const char *text)
{
    if (!text || !*text)
        return;
    char first[2] = {(char)toupper((unsigned char)*text), '\0'};
    buf_printf(out, "<p><%s>", element);
    html_printf(out, "%s%s", first, text + 1);
    buf_printf(out, "</%s></p>\n", element);
}

static double share_of_span(const struct history *history, int64_t time_ms)
{
    int64_t first_ms = history->points[0].time_ms;
    int64_t last_ms = history->points[history->point_count - 1].time_ms;
    return 1 + 98 * (double)(time_ms - first_ms) / (double)(last_ms - first_ms);
}

static void put_ends(struct buf *out, const char *first, const char *last)
{
    html_printf(out, "<p class=\"ends\"><span>%s</span><span>%s</span></p>\n", first, last);
}

/* A dot for each; its height is the value's, where there is any. */
static void put_dots(struct buf *out, const struct history *history, const double *values,
    double most, int64_t this_ms)
{
    enum { TOP = 6, HEIGHT = 40, FLAT = 12 };
    double x_before = NAN, y_before = NAN;
    for (size_t i = 0; i < history->point_count; i++) {
        double x = share_of_span(history, history->points[i].time_ms);
        double y = values ? TOP + HEIGHT * (1 - values[i] / most) : FLAT;
        if (!isfinite(y))
            continue;
        if (values && isfinite(x_before))
            buf_printf(out,
                "<line class=\"axis\" x1=\"%.2f%%\" y1=\"%.1f\" x2=\"%.2f%%\" y2=\"%.1f\"/>",
                x_before, y_before, x, y);
        buf_printf(out, "<circle class=\"%s\" cx=\"%.2f%%\" cy=\"%.1f\" r=\"3\"/>",
            history->points[i].time_ms == this_ms ? "this" : "that", x, y);
        x_before = x;
        y_before = y;
    }
}

/* How a value changed from the first to the newest; false: it is hardly known. */
static bool put_change(struct buf *out, const struct history *history, const char *what,
    enum unit unit, const double *values, int64_t this_ms)
{
    char first[VALUE_TEXT_SIZE] = "", last[VALUE_TEXT_SIZE] = "";
    double most = 0;
    size_t count = 0;
    for (size_t i = 0; i < history->point_count; i++) {
        if (!isfinite(values[i]) || values[i] < 0)
            continue;
        metric_format(unit, values[i], count++ ? last : first);
        most = fmax(most, values[i]);
    }
    if (count < 2 || !(most > 0))
        return false;
    html_printf(out,
        "<h3>%s</h3>\n<svg class=\"times\" height=\"52\" role=\"img\" aria-label=\"%s: %s at "
        "first, %s in the end\"><line class=\"axis\" x2=\"100%%\" y1=\"49\" y2=\"49\"/>",
        what, what, first, last);
    put_dots(out, history, values, most, this_ms);
    buf_puts(out, "</svg>\n");
    put_ends(out, first, last);
    return true;
}

/* When each was, and what it reached. */
static void put_times(
    struct buf *out, const struct history *history, const struct incident *incident)
{
    double peaks[HISTORY_POINTS_MAX], volumes[HISTORY_POINTS_MAX];
    char first[RFC3339_SIZE], last[RFC3339_SIZE];
    size_t count = history->point_count;
    const struct metric *metric = incident->trigger.metric
                                      ? metric_of_series(incident->trigger.metric)
                                      : NULL;
    if (count < 2 || history->points[count - 1].time_ms <= history->points[0].time_ms)
        return;
    for (size_t i = 0; i < count; i++) {
        peaks[i] = history->points[i].peak;
        volumes[i] = history->points[i].volume;
    }
    char *what = xasprintf(
        "Peak of %s", incident->trigger.metric ? incident->trigger.metric : "what fired");
    bool put = put_change(
        out, history, what, metric ? metric->unit : UNIT_NONE, peaks, incident->fired_ms);
    free(what);
    if (!metric || strcmp(metric->name, "db.received") != 0)
        put |= put_change(
            out, history, "What the database sent at most", UNIT_RATE, volumes, incident->fired_ms);
    if (!put) {
        buf_puts(out,
            "<svg class=\"times\" height=\"24\" role=\"img\" aria-label=\"when each of them "
            "was\"><line class=\"axis\" x2=\"100%\" y1=\"12\" y2=\"12\"/>");
        put_dots(out, history, NULL, NAN, incident->fired_ms);
        buf_puts(out, "</svg>\n");
    }
    rfc3339_format(history->points[0].time_ms, first);
    rfc3339_format(history->points[count - 1].time_ms, last);
    first[10] = last[10] = '\0'; /* the day */
    put_ends(out, first, last);
}

/* Each thing once: being seen, or for the first time, is what the number says too, and being worse
 * is told with the trend. */
static void put_words(struct buf *out, const struct history *history)
{
    if (history->verdict != VERDICT_SEEN)
        put_sentence(out, "strong", history->verdict_text);
    if (history->verdict != VERDICT_NEW)
        put_sentence(out, history->verdict == VERDICT_SEEN ? "strong" : "span", history->frequency);
    if (history->verdict != VERDICT_WORSE)
        put_sentence(out, "span", history->trend);
    if (history->known)
        buf_puts(out, "<p class=\"small\">Of a known group one spike a week is captured: these are "
                      "the captures, and not all of its spikes.</p>\n");
}

static void put_history(struct buf *out, const struct page *page, const struct history *history)
{
    put_words(out, history);
    put_times(out, history, page->evidence->incident);
    if (history->earlier_count == 0)
        return;
    html_printf(out,
        "<details><summary>The last %zu before this one</summary>\n<ul class=\"earlier\">\n",
        history->earlier_count);
    for (size_t i = 0; i < history->earlier_count; i++) {
        int64_t fired_ms;
        buf_puts(out, "<li>");
        if (incident_id_time(history->earlier[i], &fired_ms) == 0) {
            page_time(out, fired_ms, true);
            buf_puts(out, " ");
        }
        page_incident(out, page, history->earlier[i]);
        buf_puts(out, "</li>\n");
    }
    buf_puts(out, "</ul>\n</details>\n");
}

/* What the agent had learned when it was captured. */
static void put_recurrence(struct buf *out, const struct incident *incident)
{
    const struct incident_recurrence *recurrence = &incident->recurrence;
    char period[VALUE_TEXT_SIZE], jitter[VALUE_TEXT_SIZE];
    if (!isfinite(recurrence->period_s))
        return;
    html_printf(out, "<p>It recurs every %s",
        metric_format_level(UNIT_SECONDS, round(recurrence->period_s), period));
    if (isfinite(recurrence->jitter_s))
        html_printf(
            out, ", give or take %s", metric_format(UNIT_SECONDS, recurrence->jitter_s, jitter));
    if (recurrence->onsets > 0)
        html_printf(out, ": seen %lld times in a row", (long long)recurrence->onsets);
    buf_puts(out, ".");
    if (recurrence->next_ms) {
        buf_puts(out, " The next was expected at ");
        page_time(out, recurrence->next_ms, true);
        buf_puts(out, ".");
    }
    buf_puts(out, "</p>\n");
}

void page_history(struct buf *out, const struct page *page)
{
    const struct incident *incident = page->evidence->incident;
    const struct history *history = page->extras->history;
    buf_puts(out,
        "<section aria-labelledby=\"before\">\n<h2 id=\"before\">Has it happened before?</h2>\n");
    if (history)
        put_history(out, page, history);
    put_recurrence(out, incident);
    if (incident->suppressed_since_last > 0)
        html_printf(out,
            "<p>Before it %lld %s held back by a cooldown, a limit or the fleet.</p>\n",
            (long long)incident->suppressed_since_last,
            incident->suppressed_since_last == 1 ? "fire was" : "fires were");
    if (!history)
        buf_puts(out,
            "<p class=\"small\">This file knows only its own incident: <code>stakeout "
            "review</code> and <code>stakeout show</code> tell about the earlier ones.</p>\n");
    buf_puts(out, "</section>\n");
}
