/* How it decides. On a scale of time on which the metric rises (triggers/rises.h), the rise is
 * drawn on: no further than `within`, and hardly further than it has lasted. Every tooth of a
 * saw-tooth looks like a leak on some scale. So what counts is only a new high: a value above all
 * that was survived before the rise began, by more than the peaks vary. A plateau and the usual
 * tooth are none. */
#include "triggers/forecast.h"

#include "core/alloc.h"
#include "triggers/rises.h"
#include "triggers/spacing.h"
#include "triggers/trigger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fast rise may be drawn on by so many times its length, up to that part of `within`. */
enum { URGENT = 4 };

/* A rise by so many times the jitter has its slope about right. */
enum { CLEAR = 8 };

/* What speaks against a rise. */
enum held {
    HELD_NOT,
    HELD_FAR,   /* the level is too far away */
    HELD_FLAT,  /* it does not go on */
    HELD_SHORT, /* it has lasted too short to be drawn on so far */
};

/* Where a rise leads to. */
struct outlook {
    const struct rises_scale *rise; /* NULL: the level is reached */
    double value;                   /* from which: the newest, or how high peaks are */
    double high;                    /* to be compared with a new high */
    int64_t left_ms;                /* to the level */
    enum held held;
};

struct forecast {
    const struct forecast_options *options;
    const struct trigger_scope *scope;
    struct rises rises;
    struct spacing spacing;
    /* The excursion. */
    bool fired;
    int64_t onset_ms, true_ms; /* while fired; true_ms: when it was last on its way */
    /* What was seen then. */
    bool reached;
    double peak, slope;
    int64_t left_ms;
    /* Nearest misses: of rises to a new high the shortest time to the level, and how long that one
     * had lasted; and the highest value. */
    bool missed, sampled;
    enum held miss_held;
    int64_t miss_left_ms, miss_span_ms, miss_ms;
    struct point highest;
};

static void rebind(void *trigger, const void *options, const struct trigger_scope *scope)
{
    struct forecast *state = trigger;
    state->options = options;
    state->scope = scope;
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    struct forecast *state = xcalloc(1, sizeof *state);
    rebind(state, options, scope);
    rises_init(&state->rises, state->options->within_ms);
    return state;
}

/* `within`; where samples lie farther apart than half of it, the time of the next two. */
static int64_t horizon_ms(const struct forecast *state)
{
    int64_t two_ms = 2 * state->spacing.usual_ms;
    return two_ms > state->options->within_ms ? two_ms : state->options->within_ms;
}

/* How far ahead a rise is drawn on: not farther than it has lasted. A fast one is, as there is no
 * time to see more of it; one that nothing is known from before is drawn on less, as it may be how
 * a process starts. */
static int64_t reach_ms(
    const struct forecast *state, const struct rises_scale *scale, int64_t horizon)
{
    int64_t reach = scale->span_ms;
    if (scale->from_ms - state->rises.begun_ms < 2 * horizon) {
        reach = reach * 2 / 3;
    } else if (scale == &state->rises.scales[0] && reach < horizon / URGENT) {
        reach *= URGENT;
        if (reach > horizon / URGENT)
            reach = horizon / URGENT;
    }
    return reach < horizon ? reach : horizon;
}

static bool is_new_high(const struct forecast *state, const struct outlook *outlook)
{
    return rises_is_new_high(
        &state->rises, outlook->rise->from_ms, state->options->reaches.value, outlook->high);
}

/* Only one that is shorter by a part counts, as they are looked at in every step of a rise. */
static void note_miss(struct forecast *state, const struct outlook *outlook)
{
    if (state->missed && outlook->left_ms >= state->miss_left_ms - state->miss_left_ms / 64)
        return;
    if (!is_new_high(state, outlook))
        return;
    state->missed = true;
    state->miss_held = outlook->held;
    state->miss_left_ms = outlook->left_ms;
    state->miss_span_ms = outlook->rise->span_ms;
    state->miss_ms = rises_newest(&state->rises.scales[0], 0)->time_ms;
}

/* Draws on the rise of one scale. */
static struct outlook draw_on(const struct forecast *state, unsigned index, int64_t horizon)
{
    const struct rises_scale *scale = &state->rises.scales[index];
    const struct rises_scale *samples = &state->rises.scales[0];
    const struct point *now = rises_newest(samples, 0), *before = rises_newest(samples, 1);
    double step_ms = (double)(now->time_ms - before->time_ms);
    double level = state->options->reaches.value, jitter = rises_jitter(&state->rises, index);
    bool ended = scale->levels;
    struct outlook outlook = {.rise = scale};
    /* One odd sample may not be farther up than the rise takes it. */
    outlook.value = fmin(now->value, before->value + scale->slope * step_ms);
    outlook.high = rises_credible(&state->rises);
    if (index > 0) {
        /* Between its teeth a saw-tooth is as high as its newest peak, drawn on to now; and the
         * level is reached by a peak that is higher than others. */
        double peak = rises_newest(scale, 0)->value;
        double since = scale->slope * (double)(now->time_ms - rises_newest(scale, 0)->time_ms);
        double higher = fmin(since + jitter, fmax(0, level - peak) / 2);
        outlook.value = fmax(outlook.value, peak + higher);
        outlook.high = fmax(outlook.high, peak);
        /* About as high as the newest peak, where it should be higher: it may be a plateau. */
        double growth = scale->slope * (double)scale->span_ms;
        ended = ended || (now->value <= peak + since / 4 && now->value > peak - growth / 4) ||
                rises_is_flat_since(&state->rises, index);
    }
    /* Noise makes new highs by itself. Where samples are smooth there is none, however much the
     * peaks of teeth vary. */
    outlook.high -= fmin(jitter, samples->jitter);
    /* A rise that takes centuries is none, and would not fit. */
    outlook.left_ms = (int64_t)fmin(fmax((level - outlook.value) / scale->slope, 0), 1e13);
    if (outlook.left_ms > horizon)
        outlook.held = HELD_FAR;
    else if (ended)
        outlook.held = HELD_FLAT;
    else if (outlook.left_ms > reach_ms(state, scale, horizon))
        outlook.held = HELD_SHORT;
    return outlook;
}

/* The shortest rise to the level that is well determined tells best how fast it is and where it
 * began: a longer one may hold some of what was before. */
static void see_closer(
    const struct forecast *state, unsigned index, int64_t horizon, struct outlook *outlook)
{
    for (unsigned i = 0; i < index; i++) {
        const struct rises_scale *scale = &state->rises.scales[i];
        if (!scale->rising || scale->growth < CLEAR * scale->jitter)
            continue;
        struct outlook closer = draw_on(state, i, horizon);
        if ((closer.held == HELD_NOT || closer.held == HELD_SHORT) && is_new_high(state, &closer)) {
            *outlook = closer;
            return;
        }
    }
}

/* Whether the level is about to be reached, and how. */
static bool on_its_way(struct forecast *state, struct outlook *outlook)
{
    const struct rises_scale *samples = &state->rises.scales[0];
    double level = state->options->reaches.value;
    struct outlook nearest = {.rise = NULL};
    *outlook = nearest;
    if (samples->count < 2)
        return false;
    if (rises_newest(samples, 0)->value >= level && rises_newest(samples, 1)->value >= level)
        return true;
    int64_t horizon = horizon_ms(state);
    /* The longest rise first: it has the least past to stand out from. */
    for (unsigned i = RISES_SCALES; i-- > 0;) {
        if (!state->rises.scales[i].rising)
            continue;
        *outlook = draw_on(state, i, horizon);
        if (outlook->held == HELD_NOT) {
            if (!is_new_high(state, outlook))
                return false;
            see_closer(state, i, horizon, outlook);
            return true;
        }
        if (!nearest.rise || outlook->left_ms < nearest.left_ms)
            nearest = *outlook;
    }
    if (nearest.rise && !state->fired)
        note_miss(state, &nearest);
    return false;
}

/* Where the excursion began: with its rise, as far back as lookback_ms allows. */
static int64_t onset_of(
    const struct forecast *state, const struct outlook *outlook, int64_t time_ms)
{
    int64_t earliest_ms = time_ms - 2 * horizon_ms(state);
    if (!outlook->rise)
        return time_ms;
    return outlook->rise->from_ms > earliest_ms ? outlook->rise->from_ms : earliest_ms;
}

static void note_way(
    struct forecast *state, const struct outlook *outlook, struct verdict *verdict, int64_t time_ms)
{
    if (!state->fired) {
        state->fired = verdict->fired = true;
        state->onset_ms = onset_of(state, outlook, time_ms);
    }
    state->true_ms = time_ms;
    state->reached = !outlook->rise;
    state->peak = outlook->value;
    state->slope = outlook->rise ? outlook->rise->slope : 0;
    state->left_ms = outlook->left_ms;
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct forecast *state = trigger;
    struct outlook outlook;
    struct point now = {input->time_ms, input->values[0]};
    *verdict = (struct verdict){.metric = state->scope->metrics[0],
        .unit = state->scope->units[0],
        .value = now.value,
        .limit = state->options->reaches.value};
    if (!isnan(now.value)) {
        spacing_take(&state->spacing, now.time_ms);
        bool is_new_process = rises_add(&state->rises, now);
        if (on_its_way(state, &outlook)) {
            note_way(state, &outlook, verdict, now.time_ms);
        } else if (state->fired && !is_new_process && now.value >= state->options->reaches.value) {
            /* Noise that touches the level again and again is one excursion. */
            state->true_ms = now.time_ms;
        } else if (state->fired &&
                   (is_new_process || now.time_ms - state->true_ms > 2 * horizon_ms(state))) {
            state->fired = false;
            verdict->cleared = true;
            verdict->ended_ms = state->true_ms;
        }
        if (!state->fired && (!state->sampled || now.value > state->highest.value)) {
            state->highest = now;
            state->sampled = true;
        }
    }
    verdict->holds = state->fired;
    verdict->onset_ms = state->fired || verdict->cleared ? state->onset_ms : 0;
}

enum { SLOPE_SIZE = VALUE_TEXT_SIZE + 10 };

/* "2.1 points/s", "3.5 MiB/min": in the shortest time in which it is at least one. */
static void format_slope(enum unit unit, double slope, char text[SLOPE_SIZE])
{
    static const struct {
        const char *name;
        double length_ms;
    } times[] = {{"s", 1e3}, {"min", 60e3}, {"h", 3600e3}};
    char value[VALUE_TEXT_SIZE];
    size_t i = 0;
    double least = unit == UNIT_BYTES ? 1048576 : unit == UNIT_RATE ? 1e6 : 1;
    while (i < 2 && slope * times[i].length_ms < least)
        i++;
    double rise = slope * times[i].length_ms;
    if (unit == UNIT_PERCENT)
        snprintf(value, sizeof value, "%.1f points", rise);
    else if (unit == UNIT_NONE || unit == UNIT_COUNT)
        snprintf(value, sizeof value, "%.3g", rise);
    else
        metric_format(unit, rise, value);
    snprintf(text, SLOPE_SIZE, "%s%s%s", value, unit == UNIT_RATE ? " per " : "/", times[i].name);
}

/* Whole seconds: more would promise too much. */
static void format_time(int64_t time_ms, char text[VALUE_TEXT_SIZE])
{
    metric_format_level(UNIT_SECONDS, ceil((double)time_ms / 1000), text);
}

static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    const struct forecast *state = trigger;
    char value[VALUE_TEXT_SIZE], level[VALUE_TEXT_SIZE], left[VALUE_TEXT_SIZE];
    char peak[VALUE_TEXT_SIZE], slope[SLOPE_SIZE], at_level[VALUE_TEXT_SIZE];
    metric_format(verdict->unit, verdict->value, value);
    metric_format_level(verdict->unit, verdict->limit, level);
    metric_format(verdict->unit, state->peak, peak);
    /* Between two teeth the value itself would tell little. */
    bool is_below = state->peak - verdict->value > (verdict->limit - state->peak) / 4;
    const char *shown = is_below ? peak : value;
    /* Nothing is said to be on its way to what it is shown to be. */
    metric_format(verdict->unit, verdict->limit, at_level);
    bool is_there = state->left_ms == 0 || strcmp(shown, at_level) == 0;
    size_t length = (size_t)snprintf(reason, REASON_SIZE, "%s %s%s%s", verdict->metric, value,
        is_below ? ", peaks up to " : "", is_below ? peak : "");
    if (state->reached || is_there) {
        snprintf(reason + length, REASON_SIZE - length, ": %s is reached", level);
        return;
    }
    format_slope(verdict->unit, state->slope, slope);
    format_time(state->left_ms, left);
    snprintf(reason + length, REASON_SIZE - length, ", +%s: %s in %s", slope, level, left);
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct forecast *state = trigger;
    enum unit unit = state->scope->units[0];
    char level[VALUE_TEXT_SIZE], text[VALUE_TEXT_SIZE];
    if (!state->sampled)
        return false;
    metric_format_level(unit, state->options->reaches.value, level);
    if (state->missed) {
        char span[VALUE_TEXT_SIZE];
        *time_ms = state->miss_ms;
        format_time(state->miss_left_ms, text);
        format_time(state->miss_span_ms, span);
        if (state->miss_held == HELD_FAR)
            snprintf(phrase, REASON_SIZE, "%s in %s at the least", level, text);
        else
            snprintf(phrase, REASON_SIZE, "%s in %s at the least, after a rise of %s%s%s", level,
                text, state->miss_held == HELD_SHORT ? "only " : "", span,
                state->miss_held == HELD_FLAT ? ", flat since" : "");
        return true;
    }
    *time_ms = state->highest.time_ms;
    metric_format(unit, state->highest.value, text);
    snprintf(phrase, REASON_SIZE, "%s at the most, no rise beyond the usual", text);
    return true;
}

static int64_t lookback_ms(const void *options, int64_t interval_ms)
{
    int64_t within_ms = ((const struct forecast_options *)options)->within_ms;
    return 2 * (within_ms > 2 * interval_ms ? within_ms : 2 * interval_ms);
}

static void describe(const void *data, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    const struct forecast_options *options = data;
    char level[VALUE_TEXT_SIZE], within[VALUE_TEXT_SIZE];
    metric_format_level(scope->units[0], options->reaches.value, level);
    metric_format_level(UNIT_SECONDS, (double)options->within_ms / 1000, within);
    snprintf(
        phrase, REASON_SIZE, "%s on its way to %s within %s", scope->metrics[0], level, within);
}

static const struct field fields[] = {
    {.key = "reaches",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct forecast_options, reaches),
        .required = 1,
        .help = "fires when the metric is on its way up to this level, or there; falling ones are "
                "not foreseen"},
    {.key = "within",
        .type = FIELD_DURATION,
        .offset = offsetof(struct forecast_options, within_ms),
        .otherwise = "60s",
        .min = 1000,
        .max = 3600000,
        .help = "looks so far ahead, and at least to the sample after the next"},
    {.key = NULL},
};

static const char *const marks[] = {"reaches", NULL};

const struct trigger_kind trigger_forecast = {
    .kind = {.name = "forecast",
        .help = "the metric is on its way up to a level",
        .fields = fields,
        .options_size = sizeof(struct forecast_options),
        .marks = marks},
    .foresees = true,
    .open = open,
    .close = free,
    .rebind = rebind,
    .check = check,
    .explain = explain,
    .nearest_miss = nearest_miss,
    .lookback_ms = lookback_ms,
    .describe = describe,
};
