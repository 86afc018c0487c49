#include "review/history/history_stats.h"

#include "core/alloc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const double week_ms = 7.0 * 86400 * 1000;
static const int64_t day_ms = INT64_C(86400) * 1000;

/* Regular: of at least GAPS_MIN gaps of up to SKIPS_MAX periods, which are at least half of all
 * gaps (nights and weekends are longer), four in five lie within a tenth of a period of a whole
 * number of periods. Of gaps that chance makes, one in five does: five of them pass with odds of 3
 * in 100, ten with 1 in 10,000. */
enum { GAPS_MIN = 5, SKIPS_MAX = 3, SPACING_POINTS_MAX = 1000 };
static const double tolerance = 0.1, regular_share = 0.8;

/* One standard deviation of a normal distribution in median absolute deviations. */
static const double deviations = 1.4826;

/* A trend is looked for in the medians of days, at least DAYS_MIN of them over at least a week, of
 * the last DAYS_MAX: a day's own ups and downs are no trend. */
enum { DAYS_MIN = 4, DAYS_MAX = 84 };
/* It is one when chance makes it less often than 3 times in 1,000 (a page shows a hundred groups),
 * and the value changed by at least 5% in all. From RANKED_MIN days on that is asked of their order
 * (Mann-Kendall, two-sided), which outliers do not move. So few ranks as fewer days have cannot say
 * it: they must lie on a line (the t-test of a slope). */
enum { RANKED_MIN = 8 };
static const double z_min = 3, change_min = 0.05;
static const double t_min[RANKED_MIN] = {
    [4] = 18.2, [5] = 8.9, [6] = 6.4, [7] = 5.35}; /* by days */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values; count > 0. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Gaps as multiples of the period: the ones that tell something are kept in `periods`, each divided
 * by its multiple, and how far it is off in `off`. */
static size_t judge_gaps(
    const double *gaps, size_t count, double period, double *periods, double *off)
{
    size_t judged = 0;
    for (size_t i = 0; i < count; i++) {
        double multiple = round(gaps[i] / period);
        if (multiple < 1 || multiple > SKIPS_MAX)
            continue;
        periods[judged] = gaps[i] / multiple;
        off[judged++] = fabs(gaps[i] - multiple * period);
    }
    return judged;
}

static bool is_regular(const double *off, size_t judged, size_t count, double period)
{
    size_t near = 0;
    for (size_t i = 0; i < judged; i++)
        near += off[i] <= tolerance * period;
    return judged >= GAPS_MIN && 2 * judged >= count &&
           (double)near >= regular_share * (double)judged;
}

void history_spacing(const int64_t *times_ms, size_t count, double *period_s, double *jitter_s)
{
    *period_s = *jitter_s = NAN;
    if (count > SPACING_POINTS_MAX) {
        times_ms += count - SPACING_POINTS_MAX;
        count = SPACING_POINTS_MAX;
    }
    if (count <= GAPS_MIN)
        return;
    size_t gap_count = count - 1;
    double *gaps = xcalloc(4 * gap_count, sizeof *gaps);
    double *sorted = gaps + gap_count, *periods = sorted + gap_count, *off = periods + gap_count;
    for (size_t i = 0; i < gap_count; i++)
        sorted[i] = gaps[i] = (double)(times_ms[i + 1] - times_ms[i]) / 1000;
    double period = median(sorted, gap_count);
    size_t judged = period > 0 ? judge_gaps(gaps, gap_count, period, periods, off) : 0;
    if (judged > 0) { /* once more, from what all of them say */
        period = median(periods, judged);
        judged = judge_gaps(gaps, gap_count, period, periods, off);
    }
    if (is_regular(off, judged, gap_count, period)) {
        *period_s = period;
        *jitter_s = deviations * median(off, judged);
    }
    free(gaps);
}

int64_t history_longest_pause(const int64_t *times_ms, size_t count)
{
    int64_t longest_ms = 0;
    for (size_t i = count > HISTORY_PAUSES ? count - HISTORY_PAUSES : 1; i < count; i++)
        if (times_ms[i] - times_ms[i - 1] > longest_ms)
            longest_ms = times_ms[i] - times_ms[i - 1];
    return longest_ms;
}

/* A day's median, as a logarithm: growth by a share is a straight line. */
struct point {
    double time_ms, log_value;
};

/* The newest days, the newest first. `values` has room for all; it is used up. */
static size_t daily_points(const int64_t *times_ms, const double *given, size_t count,
    double *values, struct point points[DAYS_MAX])
{
    size_t days = 0;
    for (size_t end = count; end > 0 && days < DAYS_MAX;) {
        int64_t day = times_ms[end - 1] / day_ms;
        size_t used = 0, begin = end;
        double sum_ms = 0;
        for (; begin > 0 && times_ms[begin - 1] / day_ms == day; begin--) {
            if (!(given[begin - 1] > 0) || !isfinite(given[begin - 1]))
                continue;
            sum_ms += (double)(times_ms[begin - 1] - times_ms[end - 1]);
            values[used++] = given[begin - 1];
        }
        if (used > 0)
            points[days++] = (struct point){
                (double)times_ms[end - 1] + sum_ms / (double)used, log(median(values, used))};
        end = begin;
    }
    return days;
}

/* Ties make the sum of signs vary less (Kendall 1975, "Rank Correlation Methods"). */
static double variance_of_signs(double *log_values, size_t count)
{
    double n = (double)count, variance = n * (n - 1) * (2 * n + 5);
    qsort(log_values, count, sizeof *log_values, by_value);
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && !(log_values[next] > log_values[i]))
            next++;
        double tied = (double)(next - i);
        variance -= tied * (tied - 1) * (2 * tied + 5);
    }
    return variance / 18;
}

/* Whether the order of the values in time says more than chance would. */
static bool are_ordered(const struct point *points, size_t count)
{
    double sum = 0, log_values[DAYS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        log_values[i] = points[i].log_value;
        for (size_t j = i + 1; j < count; j++)
            sum += (points[i].log_value > points[j].log_value) -
                   (points[i].log_value < points[j].log_value);
    }
    double variance = variance_of_signs(log_values, count);
    return variance > 0 && (fabs(sum) - 1) / sqrt(variance) >= z_min;
}

/* Whether they lie on a line so well as chance would not have it. */
static bool are_on_a_line(const struct point *points, size_t count)
{
    double mean_time = 0, mean_value = 0, xx = 0, xy = 0, yy = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        mean_time += (points[i].time_ms - points[0].time_ms) / n;
        mean_value += points[i].log_value / n;
    }
    for (size_t i = 0; i < count; i++) {
        double x = points[i].time_ms - points[0].time_ms - mean_time;
        double y = points[i].log_value - mean_value;
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    double explained = xx > 0 ? xy * xy / xx : 0, rest = (yy - explained) / (n - 2);
    return explained > 0 && explained >= t_min[count] * t_min[count] * fmax(rest, 0);
}

static bool is_significant(const struct point *points, size_t count)
{
    return count < RANKED_MIN ? are_on_a_line(points, count) : are_ordered(points, count);
}

/* Theil (1950) and Sen (1968): the median of the slopes of all pairs, which outliers do not move.
 */
static double slope_of(const struct point *points, size_t count)
{
    double *slopes = xcalloc(count * (count - 1) / 2, sizeof *slopes);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (points[i].time_ms > points[j].time_ms)
                slopes[used++] = (points[i].log_value - points[j].log_value) /
                                 (points[i].time_ms - points[j].time_ms);
    double slope = used ? median(slopes, used) : 0;
    free(slopes);
    return slope;
}

static void fit(const struct point *points, size_t count, struct history_trend *trend)
{
    double slope = slope_of(points, count), levels[DAYS_MAX];
    const struct point *newest = &points[0], *oldest = &points[count - 1];
    double span_ms = newest->time_ms - oldest->time_ms;
    if (fabs(expm1(slope * span_ms)) < change_min)
        return;
    for (size_t i = 0; i < count; i++)
        levels[i] = points[i].log_value - slope * (points[i].time_ms - newest->time_ms);
    double level = median(levels, count), now = newest->log_value, then = oldest->log_value;
    if ((now > then) != (slope > 0)) { /* outliers: the line says it better than they do */
        now = level;
        then = level - slope * span_ms;
    }
    *trend = (struct history_trend){.week_percent = 100 * expm1(slope * week_ms),
        .now = exp(now),
        .then = exp(then),
        .now_ms = (int64_t)newest->time_ms,
        .then_ms = (int64_t)oldest->time_ms};
}

void history_trend(
    const int64_t *times_ms, const double *values, size_t count, struct history_trend *trend)
{
    struct point points[DAYS_MAX];
    *trend = (struct history_trend){.week_percent = NAN, .now = NAN, .then = NAN};
    double *scratch = xcalloc(count + 1, sizeof *scratch);
    size_t days = daily_points(times_ms, values, count, scratch, points);
    if (days >= DAYS_MIN && points[0].time_ms - points[days - 1].time_ms >= week_ms &&
        is_significant(points, days))
        fit(points, days, trend);
    free(scratch);
}
