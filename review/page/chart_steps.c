#include "review/page/chart_steps.h"

#include "core/buf.h"
#include "core/series.h"
#include "review/page/chart_line.h"

#include <math.h>
#include <stdbool.h>

static int x_of(const struct chart_frame *frame, int64_t time_ms)
{
    double across = (double)(time_ms - frame->from_ms) / (double)(frame->to_ms - frame->from_ms);
    return (int)lround(fmin(fmax(across, 0), 1) * frame->width);
}

static int y_of(const struct chart_frame *frame, double value)
{
    double up = (value - frame->low) / (frame->high - frame->low);
    return (int)lround((1 - fmin(fmax(up, 0), 1)) * frame->height);
}

void chart_steps(struct buf *out, const struct series *series, const struct chart_frame *frame,
    int64_t period_ms)
{
    int64_t drawn_ms = INT64_MIN;
    for (size_t back = series->count; back-- > 0;) {
        const struct sample *sample = series_at(series, back);
        int64_t begin_ms = sample->time_ms - period_ms;
        if (sample->time_ms <= frame->from_ms || begin_ms >= frame->to_ms)
            continue;
        int y = y_of(frame, sample->value);
        bool goes_on = drawn_ms != INT64_MIN && begin_ms < drawn_ms + period_ms / 2;
        if (goes_on)
            buf_printf(out, "V%d", y);
        else
            buf_printf(out, "M%d %d", x_of(frame, begin_ms), y);
        buf_printf(out, "H%d", x_of(frame, sample->time_ms));
        drawn_ms = sample->time_ms;
    }
}
