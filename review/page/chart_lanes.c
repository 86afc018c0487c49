#include "review/page/chart_lanes.h"

#include "core/buf.h"
#include "review/page/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LANE_HEIGHT = 20 };

/* Of the width: what a character of a label takes on a page of medium width, and how near moments
 * share one. */
static const double character_percent = 1.1, near_percent = 1.5;

/* Labels stand behind their mark, and before it where there is more room. */
static bool is_right_half(const struct chart_lane_mark *mark)
{
    return mark->to > 60;
}

static void extent_of(const struct chart_lane_mark *mark, double *from, double *to)
{
    double label = character_percent * (double)(strlen(mark->label) + 2);
    *from = mark->from - (is_right_half(mark) ? label : 0);
    *to = mark->to + (is_right_half(mark) ? 0 : label);
}

static void add_moment(struct chart_lanes *lanes, double at, const char *label)
{
    for (size_t i = 0; i < lanes->mark_count; i++) {
        struct chart_lane_mark *mark = &lanes->marks[i];
        size_t length = strlen(mark->label);
        if (mark->to > mark->from || fabs(mark->from - at) > near_percent ||
            length + strlen(label) + 3 > CHART_LANE_LABEL_SIZE)
            continue;
        snprintf(mark->label + length, CHART_LANE_LABEL_SIZE - length, ", %s", label);
        return;
    }
    struct chart_lane_mark *mark = &lanes->marks[lanes->mark_count++];
    *mark = (struct chart_lane_mark){.from = at, .to = at};
    snprintf(mark->label, sizeof mark->label, "%s", label);
}

static bool has_room(const struct chart_lanes *lanes, size_t index, int lane)
{
    double from, to, other_from, other_to;
    extent_of(&lanes->marks[index], &from, &to);
    for (size_t i = 0; i < index; i++) {
        if (lanes->marks[i].lane != lane)
            continue;
        extent_of(&lanes->marks[i], &other_from, &other_to);
        if (from < other_to + 1 && other_from < to + 1)
            return false;
    }
    return true;
}

void chart_lanes_of(const struct chart *chart, struct chart_lanes *lanes)
{
    *lanes = (struct chart_lanes){.lane_count = 0};
    for (size_t i = 0; i < chart->window_count && lanes->mark_count < CHART_LANE_MARKS_MAX; i++) {
        const struct chart_mark *window = &chart->windows[i];
        const char *label = window->label ? window->label : "";
        int64_t end_ms = window->to_ms > window->from_ms ? window->to_ms : window->from_ms;
        if (end_ms < chart->from_ms || window->from_ms > chart->to_ms)
            continue;
        double from = chart_percent(chart, window->from_ms), to = chart_percent(chart, end_ms);
        if (end_ms == window->from_ms) {
            add_moment(lanes, from, label);
            continue;
        }
        struct chart_lane_mark *mark = &lanes->marks[lanes->mark_count++];
        *mark = (struct chart_lane_mark){.from = from, .to = to};
        snprintf(mark->label, sizeof mark->label, "%s", label);
    }
    for (size_t i = 0; i < lanes->mark_count; i++) {
        int lane = 0;
        while (lane + 1 < CHART_LANES_MAX && !has_room(lanes, i, lane))
            lane++;
        lanes->marks[i].lane = lane;
        lanes->lane_count = lane + 1 > lanes->lane_count ? lane + 1 : lanes->lane_count;
    }
}

static void put_mark(struct buf *out, const struct chart_lane_mark *mark)
{
    int y = mark->lane * LANE_HEIGHT;
    bool before = is_right_half(mark);
    if (mark->to > mark->from)
        buf_printf(out,
            "<rect class=\"recorded\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d\" height=\"8\" "
            "rx=\"2\"/>",
            mark->from, mark->to - mark->from, y + 6);
    else
        buf_printf(out, "<circle class=\"recorded\" cx=\"%.2f%%\" cy=\"%d\" r=\"4\"/>", mark->from,
            y + 10);
    html_printf(out, "<text x=\"%.2f%%\" dx=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>",
        before ? mark->from : mark->to, before ? -8 : 8, y + 14, before ? "end" : "start",
        mark->label);
}

static void put_row_start(struct buf *out, const char *label, int height, const char *text)
{
    html_printf(out,
        "<div class=\"chart-row chart-lane\"><div class=\"chart-label\"><span>%s</span></div>",
        label);
    html_printf(
        out, "<svg class=\"plot\" height=\"%d\" role=\"img\" aria-label=\"%s\">", height, text);
}

void chart_lanes_put(struct buf *out, const struct chart *chart, const struct chart_lanes *lanes)
{
    if (lanes->mark_count > 0) {
        put_row_start(out, "recorded", lanes->lane_count * LANE_HEIGHT,
            "when the profiles were recorded; the times are in the table of profiles");
        for (size_t i = 0; i < lanes->mark_count; i++)
            put_mark(out, &lanes->marks[i]);
        buf_puts(out, "</svg></div>\n");
    }
    size_t earlier = 0;
    for (size_t i = 0; i < chart->earlier_count; i++)
        earlier += chart->earlier[i] >= chart->from_ms && chart->earlier[i] <= chart->to_ms;
    if (earlier == 0)
        return;
    put_row_start(out, "earlier onsets", LANE_HEIGHT, "earlier onsets of the same spike");
    for (size_t i = 0; i < chart->earlier_count; i++)
        if (chart->earlier[i] >= chart->from_ms && chart->earlier[i] <= chart->to_ms)
            buf_printf(out,
                "<line class=\"earlier\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"4\" y2=\"16\"/>",
                chart_percent(chart, chart->earlier[i]), chart_percent(chart, chart->earlier[i]));
    buf_puts(out, "</svg></div>\n");
}
