#include "triggers/recurs.h"

#include "core/alloc.h"
#include "core/error.h"
#include "triggers/recurrence_filter.h"
#include "triggers/spacing.h"
#include "triggers/trigger.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOG_SIZE = 96, /* onsets; when they are full, the older half is forgotten */
    PHRASE_SIZE = 128
};

static const double RECOGNISED_ODDS = 0.955;
static const double DORMANT_ODDS = 0.5;
static const double WINDOW_SHARE = 0.1; /* of the period */
/* That make a window worth being armed in: while nothing is recognised, when it would cost time on
 * services without a pattern, and then. */
static const double WINDOW_CHANCE = 0.16;
static const double HELD_CHANCE = 0.1;
/* From a window that has passed to the next, in periods: that is for the next round, not for the
 * same one again. */
static const double WINDOWS_APART = 0.35;
static const double CHANGE = 0.01; /* of the period, that is news */
static const double USUAL_LATENCY_MS = 10000;
static const int USUAL_SPACING = 10; /* 2^10 ms */

struct window {
    int64_t start_ms, end_ms, expected_ms;
};

/* What it knows is a function of the onsets in the log and of the samples' spacing, so that it can
 * be learned again: after a restart, and when the log is full. */
struct recurs_state {
    struct duration_range period; /* that is looked for */
    struct recurrence_filter *filter;
    int64_t log_ms[LOG_SIZE];
    size_t log_count;
    int64_t last_ms; /* the newest step */
    struct spacing samples;
    int spacing;       /* of these: 2^spacing ms, the unit in which their noise is known */
    double latency_ms; /* from an onset to its report, nearly at most */
    struct recurrence now;
    double said_period_s; /* while recognised */
    bool has_said;        /* the window that was said stands: neither hit nor missed nor replaced */
    struct window said;
    int64_t horizon_ms; /* what is expected comes before this; INT64_MAX: nothing is */
    int64_t due_ms;     /* an onset at the horizon would have been reported by then */
    unsigned news;      /* of this step */
};

static int validate(const void *data, const char **key, struct error *err)
{
    const struct recurs *options = &((const struct recurs_options *)data)->recurs;
    int64_t from_ms = options->period.from_ms, to_ms = options->period.to_ms;
    const char *before = *key;
    *key = "recurs";
    if (from_ms < 5000)
        return error_set(err, "the period begins below 5s: spikes that close are not told apart");
    if (to_ms > 7 * 86400000LL)
        return error_set(err, "the period ends above 7d, the longest that can be recognised");
    if (to_ms < 2 * from_ms)
        return error_set(err, "the period has to end at twice its beginning or later");
    *key = before;
    return 0;
}

/* The time of an onset is as exact as the samples lie apart: half a spacing is its deviation. */
static double noise_s(const struct recurs_state *state)
{
    return ldexp(0.5, state->spacing) / 1000;
}

static bool has_window(const struct recurrence *now)
{
    return now->window_start_ms != INT64_MIN;
}

static void drop_window(struct recurs_state *state)
{
    state->now.window_start_ms = state->now.window_end_ms = INT64_MIN;
}

/* Expects the next round in this window. */
static void look_forward_to(struct recurs_state *state, const struct window *window)
{
    state->now.window_start_ms = window->start_ms;
    state->now.window_end_ms = window->end_ms;
    state->now.expected_ms = window->expected_ms;
    state->horizon_ms = window->end_ms;
}

/* Takes over an estimate, and whether it is enough to speak of a period. */
static void take_estimate(struct recurs_state *state, const struct recurrence_estimate *estimate)
{
    struct recurrence *now = &state->now;
    bool was = now->recognised;
    now->odds = estimate->odds;
    now->recognised = estimate->odds >= (was ? DORMANT_ODDS : RECOGNISED_ODDS);
    now->onsets = (unsigned)lround(estimate->onsets);
    now->period_s = now->recognised ? estimate->period_s : 0;
    now->jitter_s = now->recognised ? estimate->jitter_s : 0;
    if (was && !now->recognised) {
        state->news |= RECURRENCE_DORMANT;
        state->has_said = false;
        drop_window(state);
    } else if (now->recognised &&
               (!was || fabs(now->period_s / state->said_period_s - 1) > CHANGE)) {
        state->news |= RECURRENCE_RECOGNISED;
        state->said_period_s = now->period_s;
    }
}

/* Looks for the next window from after_ms on. */
static void plan(
    struct recurs_state *state, const struct recurrence_estimate *estimate, int64_t after_ms)
{
    struct recurrence *now = &state->now;
    drop_window(state);
    now->expected_ms = INT64_MIN;
    state->horizon_ms = INT64_MAX;
    if (estimate->period_s <= 0 || estimate->alive < WINDOW_CHANCE)
        return;
    struct recurrence_window window;
    /* No longer than its share of the period that was said, either. */
    double period_s = estimate->period_s;
    double shorter_s = now->recognised ? fmin(period_s, state->said_period_s) : period_s;
    bool good = recurrence_filter_window(state->filter, after_ms, period_s,
        WINDOW_SHARE * shorter_s, now->recognised ? HELD_CHANCE : WINDOW_CHANCE, &window);
    int64_t expected_ms = window.start_ms + (window.end_ms - window.start_ms) / 2;
    look_forward_to(state, &(struct window){window.start_ms, window.end_ms, expected_ms});
    if (!good) {
        drop_window(state);
        state->horizon_ms = expected_ms + (int64_t)(estimate->period_s * 500);
    }
}

/* What becomes of the window that was said when there is another plan. One that has not begun is
 * replaced, or stands where nothing replaces it. One that has begun stays while nothing new is
 * known; after an onset outside of it it stays if the round that is expected now is the same, and
 * is a miss otherwise: nothing began in it. */
static void settle_window(struct recurs_state *state, bool onset)
{
    struct recurrence *now = &state->now;
    const struct window *said = &state->said;
    if (!state->has_said)
        return;
    bool begun = said->start_ms <= state->last_ms;
    if (begun && onset && (!has_window(now) || now->window_start_ms > said->end_ms)) {
        state->news |= RECURRENCE_MISS;
        state->has_said = false;
    } else if (begun || !has_window(now)) {
        look_forward_to(state, said);
    } else {
        state->has_said = false;
    }
}

static void set_due(struct recurs_state *state)
{
    if (state->horizon_ms == INT64_MAX)
        state->due_ms = INT64_MAX;
    else
        state->due_ms = state->horizon_ms + (int64_t)state->latency_ms;
}

/* Nothing began until the horizon. */
static void pass_horizon(struct recurs_state *state)
{
    int64_t passed_ms = state->horizon_ms, after_ms = passed_ms;
    bool window = has_window(&state->now);
    if (state->has_said)
        state->news |= RECURRENCE_MISS;
    state->has_said = false;
    struct recurrence_estimate estimate;
    recurrence_filter_estimate(state->filter, passed_ms, &estimate);
    take_estimate(state, &estimate);
    if (window)
        after_ms += (int64_t)(WINDOWS_APART * estimate.period_s * 1000);
    plan(state, &estimate, after_ms);
    set_due(state);
}

/* Takes in an onset, later than the newest one. */
static void take_onset(struct recurs_state *state, int64_t onset_ms)
{
    while (state->horizon_ms < onset_ms)
        pass_horizon(state);
    if (state->has_said && onset_ms >= state->said.start_ms) {
        state->news |= RECURRENCE_HIT;
        state->has_said = false;
    }
    recurrence_filter_onset(state->filter, onset_ms);
    struct recurrence_estimate estimate;
    recurrence_filter_estimate(state->filter, onset_ms, &estimate);
    take_estimate(state, &estimate);
    plan(state, &estimate, onset_ms);
    settle_window(state, true);
    set_due(state);
}

/* What was recognised before the log was learned again stays so for as long as ever. */
static void hold_on(struct recurs_state *state)
{
    struct recurrence_estimate estimate;
    int64_t newest_ms = state->log_ms[state->log_count - 1];
    state->now.recognised = true;
    recurrence_filter_estimate(state->filter, newest_ms, &estimate);
    take_estimate(state, &estimate);
    plan(state, &estimate, newest_ms);
}

/* Learns the log again, in silence: the window that was said stands. */
static void learn_again(struct recurs_state *state)
{
    unsigned news = state->news;
    bool had_said = state->has_said, was = state->now.recognised;
    double said_period_s = state->said_period_s;
    state->has_said = false;
    recurrence_filter_reset(state->filter, noise_s(state));
    state->now = (struct recurrence){.expected_ms = INT64_MIN};
    drop_window(state);
    state->horizon_ms = state->due_ms = INT64_MAX;
    for (size_t i = 0; i < state->log_count; i++)
        take_onset(state, state->log_ms[i]);
    bool found = state->now.recognised && !was;
    state->news = news | (found ? RECURRENCE_RECOGNISED : 0);
    state->has_said = had_said;
    if (was && !state->now.recognised) {
        state->said_period_s = said_period_s;
        hold_on(state);
    }
    settle_window(state, false);
    set_due(state);
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    (void)scope;
    struct recurs_state *state = xcalloc(1, sizeof *state);
    state->period = ((const struct recurs_options *)options)->recurs.period;
    state->filter = recurrence_filter_open(
        (double)state->period.from_ms / 1000, (double)state->period.to_ms / 1000);
    state->spacing = USUAL_SPACING;
    state->latency_ms = USUAL_LATENCY_MS;
    learn_again(state);
    return state;
}

static void close_trigger(void *trigger)
{
    struct recurs_state *state = trigger;
    if (!state)
        return;
    recurrence_filter_close(state->filter);
    free(state);
}

/* Looks whether samples lie apart as they did; the filter has to know, for all onsets alike. */
static void follow_spacing(struct recurs_state *state)
{
    if (state->samples.count < SPACING_DISTANCES || state->samples.usual_ms <= 0)
        return;
    double power = log2((double)state->samples.usual_ms);
    if (fabs(power - state->spacing) < 0.75)
        return;
    state->spacing = (int)lround(power);
    learn_again(state);
}

static void follow_latency(struct recurs_state *state, double latency_ms)
{
    /* Up quickly and down slowly, and never up by much for one that is odd. */
    double off = fmin(latency_ms, 3 * state->latency_ms + 1000) - state->latency_ms;
    state->latency_ms += off > 0 ? off / 2 : off / 16;
}

/* Forgets the older half of a log that is full. */
static void shorten_log(struct recurs_state *state)
{
    state->log_count = LOG_SIZE / 2;
    memmove(state->log_ms, state->log_ms + LOG_SIZE / 2, sizeof state->log_ms / 2);
    learn_again(state);
}

/* One spike reported twice has onsets this close to one another. */
static int64_t closest_ms(const struct recurs_state *state)
{
    return state->period.from_ms / 10;
}

static bool is_later(const struct recurs_state *state, int64_t onset_ms)
{
    return state->log_count == 0 ||
           onset_ms - state->log_ms[state->log_count - 1] > closest_ms(state);
}

static void report_onset(struct recurs_state *state, int64_t onset_ms)
{
    follow_latency(state, (double)(state->last_ms - onset_ms));
    if (!is_later(state, onset_ms))
        return;
    if (state->log_count == LOG_SIZE)
        shorten_log(state);
    state->log_ms[state->log_count++] = onset_ms;
    take_onset(state, onset_ms);
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct recurs_state *state = trigger;
    const struct verdict *member = input->members[0];
    bool known = state->samples.count == SPACING_DISTANCES;
    spacing_take(&state->samples, input->time_ms);
    state->last_ms = input->time_ms;
    state->news = 0;
    if (member->fired || (!known && state->samples.count == SPACING_DISTANCES))
        follow_spacing(state);

    if (member->fired && member->onset_ms <= input->time_ms)
        report_onset(state, member->onset_ms);
    while (input->time_ms >= state->due_ms)
        pass_horizon(state);
    const struct recurrence *now = &state->now;
    if (has_window(now) && !state->has_said && input->time_ms < now->window_end_ms) {
        state->said = (struct window){now->window_start_ms, now->window_end_ms, now->expected_ms};
        state->has_said = true;
        state->news |= RECURRENCE_ARM;
    }
    *verdict = (struct verdict){.holds = state->now.recognised,
        .unit = UNIT_NONE,
        .value = state->now.odds,
        .limit = NAN,
        .onset_ms = state->log_count ? state->log_ms[state->log_count - 1] : input->time_ms,
        .news = state->news,
        .recurrence = &state->now};
}

static const int64_t *learned(const void *trigger, size_t *count)
{
    const struct recurs_state *state = trigger;
    *count = state->log_count;
    return state->log_ms;
}

static void restore(void *trigger, const int64_t *onsets_ms, size_t count)
{
    struct recurs_state *state = trigger;
    state->log_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_later(state, onsets_ms[i]))
            continue;
        if (state->log_count == LOG_SIZE) {
            state->log_count = LOG_SIZE / 2;
            memmove(state->log_ms, state->log_ms + LOG_SIZE / 2, sizeof state->log_ms / 2);
        }
        state->log_ms[state->log_count++] = onsets_ms[i];
    }
    learn_again(state);
}

static void say_duration(double seconds, char text[VALUE_TEXT_SIZE])
{
    metric_format_level(
        UNIT_SECONDS, seconds < 10 ? round(seconds * 10) / 10 : round(seconds), text);
}

/* "every 30 min ± 12 s, 5 onsets" */
static void say_period(const struct recurrence *now, char phrase[PHRASE_SIZE])
{
    char period[VALUE_TEXT_SIZE], jitter[VALUE_TEXT_SIZE];
    say_duration(now->period_s, period);
    say_duration(now->jitter_s, jitter);
    snprintf(phrase, PHRASE_SIZE, "every %s ± %s, %u onsets", period, jitter, now->onsets);
}

/* ", next expected in 12 min"; empty when none is. */
static void say_expected(const struct recurs_state *state, char phrase[PHRASE_SIZE])
{
    char distance[VALUE_TEXT_SIZE];
    phrase[0] = '\0';
    if (state->now.expected_ms == INT64_MIN)
        return;
    double seconds = (double)(state->now.expected_ms - state->last_ms) / 1000;
    say_duration(fabs(seconds), distance);
    snprintf(
        phrase, PHRASE_SIZE, seconds < 0 ? ", expected %s ago" : ", next expected in %s", distance);
}

static void say_state(const struct recurs_state *state, char reason[REASON_SIZE])
{
    char period[PHRASE_SIZE], expected[PHRASE_SIZE];
    size_t count = state->log_count;
    say_period(&state->now, period);
    say_expected(state, expected);
    if (state->now.recognised)
        snprintf(reason, REASON_SIZE, "recurs %s%s", period, expected);
    else if (count == 0)
        snprintf(reason, REASON_SIZE, "no onset yet");
    else
        snprintf(reason, REASON_SIZE, "%zu onset%s, odds %.2f that they recur", count,
            count == 1 ? "" : "s", state->now.odds);
}

static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    const struct recurs_state *state = trigger;
    const struct recurrence *now = &state->now;
    char length[VALUE_TEXT_SIZE], distance[VALUE_TEXT_SIZE];
    if (verdict->news & RECURRENCE_HIT) {
        snprintf(reason, REASON_SIZE, "it came within the window");
    } else if (verdict->news & RECURRENCE_MISS) {
        snprintf(reason, REASON_SIZE, "it did not come within the window");
    } else if (verdict->news & RECURRENCE_DORMANT) {
        snprintf(reason, REASON_SIZE, "recurs no longer: odds %.2f", now->odds);
    } else if (verdict->news & RECURRENCE_ARM && !(verdict->news & RECURRENCE_RECOGNISED)) {
        say_duration((double)(now->window_end_ms - now->window_start_ms) / 1000, length);
        say_duration(fmax(0, (double)(now->window_start_ms - state->last_ms) / 1000), distance);
        snprintf(reason, REASON_SIZE, "expected within a window of %s that begins in %s", length,
            distance);
    } else {
        say_state(state, reason);
    }
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct recurs_state *state = trigger;
    *time_ms = state->last_ms;
    say_state(state, phrase);
    return state->samples.sampled;
}

static void describe(
    const void *options, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    const struct recurs *recurs = &((const struct recurs_options *)options)->recurs;
    char from[VALUE_TEXT_SIZE], to[VALUE_TEXT_SIZE];
    (void)scope;
    metric_format_level(UNIT_SECONDS, (double)recurs->period.from_ms / 1000, from);
    metric_format_level(UNIT_SECONDS, (double)recurs->period.to_ms / 1000, to);
    snprintf(phrase, REASON_SIZE, "%s comes back after a period of %s to %s", recurs->of, from, to);
}

static const struct field recurs_fields[] = {
    {.key = "of",
        .type = FIELD_TRIGGER,
        .offset = offsetof(struct recurs, of),
        .required = 1,
        .help = "the trigger whose onsets they are"},
    {.key = "period",
        .type = FIELD_RANGE,
        .offset = offsetof(struct recurs, period),
        .otherwise = "3m..8h",
        .min = 5000,
        .max = 604800000,
        .help = "the shortest and the longest period that is looked for; the longest is twice the "
                "shortest or more"},
    {.key = NULL},
};

static const struct field fields[] = {
    {.key = "recurs",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct recurs_options, recurs),
        .fields = recurs_fields,
        .required = 1,
        .help =
            "recognises when the onsets of another trigger recur, and is armed before the next"},
    {.key = NULL},
};

static const char *const marks[] = {"recurs", NULL};

const struct trigger_kind trigger_recurs = {
    .kind = {.name = "recurs",
        .help = "the onsets of another trigger recur",
        .fields = fields,
        .options_size = sizeof(struct recurs_options),
        .marks = marks,
        .never_fires = true,
        .validate = validate},
    .open = open,
    .close = close_trigger,
    .check = check,
    .explain = explain,
    .nearest_miss = nearest_miss,
    .describe = describe,
    .learned = learned,
    .restore = restore,
};
