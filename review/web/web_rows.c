#include "review/web/web_rows.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/incident_fleet.h"
#include "review/history/history.h"
#include "review/page/html.h"
#include "review/web/web_groups.h"
#include "review/web/web_parts.h"
#include "review/web/web_words.h"

#include <math.h>
#include <string.h>

enum {
    EARLIER_MAX = 8, /* incidents that a row opens to; the rest has a page */
    SPARK_WIDTH = 120,
    SPARK_HEIGHT = 20
};

/* Where a time is on the picture, in tenths of a pixel. */
static int spark_x(const struct web_spark *spark, int64_t wall_ms)
{
    double share = (double)(wall_ms - spark->from_ms) / (double)(spark->to_ms - spark->from_ms);
    return (int)lround(fmin(fmax(share, 0), 1) * SPARK_WIDTH * 10);
}

static void put_tenths(struct buf *out, int tenths)
{
    if (tenths % 10)
        buf_printf(out, "%d.%d", tenths / 10, tenths % 10);
    else
        buf_printf(out, "%d", tenths / 10);
}

/* A gap is a gap: the line ends and begins again. */
static void put_line(struct buf *out, const struct web_spark *spark)
{
    bool drawing = false;
    for (size_t i = 0; i < spark->count; i++) {
        if (spark->levels[i] == WEB_SPARK_GAP) {
            drawing = false;
            continue;
        }
        double part = SPARK_WIDTH * 10.0 / spark->count;
        int level = spark->levels[i] * (SPARK_HEIGHT - 2) * 10 / (WEB_SPARK_GAP - 1);
        buf_puts(out, drawing ? " " : "M");
        put_tenths(out, (int)lround(part * ((double)i + 0.5)));
        buf_puts(out, ",");
        put_tenths(out, (SPARK_HEIGHT - 1) * 10 - level);
        drawing = true;
    }
}

void web_rows_spark(struct buf *out, const struct web_summary *summary)
{
    const struct web_spark *spark = &summary->spark;
    char top[WEB_WORDS_SIZE];
    if (spark->count < 2 || spark->to_ms <= spark->from_ms) {
        buf_puts(out, "<span class=\"spark\"></span>");
        return;
    }
    html_printf(out,
        "<svg class=\"spark\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s, at most %s\">",
        SPARK_WIDTH, SPARK_HEIGHT, summary->metric,
        web_words_value(summary->metric, spark->max, top));
    if (spark->begin_ms && spark->end_ms > spark->begin_ms) {
        int begin = spark_x(spark, spark->begin_ms), end = spark_x(spark, spark->end_ms);
        buf_puts(out, "<rect class=\"capture\" y=\"0\" x=\"");
        put_tenths(out, begin);
        buf_puts(out, "\" width=\"");
        put_tenths(out, end - begin < 15 ? 15 : end - begin);
        buf_printf(out, "\" height=\"%d\"/>", SPARK_HEIGHT);
    }
    buf_puts(out, "<path d=\"");
    put_line(out, spark);
    buf_puts(out, "\"/></svg>");
}

void web_rows_words(struct buf *out, const struct web_summary *summary)
{
    char now[WEB_WORDS_SIZE], then[WEB_WORDS_SIZE];
    if (*summary->problem) {
        html_printf(out, "<b>cannot be read</b> <span class=\"more\">%s</span>", summary->problem);
        return;
    }
    if (!*summary->suspect) {
        html_printf(out, "<span>%s</span>", *summary->headline ? summary->headline : summary->id);
        return;
    }
    html_printf(out, "<b>%s</b>", summary->suspect);
    if (isfinite(summary->cum_percent)) {
        const char *sample = *summary->sample ? summary->sample : summary->profile;
        html_printf(out, " <span class=\"more\">%s of %s",
            web_words_percent(summary->cum_percent, now), web_words_sample(sample));
        if (isfinite(summary->baseline_percent))
            html_printf(
                out, ", %s on a calm day", web_words_percent(summary->baseline_percent, then));
        buf_puts(out, "</span>");
    }
}

static void put_time(struct buf *out, const struct web_rows *rows, int64_t wall_ms)
{
    char when[WEB_WORDS_SIZE], exactly[WEB_WORDS_SIZE], stamp[RFC3339_SIZE];
    web_words_when(wall_ms, rows->now_ms, when);
    html_printf(out, "<time datetime=\"%s\" title=\"%s\">%s%s</time>",
        rfc3339_format(wall_ms, stamp), web_words_exactly(wall_ms, exactly), when,
        strchr(when, ':') ? " UTC" : "");
}

static void put_peak(struct buf *out, const struct web_summary *summary)
{
    char peak[WEB_WORDS_SIZE], normal[WEB_WORDS_SIZE];
    buf_puts(out, "<span class=\"peak\">");
    if (isfinite(summary->peak))
        html_printf(out, "<b>%s</b>", web_words_value(summary->metric, summary->peak, peak));
    if (isfinite(summary->peak) && isfinite(summary->normal)) {
        web_words_value(summary->metric, summary->normal, normal);
        char *unit = strchr(normal, ' '); /* said once where both have the same */
        if (unit && strchr(peak, ' ') && !strcmp(strchr(peak, ' '), unit))
            *unit = '\0';
        html_printf(out, " <span class=\"more\">from %s</span>", normal);
    }
    buf_puts(out, "</span>");
}

static void put_pick(struct buf *out, const struct web_summary *summary)
{
    html_printf(out,
        "<input class=\"pick\" type=\"checkbox\" form=\"compare\" name=\"id\" value=\"%s\" "
        "aria-label=\"pick %s to compare\">",
        summary->id, summary->id);
}

static void put_looked(struct buf *out, const struct web_summary *summary)
{
    if (summary->looked_ms)
        buf_puts(out, "<span class=\"dot looked\" title=\"looked at\">\xe2\x97\x8b</span>");
    else
        buf_puts(
            out, "<span class=\"dot\" title=\"nobody has looked at it yet\">\xe2\x97\x8f</span>");
}

static void put_earlier(
    struct buf *out, const struct web_rows *rows, const struct web_summary *summary)
{
    html_printf(out, "<li>");
    put_pick(out, summary);
    put_looked(out, summary);
    put_time(out, rows, summary->fired_ms);
    html_printf(out, "<a class=\"words\" href=\"/incident/%s\">", summary->id);
    web_rows_words(out, summary);
    buf_puts(out, "</a>");
    web_rows_spark(out, summary);
    put_peak(out, summary);
    buf_puts(out, "</li>\n");
}

/* A form of one button. `name` and `value` say what is to be. */
static void put_form(struct buf *out, const struct web_rows *rows, const char *id,
    const char *action, const char *value, const char *label)
{
    html_printf(out,
        "<form method=\"post\" action=\"/incident/%s/%s\" data-quiet>"
        "<input type=\"hidden\" name=\"token\" value=\"%s\">"
        "<input type=\"hidden\" name=\"back\" value=\"%s\">"
        "<button name=\"%s\" value=\"%s\">%s</button></form>\n",
        id, action, rows->site->guard.token, rows->back, action, value, label);
}

static void put_actions(struct buf *out, const struct web_rows *rows,
    const struct web_summary *shown, const struct history *history)
{
    bool is_known = history->known;
    html_printf(out, "<div class=\"actions\"><a class=\"button\" href=\"/incident/%s\">Open</a>\n",
        shown->id);
    if (*shown->follows)
        html_printf(out, "<a class=\"button\" href=\"/incident/%s\">The spike before it</a>\n",
            shown->follows);
    if (*shown->baseline)
        html_printf(out,
            "<a class=\"button\" href=\"/compare?a=%s&amp;b=%s\">Compare with the calm day</a>\n",
            shown->baseline, shown->id);
    put_form(out, rows, shown->id, "looked", shown->looked_ms ? "no" : "yes",
        shown->looked_ms ? "Not looked at" : "Looked at");
    if (history->count > 0)
        put_form(out, rows, shown->id, "known", is_known ? "no" : "yes",
            is_known                            ? "Not known"
            : history->verdict == VERDICT_WORSE ? "Known"
                                                : "Known: fold it");
    html_printf(out, "<code>%s</code></div>\n", shown->id);
}

/* Its other incidents, as far as there is room. */
static void put_others(struct buf *out, const struct web_rows *rows, const struct web_group *group)
{
    size_t told = 0;
    buf_puts(out, "<ol class=\"earlier\">\n");
    for (size_t i = group->newest; i != SIZE_MAX && told < EARLIER_MAX; i = rows->groups->next[i]) {
        const struct web_summary *summary = rows->groups->view->summaries[i];
        if (summary == group->shown)
            continue;
        put_earlier(out, rows, summary);
        told++;
    }
    buf_puts(out, "</ol>\n");
    if (group->count > told + 1)
        html_printf(out, "<p><a href=\"/?kind=all&amp;group=%s\">All %zu of them</a></p>\n",
            group->shown->group, group->count);
}

/* What the row opens to. */
static void put_more(struct buf *out, const struct web_rows *rows, const struct web_group *group,
    const struct history *history)
{
    const struct web_summary *shown = group->shown;
    html_printf(out, "<div class=\"opened\"><p class=\"headline\">%s</p>\n",
        *shown->headline ? shown->headline : shown->problem);
    if (history->trend)
        html_printf(out, "<p>%s</p>\n", history->trend);
    if (shown->note)
        html_printf(out, "<p class=\"note\">%s</p>\n", shown->note);
    put_actions(out, rows, shown, history);
    if (group->count > 1)
        put_others(out, rows, group);
    buf_puts(out, "</div>");
}

static void put_fleet(struct buf *out, const struct web_summary *summary)
{
    char text[INCIDENT_FLEET_TEXT];
    const struct incident_fleet fleet = {
        .duplicate = summary->duplicate, .seen_by = summary->copies};
    if (*incident_fleet_text(&fleet, text))
        html_printf(out, " <span class=\"more\">%s</span>", text);
}

static void put_trend(struct buf *out, const char *what, double week_percent)
{
    if (isfinite(week_percent))
        html_printf(out, "<b>%s%.0f%% a week%s</b>, ", week_percent < 0 ? "\xe2\x88\x92" : "+",
            fabs(week_percent), what);
}

static void put_often(struct buf *out, const struct history *history)
{
    buf_puts(out, "<span class=\"often\">");
    if (history->count > 0) {
        put_trend(out, "", history->peak.week_percent);
        if (!isfinite(history->peak.week_percent))
            put_trend(out, " (database)", history->volume.week_percent);
        html_printf(out, "<span title=\"%s\">%s</span>",
            history->trend ? history->trend : history->frequency, history->frequency);
    }
    buf_puts(out, "</span>");
}

static void put_verdict(struct buf *out, const struct history *history)
{
    if (history->count == 0)
        buf_puts(out, "<span class=\"verdict\"></span>");
    else
        html_printf(out, "<span class=\"verdict %s\" title=\"%s\">%s</span>",
            verdict_names[history->verdict], history->verdict_text, history_verdict_name(history));
}

int web_rows_history(
    const struct web_rows *rows, const struct web_group *group, struct history *history)
{
    const struct web_summary *shown = group->shown;
    struct web_index *index = rows->site->index;
    return history_of(web_index_book(index), shown->service, shown->group, NULL,
        web_index_known(index, shown->service), rows->now_ms, history);
}

void web_rows_write(struct buf *out, const struct web_rows *rows, size_t index)
{
    const struct web_group *group = &rows->groups->all[index];
    const struct web_summary *shown = group->shown;
    struct history history;
    web_rows_history(rows, group, &history);
    html_printf(out, "<li class=\"group\" data-key=\"%s\" data-newest=\"%s\">\n<div class=\"row\">",
        *shown->group ? shown->group : shown->id, shown->id);
    put_pick(out, shown);
    put_looked(out, shown);
    put_time(out, rows, shown->fired_ms);
    html_printf(out, "<a class=\"words\" href=\"/incident/%s\" title=\"%s\">", shown->id,
        *shown->headline ? shown->headline : shown->problem);
    web_rows_words(out, shown);
    html_printf(out, "</a>\n<span class=\"meta\"><span class=\"source\">%s</span> <span>%s</span> ",
        shown->service, shown->trigger);
    put_often(out, &history);
    put_fleet(out, shown);
    if (shown->note)
        html_printf(out, " <span class=\"noted\" title=\"%s\">%s</span>", shown->note, shown->note);
    buf_puts(out, "</span>\n");
    web_rows_spark(out, shown);
    put_peak(out, shown);
    put_verdict(out, &history);
    buf_puts(
        out, "</div>\n<details><summary><span class=\"unseen\">more about it</span></summary>\n");
    put_more(out, rows, group, &history);
    buf_puts(out, "</details></li>\n");
    history_free(&history);
}
