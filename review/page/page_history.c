/* Whether it has happened before: as far as the incident itself knows, or the store. */
#include "core/buf.h"
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

static void put_sentence(struct buf *out, const char *element, const char *text)
{
    if (!text || !*text)
        return;
    char first[2] = {(char)toupper((unsigned char)*text), '\0'};
    buf_printf(out, "<p><%s>", element);
    html_printf(out, "%s%s", first, text + 1);
    buf_printf(out, "</%s></p>\n", element);
}

/* When each was, on a line from the first that is listed to this one. */
static void put_times(struct buf *out, const struct history *history, int64_t now_ms)
{
    int64_t first_ms = now_ms, at_ms;
    for (size_t i = 0; i < history->earlier_count; i++)
        if (incident_id_time(history->earlier[i], &at_ms) == 0 && at_ms < first_ms)
            first_ms = at_ms;
    if (first_ms >= now_ms)
        return;
    buf_puts(out,
        "<svg class=\"times\" height=\"24\" role=\"img\" aria-label=\"when the earlier ones "
        "were: they are listed below\"><line class=\"axis\" x2=\"100%\" y1=\"12\" y2=\"12\"/>");
    for (size_t i = 0; i <= history->earlier_count; i++) {
        bool is_this = i == history->earlier_count;
        at_ms = now_ms;
        if (!is_this && incident_id_time(history->earlier[i], &at_ms) < 0)
            continue;
        buf_printf(out, "<circle class=\"%s\" cx=\"%.2f%%\" cy=\"12\" r=\"4\"/>",
            is_this ? "this" : "that",
            1 + 98 * (double)(at_ms - first_ms) / (double)(now_ms - first_ms));
    }
    buf_puts(out, "</svg>\n");
}

static void put_history(struct buf *out, const struct page *page, const struct history *history)
{
    put_sentence(out, "strong", history->verdict_text);
    put_sentence(out, "span", history->frequency);
    put_sentence(out, "span", history->trend);
    if (history->earlier_count == 0)
        return;
    put_times(out, history, page->evidence->incident->fired_ms);
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
        html_printf(out, "<p>%lld fires before it were held back by a cooldown or a limit.</p>\n",
            (long long)incident->suppressed_since_last);
    if (!history)
        buf_puts(out,
            "<p class=\"small\">This file knows only its own incident: <code>stakeout "
            "review</code> and <code>stakeout show</code> tell about the earlier ones.</p>\n");
    buf_puts(out, "</section>\n");
}
