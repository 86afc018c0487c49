#include "review/page/chart_line.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/series.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { GAP_SPACINGS = 3 };

struct pen {
    struct buf *out;
    const struct chart_frame *frame;
    int x, y; /* where it is */
    bool down;
};

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The median distance of two samples. */
static int64_t spacing_of(const struct series *series)
{
    if (series->count < 2)
        return 0;
    size_t count = series->count - 1;
    int64_t *distances = xcalloc(count, sizeof *distances);
    for (size_t i = 0; i < count; i++)
        distances[i] = series_at(series, i)->time_ms - series_at(series, i + 1)->time_ms;
    qsort(distances, count, sizeof *distances, compare_times);
    int64_t median = distances[count / 2];
    free(distances);
    return median;
}

static void draw_to(struct pen *pen, const struct sample *sample)
{
    const struct chart_frame *frame = pen->frame;
    double across = (double)(sample->time_ms - frame->from_ms) /
                    (double)(frame->to_ms - frame->from_ms);
    double up = (sample->value - frame->low) / (frame->high - frame->low);
    up = fmin(fmax(up, 0), 1);
    int x = (int)lround(across * frame->width), y = (int)lround((1 - up) * frame->height);
    if (!pen->down)
        buf_printf(pen->out, "M%d %d", x, y);
    else if (y == pen->y)
        buf_printf(pen->out, "h%d", x - pen->x);
    else
        buf_printf(pen->out, y < pen->y ? "l%d%d" : "l%d %d", x - pen->x, y - pen->y);
    pen->x = x;
    pen->y = y;
    pen->down = true;
}

/* A stretch of samples, oldest_back to newest_back: the least and the most of it, in their order.
 */
static void draw_stretch(
    struct pen *pen, const struct series *series, size_t oldest_back, size_t newest_back)
{
    size_t least = oldest_back, most = oldest_back;
    for (size_t back = oldest_back;; back--) {
        double value = series_at(series, back)->value;
        if (value < series_at(series, least)->value)
            least = back;
        if (value > series_at(series, most)->value)
            most = back;
        if (back == newest_back)
            break;
    }
    size_t first = least > most ? least : most, second = least > most ? most : least;
    draw_to(pen, series_at(series, first));
    if (second != first)
        draw_to(pen, series_at(series, second));
}

void chart_line(
    struct buf *out, const struct series *series, const struct chart_frame *frame, size_t points)
{
    struct pen pen = {.out = out, .frame = frame};
    int64_t gap_ms = GAP_SPACINGS * spacing_of(series);
    size_t begin = series->count, end = 0;
    while (begin > 0 && series_at(series, begin - 1)->time_ms < frame->from_ms)
        begin--;
    while (end < begin && series_at(series, end)->time_ms > frame->to_ms)
        end++;
    size_t count = begin - end, each = 1;
    if (points >= 2 && count > points)
        each = (count + points / 2 - 1) / (points / 2);
    for (size_t i = begin; i > end;) {
        size_t oldest = i - 1, newest = oldest;
        bool is_gap = false;
        while (newest > end && oldest - newest + 1 < each && !is_gap) {
            is_gap = series_at(series, newest - 1)->time_ms - series_at(series, newest)->time_ms >
                     gap_ms;
            newest -= !is_gap;
        }
        draw_stretch(&pen, series, oldest, newest);
        if (newest > end &&
            series_at(series, newest - 1)->time_ms - series_at(series, newest)->time_ms > gap_ms) {
            /* A sample between two gaps is a dot: a line of no length with round ends. */
            buf_puts(out, "h0");
            pen.down = false;
        }
        i = newest;
    }
    if (pen.down)
        buf_puts(out, "h0");
}
