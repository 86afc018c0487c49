#include "triggers/counter.h"

#include "core/alloc.h"
#include "triggers/trigger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rises that are kept one by one within the window. Past that the two nearest in time are kept as
 * one: the window's edge is then off by about a 128th of it. */
enum { MAX_RISES = 128, RULE_SIZE = VALUE_TEXT_SIZE + 16 };

struct rise {
    int64_t time_ms; /* of the sample that showed it; of several, of the first */
    double by;
};

struct counter {
    const struct counter_options *options;
    const struct trigger_scope *scope;
    bool sampled, ever_fired;
    int64_t last_ms;
    double last;
    struct rise rises[MAX_RISES]; /* within the window and since the last fire; the oldest first */
    size_t rise_count;
    double total;           /* of them */
    int64_t began_again_ms; /* when the counter last fell; INT64_MIN: it never did */
    /* What the newest fire was about. */
    double fired_by;
    bool fired_anew;
    /* The largest rise that was too small. */
    double most;
    int64_t most_ms;
};

static void rebind(void *trigger, const void *options, const struct trigger_scope *scope)
{
    struct counter *state = trigger;
    state->options = options;
    state->scope = scope;
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    struct counter *state = xcalloc(1, sizeof *state);
    rebind(state, options, scope);
    state->began_again_ms = INT64_MIN;
    return state;
}

static void forget(struct counter *state, size_t count)
{
    state->rise_count -= count;
    memmove(state->rises, state->rises + count, state->rise_count * sizeof *state->rises);
    /* Summed up anew, so that fractions leave nothing behind. */
    state->total = 0;
    for (size_t i = 0; i < state->rise_count; i++)
        state->total += state->rises[i].by;
}

/* Makes room: of the neighbours that are nearest in time, one. It keeps the earlier time, so that
 * nothing counts for longer than it may. */
static void merge_nearest(struct counter *state)
{
    struct rise *rises = state->rises;
    size_t nearest = 0;
    for (size_t i = 1; i + 1 < state->rise_count; i++)
        if (rises[i + 1].time_ms - rises[i].time_ms <
            rises[nearest + 1].time_ms - rises[nearest].time_ms)
            nearest = i;
    rises[nearest].by += rises[nearest + 1].by;
    state->rise_count--;
    memmove(rises + nearest + 1, rises + nearest + 2,
        (state->rise_count - nearest - 1) * sizeof *rises);
}

/* How much the counter has risen since the sample before. One that fell was started again, at 0. */
static double take_in(struct counter *state, int64_t time_ms, double value)
{
    double by = 0;
    if (state->sampled) {
        bool fell = value < state->last;
        by = fell ? value : value - state->last;
        if (fell)
            state->began_again_ms = time_ms;
    }
    state->sampled = true;
    state->last_ms = time_ms;
    state->last = value;
    return by;
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct counter *state = trigger;
    double value = input->values[0];
    *verdict = (struct verdict){.metric = state->scope->metrics[0],
        .unit = state->scope->units[0],
        .value = value,
        .limit = NAN};
    if (isnan(value))
        return;

    double by = take_in(state, input->time_ms, value);
    size_t old = 0;
    while (old < state->rise_count &&
           input->time_ms - state->rises[old].time_ms > state->options->within_ms)
        old++;
    if (old)
        forget(state, old);
    if (by > 0) {
        if (state->rise_count == MAX_RISES)
            merge_nearest(state);
        state->rises[state->rise_count++] = (struct rise){input->time_ms, by};
        state->total += by;
    }
    if (by > 0 && state->total >= (double)state->options->increases) {
        verdict->fired = verdict->holds = state->ever_fired = true;
        verdict->onset_ms = state->rises[0].time_ms;
        state->fired_by = state->total;
        state->fired_anew = state->began_again_ms >= verdict->onset_ms;
        forget(state, state->rise_count);
    } else if (state->total > state->most) {
        state->most = state->total;
        state->most_ms = input->time_ms;
    }
}

/* " within 1 min", or nothing. */
static void window(const struct counter_options *options, char text[RULE_SIZE])
{
    char duration[VALUE_TEXT_SIZE];
    metric_format_level(UNIT_SECONDS, (double)options->within_ms / 1000, duration);
    snprintf(text, RULE_SIZE, "%s%s", options->within_ms ? " within " : "",
        options->within_ms ? duration : "");
}

static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    const struct counter *state = trigger;
    char by[VALUE_TEXT_SIZE], value[VALUE_TEXT_SIZE], within[RULE_SIZE];
    metric_format_level(verdict->unit, state->fired_by, by);
    metric_format_level(verdict->unit, verdict->value, value);
    window(state->options, within);
    snprintf(reason, REASON_SIZE, "%s rose by %s to %s%s%s", verdict->metric, by, value, within,
        state->fired_anew ? ", having begun again at 0" : "");
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct counter *state = trigger;
    enum unit unit = state->scope->units[0];
    char by[VALUE_TEXT_SIZE], of[VALUE_TEXT_SIZE], within[RULE_SIZE];
    if (!state->sampled)
        return false;
    if (state->most > 0) {
        *time_ms = state->most_ms;
        metric_format_level(unit, state->most, by);
        metric_format_level(unit, (double)state->options->increases, of);
        window(state->options, within);
        snprintf(phrase, REASON_SIZE, "rose by %s of %s%s", by, of, within);
        return true;
    }
    *time_ms = state->last_ms;
    metric_format_level(unit, state->last, by);
    snprintf(
        phrase, REASON_SIZE, "no %sincrease so far (%s)", state->ever_fired ? "other " : "", by);
    return true;
}

static int64_t lookback_ms(const void *options, int64_t interval_ms)
{
    (void)interval_ms;
    return ((const struct counter_options *)options)->within_ms;
}

static void describe(const void *data, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    const struct counter_options *options = data;
    char by[VALUE_TEXT_SIZE], within[RULE_SIZE];
    metric_format_level(scope->units[0], (double)options->increases, by);
    window(options, within);
    snprintf(phrase, REASON_SIZE, "%s rises by %s or more%s", scope->metrics[0], by, within);
}

static const struct field fields[] = {
    {.key = "increases",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct counter_options, increases),
        .min = 1,
        .max = 1000000000,
        .required = 1,
        .help = "fires when the counter rises by so much or more; one that falls began again at 0"},
    {.key = "within",
        .type = FIELD_DURATION,
        .offset = offsetof(struct counter_options, within_ms),
        .otherwise = "0s",
        .max = 604800000,
        .help = "in so much time, and since it last fired; 0s: from one sample to the next"},
    {.key = NULL},
};

static const char *const marks[] = {"increases", NULL};

const struct trigger_kind trigger_counter = {
    .kind = {.name = "counter",
        .help = "a counter has risen",
        .fields = fields,
        .options_size = sizeof(struct counter_options),
        .marks = marks},
    .momentary = true,
    .open = open,
    .close = free,
    .rebind = rebind,
    .check = check,
    .explain = explain,
    .nearest_miss = nearest_miss,
    .lookback_ms = lookback_ms,
    .describe = describe,
};
