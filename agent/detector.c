#include "agent/detector.h"

#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, HELD_BACK_SIZE = sizeof(struct error) };

static const char failure[] = "failure";

/* One trigger of the configuration at work. */
struct watch {
    const struct trigger_config *config;
    const struct trigger_kind *kind;
    void *state;                 /* the kind's */
    const struct series *series; /* NULL: not there yet */
    uint64_t seen;               /* of series->pushed */
    bool holds;
    const char *held_by; /* why the excursion's fire waits; NULL: it does not */
    uint64_t fires, suppressed;
    int64_t last_fire_ms;
};

struct detector {
    struct watch *watches; /* as many as the configuration has triggers */
    size_t count;
    const struct series_set *series;
    size_t series_known; /* series->count at the last look-up */
    bool limits;
    struct detector_hooks hooks;
    /* When the last incidents were opened, per_hour of them at most: older ones cannot matter. */
    int64_t *opened_ms;
    size_t per_hour;
    uint64_t opened;
    int64_t now_ms; /* of the newest sample */
};

struct detector *detector_open(const struct config *config, const struct series_set *series,
    bool limits, const struct detector_hooks *hooks)
{
    struct detector *detector = xcalloc(1, sizeof *detector);
    detector->count = config->trigger_count;
    detector->watches = xcalloc(detector->count, sizeof *detector->watches);
    for (size_t i = 0; i < detector->count; i++) {
        struct watch *watch = &detector->watches[i];
        watch->config = &config->triggers[i];
        watch->kind = trigger_kinds[watch->config->kind];
        watch->state = xcalloc(1, watch->kind->state_size);
        watch->last_fire_ms = INT64_MIN;
    }
    detector->series = series;
    detector->limits = limits;
    detector->hooks = *hooks;
    detector->per_hour = (size_t)config->limits.per_hour;
    detector->opened_ms = xcalloc(detector->per_hour, sizeof *detector->opened_ms);
    detector->now_ms = INT64_MIN;
    return detector;
}

void detector_close(struct detector *detector)
{
    if (!detector)
        return;
    for (size_t i = 0; i < detector->count; i++)
        free(detector->watches[i].state);
    free(detector->watches);
    free(detector->opened_ms);
    free(detector);
}

static void count_opening(struct detector *detector, int64_t time_ms)
{
    if (detector->per_hour)
        detector->opened_ms[detector->opened++ % detector->per_hour] = time_ms;
}

void detector_restore_fire(struct detector *detector, size_t trigger, int64_t fire_ms)
{
    detector->watches[trigger].last_fire_ms = fire_ms;
}

void detector_restore_opening(struct detector *detector, int64_t opened_ms)
{
    count_opening(detector, opened_ms);
}

/* How long the trigger has to wait for its cooldown to end; 0: it is in none. */
static int64_t cooldown_left_ms(const struct watch *watch, int64_t time_ms)
{
    if (watch->last_fire_ms == INT64_MIN)
        return 0;
    int64_t since_ms = time_ms - watch->last_fire_ms;
    return since_ms < watch->config->cooldown_ms ? watch->config->cooldown_ms - since_ms : 0;
}

/* Whether per_hour incidents were opened less than an hour ago. */
static bool hour_is_full(const struct detector *detector, int64_t time_ms)
{
    if (detector->opened < detector->per_hour)
        return false;
    if (detector->per_hour == 0)
        return true;
    int64_t oldest_ms = detector->opened_ms[detector->opened % detector->per_hour];
    return time_ms - oldest_ms < HOUR_MS;
}

/* What forbids a fire now, as `by` of its event, with the details in words; NULL: nothing does. */
static const char *forbids(const struct detector *detector, const struct watch *watch,
    int64_t time_ms, bool joins, char why[HELD_BACK_SIZE])
{
    if (!detector->limits)
        return NULL;
    int64_t left_ms = cooldown_left_ms(watch, time_ms);
    if (left_ms > 0) {
        char left[VALUE_TEXT_SIZE];
        metric_format_level(UNIT_SECONDS, (double)left_ms / 1000, left);
        snprintf(why, HELD_BACK_SIZE, "its cooldown lasts another %s", left);
        return "cooldown";
    }
    if (joins)
        return NULL;
    if (hour_is_full(detector, time_ms)) {
        snprintf(why, HELD_BACK_SIZE, "limits.per_hour: %zu", detector->per_hour);
        return "limit";
    }
    const char *refusal = detector->hooks.refusal ? detector->hooks.refusal(detector->hooks.arg)
                                                  : NULL;
    if (!refusal)
        return NULL;
    snprintf(why, HELD_BACK_SIZE, "%s", refusal);
    return "limit";
}

static struct detector_event event_of(const struct detector *detector, const struct watch *watch,
    enum detector_event_type type, const struct verdict *verdict, int64_t time_ms)
{
    return (struct detector_event){.type = type,
        .trigger = (size_t)(watch - detector->watches),
        .time_ms = time_ms,
        .value = verdict->value,
        .limit = verdict->limit,
        .onset_ms = verdict->onset_ms};
}

static void emit(const struct detector *detector, const struct detector_event *event)
{
    detector->hooks.event(detector->hooks.arg, event);
}

static void count_fire(struct detector *detector, struct watch *watch, int64_t time_ms, bool joins)
{
    watch->fires++;
    watch->last_fire_ms = time_ms;
    watch->held_by = NULL;
    if (!joins)
        count_opening(detector, time_ms);
}

/* Says once a spell that the fire waits, and for what. */
static void hold_back(struct detector *detector, struct watch *watch, struct detector_event *event,
    const char *by, const char *why)
{
    char both[REASON_SIZE + HELD_BACK_SIZE + 16];
    if (watch->held_by && !strcmp(by, watch->held_by))
        return;
    watch->held_by = by;
    watch->suppressed++;
    snprintf(both, sizeof both, "%s; held back: %s", event->reason, why);
    event->type = EVENT_SUPPRESSED;
    event->by = by;
    event->reason = both;
    event->joins = event->again = false;
    emit(detector, event);
}

/* The excursion has a fire to give: lets it out, or says once why not. */
static void fire(
    struct detector *detector, struct watch *watch, const struct verdict *verdict, int64_t time_ms)
{
    char reason[REASON_SIZE], why[HELD_BACK_SIZE];
    const struct detector_hooks *hooks = &detector->hooks;
    bool joins = hooks->running && hooks->running(hooks->arg, watch->config->app);
    const char *by = forbids(detector, watch, time_ms, joins, why);
    watch->kind->explain(
        watch->config->options, watch->config->metric, watch->config->unit, verdict, reason);
    struct detector_event event = event_of(detector, watch, EVENT_FIRE, verdict, time_ms);
    event.reason = reason;
    event.joins = joins;
    event.again = watch->held_by == failure;
    struct error err = {0};
    if (!by && hooks->open && hooks->open(hooks->arg, &event, &err) < 0) {
        by = failure;
        snprintf(why, sizeof why, "%s", err.text);
    }
    if (by) {
        hold_back(detector, watch, &event, by, why);
        return;
    }
    count_fire(detector, watch, time_ms, joins);
    emit(detector, &event);
}

static void clear(
    struct detector *detector, struct watch *watch, const struct verdict *verdict, int64_t time_ms)
{
    char value[VALUE_TEXT_SIZE], lasted[VALUE_TEXT_SIZE], reason[REASON_SIZE];
    metric_format(watch->config->unit, verdict->value, value);
    metric_format_level(UNIT_SECONDS, (double)(time_ms - verdict->onset_ms) / 1000, lasted);
    snprintf(
        reason, sizeof reason, "%s %s, clear again after %s", watch->config->metric, value, lasted);
    watch->held_by = NULL;
    struct detector_event event = event_of(detector, watch, EVENT_CLEAR, verdict, time_ms);
    event.reason = reason;
    emit(detector, &event);
}

static void check_sample(
    struct detector *detector, struct watch *watch, const struct sample *sample)
{
    struct trigger_input input = {sample->time_ms, sample->value};
    struct verdict verdict = {0};
    watch->kind->check(watch->config->options, watch->state, &input, &verdict);
    watch->seen++;
    watch->holds = verdict.holds;
    if (verdict.cleared)
        clear(detector, watch, &verdict, sample->time_ms);
    if (verdict.fired || (watch->held_by && verdict.holds))
        fire(detector, watch, &verdict, sample->time_ms);
}

/* The oldest sample that this trigger has not looked at; NULL: none. */
static const struct sample *unseen(struct watch *watch)
{
    if (!watch->series || watch->seen == watch->series->pushed)
        return NULL;
    uint64_t behind = watch->series->pushed - watch->seen;
    if (behind > watch->series->count) { /* the ring has lost some */
        behind = watch->series->count;
        watch->seen = watch->series->pushed - behind;
    }
    return series_at(watch->series, (size_t)behind - 1);
}

static void look_up_series(struct detector *detector)
{
    if (detector->series_known == detector->series->count)
        return;
    detector->series_known = detector->series->count;
    for (size_t i = 0; i < detector->count; i++)
        if (!detector->watches[i].series)
            detector->watches[i].series = series_set_find(
                detector->series, detector->watches[i].config->metric);
}

void detector_check(struct detector *detector)
{
    look_up_series(detector);
    for (;;) {
        int64_t next_ms = INT64_MAX;
        for (size_t i = 0; i < detector->count; i++) {
            const struct sample *sample = unseen(&detector->watches[i]);
            if (sample && sample->time_ms < next_ms)
                next_ms = sample->time_ms;
        }
        if (next_ms == INT64_MAX)
            return;
        if (next_ms > detector->now_ms)
            detector->now_ms = next_ms;
        for (size_t i = 0; i < detector->count; i++) {
            const struct sample *sample = unseen(&detector->watches[i]);
            if (sample && sample->time_ms == next_ms)
                check_sample(detector, &detector->watches[i], sample);
        }
    }
}

void detector_status(
    const struct detector *detector, size_t trigger, struct detector_status *status)
{
    const struct watch *watch = &detector->watches[trigger];
    *status = (struct detector_status){
        .holds = watch->holds,
        .fires = watch->fires,
        .suppressed = watch->suppressed,
        .last_fire_ms = watch->last_fire_ms,
        .cooldown_until_ms = INT64_MIN,
    };
    bool looked = detector->now_ms != INT64_MIN;
    if (looked && detector->limits && cooldown_left_ms(watch, detector->now_ms) > 0)
        status->cooldown_until_ms = watch->last_fire_ms + watch->config->cooldown_ms;
    status->has_nearest = watch->kind->nearest_miss(watch->config->options, watch->state,
        watch->config->unit, &status->nearest_ms, status->nearest);
}
