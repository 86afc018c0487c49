#include "triggers/composite.h"

#include "core/alloc.h"
#include "core/error.h"
#include "triggers/trigger.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WITHIN_SIZE = VALUE_TEXT_SIZE + 16 };

struct member {
    bool seen;           /* it has been true */
    bool now;            /* it is true in this step */
    int64_t true_ms;     /* the newest step in which it was */
    struct verdict last; /* what it said then */
};

/* A member is in when it was true at some step within the last `within`. */
struct composite {
    const struct composite_options *options;
    const struct trigger_scope *scope;
    struct member *members;
    bool *in;        /* which of them are, after the newest step */
    int64_t time_ms; /* of that */
    bool stepped, fired, ever_fired;
    int64_t onset_ms; /* while fired */
    size_t completed_by;
    /* Nearest misses: the most members that were in at once, and which; and, of steps in which all
     * had been true at some time, how little time lay between them. */
    bool *best; /* one for each member */
    size_t best_count;
    int64_t best_ms;
    bool apart_known;
    int64_t apart_ms, apart_at_ms;
};

static bool wants_all(const struct composite_options *options)
{
    return options->all.count > 0;
}

static int check_list(const struct name_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(list->names[i], list->names[k]))
                return error_set(err, "%s is listed twice", list->names[i]);
    return 0;
}

static int validate(const void *data, const char **key, struct error *err)
{
    const struct composite_options *options = data;
    if (!options->all.count == !options->any.count) {
        *key = options->any.count ? "any" : "all";
        return error_set(err, "give either all or any, a list of triggers, and only one of them");
    }
    if (check_list(wants_all(options) ? &options->all : &options->any, err) < 0) {
        *key = wants_all(options) ? "all" : "any";
        return -1;
    }
    return 0;
}

static void *open(const void *options, const struct trigger_scope *scope)
{
    struct composite *state = xcalloc(1, sizeof *state);
    state->options = options;
    state->scope = scope;
    state->members = xcalloc(scope->member_count, sizeof *state->members);
    state->in = xcalloc(scope->member_count, sizeof *state->in);
    state->best = xcalloc(scope->member_count, sizeof *state->best);
    return state;
}

/* What members said last names metrics of what ends; they say it again at the next step. */
static void rebind(void *trigger, const void *options, const struct trigger_scope *scope)
{
    struct composite *state = trigger;
    state->options = options;
    state->scope = scope;
    for (size_t i = 0; i < scope->member_count; i++)
        state->members[i].last.metric = NULL;
}

static void close(void *trigger)
{
    struct composite *state = trigger;
    free(state->members);
    free(state->in);
    free(state->best);
    free(state);
}

/* Takes in what the members say. Returns how many are in; *newest is the first of those that came
 * in in this step, or stays as it was. */
static size_t take_in(struct composite *state, const struct trigger_input *input, size_t *newest)
{
    size_t in = 0;
    bool came = false;
    state->time_ms = input->time_ms;
    state->stepped = true;
    for (size_t i = 0; i < state->scope->member_count; i++) {
        struct member *member = &state->members[i];
        const struct verdict *verdict = input->members[i];
        bool was_in = state->in[i];
        member->now = verdict->holds || verdict->fired;
        if (member->now) {
            member->seen = true;
            member->true_ms = input->time_ms;
            member->last = *verdict;
        }
        state->in[i] = member->seen &&
                       input->time_ms - member->true_ms <= state->options->within_ms;
        in += state->in[i];
        if (state->in[i] && !was_in && !came) {
            came = true;
            *newest = i;
        }
    }
    return in;
}

/* With `all`: the earliest onset that lies no more than `within` before the latest one. One that
 * was true long before the last came is what it happened under, and not where it began. With `any`
 * the earliest of all. */
static int64_t onset_of(const struct composite *state)
{
    int64_t latest_ms = INT64_MIN, onset_ms;
    for (size_t i = 0; i < state->scope->member_count; i++)
        if (state->in[i] && state->members[i].last.onset_ms > latest_ms)
            latest_ms = state->members[i].last.onset_ms;
    onset_ms = latest_ms;
    for (size_t i = 0; i < state->scope->member_count; i++) {
        int64_t began_ms = state->members[i].last.onset_ms;
        if (state->in[i] && began_ms < onset_ms &&
            (!wants_all(state->options) || latest_ms - began_ms <= state->options->within_ms))
            onset_ms = began_ms;
    }
    return onset_ms;
}

static void note_miss(struct composite *state, size_t in)
{
    size_t count = state->scope->member_count;
    int64_t oldest_ms = INT64_MAX;
    bool all_seen = true, any_now = false;
    for (size_t i = 0; i < count; i++) {
        all_seen &= state->members[i].seen;
        any_now |= state->members[i].now;
        if (state->members[i].true_ms < oldest_ms)
            oldest_ms = state->members[i].true_ms;
    }
    if (in > state->best_count) {
        state->best_count = in;
        state->best_ms = state->time_ms;
        memcpy(state->best, state->in, count * sizeof *state->best);
    }
    if (any_now && all_seen &&
        (!state->apart_known || state->time_ms - oldest_ms < state->apart_ms)) {
        state->apart_known = true;
        state->apart_ms = state->time_ms - oldest_ms;
        state->apart_at_ms = state->time_ms;
    }
}

/* The last step that still was part of the excursion: of `all` the first member's to go, of `any`
 * the last one's. */
static int64_t end_of(const struct composite *state)
{
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
    for (size_t i = 0; i < state->scope->member_count; i++) {
        int64_t true_ms = state->members[i].true_ms;
        if (!state->members[i].seen)
            continue;
        first_ms = true_ms < first_ms ? true_ms : first_ms;
        last_ms = true_ms > last_ms ? true_ms : last_ms;
    }
    return wants_all(state->options) ? first_ms : last_ms;
}

/* The excursion is over: what made it is no part of a later miss. */
static void forget_those_out(struct composite *state)
{
    for (size_t i = 0; i < state->scope->member_count; i++)
        if (!state->in[i])
            state->members[i].seen = false;
}

static void check(void *trigger, const struct trigger_input *input, struct verdict *verdict)
{
    struct composite *state = trigger;
    size_t newest = state->completed_by;
    size_t in = take_in(state, input, &newest);
    bool holds = wants_all(state->options) ? in == state->scope->member_count : in > 0;
    if (holds && !state->fired) {
        state->completed_by = newest;
        state->onset_ms = onset_of(state);
    }
    const struct verdict *said = input->members[state->completed_by];
    *verdict = (struct verdict){.holds = holds,
        .fired = holds && !state->fired,
        .cleared = !holds && state->fired,
        .metric = said->metric,
        .unit = said->unit,
        .value = said->value,
        .limit = said->limit,
        .down = said->down,
        .onset_ms = holds || state->fired ? state->onset_ms : 0};
    if (!holds && !state->fired)
        note_miss(state, in);
    if (verdict->cleared) {
        verdict->ended_ms = end_of(state);
        forget_those_out(state);
    }
    state->fired = holds;
    state->ever_fired |= holds;
}

/* Appends; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void append(
    char phrase[REASON_SIZE], const char *format, ...)
{
    size_t length = strlen(phrase);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(phrase + length, REASON_SIZE - length, format, arguments);
    va_end(arguments);
}

/* Appends "a, b and c": the members of which `which` says `wanted`; all of them without `which`. */
static void append_names(
    char phrase[REASON_SIZE], const struct trigger_scope *scope, const bool *which, bool wanted)
{
    size_t left = 0;
    bool first = true;
    for (size_t i = 0; i < scope->member_count; i++)
        left += !which || which[i] == wanted;
    for (size_t i = 0; i < scope->member_count; i++) {
        if (which && which[i] != wanted)
            continue;
        append(phrase, "%s%s", first ? "" : left == 1 ? " and " : ", ", scope->members[i]);
        first = false;
        left--;
    }
}

/* " within 10 s", or nothing. */
static void format_window(const struct composite_options *options, char text[WITHIN_SIZE])
{
    char duration[VALUE_TEXT_SIZE];
    metric_format_level(UNIT_SECONDS, (double)options->within_ms / 1000, duration);
    snprintf(text, WITHIN_SIZE, "%s%s", options->within_ms ? " within " : "",
        options->within_ms ? duration : "");
}

static void explain(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE])
{
    const struct composite *state = trigger;
    char within[WITHIN_SIZE], value[VALUE_TEXT_SIZE];
    const char *before = ": ";
    (void)verdict;
    *reason = '\0';
    append_names(reason, state->scope, state->in, true);
    format_window(state->options, within);
    if (wants_all(state->options))
        append(reason, "%s", within);
    for (size_t i = 0; i < state->scope->member_count; i++) {
        const struct verdict *last = &state->members[i].last;
        if (!state->in[i] || !last->metric || isnan(last->value))
            continue;
        append(
            reason, "%s%s %s", before, last->metric, metric_format(last->unit, last->value, value));
        before = ", ";
    }
}

static bool nearest_miss(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE])
{
    const struct composite *state = trigger;
    const struct trigger_scope *scope = state->scope;
    char apart[VALUE_TEXT_SIZE], within[WITHIN_SIZE];
    if (!state->stepped)
        return false;
    *phrase = '\0';
    format_window(state->options, within);
    if (state->apart_known) {
        *time_ms = state->apart_at_ms;
        metric_format_level(UNIT_SECONDS, (double)state->apart_ms / 1000, apart);
        append_names(phrase, scope, NULL, true);
        append(phrase, ", but %s apart and not%s", apart, *within ? within : " at once");
    } else if (state->best_count) {
        *time_ms = state->best_ms;
        append(phrase, "%zu of %zu: ", state->best_count, scope->member_count);
        append_names(phrase, scope, state->best, true);
        append(phrase, ", without ");
        append_names(phrase, scope, state->best, false);
    } else {
        *time_ms = state->time_ms;
        append(phrase, state->ever_fired ? "otherwise none of " : "none so far of ");
        append_names(phrase, scope, NULL, true);
    }
    return true;
}

/* What it adds to its members'. */
static int64_t lookback_ms(const void *options, int64_t interval_ms)
{
    (void)interval_ms;
    return ((const struct composite_options *)options)->within_ms;
}

static void describe(const void *data, const struct trigger_scope *scope, char phrase[REASON_SIZE])
{
    const struct composite_options *options = data;
    char within[WITHIN_SIZE];
    *phrase = '\0';
    append(phrase, "%s of ", wants_all(options) ? "all" : "any");
    append_names(phrase, scope, NULL, true);
    format_window(options, within);
    append(phrase, "%s", within);
}

static const struct field fields[] = {
    {.key = "all",
        .type = FIELD_TRIGGERS,
        .offset = offsetof(struct composite_options, all),
        .min = 1,
        .max = 16,
        .help = "fires when all of these triggers are true; or give `any`"},
    {.key = "any",
        .type = FIELD_TRIGGERS,
        .offset = offsetof(struct composite_options, any),
        .min = 1,
        .max = 16,
        .help = "fires when at least one of these triggers is true"},
    {.key = "within",
        .type = FIELD_DURATION,
        .offset = offsetof(struct composite_options, within_ms),
        .otherwise = "0s",
        .max = 3600000,
        .help = "one that was true so long ago still counts"},
    {.key = NULL},
};

static const char *const marks[] = {"all", "any", NULL};

const struct trigger_kind trigger_composite = {
    .kind = {.name = "composite",
        .help = "several other triggers are true together, or any of them is",
        .fields = fields,
        .options_size = sizeof(struct composite_options),
        .marks = marks,
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
