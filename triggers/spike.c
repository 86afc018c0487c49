#include "triggers/spike.h"

#include "core/alloc.h"
#include "core/error.h"
#include "triggers/baseline.h"
#include "triggers/trigger.h"
#include "triggers/valley.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under a third of the score for so long, a spike is over. */
static const int64_t QUIET_MS = 20000;
/* For that part of it, and it is likely to be over: a capture need not wait for the rest. */
enum { EBB_PARTS = 4 };
/* Each of the steps that confirm a spike has this share of the score at the least: the mean of
 * three may be high because of one or two. */
static const double LEAST_SHARE = 0.5;
/* What rises from a valley lies above it by this factor: the noise of a spike grows with it, to a
 * tenth of its height and more. */
static const double VALLEY_FACTOR = 1.6;
/* A second spike rises from the valley by this share of the first one's height, if it comes within
 * three times the quiet, and by ever less the later it comes. */
static const double RISE_SHARE = 0.8;

/* What came nearest to a spike without being one. */
struct miss {
    bool known;
    double score, value, usual;
    size_t metric;
    int64_t time_ms;
};

struct spike {
    const struct spike_rule *rule;
    const struct trigger_scope *scope;
    struct baseline *baselines; /* one for each metric */
    int64_t last_ms;            /* the newest step; valid while sampled */
    bool sampled;
    struct baseline_distance score, early; /* of all metrics together */
    unsigned agreeing; /* metrics that stand out on their own, one step before the confirmation */
    size_t lead;       /* the metric that is furthest from what is usual */
    bool active;       /* a spike that fired goes on */
    bool lasting_told; /* it, or the one before, was told of what lasts */
    int64_t onset_ms, fired_ms;
    bool low;
    int64_t low_since_ms;
    struct valley valley;
    struct miss nearest, candidate; /* candidate: of an excursion that is not over */
    struct miss held_back;          /* what at_least held back */
};

static void rebind(void *trigger, const void *options, const struct trigger_scope *scope)
{
    struct spike *state = trigger;
    state->rule = &((const struct spike_options *)options)->spike;
    state->scope = scope;
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    struct spike *state = xcalloc(1, sizeof *state);
    rebind(state, options, scope);
    state->baselines = xcalloc(scope->metric_count, sizeof *state->baselines);
    for (size_t i = 0; i < scope->metric_count; i++) {
        baseline_init(&state->baselines[i], scope->units[i],
            &(struct baseline_rule){(enum direction)state->rule->direction, state->rule->score,
                state->rule->at_least.text ? state->rule->at_least.value : 0});
    }
    return state;
}

static void close(void *trigger)
{
    struct spike *state = trigger;
    free(state->baselines);
    free(state);
}

/* The longest distance between steps of the metrics that are still there. */
static int64_t step_ms(const struct spike *state)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < state->scope->metric_count; i++) {
        int64_t own_ms = baseline_step_ms(&state->baselines[i]);
        if (own_ms > longest_ms && !baseline_is_stale(&state->baselines[i], state->last_ms))
            longest_ms = own_ms;
    }
    return longest_ms;
}

static int64_t quiet_ms(const struct spike *state)
{
    int64_t three_ms = 3 * step_ms(state);
    return three_ms > QUIET_MS ? three_ms : QUIET_MS;
}

/* Three samples at the least: one or two of the calm are in every spike. */
static int64_t ebb_ms(const struct spike *state)
{
    int64_t part_ms = quiet_ms(state) / EBB_PARTS, three_ms = 3 * step_ms(state);
    return three_ms > part_ms ? three_ms : part_ms;
}

static double squared(double value)
{
    return value * value;
}

/* Whether what has lasted counts: only once until it has passed. */
static bool lasting_counts(struct spike *state)
{
    double lasting = 0;
    for (size_t i = 0; i < state->scope->metric_count; i++)
        lasting += squared(state->baselines[i].lasting);
    if (state->active)
        state->lasting_told = true;
    else if (sqrt(lasting) < state->rule->score / 3)
        state->lasting_told = false;
    return !state->lasting_told;
}

/* The metrics together: the root of the sum of squares of what each says now. */
static void combine(struct spike *state)
{
    struct baseline_distance score = {0, 0}, early = {0, 0};
    bool lasting_too = lasting_counts(state);
    double furthest = -1;
    state->agreeing = 0;
    for (size_t i = 0; i < state->scope->metric_count; i++) {
        const struct baseline *baseline = &state->baselines[i];
        if (baseline_is_stale(baseline, state->last_ms) || !baseline->spacing.sampled)
            continue;
        double lasting = lasting_too ? baseline->lasting : 0;
        double mean = fmax(baseline->confirmed.mean, lasting);
        score.mean += squared(mean);
        score.least += squared(fmax(baseline->confirmed.least, lasting));
        early.mean += squared(baseline->early.mean);
        early.least += squared(baseline->early.least);
        state->agreeing += baseline->early.least > state->rule->score * LEAST_SHARE;
        if (mean > furthest) {
            furthest = mean;
            state->lead = i;
        }
    }
    state->score = (struct baseline_distance){sqrt(score.mean), sqrt(score.least)};
    state->early = (struct baseline_distance){sqrt(early.mean), sqrt(early.least)};
}

static bool stands_out(const struct baseline_distance *score, double above, double least)
{
    return score->mean > above && score->least > least;
}

/* Whether a spike begins: on its own, or out of the valley of the one that goes on. Metrics that
 * agree confirm one another: they need one step less. */
static bool begins(const struct spike *state)
{
    double above = state->rule->score;
    double least = above * LEAST_SHARE;
    if (state->active) {
        const struct valley *valley = &state->valley;
        if (!valley->known)
            return false;
        double age_ms = (double)(state->last_ms - state->fired_ms);
        double rise = RISE_SHARE * valley->peak_before *
                      fmin(1, 3 * (double)quiet_ms(state) / age_ms);
        above = fmax(valley->lowest + fmax(above, rise), valley->lowest * VALLEY_FACTOR);
        least = (valley->lowest + above) * LEAST_SHARE;
    }
    return stands_out(&state->score, above, least) ||
           (state->agreeing >= 2 && stands_out(&state->early, above, least));
}

static void fire(struct spike *state, struct verdict *verdict)
{
    const struct baseline *lead = &state->baselines[state->lead];
    state->onset_ms = state->active ? baseline_valley_ms(lead, state->last_ms - quiet_ms(state))
                                    : baseline_onset_ms(lead);
    state->active = true;
    state->fired_ms = state->last_ms;
    state->low = false;
    state->candidate.known = false;
    valley_begin(&state->valley, state->last_ms, state->score.mean);
    for (size_t i = 0; i < state->scope->metric_count; i++)
        baseline_drop_delayed(&state->baselines[i]);
    verdict->fired = true;
}

/* A spike that has lasted for as long as the newest values reach back is the new level. */
static bool is_new_level(struct spike *state)
{
    const struct baseline *lead = &state->baselines[state->lead];
    if (lead->recent_count < BASELINE_RECENT ||
        state->last_ms - state->fired_ms < BASELINE_RECENT * baseline_value_ms(lead))
        return false;
    bool adopted = false;
    for (size_t i = 0; i < state->scope->metric_count; i++)
        adopted |= baseline_adopt(&state->baselines[i], false);
    for (size_t i = 0; i < state->scope->metric_count && !adopted; i++)
        baseline_adopt(&state->baselines[i], true);
    return true;
}

/* Whether the score has been low for so long. */
static bool low_for(const struct spike *state, int64_t wanted_ms)
{
    int64_t step = step_ms(state);
    return state->low && state->last_ms - state->low_since_ms + step >= wanted_ms - step / 4;
}

/* Follows a spike that goes on; true when it is over. */
static bool ends(struct spike *state)
{
    valley_take(&state->valley, state->last_ms, state->score.mean, quiet_ms(state) / VALLEY_PARTS);
    if (state->score.mean >= state->rule->score / 3) {
        state->low = false;
        return is_new_level(state);
    }
    if (!state->low)
        state->low_since_ms = state->last_ms;
    state->low = true;
    return low_for(state, quiet_ms(state));
}

/* The metric that at_least holds back the most. */
static void note_held_back(struct spike *state)
{
    for (size_t i = 0; i < state->scope->metric_count; i++) {
        const struct baseline *baseline = &state->baselines[i];
        if (baseline->held_back > state->held_back.score && baseline_knows(baseline))
            state->held_back = (struct miss){
                true, baseline->held_back, baseline->value, baseline->usual, i, state->last_ms};
    }
}

static void note_miss(struct spike *state)
{
    note_held_back(state);
    const struct baseline *lead = &state->baselines[state->lead];
    double score = state->score.mean;
    if (!baseline_knows(lead))
        return;
    if (!state->candidate.known || score > state->candidate.score)
        state->candidate = (struct miss){
            true, score, lead->value, lead->usual, state->lead, state->last_ms};
    if (score >= state->rule->score / 3)
        return;
    if (!state->nearest.known || state->candidate.score > state->nearest.score)
        state->nearest = state->candidate;
    state->candidate.known = false;
}

static void take_step(struct spike *state, struct verdict *verdict)
{
    combine(state);
    if (begins(state)) {
        fire(state, verdict);
    } else if (!state->active) {
        note_miss(state);
    } else if (ends(state)) {
        state->active = false;
        verdict->cleared = true;
    } else {
        verdict->ebbed = low_for(state, ebb_ms(state));
    }
    verdict->ended_ms = state->low ? state->low_since_ms : state->last_ms;
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct spike *state = trigger;
    bool stepped = false;
    *verdict = (struct verdict){0};
    for (size_t i = 0; i < state->scope->metric_count; i++)
        if (!isnan(input->values[i]))
            stepped |= baseline_take(
                &state->baselines[i], input->time_ms, input->values[i], state->active);
    if (stepped) {
        state->last_ms = input->time_ms;
        state->sampled = true;
        take_step(state, verdict);
    }
    const struct baseline *lead = &state->baselines[state->lead];
    verdict->holds = state->active &&
                     (verdict->fired ||
                         fmax(state->score.mean, state->early.mean) > state->rule->score);
    verdict->metric = state->scope->metrics[state->lead];
    verdict->unit = state->scope->units[state->lead];
    verdict->value = lead->value;
    verdict->limit = baseline_knows(lead) ? baseline_limit(lead) : NAN;
    verdict->down = baseline_knows(lead) && baseline_is_down(lead);
    verdict->onset_ms = state->onset_ms;
}

/* "cpu 93.1%, usually 12.0%" */
static int say_metric(
    const struct spike *state, size_t metric, double value, double usual, size_t size, char *text)
{
    char now[VALUE_TEXT_SIZE], then[VALUE_TEXT_SIZE];
    enum unit unit = state->scope->units[metric];
    return snprintf(text, size, "%s %s, usually %s", state->scope->metrics[metric],
        metric_format(unit, value, now), metric_format(unit, usual, then));
}

/* The metrics that made up the score, the one that moved most first. */
static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    enum { LONGEST = REASON_SIZE - 48 }; /* leaves room for the score */
    const struct spike *state = trigger;
    const struct baseline *lead = &state->baselines[state->lead];
    int length = say_metric(state, state->lead, verdict->value, lead->usual, LONGEST, reason);
    for (size_t i = 0; i < state->scope->metric_count; i++) {
        const struct baseline *other = &state->baselines[i];
        char text[LONGEST];
        if (i == state->lead || other->confirmed.mean < lead->confirmed.mean / 3)
            continue;
        int more = say_metric(state, i, other->value, other->usual, sizeof text, text);
        if (length + more + 2 < LONGEST)
            length += sprintf(reason + length, "; %s", text);
    }
    if (length >= LONGEST)
        length = LONGEST - 1;
    double score = fmax(state->score.mean, state->early.mean);
    snprintf(reason + length, (size_t)(REASON_SIZE - length), ": score %.1f above %g", score,
        state->rule->score);
}

static bool say_learning(const struct spike *state, char phrase[REASON_SIZE])
{
    int64_t done_ms, needed_ms;
    char done[VALUE_TEXT_SIZE], needed[VALUE_TEXT_SIZE];
    for (size_t i = 0; i < state->scope->metric_count; i++)
        if (baseline_knows(&state->baselines[i]))
            return false;
    baseline_progress(&state->baselines[state->lead], &done_ms, &needed_ms);
    metric_format_level(UNIT_SECONDS, (double)done_ms / 1000, done);
    metric_format_level(UNIT_SECONDS, (double)needed_ms / 1000, needed);
    snprintf(phrase, REASON_SIZE, "still learning: %s of %s", done, needed);
    return true;
}

/* "score 46.0 above 8, but less than 70% away: cpu 80.0%, usually 19.5%" */
static void say_held_back(const struct spike *state, char phrase[REASON_SIZE])
{
    const struct miss *miss = &state->held_back;
    char what[REASON_SIZE / 2], level[VALUE_TEXT_SIZE];
    say_metric(state, miss->metric, miss->value, miss->usual, sizeof what, what);
    metric_format_level(state->scope->units[miss->metric], state->rule->at_least.value, level);
    snprintf(phrase, REASON_SIZE, "score %.1f above %g, but less than %s away: %s", miss->score,
        state->rule->score, level, what);
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct spike *state = trigger;
    if (!state->sampled)
        return false;
    *time_ms = state->last_ms;
    const struct miss *miss = &state->nearest;
    if (state->candidate.known && (!miss->known || state->candidate.score > miss->score))
        miss = &state->candidate;
    if (say_learning(state, phrase))
        return true;
    if (state->held_back.score > state->rule->score) {
        *time_ms = state->held_back.time_ms;
        say_held_back(state, phrase);
        return true;
    }
    if (!miss->known)
        return false;
    char what[REASON_SIZE / 2];
    say_metric(state, miss->metric, miss->value, miss->usual, sizeof what, what);
    *time_ms = miss->time_ms;
    if (miss->score > state->rule->score)
        snprintf(phrase, REASON_SIZE, "score %.1f above %g, but too briefly: %s", miss->score,
            state->rule->score, what);
    else
        snprintf(
            phrase, REASON_SIZE, "score %.1f of %g: %s", miss->score, state->rule->score, what);
    return true;
}

static int64_t lookback_ms(const void *options, int64_t interval_ms)
{
    (void)options;
    return BASELINE_STEPS * (interval_ms > 1000 ? interval_ms : 1000);
}

/* "cpu and db.received spikes: score above 8 against their own history" */
static void describe(
    const void *options, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    static const char *const what[] = {"spikes", "dips", "spikes and dips"};
    const struct spike_rule *rule = &((const struct spike_options *)options)->spike;
    char names[REASON_SIZE / 2] = "", bound[VALUE_TEXT_SIZE + 32] = "", level[VALUE_TEXT_SIZE];
    size_t length = 0;
    for (size_t i = 0; i < scope->metric_count && length < sizeof names; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
            !i ? "" : (i + 1 == scope->metric_count ? " and " : ", "), scope->metrics[i]);
    if (rule->at_least.text)
        snprintf(bound, sizeof bound, ", at least %s away",
            metric_format_level(scope->units[0], rule->at_least.value, level));
    snprintf(phrase, REASON_SIZE, "%s %s: score above %g against %s own history%s", names,
        what[rule->direction], rule->score, scope->metric_count > 1 ? "their" : "its", bound);
}

static int validate(const void *data, const char **key, struct error *err)
{
    const struct spike_rule *rule = &((const struct spike_options *)data)->spike;
    if (!rule->at_least.text || rule->at_least.value > 0)
        return 0;
    *key = "spike";
    return error_set(err, "at_least is a distance from the baseline, more than 0; it is %s",
        rule->at_least.text);
}

static const char *const directions[] = {"up", "down", "both", NULL};

static const struct field rule_fields[] = {
    {.key = "score",
        .type = FIELD_NUMBER,
        .offset = offsetof(struct spike_rule, score),
        .otherwise = "8",
        .min = 1,
        .max = 1000,
        .help = "fires above this distance from the usual, in robust standard deviations, for 3 s "
                "or 3 samples (2 from 7s apart on, 1 from 20s), one less where two metrics agree"},
    {.key = "direction",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct spike_rule, direction),
        .otherwise = "up",
        .choices = directions,
        .help = "which way counts"},
    {.key = "at_least",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct spike_rule, at_least),
        .help = "only where a metric is at least so far from its usual value; = no such bound"},
    {.key = NULL},
};

static const struct field fields[] = {
    {.key = "spike",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct spike_options, spike),
        .fields = rule_fields,
        .help = "compares with its own history: 360 values, one every 10 s (an hour) or one a "
                "sample where those are further apart; the first 30 are for learning. What lasts "
                "for 90 of them (15 min) is the new usual. Where samples are 2m or more apart, "
                "spikes that come back often (about five in 1440 samples) are usual, too"},
    {.key = NULL},
};

static const char *const marks[] = {"spike", NULL};

const struct trigger_kind trigger_spike = {
    .kind = {.name = "spike",
        .help = "the metric, or several together, left what is usual for them",
        .fields = fields,
        .options_size = sizeof(struct spike_options),
        .marks = marks,
        .many_metrics = true,
        .validate = validate},
    .open = open,
    .close = close,
    .rebind = rebind,
    .check = check,
    .explain = explain,
    .nearest_miss = nearest_miss,
    .lookback_ms = lookback_ms,
    .describe = describe,
};
