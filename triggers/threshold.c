#include "triggers/threshold.h"

#include "core/alloc.h"
#include "core/error.h"
#include "triggers/spacing.h"
#include "triggers/trigger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_SIZE = 2 * VALUE_TEXT_SIZE + 16 };

/* A run is an unbroken stretch of samples beyond the level. An excursion begins with the run that
 * fires and lasts until `clear`; several runs may lie in it. */
struct threshold {
    const struct threshold_options *options;
    const struct trigger_scope *scope;
    struct spacing spacing;
    bool beyond;
    int64_t run_onset_ms; /* while beyond */
    bool fired;
    int64_t fired_onset_ms; /* while fired */
    /* Nearest misses: the value that came nearest without being beyond, and the longest run that
     * did not fire. */
    bool missed;
    double nearest;
    int64_t nearest_ms;
    bool run_missed;
    int64_t longest_ms, longest_end_ms;
};

static bool is_above(const struct threshold_options *options)
{
    return options->above.text != NULL;
}

static double level_of(const struct threshold_options *options)
{
    return is_above(options) ? options->above.value : options->below.value;
}

/* Whether value is past `level` in the direction of the trigger. */
static bool past(const struct threshold_options *options, double value, double level)
{
    return is_above(options) ? value > level : value < level;
}

static bool clears(const struct threshold_options *options, double value)
{
    double level = options->clear.text ? options->clear.value : level_of(options);
    return is_above(options) ? value < level : value > level;
}

static int validate(const void *data, const char **key, struct error *err)
{
    const struct threshold_options *options = data;
    if (!options->above.text == !options->below.text) {
        *key = options->below.text ? "below" : "above";
        return error_set(err, "give either above or below, and only one of them");
    }
    if (options->clear.text && past(options, options->clear.value, level_of(options))) {
        *key = "clear";
        return error_set(err, "%s can only be clear again %s its level or at it: %s is %s %s",
            is_above(options) ? "above" : "below", is_above(options) ? "below" : "above",
            options->clear.text, is_above(options) ? "above" : "below",
            is_above(options) ? options->above.text : options->below.text);
    }
    return 0;
}

/* Without `clear`, the level itself. */
static void complete(void *data)
{
    struct threshold_options *options = data;
    if (options->clear.text)
        return;
    options->clear = is_above(options) ? options->above : options->below;
    options->clear.text = xstrdup(options->clear.text);
}

/* The run is over at end_ms, its last sample. One within an excursion that fired is no miss. */
static void end_run(struct threshold *state, int64_t end_ms)
{
    int64_t length_ms = end_ms - state->run_onset_ms;
    if (state->beyond && !state->fired && (!state->run_missed || length_ms > state->longest_ms)) {
        state->run_missed = true;
        state->longest_ms = length_ms;
        state->longest_end_ms = end_ms;
    }
    state->beyond = false;
}

static void note_miss(struct threshold *state, double value, int64_t time_ms)
{
    if (state->missed && !past(state->options, value, state->nearest))
        return;
    state->missed = true;
    state->nearest = value;
    state->nearest_ms = time_ms;
}

static void rebind(void *trigger, const void *options, const struct trigger_scope *scope)
{
    struct threshold *state = trigger;
    state->options = options;
    state->scope = scope;
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    struct threshold *state = xcalloc(1, sizeof *state);
    rebind(state, options, scope);
    return state;
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct threshold *state = trigger;
    const struct threshold_options *options = state->options;
    int64_t before_ms = state->spacing.last_ms, usual_ms = state->spacing.usual_ms;
    double value = input->values[0];
    *verdict = (struct verdict){.metric = state->scope->metrics[0],
        .unit = state->scope->units[0],
        .value = value,
        .limit = level_of(options),
        .down = !is_above(options)};

    bool beyond = past(options, value, verdict->limit);
    bool gap = spacing_is_gap(usual_ms, spacing_take(&state->spacing, input->time_ms));
    if (gap || !beyond)
        end_run(state, before_ms);
    if (!beyond) {
        note_miss(state, value, input->time_ms);
        if (state->fired && clears(options, value)) {
            state->fired = false;
            verdict->cleared = true;
            verdict->ended_ms = input->time_ms;
            verdict->onset_ms = state->fired_onset_ms;
        }
        return;
    }
    if (!state->beyond) {
        state->beyond = true;
        state->run_onset_ms = input->time_ms;
    }
    verdict->holds = input->time_ms - state->run_onset_ms >= options->for_ms;
    verdict->onset_ms = state->run_onset_ms;
    if (verdict->holds && !state->fired) {
        state->fired = true;
        state->fired_onset_ms = state->run_onset_ms;
        verdict->fired = true;
    }
}

/* "above 80% for 10 s", or without `for` "above 80%". */
static void rule(const struct threshold_options *options, enum unit unit, char text[RULE_SIZE])
{
    char level[VALUE_TEXT_SIZE], duration[VALUE_TEXT_SIZE];
    metric_format_level(unit, level_of(options), level);
    metric_format_level(UNIT_SECONDS, (double)options->for_ms / 1000, duration);
    snprintf(text, RULE_SIZE, "%s %s%s%s", is_above(options) ? "above" : "below", level,
        options->for_ms ? " for " : "", options->for_ms ? duration : "");
}

static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    const struct threshold *state = trigger;
    enum unit unit = verdict->unit;
    char value[VALUE_TEXT_SIZE], level[VALUE_TEXT_SIZE], what[RULE_SIZE];
    metric_format(unit, verdict->value, value);
    /* "cpu 80.0% above 80%" would puzzle its reader: more digits then. */
    if (!strcmp(value, metric_format(unit, verdict->limit, level)))
        metric_format_level(unit, verdict->value, value);
    rule(state->options, unit, what);
    snprintf(reason, REASON_SIZE, "%s %s %s", verdict->metric, value, what);
}

static bool longest_run(const struct threshold *state, int64_t *longest_ms, int64_t *time_ms)
{
    bool known = state->run_missed;
    *longest_ms = state->longest_ms;
    *time_ms = state->longest_end_ms;
    /* The run that is going on counts as well. */
    int64_t present_ms = state->spacing.last_ms - state->run_onset_ms;
    if (state->beyond && !state->fired && (!known || present_ms > *longest_ms)) {
        known = true;
        *longest_ms = present_ms;
        *time_ms = state->spacing.last_ms;
    }
    return known;
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct threshold *state = trigger;
    const struct threshold_options *options = state->options;
    enum unit unit = state->scope->units[0];
    const char *side = is_above(options) ? "above" : "below";
    const char *other = is_above(options) ? "below" : "above";
    char level[VALUE_TEXT_SIZE], value[VALUE_TEXT_SIZE], distance[VALUE_TEXT_SIZE];
    metric_format_level(unit, level_of(options), level);

    int64_t longest_ms;
    if (options->for_ms && longest_run(state, &longest_ms, time_ms)) {
        metric_format_level(UNIT_SECONDS, (double)longest_ms / 1000, value);
        metric_format_level(UNIT_SECONDS, (double)options->for_ms / 1000, distance);
        snprintf(phrase, REASON_SIZE, "%s %s for %s of %s", side, level, value, distance);
        return true;
    }
    if (!state->missed)
        return false;
    *time_ms = state->nearest_ms;
    metric_format(unit, state->nearest, value);
    double missing = fabs(level_of(options) - state->nearest);
    if (unit == UNIT_PERCENT)
        snprintf(distance, sizeof distance, "%.1f points", missing);
    else
        metric_format(unit, missing, distance);
    if (missing > 0)
        snprintf(phrase, REASON_SIZE, "%s, %s %s %s", value, distance, other, level);
    else
        snprintf(phrase, REASON_SIZE, "%s, the level itself and not %s it", level, side);
    return true;
}

static void describe(
    const void *options, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    char what[RULE_SIZE];
    rule(options, scope->units[0], what);
    snprintf(phrase, REASON_SIZE, "%s %s", scope->metrics[0], what);
}

static const struct field fields[] = {
    {.key = "above",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct threshold_options, above),
        .help = "fires when the metric is above this; or give `below`"},
    {.key = "below",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct threshold_options, below),
        .help = "fires when the metric is below this"},
    {.key = "for",
        .type = FIELD_DURATION,
        .offset = offsetof(struct threshold_options, for_ms),
        .otherwise = "0s",
        .max = 3600000,
        .help = "only after it was beyond the level for so long"},
    {.key = "clear",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct threshold_options, clear),
        .help = "may fire again after a sample beyond this, on the other side; = the level itself"},
    {.key = NULL},
};

static int64_t lookback_ms(const void *options, int64_t interval_ms)
{
    (void)interval_ms;
    return ((const struct threshold_options *)options)->for_ms;
}

static const char *const marks[] = {"above", "below", NULL};

const struct trigger_kind trigger_threshold = {
    .kind = {.name = "threshold",
        .help = "the metric is above or below a level",
        .fields = fields,
        .options_size = sizeof(struct threshold_options),
        .marks = marks,
        .validate = validate,
        .complete = complete},
    .open = open,
    .close = free,
    .rebind = rebind,
    .check = check,
    .explain = explain,
    .nearest_miss = nearest_miss,
    .lookback_ms = lookback_ms,
    .describe = describe,
};
