#include "triggers/baseline.h"

#include <math.h>

/* Closer samples are averaged: what is over within a second is none of a profiler's business. */
static const int64_t STEP_MS = 1000;
/* Ten seconds apart, values tell of the noise's slow part too, and 360 of them of an hour. */
static const int64_t VALUE_MS = 10000;
/* A spike is confirmed at most that long after its first step. */
static const int64_t CONFIRM_MS = 10000;
/* A sixth of what it remembers. */
static const int64_t LONG_GAP_VALUES = HISTORY_SIZE / 6;
static const int64_t SLOW_GAP_VALUES = RECORDS_STRETCHES * RECORDS_LENGTH / 6;
/* Of spreads: no value counts for more. Never of scales: they would widen themselves. */
static const double CLIP = 4;
/* Below 8% of what is usual nothing is a spike, however constant the metric was. */
static const double RELATIVE_FLOOR = 0.01;
/* Heavy tails: a score of 8 is five times as far out as the 97th percentile. */
static const double TAIL = 0.97;
static const double TAIL_WEIGHT = 0.6;
/* In spreads: what lies further out is not of the densest part of the history. */
static const double CORE = 3;
/* More of it than that is no tail, but spikes that were missed. */
static const double FOREIGN = 0.05;
/* The length of the shortest half of a normal distribution, in standard deviations. */
static const double NORMAL_HALF = 1.349;
/* In spreads: values beyond it, so many in a row, are a new level. */
static const double SIDE = 3;
static const unsigned SHIFT_RUN = 30;
/* So many of the newest values make up the history at a new level: seven minutes and a half. */
static const unsigned ADOPTED = 45;
/* In scales: a little beyond the 97th percentile. An onset is where this was passed. */
static const double IN_RANGE = 2;
/* More than that is as good as infinite, and would be unreadable. */
static const double FARTHEST = 1e4;
static const double LARGEST = 1e30;
/* Spikes last for a minute or so: this far apart samples do not show their shape. */
static const int64_t SLOW_MS = 120000;
static const unsigned SLOW_MEAN = 12;
/* The standard deviation of a normal distribution over its median absolute deviation. */
static const double DEVIATIONS = 1.4826;

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* fmin and fmax are calls, as they mind NAN; there is none here. */
static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* Rates differ by factors rather than by amounts. The history is made of floats. */
static double looked_at(enum unit unit, double value)
{
    value = smaller(larger(value, -LARGEST), LARGEST);
    return unit == UNIT_RATE ? log(1 + larger(value, 0)) : value;
}

static double in_unit(enum unit unit, double value)
{
    return unit == UNIT_RATE ? expm1(value) : value;
}

/* Below this a difference means nothing, however constant the metric was. */
static double floor_of(enum unit unit)
{
    switch (unit) {
    case UNIT_PERCENT:
        return 0.3;
    case UNIT_COUNT:
        return 0.5;
    default:
        return 1e-9;
    }
}

void baseline_init(struct baseline *baseline, enum unit unit, const struct baseline_rule *rule)
{
    *baseline = (struct baseline){.unit = unit, .rule = *rule, .value = NAN, .usual = NAN};
}

int64_t baseline_step_ms(const struct baseline *baseline)
{
    return longer(STEP_MS, baseline->spacing.usual_ms);
}

int64_t baseline_value_ms(const struct baseline *baseline)
{
    return longer(VALUE_MS, baseline_step_ms(baseline));
}

/* Samples that far apart do not resolve a spike: one is a single sample, or a part of one, and is
 * judged by the extremes of the last days. */
static bool is_slow(const struct baseline *baseline)
{
    return baseline_step_ms(baseline) >= SLOW_MS;
}

bool baseline_knows(const struct baseline *baseline)
{
    return baseline->history.count >= BASELINE_LEARN && baseline->relearning == 0 &&
           (!is_slow(baseline) || baseline->records.count > 0);
}

void baseline_progress(const struct baseline *baseline, int64_t *done_ms, int64_t *needed_ms)
{
    unsigned done = baseline->history.count < BASELINE_LEARN ? baseline->history.count
                                                             : BASELINE_LEARN;
    if (baseline->relearning)
        done = BASELINE_LEARN - baseline->relearning;
    *done_ms = done * baseline_value_ms(baseline);
    *needed_ms = BASELINE_LEARN * baseline_value_ms(baseline);
}

bool baseline_is_stale(const struct baseline *baseline, int64_t time_ms)
{
    int64_t step_ms = baseline_step_ms(baseline);
    return time_ms - baseline->spacing.last_ms > 3 * step_ms + step_ms / 4;
}

/* Shares of the spread and of the distance of the usual extremes that make 1. */
struct slow_rule {
    double spread, record;
};

static const struct slow_rule slow_step = {3.0 / 8, 1.2 / 8};
static const struct slow_rule slow_mean = {2.0 / 8, 1.2 / 8};

static struct baseline_scale beyond_records(
    const struct baseline *baseline, const struct records *records, const struct slow_rule *rule)
{
    double least = rule->spread * baseline->spread;
    return (struct baseline_scale){
        larger(least, rule->record * ((double)records->usual.high - baseline->median)),
        larger(least, rule->record * (baseline->median - (double)records->usual.low))};
}

static double spread_about(const struct baseline *baseline, double spread, double median)
{
    return larger(larger(spread, RELATIVE_FLOOR * fabs(median)), floor_of(baseline->unit));
}

/* What is usual is around the densest half of the history: spikes that were missed, or came before
 * there was a history to see them by, may be nearly half of it. */
static struct history_part find_core(const struct baseline *baseline)
{
    const struct history *history = &baseline->history;
    struct history_part half = history_densest_half(history);
    double centre = history_quantile(history, half, 0.5);
    double length = history_quantile(history, half, 1) - history_quantile(history, half, 0);
    double reach = CORE * spread_about(baseline, length / NORMAL_HALF, centre);
    return history_between(history, centre - reach, centre + reach);
}

static void find_scale(struct baseline *baseline)
{
    const struct history *history = &baseline->history;
    struct history_part all = history_all(history);
    struct history_part core = is_slow(baseline) ? all : find_core(baseline);
    double median = history_quantile(history, core, 0.5);
    double deviation = history_deviation(history, core, median);
    double spread = spread_about(baseline, DEVIATIONS * deviation, median);
    baseline->median = median;
    baseline->spread = spread;
    if (is_slow(baseline)) {
        baseline->scale = beyond_records(baseline, &baseline->records, &slow_step);
        baseline->mean_scale = beyond_records(baseline, &baseline->mean_records, &slow_mean);
        return;
    }
    /* A few values outside are the tail of the noise, many are something else. */
    bool foreign = all.count - core.count > FOREIGN * all.count;
    struct history_part noise = foreign ? core : all;
    double high = history_quantile(history, noise, TAIL);
    double low = history_quantile(history, noise, 1 - TAIL);
    baseline->scale.up = larger(spread, TAIL_WEIGHT * (high - median));
    baseline->scale.down = larger(spread, TAIL_WEIGHT * (median - low));
}

static void refresh(struct baseline *baseline)
{
    find_scale(baseline);
    double median = baseline->median, score = baseline->rule.score;
    baseline->usual = in_unit(baseline->unit, median);
    baseline->limit_up = in_unit(baseline->unit, median + score * baseline->scale.up);
    baseline->limit_down = in_unit(baseline->unit, median - score * baseline->scale.down);
}

static const struct baseline_step *step_at(const struct baseline *baseline, unsigned back)
{
    return &baseline->steps[(baseline->step_next + BASELINE_STEPS - 1 - back) % BASELINE_STEPS];
}

/* Above the usual positive, below it negative. */
static double distance_in(
    const struct baseline_scale *scale, const struct baseline *baseline, double value)
{
    double difference = value - baseline->median;
    double z = difference / (difference > 0 ? scale->up : scale->down);
    return smaller(larger(z, -FARTHEST), FARTHEST);
}

static double signed_distance(const struct baseline *baseline, double value)
{
    return distance_in(&baseline->scale, baseline, value);
}

/* 1: up counts, -1: down; where both do, the side that the newest step is on. */
static int sign_of(const struct baseline *baseline)
{
    if (baseline->rule.direction == DIRECTION_BOTH)
        return step_at(baseline, 0)->value >= baseline->median ? 1 : -1;
    return baseline->rule.direction == DIRECTION_UP ? 1 : -1;
}

/* How many steps a spike has to last: three, but no more than ten seconds after its first; where
 * a sample is a mean over a long time, one will do. */
static unsigned confirming_steps(int64_t step_ms)
{
    return 2 * CONFIRM_MS >= 3 * step_ms ? 3 : 2 * CONFIRM_MS >= step_ms ? 2 : 1;
}

static double mean_of(const struct baseline *baseline, unsigned steps)
{
    double sum = 0;
    for (unsigned i = 0; i < steps; i++)
        sum += step_at(baseline, i)->value;
    return sum / steps;
}

static bool is_near(const struct baseline *baseline, double mean)
{
    double least = baseline->rule.at_least;
    return least > 0 && fabs(in_unit(baseline->unit, mean) - baseline->usual) < least;
}

/* Of the newest steps, the fewer first: `early` is on the way to `confirmed`. */
static void measure_steps(struct baseline *baseline)
{
    unsigned steps = confirming_steps(baseline_step_ms(baseline));
    if (steps > baseline->unbroken)
        return;
    int sign = sign_of(baseline);
    double sum = 0, least = FARTHEST;
    for (unsigned i = 0; i < steps; i++) {
        double value = step_at(baseline, i)->value;
        sum += value;
        least = smaller(least, sign * signed_distance(baseline, value));
        if (i + 2 < steps)
            continue;
        double mean = sum / (i + 1);
        struct baseline_distance distance = {
            larger(sign * signed_distance(baseline, mean), 0), larger(least, 0)};
        if (is_near(baseline, mean)) {
            baseline->held_back = distance.mean;
            distance = (struct baseline_distance){0, 0};
        }
        if (i > 0 || steps == 1)
            *(i + 1 < steps ? &baseline->early : &baseline->confirmed) = distance;
    }
    if (steps <= 2)
        baseline->early = baseline->confirmed;
}

/* A slow metric may also be a little off for long. */
static void measure_mean(struct baseline *baseline)
{
    if (baseline->unbroken < SLOW_MEAN || baseline->mean_records.count == 0)
        return;
    double mean = mean_of(baseline, SLOW_MEAN);
    if (is_near(baseline, mean))
        return;
    double z = sign_of(baseline) * distance_in(&baseline->mean_scale, baseline, mean);
    baseline->lasting = larger(z, 0);
}

static void measure(struct baseline *baseline)
{
    baseline->confirmed = (struct baseline_distance){0, 0};
    baseline->early = baseline->confirmed;
    baseline->lasting = baseline->held_back = 0;
    if (!baseline_knows(baseline))
        return;
    measure_steps(baseline);
    if (is_slow(baseline))
        measure_mean(baseline);
}

static float clipped(const struct baseline *baseline, float value)
{
    double reach = CLIP * baseline->spread;
    return (float)smaller(
        larger((double)value, baseline->median - reach), baseline->median + reach);
}

/* The values that a history starts with may hold a spike, which must not set the scale. */
static void clip_all(struct baseline *baseline)
{
    const struct history start = baseline->history;
    refresh(baseline);
    history_clear(&baseline->history);
    for (unsigned i = 0; i < start.count; i++)
        history_add(&baseline->history, clipped(baseline, start.ring[i]));
    refresh(baseline);
}

static void learn(struct baseline *baseline, float value)
{
    if (is_slow(baseline)) {
        history_add(&baseline->history, value);
        refresh(baseline);
        return;
    }
    if (baseline->history.count < BASELINE_LEARN) {
        history_add(&baseline->history, value);
        if (baseline->history.count == BASELINE_LEARN)
            clip_all(baseline);
        return;
    }
    history_add(&baseline->history, clipped(baseline, value));
    refresh(baseline);
}

bool baseline_adopt(struct baseline *baseline, bool always)
{
    if (baseline->recent_count < BASELINE_LEARN ||
        (!always && (baseline->side == 0 || baseline->side_run < SHIFT_RUN)))
        return false;
    unsigned count = baseline->recent_count < ADOPTED ? baseline->recent_count : ADOPTED;
    if (!always && baseline->side_run < count)
        count = baseline->side_run;
    history_clear(&baseline->history);
    for (unsigned i = count; i > 0; i--)
        history_add(&baseline->history,
            baseline->recent[(baseline->recent_next + BASELINE_RECENT - i) % BASELINE_RECENT]);
    baseline->delayed_count = 0;
    baseline->side_run = 0;
    baseline->relearning = 0;
    clip_all(baseline);
    return true;
}

void baseline_drop_delayed(struct baseline *baseline)
{
    baseline->delayed_count = 0;
}

static void note_side(struct baseline *baseline, double value)
{
    double reach = SIDE * baseline->spread;
    int side = value > baseline->median + reach ? 1 : value < baseline->median - reach ? -1 : 0;
    baseline->side_run = side == baseline->side ? baseline->side_run + 1 : 1;
    baseline->side = side;
}

static void take_value(struct baseline *baseline, float value, bool spiking)
{
    baseline->recent[baseline->recent_next] = value;
    baseline->recent_next = (baseline->recent_next + 1) % BASELINE_RECENT;
    baseline->recent_count += baseline->recent_count < BASELINE_RECENT;
    if (baseline->history.count < BASELINE_LEARN) {
        learn(baseline, value);
        return;
    }
    note_side(baseline, value);
    if (baseline->relearning && --baseline->relearning == 0 && baseline_adopt(baseline, false))
        return;
    if (!is_slow(baseline) && (spiking || baseline_adopt(baseline, false)))
        return;
    if (baseline->delayed_count == BASELINE_DELAY) {
        learn(baseline, baseline->delayed[0]);
        for (unsigned i = 1; i < BASELINE_DELAY; i++)
            baseline->delayed[i - 1] = baseline->delayed[i];
        baseline->delayed_count--;
    }
    baseline->delayed[baseline->delayed_count++] = value;
}

/* Means do not reach across a gap, and a history from before a long one may not hold any more. */
static void after_gap(struct baseline *baseline, int64_t distance_ms)
{
    baseline->unbroken = 0;
    baseline->sum_count = 0;
    baseline->sum = 0;
    int64_t values = is_slow(baseline) ? SLOW_GAP_VALUES : LONG_GAP_VALUES;
    if (distance_ms > values * baseline_value_ms(baseline)) {
        baseline->recent_count = 0;
        baseline->delayed_count = 0;
        baseline->side_run = 0;
        baseline->relearning = BASELINE_LEARN;
    }
}

/* Means over longer times vary less: a history of theirs makes too much of single samples. */
static void follow_grain(struct baseline *baseline)
{
    int64_t step_ms = baseline_step_ms(baseline);
    if (baseline->grain_ms >= 3 * step_ms) {
        history_clear(&baseline->history);
        baseline->recent_count = 0;
        baseline->delayed_count = 0;
        baseline->grain_ms = step_ms;
    } else if (step_ms >= 3 * baseline->grain_ms) {
        baseline->grain_ms = step_ms;
    }
}

static void take_step(struct baseline *baseline, int64_t time_ms, double value, bool spiking)
{
    baseline->steps[baseline->step_next] = (struct baseline_step){time_ms, value};
    baseline->step_next = (baseline->step_next + 1) % BASELINE_STEPS;
    baseline->unbroken += baseline->unbroken < BASELINE_STEPS;
    int64_t step_ms = baseline_step_ms(baseline);
    unsigned steps = confirming_steps(step_ms);
    if (baseline->unbroken == 1) /* the first one, or the first after a gap */
        baseline->value_since_ms = time_ms - step_ms;
    if (baseline->unbroken >= steps &&
        time_ms - baseline->value_since_ms >= baseline_value_ms(baseline) - step_ms / 2) {
        baseline->value_since_ms = time_ms;
        take_value(baseline, (float)mean_of(baseline, steps), spiking);
    }
    measure(baseline);
    if (is_slow(baseline)) {
        records_add(&baseline->records, (float)value);
        if (baseline->unbroken >= SLOW_MEAN)
            records_add(&baseline->mean_records, (float)mean_of(baseline, SLOW_MEAN));
    }
}

bool baseline_take(struct baseline *baseline, int64_t time_ms, double value, bool spiking)
{
    int64_t usual_ms = baseline->spacing.usual_ms;
    int64_t distance_ms = spacing_take(&baseline->spacing, time_ms);
    if (spacing_is_gap(usual_ms, distance_ms))
        after_gap(baseline, distance_ms);
    follow_grain(baseline);
    baseline->value = value;
    if (baseline->sum_count == 0)
        baseline->sum_since_ms = time_ms - baseline->spacing.usual_ms;
    baseline->sum += looked_at(baseline->unit, value);
    baseline->sum_count++;
    if (time_ms - baseline->sum_since_ms < STEP_MS - baseline->spacing.usual_ms / 2)
        return false;
    double mean = baseline->sum / baseline->sum_count;
    baseline->sum_count = 0;
    baseline->sum = 0;
    take_step(baseline, time_ms, mean, spiking);
    return true;
}

double baseline_limit(const struct baseline *baseline)
{
    return sign_of(baseline) > 0 ? baseline->limit_up : baseline->limit_down;
}

bool baseline_is_down(const struct baseline *baseline)
{
    return sign_of(baseline) < 0;
}

int64_t baseline_onset_ms(const struct baseline *baseline)
{
    int sign = sign_of(baseline);
    const struct baseline_step *first = step_at(baseline, 0);
    for (unsigned back = 1; back < baseline->unbroken; back++) {
        const struct baseline_step *step = step_at(baseline, back);
        if (sign * signed_distance(baseline, step->value) < IN_RANGE)
            return step->time_ms;
        first = step;
    }
    return first->time_ms - baseline_step_ms(baseline);
}

int64_t baseline_valley_ms(const struct baseline *baseline, int64_t since_ms)
{
    int sign = sign_of(baseline);
    const struct baseline_step *lowest = step_at(baseline, 0);
    for (unsigned back = 1; back < baseline->unbroken; back++) {
        const struct baseline_step *step = step_at(baseline, back);
        if (step->time_ms < since_ms)
            break;
        if (sign * step->value < sign * lowest->value)
            lowest = step;
    }
    return lowest->time_ms;
}
