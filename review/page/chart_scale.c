#include "review/page/chart_scale.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 3 }; /* that an axis has about */

/* The unit in which a value of this size is said: 1048576 for 3 MiB. */
static double scale_of(enum unit unit, double most)
{
    double base = unit == UNIT_BYTES ? 1024 : 1000, scale = 1;
    if (unit != UNIT_BYTES && unit != UNIT_RATE)
        return 1;
    while (most >= scale * base && scale < 1e12)
        scale *= base;
    return scale;
}

/* 1, 2 or 5 times a power of ten, the first that is not below. */
static double round_up(double value)
{
    static const double rounds[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++)
        if (value <= rounds[i] * power * (1 + 1e-9))
            return rounds[i] * power;
    return 10 * power;
}

static double step_of(enum unit unit, double range)
{
    double scale = scale_of(unit, range);
    double step = round_up(range / STEPS / scale) * scale;
    /* Of what comes in whole pieces there are no halves. */
    return (unit == UNIT_COUNT || scale > 1) && step < 1 ? 1 : step;
}

void chart_axis_of(enum unit unit, double least, double most, struct chart_axis *axis)
{
    if (!(least <= most) || !isfinite(least) || !isfinite(most))
        least = most = 0;
    double range = most - least;
    bool from_zero = least >= 0 ? least < 0.8 * most || range < 0.01 * most : most > 0;
    double low = from_zero && least > 0 ? 0 : least;
    double high = most <= 0 && least < 0 ? 0 : most;
    if (high - low <= 0)
        high = low + (unit == UNIT_BYTES || unit == UNIT_RATE ? 1000 : 1);
    double step = step_of(unit, high - low);
    *axis = (struct chart_axis){.low = floor(low / step + 1e-9) * step};
    axis->high = ceil(high / step - 1e-9) * step;
    for (double at = axis->low; axis->tick_count < CHART_TICKS_MAX && at <= axis->high + step / 2;
         at = axis->low + (double)axis->tick_count * step)
        axis->ticks[axis->tick_count++] = fabs(at) < step / 1e6 ? 0 : at;
}

size_t chart_times(int64_t from_ms, int64_t to_ms, size_t most, int64_t *ticks)
{
    static const int64_t steps_s[] = {
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
    size_t last = sizeof steps_s / sizeof *steps_s - 1, i = 0, count = 0;
    if (to_ms < from_ms || most == 0)
        return 0;
    most = most < CHART_TIME_TICKS_MAX ? most : CHART_TIME_TICKS_MAX;
    while (i < last && (to_ms - from_ms) / (steps_s[i] * 1000) >= (int64_t)most)
        i++;
    int64_t step_ms = steps_s[i] * 1000;
    while ((to_ms - from_ms) / step_ms >= (int64_t)most)
        step_ms *= 2;
    for (int64_t at = (from_ms + step_ms - 1) / step_ms * step_ms; at <= to_ms && count < most;
         at += step_ms)
        ticks[count++] = at;
    return count;
}

const char *chart_label(enum unit unit, double value, char text[VALUE_TEXT_SIZE])
{
    static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    static const char *const decimal[] = {"B/s", "KB/s", "MB/s", "GB/s", "TB/s"};
    if (value == 0) {
        snprintf(text, VALUE_TEXT_SIZE, unit == UNIT_PERCENT ? "0%%" : "0");
        return text;
    }
    if (unit == UNIT_BYTES || unit == UNIT_RATE) {
        double base = unit == UNIT_BYTES ? 1024 : 1000;
        size_t step = 0;
        for (; fabs(value) >= base && step < 4; step++)
            value /= base;
        snprintf(text, VALUE_TEXT_SIZE, "%.4g %s", value,
            unit == UNIT_BYTES ? binary[step] : decimal[step]);
        return text;
    }
    metric_format_level(unit, value, text);
    /* The unit is said once, by the label of the row. */
    char *cores = strstr(text, " core");
    if (unit == UNIT_CORES && cores)
        *cores = '\0';
    return text;
}
