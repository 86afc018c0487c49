#include "review/analysis/movement.h"

#include "core/alloc.h"
#include "core/series.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEAST_BEFORE = 3, /* samples that make a usual level */
    CALM_LEAST = 2,   /* samples between earlier spikes that make one, */
    CALM_SHARE = 4,   /* when they are at least a quarter of all */
    BACK_SAMPLES = 3  /* so many in a row are no dip: it is over */
};

/* An extreme that is so many times the spread of the calm samples away from them is a spike. Half
 * of what is evenly spread has 1.65. */
static const double spreads_least = 2.5;

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

/* The samples before the onset that are not of an earlier spike of the same kind: those on the calm
 * side of half way between the calmest tenth and the extreme. A few calm ones among many are a
 * pause, and an extreme that is not far from them is noise: then it is all of them. Returns where
 * the kept ones begin. */
static const double *keep_calm(const double *sorted, size_t *count, double extreme, bool falls)
{
    double half = (quantile(sorted, *count, falls ? 0.9 : 0.1) + extreme) / 2;
    size_t below = 0;
    while (below < *count && sorted[below] < half)
        below++;
    size_t kept = falls ? *count - below : below;
    if (kept < CALM_LEAST || CALM_SHARE * kept < *count)
        return sorted;
    const double *begin = falls ? sorted + below : sorted;
    double spread = quantile(begin, kept, 0.9) - quantile(begin, kept, 0.1);
    if (fabs(extreme - quantile(begin, kept, 0.5)) < spreads_least * spread)
        return sorted;
    *count = kept;
    return begin;
}

static void find_usual(const double *sorted, size_t count, struct movement *movement)
{
    movement->usual = movement->below = movement->above = NAN;
    if (count < LEAST_BEFORE)
        return;
    if (isfinite(movement->extreme))
        sorted = keep_calm(sorted, &count, movement->extreme, movement->falls);
    movement->usual = quantile(sorted, count, 0.5);
    movement->below = movement->usual - quantile(sorted, count, 0.1);
    movement->above = quantile(sorted, count, 0.9) - movement->usual;
}

static void find_extreme(const struct series *series, size_t from_onset, struct movement *movement)
{
    for (size_t back = from_onset; back-- > 0;) {
        const struct sample *sample = series_at(series, back);
        bool is_further = movement->falls ? sample->value < movement->extreme
                                          : sample->value > movement->extreme;
        if (!is_further && !isnan(movement->extreme))
            continue;
        movement->extreme = sample->value;
        movement->extreme_ms = sample->time_ms;
    }
}

/* Movement in one direction. */
static struct movement move(
    const struct series *series, size_t from_onset, const double *sorted, bool falls)
{
    struct movement movement = {.extreme = NAN, .falls = falls};
    find_extreme(series, from_onset, &movement);
    find_usual(sorted, series->count - from_onset, &movement);
    return movement;
}

/* Whether it fell, and did not rise, where it went past that level nearest to the onset. */
static bool fell_past(const struct series *series, size_t from_onset, double level)
{
    for (size_t away = 0; away < series->count; away++) {
        size_t newer[] = {from_onset - 1 - away, from_onset - 1 + away};
        for (size_t i = 0; i < 2; i++) {
            if (newer[i] >= series->count - 1) /* which a number below 0 is, too */
                continue;
            double from = series_at(series, newer[i] + 1)->value;
            double to = series_at(series, newer[i])->value;
            if ((from > level) != (to > level))
                return from > to;
        }
    }
    return false;
}

/* What went further. What goes up and down all the time goes as far both ways: where it has two
 * levels the step between them that is nearest to the onset decides, else what came first. */
static bool fell_rather(const struct series *series, size_t from_onset, const struct movement *up,
    const struct movement *down)
{
    static const double alike = 0.8;
    if (isnan(up->extreme) || isnan(up->usual))
        return false;
    double risen = up->extreme - up->usual, fallen = down->usual - down->extreme;
    if (fmin(risen, fallen) <= alike * fmax(risen, fallen))
        return fallen > risen;
    if (down->usual - up->usual > (up->extreme - down->extreme) / 2)
        return fell_past(series, from_onset, (up->extreme + down->extreme) / 2);
    return down->extreme_ms < up->extreme_ms;
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
    size_t from_onset = onset_ms ? series_count_since(series, onset_ms) : 1;
    size_t count = series->count - from_onset;
    double *sorted = xcalloc(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = series_at(series, from_onset + i)->value;
    qsort(sorted, count, sizeof *sorted, compare_values);
    *movement = move(series, from_onset, sorted, way == MOVEMENT_DOWN);
    if (way == MOVEMENT_EITHER) {
        struct movement down = move(series, from_onset, sorted, true);
        if (fell_rather(series, from_onset, movement, &down))
            *movement = down;
    }
    free(sorted);
    movement->falls = movement->extreme < movement->usual;
    if (from_onset > 0)
        find_end(series, from_onset, movement);
    movement->strength = strength_of(movement, series->unit);
}
