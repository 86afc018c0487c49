#include "review/analysis/movement.h"

#include "core/alloc.h"
#include "core/series.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEAST_BEFORE = 3, /* samples that make a usual level */
    BACK_SAMPLES = 3  /* so many in a row are no dip: it is over */
};

/* The least change that anybody would look at. */
static double least_of(enum unit unit)
{
    switch (unit) {
    case UNIT_PERCENT:
        return 1;
    case UNIT_CORES:
        return 0.02;
    case UNIT_BYTES:
        return 1024 * 1024;
    case UNIT_RATE:
        return 10e3;
    case UNIT_SECONDS:
        return 0.5e-3;
    case UNIT_COUNT:
        return 0.25;
    default:
        return 1e-9;
    }
}

static int compare_values(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(const double *sorted, size_t count, double part)
{
    double at = part * (double)(count - 1);
    size_t below = (size_t)at;
    double next = sorted[below + 1 < count ? below + 1 : below];
    return sorted[below] + (at - (double)below) * (next - sorted[below]);
}

/* Samples of onset_ms and later: the newest ones. */
static size_t count_from(const struct series *series, int64_t onset_ms)
{
    size_t low = 0, high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series_at(series, middle)->time_ms >= onset_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_usual(const struct series *series, size_t from_onset, struct movement *movement)
{
    size_t count = series->count - from_onset;
    movement->usual = movement->below = movement->above = NAN;
    if (count < LEAST_BEFORE)
        return;
    double *values = xcalloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = series_at(series, from_onset + i)->value;
    qsort(values, count, sizeof *values, compare_values);
    movement->usual = quantile(values, count, 0.5);
    movement->below = movement->usual - quantile(values, count, 0.1);
    movement->above = quantile(values, count, 0.9) - movement->usual;
    free(values);
}

static bool is_further(double value, const struct movement *movement, enum movement_way way)
{
    double usual = isnan(movement->usual) ? 0 : movement->usual;
    if (isnan(movement->extreme))
        return true;
    if (way == MOVEMENT_EITHER)
        return fabs(value - usual) > fabs(movement->extreme - usual);
    return way == MOVEMENT_UP ? value > movement->extreme : value < movement->extreme;
}

static void find_extreme(const struct series *series, size_t from_onset, enum movement_way way,
    struct movement *movement)
{
    for (size_t back = from_onset; back-- > 0;) {
        const struct sample *sample = series_at(series, back);
        if (!is_further(sample->value, movement, way))
            continue;
        movement->extreme = sample->value;
        movement->extreme_ms = sample->time_ms;
    }
    movement->falls = movement->extreme < movement->usual;
}

/* It is over at the first of some samples in a row that are nearer to the usual level; a shorter
 * run counts when nothing comes after it. */
static void find_end(const struct series *series, size_t from_onset, struct movement *movement)
{
    double half = movement->usual + (movement->extreme - movement->usual) / 2;
    size_t run = 0;
    bool begun = false;
    movement->lasts = true;
    for (size_t back = from_onset; back-- > 0;) {
        const struct sample *sample = series_at(series, back);
        bool is_back = movement->falls ? sample->value > half : sample->value < half;
        begun = begun || !is_back;
        run = is_back && begun ? run + 1 : 0;
        if (run <= 1)
            movement->until_ms = sample->time_ms;
        if (run == BACK_SAMPLES && sample->time_ms > movement->extreme_ms)
            break;
    }
    movement->lasts = run == 0;
}

static double strength_of(const struct movement *movement, enum unit unit)
{
    if (isnan(movement->usual) || isnan(movement->extreme))
        return 0;
    /* What it does on the other side is noise, and not an earlier spike of the same kind. */
    double noise = 2 * (movement->falls ? movement->above : movement->below);
    double ordinary = fmax(fmax(noise, fabs(movement->usual) / 20), least_of(unit));
    return fabs(movement->extreme - movement->usual) / ordinary;
}

void movement_of(
    const struct series *series, int64_t onset_ms, enum movement_way way, struct movement *movement)
{
    *movement = (struct movement){.usual = NAN, .below = NAN, .above = NAN, .extreme = NAN};
    if (series->count == 0)
        return;
    size_t from_onset = onset_ms ? count_from(series, onset_ms) : 1;
    find_usual(series, from_onset, movement);
    find_extreme(series, from_onset, way, movement);
    if (from_onset > 0)
        find_end(series, from_onset, movement);
    movement->strength = strength_of(movement, series->unit);
}
