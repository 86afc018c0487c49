#include "review/page/chart.h"

#include "core/buf.h"
#include "core/rds_metric.h"
#include "core/series.h"
#include "review/analysis/headline_words.h"
#include "review/analysis/movement.h"
#include "review/page/chart_lanes.h"
#include "review/page/chart_line.h"
#include "review/page/chart_scale.h"
#include "review/page/chart_steps.h"
#include "review/page/html.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Pixels of a row; the line is drawn in units of a part of one. */
enum { TOP = 16, PLOT = 56, BOTTOM = 4, HEIGHT = TOP + PLOT + BOTTOM, LINE_WIDTH = 2000, FINE = 2 };

double chart_percent(const struct chart *chart, int64_t time_ms)
{
    if (chart->to_ms <= chart->from_ms)
        return 0;
    double percent = 100 * (double)(time_ms - chart->from_ms) /
                     (double)(chart->to_ms - chart->from_ms);
    return fmin(fmax(percent, 0), 100);
}

static bool within(const struct chart *chart, int64_t time_ms)
{
    return time_ms >= chart->from_ms && time_ms <= chart->to_ms;
}

static double y_of(const struct chart_axis *axis, double value)
{
    return TOP + PLOT * (1 - (value - axis->low) / (axis->high - axis->low));
}

/* The windows and the two marks, behind the line. */
static void put_background(struct buf *out, const struct chart *chart)
{
    for (size_t i = 0; i < chart->window_count; i++) {
        const struct chart_mark *window = &chart->windows[i];
        if (window->to_ms <= window->from_ms || window->to_ms < chart->from_ms ||
            window->from_ms > chart->to_ms)
            continue;
        double from = chart_percent(chart, window->from_ms);
        buf_printf(out, "<rect class=\"window\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"100%%\"/>",
            from, chart_percent(chart, window->to_ms) - from);
    }
    const int64_t marks[] = {chart->onset_ms, chart->fired_ms};
    for (size_t i = 0; i < 2; i++)
        if (marks[i] && within(chart, marks[i]))
            buf_printf(out, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y2=\"100%%\"/>",
                i ? "fire" : "onset", chart_percent(chart, marks[i]),
                chart_percent(chart, marks[i]));
}

static void put_axis(struct buf *out, enum unit unit, const struct chart_axis *axis)
{
    char text[VALUE_TEXT_SIZE];
    for (size_t i = 0; i < axis->tick_count; i++) {
        double y = y_of(axis, axis->ticks[i]);
        buf_printf(out, "<line class=\"grid\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>", y, y);
        /* Lines are enough between the ends of the axis. */
        if (i == 0 || i + 1 == axis->tick_count)
            html_printf(out, "<text class=\"tick\" x=\"100%%\" dx=\"8\" y=\"%.1f\">%s</text>",
                y + 4, chart_label(unit, axis->ticks[i], text));
    }
}

static void put_level(struct buf *out, enum unit unit, const struct chart_axis *axis, double level)
{
    char text[VALUE_TEXT_SIZE];
    if (!isfinite(level) || level < axis->low || level > axis->high)
        return;
    double y = y_of(axis, level);
    buf_printf(out, "<line class=\"level\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>", y, y);
    html_printf(out, "<text class=\"halo\" x=\"0\" y=\"%.1f\">level %s</text>", y - 4,
        headline_value(unit, level, text));
}

/* The furthest value, said where it is. */
static void put_extreme(struct buf *out, const struct chart *chart, enum unit unit,
    const struct chart_axis *axis, const struct movement *movement)
{
    char text[VALUE_TEXT_SIZE];
    if (!isfinite(movement->extreme) || !within(chart, movement->extreme_ms))
        return;
    double x = chart_percent(chart, movement->extreme_ms), y = y_of(axis, movement->extreme);
    const char *anchor = x > 90 ? "end" : x < 10 ? "start" : "middle";
    buf_printf(out, "<circle class=\"dot\" cx=\"%.2f%%\" cy=\"%.1f\" r=\"2.5\"/>", x, y);
    html_printf(out,
        "<text class=\"halo value\" x=\"%.2f%%\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x,
        movement->falls && y < HEIGHT - 16 ? y + 14 : y - 6, anchor,
        headline_value(unit, movement->extreme, text));
}

static struct chart_axis axis_of(const struct chart *chart, const struct chart_row *row)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t back = 0; back < row->series->count; back++) {
        const struct sample *sample = series_at(row->series, back);
        if (!within(chart, sample->time_ms))
            continue;
        least = fmin(least, sample->value);
        most = fmax(most, sample->value);
    }
    /* A level that is far off would press the line flat. */
    if (isfinite(row->level) && row->level > most && row->level < 2 * most)
        most = row->level;
    if (isfinite(row->level) && row->level < least && row->level > least - (most - least))
        least = row->level;
    struct chart_axis axis;
    chart_axis_of(row->series->unit, least, most, &axis);
    return axis;
}

/* "usually 12%, up to 97%" */
static void put_range(struct buf *out, enum unit unit, const struct movement *movement)
{
    char usual[VALUE_TEXT_SIZE], extreme[VALUE_TEXT_SIZE];
    headline_value(unit, movement->usual, usual);
    headline_value(unit, movement->extreme, extreme);
    if (isfinite(movement->usual))
        html_printf(out, "usually %s", usual);
    if (isfinite(movement->extreme))
        html_printf(out, "%s%s %s", isfinite(movement->usual) ? ", " : "",
            movement->falls ? "down to" : "up to", extreme);
}

static void put_label(struct buf *out, const struct chart_row *row, const struct movement *movement)
{
    struct buf words;
    buf_init(&words, 2 * VALUE_TEXT_SIZE + 200);
    headline_metric(&words, row->series->name);
    /* What a sentence needs and a label does not. */
    static const char number_of[] = "the number of ", the[] = "the ";
    char *label = words.data;
    if (!strncmp(label, number_of, strlen(number_of)))
        label += strlen(number_of);
    else if (!strncmp(label, the, strlen(the)))
        label += strlen(the);
    *label = (char)toupper((unsigned char)*label);
    html_printf(out, "<div class=\"chart-label\"><b>%s</b>", label);
    if (metric_of_series(row->series->name))
        html_printf(out, " <code>%s</code>", row->series->name);
    buf_puts(out, "<span>");
    put_range(out, row->series->unit, movement);
    if (rds_metric_is_series(row->series->name))
        buf_puts(out, ", means of a minute");
    buf_puts(out, "</span></div>");
    buf_free(&words);
}

void chart_put_row(struct buf *out, const struct chart *chart, const struct chart_row *row)
{
    enum unit unit = row->series->unit;
    struct chart_axis axis = axis_of(chart, row);
    struct movement movement;
    int64_t begin_ms = chart->onset_ms ? chart->onset_ms : chart->fired_ms;
    movement_of(row->series, begin_ms, MOVEMENT_EITHER, &movement);
    buf_printf(out, "<div class=\"chart-row%s\">", row->fired ? " fired" : "");
    put_label(out, row, &movement);
    buf_printf(out, "<svg class=\"plot\" height=\"%d\" role=\"img\" aria-label=\"", HEIGHT);
    html_printf(out, "%s: ", row->series->name);
    put_range(out, unit, &movement);
    buf_puts(out, "\">");
    put_background(out, chart);
    put_axis(out, unit, &axis);
    put_level(out, unit, &axis, row->level);
    buf_printf(out,
        "<svg y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "preserveAspectRatio=\"none\"><path class=\"line\" d=\"",
        TOP, PLOT, LINE_WIDTH, PLOT * FINE);
    const struct chart_frame frame = {
        chart->from_ms, chart->to_ms, axis.low, axis.high, LINE_WIDTH, PLOT * FINE};
    if (rds_metric_is_series(row->series->name))
        chart_steps(out, row->series, &frame, RDS_PERIOD_MS);
    else
        chart_line(out, row->series, &frame, chart->points);
    buf_puts(out, "\"/></svg>");
    put_extreme(out, chart, unit, &axis, &movement);
    buf_puts(out, "</svg></div>\n");
}

/* The names of the marks: one on each side of its line, so that they do not meet. */
void chart_put_head(struct buf *out, const struct chart *chart)
{
    buf_puts(out, "<div class=\"chart-row chart-head\" aria-hidden=\"true\"><div></div>"
                  "<svg class=\"plot\" height=\"20\">");
    put_background(out, chart);
    bool onset = chart->onset_ms && within(chart, chart->onset_ms);
    if (onset)
        buf_printf(out,
            "<text class=\"onset\" x=\"%.2f%%\" dx=\"-4\" y=\"15\" text-anchor=\"end\">"
            "onset</text>",
            chart_percent(chart, chart->onset_ms));
    if (chart->fired_ms && within(chart, chart->fired_ms)) {
        double x = chart_percent(chart, chart->fired_ms);
        bool left = !onset && x > 90;
        buf_printf(out,
            "<text class=\"fire\" x=\"%.2f%%\" dx=\"%d\" y=\"15\" text-anchor=\"%s\">"
            "fired</text>",
            x, left ? -4 : 4, left ? "end" : "start");
    }
    buf_puts(out, "</svg></div>\n");
}

static void put_times(struct buf *out, const struct chart *chart)
{
    enum { TIMES = 10 };
    int64_t ticks[CHART_TIME_TICKS_MAX];
    size_t count = chart_times(chart->from_ms, chart->to_ms, TIMES, ticks);
    for (size_t i = 0; i < count; i++) {
        double x = chart_percent(chart, ticks[i]);
        int64_t second = ticks[i] / 1000 % 86400;
        const char *anchor = x < 4 ? "start" : x > 96 ? "end" : "middle";
        buf_printf(out, "<line class=\"axis\" x1=\"%.2f%%\" x2=\"%.2f%%\" y2=\"5\"/>", x, x);
        buf_printf(out, "<text class=\"time%s\" x=\"%.2f%%\" y=\"18\" text-anchor=\"%s\">",
            i % 3 ? " more" : "", x, anchor);
        buf_printf(out, "%02d:%02d:%02d</text>", (int)(second / 3600), (int)(second / 60 % 60),
            (int)(second % 60));
    }
}

void chart_put_foot(struct buf *out, const struct chart *chart)
{
    enum { TIMES_HEIGHT = 24 };
    struct chart_lanes lanes;
    chart_lanes_of(chart, &lanes);
    buf_puts(
        out, "<div class=\"chart-row chart-foot\"><div class=\"chart-label\"><span>UTC</span>");
    buf_printf(out, "</div><svg class=\"plot\" height=\"%d\" aria-hidden=\"true\">", TIMES_HEIGHT);
    buf_puts(out, "<line class=\"axis\" x2=\"100%\"/>");
    put_times(out, chart);
    buf_puts(out, "</svg></div>\n");
    chart_lanes_put(out, chart, &lanes);
}
