#include "agent/detection/detector.h"

#include "agent/detection/detector_parts.h"
#include "agent/detection/gate.h"
#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char failure[] = "failure";

/* How long what lasts no longer than a sample is tried again: until the incident that it came too
 * late for is complete. */
static const int64_t momentary_ms = 60000;

static size_t feed_of(struct detector *detector, const char *name)
{
    for (size_t i = 0; i < detector->feed_count; i++)
        if (!strcmp(detector->feeds[i].name, name))
            return i;
    detector->feeds = xrealloc(detector->feeds, detector->feed_count + 1, sizeof *detector->feeds);
    detector->feeds[detector->feed_count] = (struct feed){
        .name = xstrdup(name), .value = NAN, .before = NAN, .restarts_of = SIZE_MAX};
    return detector->feed_count++;
}

static void open_watch(struct detector *detector, size_t index)
{
    struct watch *watch = &detector->watches[index];
    const struct trigger_config *config = &detector->config->triggers[index];
    watch->config = config;
    watch->kind = trigger_kinds[config->kind];
    watch->trigger = watch->kind->open(config->options, &config->scope);
    watch->last_ms = watch->told_ms = INT64_MIN;
    watch->feeds = xcalloc(config->scope.metric_count, sizeof *watch->feeds);
    watch->values = xcalloc(config->scope.metric_count, sizeof *watch->values);
    watch->members = xcalloc(config->scope.member_count, sizeof *watch->members);
    for (size_t i = 0; i < config->scope.metric_count; i++)
        watch->feeds[i] = feed_of(detector, config->scope.metrics[i]);
    for (size_t i = 0; i < config->scope.member_count; i++)
        watch->members[i] = &detector->watches[config->members[i]].verdict;
}

/* `quiet` begins anew whenever the app does. */
static void watch_restarts(struct detector *detector)
{
    const struct config *config = detector->config;
    for (size_t i = 0; config->quiet.after_start_ms && i < config->app_count; i++) {
        char *name = config->single_app ? xstrdup("restarts")
                                        : xasprintf("%s.restarts", config->apps[i].name);
        size_t feed = feed_of(detector, name); /* moves the feeds */
        detector->feeds[feed].restarts_of = i;
        free(name);
    }
}

struct detector *detector_open(const struct config *config, const struct series_set *series,
    bool limits, const struct detector_hooks *hooks)
{
    struct detector *detector = xcalloc(1, sizeof *detector);
    detector->config = config;
    detector->series = series;
    detector->hooks = *hooks;
    detector->gate = gate_open(config, limits);
    detector->now_ms = INT64_MIN;
    detector->watches = xcalloc(config->trigger_count, sizeof *detector->watches);
    for (size_t i = 0; i < config->trigger_count; i++)
        open_watch(detector, i);
    watch_restarts(detector);
    return detector;
}

void detector_close(struct detector *detector)
{
    if (!detector)
        return;
    for (size_t i = 0; i < detector->config->trigger_count; i++) {
        struct watch *watch = &detector->watches[i];
        watch->kind->close(watch->trigger);
        free(watch->feeds);
        free(watch->values);
        free(watch->members);
    }
    for (size_t i = 0; i < detector->feed_count; i++)
        free(detector->feeds[i].name);
    free(detector->feeds);
    free(detector->watches);
    gate_close(detector->gate);
    free(detector);
}

void detector_restore_fire(struct detector *detector, size_t trigger, int64_t fire_ms)
{
    gate_count_fire(detector->gate, trigger, fire_ms);
}

void detector_restore_opening(struct detector *detector, int64_t opened_ms)
{
    gate_count_opening(detector->gate, opened_ms);
}

void detector_restore_onsets(
    struct detector *detector, size_t trigger, const int64_t *onsets_ms, size_t count)
{
    struct watch *watch = &detector->watches[trigger];
    if (watch->kind->restore)
        watch->kind->restore(watch->trigger, onsets_ms, count);
}

const int64_t *detector_learned(const struct detector *detector, size_t trigger, size_t *count)
{
    const struct watch *watch = &detector->watches[trigger];
    return watch->kind->learned ? watch->kind->learned(watch->trigger, count) : NULL;
}

static struct detector_event event_of(
    const struct detector *detector, const struct watch *watch, enum detector_event_type type)
{
    const struct verdict *verdict = &watch->verdict;
    return (struct detector_event){.type = type,
        .trigger = (size_t)(watch - detector->watches),
        .time_ms = watch->last_ms,
        .metric = verdict->metric,
        .unit = verdict->unit,
        .value = verdict->value,
        .limit = verdict->limit,
        .down = verdict->down,
        .onset_ms = verdict->onset_ms};
}

static void emit(const struct detector *detector, const struct detector_event *event)
{
    detector->hooks.event(detector->hooks.arg, event);
}

static void note(struct watch *watch, const struct detector_event *event)
{
    watch->told_ms = event->time_ms;
    snprintf(watch->told, sizeof watch->told, "%s", event->reason);
}

static void suppress(struct detector *detector, struct watch *watch, struct detector_event *event,
    const char *by, const char *why)
{
    char both[REASON_SIZE + HELD_BACK_SIZE + 16];
    watch->suppressed++;
    snprintf(both, sizeof both, "%s; held back: %s", event->reason, why);
    event->type = EVENT_SUPPRESSED;
    event->by = by;
    event->reason = both;
    event->joins = event->again = false;
    event->replaces = NULL;
    note(watch, event);
    emit(detector, event);
}

/* Says once a spell that the fire waits, and for what. */
static void hold_back(struct detector *detector, struct watch *watch, struct detector_event *event,
    const char *by, const char *why)
{
    if (watch->held_by && !strcmp(by, watch->held_by))
        return;
    watch->held_by = by;
    suppress(detector, watch, event, by, why);
}

/* What forbids a fire now, as `by` of its event, with the details in words; NULL: nothing does. */
static const char *forbids(
    const struct detector *detector, struct detector_event *event, char why[HELD_BACK_SIZE])
{
    const struct detector_hooks *hooks = &detector->hooks;
    char held[GATE_WHY_SIZE];
    const char *by = gate_forbids(
        detector->gate, event->trigger, event->time_ms, event->joins, held);
    if (by && !strcmp(by, "limit") && hooks->replaceable) {
        event->replaces = hooks->replaceable(hooks->arg, event);
        by = event->replaces ? NULL : by;
    }
    const char *refusal = !by && !event->joins && hooks->refusal ? hooks->refusal(hooks->arg)
                                                                 : NULL;
    if (by || refusal)
        snprintf(why, HELD_BACK_SIZE, "%s", by ? held : refusal);
    else if (!event->joins && hooks->known && hooks->known(hooks->arg, event, why))
        by = "known";
    return refusal ? "limit" : by;
}

/* The excursion has a fire to give: lets it out, or says once why not. */
static void fire(struct detector *detector, struct watch *watch)
{
    char reason[REASON_SIZE], why[HELD_BACK_SIZE];
    const struct detector_hooks *hooks = &detector->hooks;
    watch->kind->explain(watch->trigger, &watch->verdict, reason);
    struct detector_event event = event_of(detector, watch, EVENT_FIRE);
    event.reason = reason;
    event.joins = hooks->running && hooks->running(hooks->arg, watch->config->app);
    event.again = watch->held_by == failure;
    const char *by = forbids(detector, &event, why);
    struct error err = {0};
    if (!by && hooks->open && hooks->open(hooks->arg, &event, &err) < 0) {
        by = failure;
        watch->missed = watch->verdict;
        snprintf(why, sizeof why, "%s", err.text);
    }
    if (by) {
        hold_back(detector, watch, &event, by, why);
        return;
    }
    watch->fires++;
    watch->held_by = NULL;
    gate_count_fire(detector->gate, event.trigger, event.time_ms);
    if (!event.joins)
        gate_count_opening(detector->gate, event.time_ms);
    note(watch, &event);
    emit(detector, &event);
}

void detector_withdraw(
    struct detector *detector, const struct detector_event *fire, const char *by, const char *why)
{
    struct watch *watch = &detector->watches[fire->trigger];
    struct detector_event event = *fire;
    watch->fires--;
    watch->withdrawn++;
    gate_uncount_opening(detector->gate, fire->time_ms);
    suppress(detector, watch, &event, by, why);
}

static void clear(struct detector *detector, struct watch *watch)
{
    const struct verdict *verdict = &watch->verdict;
    char value[VALUE_TEXT_SIZE], lasted[VALUE_TEXT_SIZE], reason[REASON_SIZE];
    metric_format(verdict->unit, verdict->value, value);
    metric_format_level(UNIT_SECONDS, (double)(watch->last_ms - verdict->onset_ms) / 1000, lasted);
    snprintf(reason, sizeof reason, "%s %s, clear again after %s", verdict->metric, value, lasted);
    watch->held_by = NULL;
    struct detector_event event = event_of(detector, watch, EVENT_CLEAR);
    event.reason = reason;
    emit(detector, &event);
}

/* What became of a pattern, in the order in which it can be understood. */
static void tell_recurrence(struct detector *detector, struct watch *watch)
{
    static const struct {
        enum recurrence_news news;
        enum detector_event_type type;
    } order[] = {{RECURRENCE_HIT, EVENT_HIT}, {RECURRENCE_MISS, EVENT_MISS},
        {RECURRENCE_RECOGNISED, EVENT_RECOGNISED}, {RECURRENCE_DORMANT, EVENT_DORMANT},
        {RECURRENCE_ARM, EVENT_ARM}};
    unsigned all = watch->verdict.news;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (!(all & order[i].news))
            continue;
        char reason[REASON_SIZE];
        watch->verdict.news = order[i].news;
        watch->kind->explain(watch->trigger, &watch->verdict, reason);
        struct detector_event event = event_of(detector, watch, order[i].type);
        event.reason = reason;
        event.recurrence = watch->verdict.recurrence;
        emit(detector, &event);
    }
    watch->verdict.news = all;
}

/* Whether the trigger has something to look at in this step. */
static bool has_input(const struct detector *detector, struct watch *watch)
{
    size_t count = watch->config->scope.metric_count;
    bool has = count == 0;
    for (size_t i = 0; i < count; i++) {
        watch->values[i] = detector->feeds[watch->feeds[i]].value;
        has = has || !isnan(watch->values[i]);
    }
    return has;
}

/* Whether its fire is let out or not. */
static void follow_excursion(struct watch *watch)
{
    const struct verdict *verdict = &watch->verdict;
    if (watch->kind->momentary)
        return;
    bool told = verdict->cleared || verdict->ebbed;
    if (verdict->fired || (watch->excursion == EXCURSION_EBBED && !told))
        watch->excursion = EXCURSION_LASTS;
    else if (verdict->cleared)
        watch->excursion = EXCURSION_OVER;
    else if (verdict->ebbed)
        watch->excursion = EXCURSION_EBBED;
    if (told)
        watch->ended_ms = verdict->ended_ms;
}

/* A fire that opened nothing, of what does not hold any more: a kill, say. */
static void fire_missed(struct detector *detector, struct watch *watch)
{
    const struct verdict now = watch->verdict;
    if (!watch->kind->momentary || watch->held_by != failure ||
        watch->last_ms - watch->told_ms > momentary_ms)
        return;
    watch->verdict = watch->missed;
    fire(detector, watch);
    watch->verdict = now;
}

static void check_watch(struct detector *detector, struct watch *watch, int64_t time_ms)
{
    struct verdict *verdict = &watch->verdict;
    verdict->fired = verdict->cleared = false;
    verdict->news = 0;
    if (!has_input(detector, watch)) {
        /* In a gap nobody knows whether it still holds. */
        if (watch->spacing.sampled &&
            spacing_is_gap(watch->spacing.usual_ms, time_ms - watch->last_ms))
            verdict->holds = false;
        return;
    }
    /* Metrics that are late are looked at in the order in which they came. */
    watch->last_ms = time_ms > watch->last_ms ? time_ms : watch->last_ms;
    spacing_take(&watch->spacing, watch->last_ms);
    const struct trigger_input input = {
        .time_ms = watch->last_ms, .values = watch->values, .members = watch->members};
    *verdict = (struct verdict){.limit = NAN};
    watch->kind->check(watch->trigger, &input, verdict);
    follow_excursion(watch);
    if (verdict->cleared)
        clear(detector, watch);
    if (verdict->fired) /* another one than what may wait yet */
        watch->held_by = NULL;
    if (!watch->kind->kind.never_fires && (verdict->fired || (watch->held_by && verdict->holds)))
        fire(detector, watch);
    else
        fire_missed(detector, watch);
    if (verdict->news)
        tell_recurrence(detector, watch);
}

/* The oldest sample that was not looked at; NULL: none. */
static const struct sample *unseen(struct feed *feed)
{
    if (!feed->series || feed->seen == feed->series->pushed)
        return NULL;
    uint64_t behind = feed->series->pushed - feed->seen;
    if (behind > feed->series->count) { /* the ring has lost some */
        behind = feed->series->count;
        feed->seen = feed->series->pushed - behind;
    }
    return series_at(feed->series, (size_t)behind - 1);
}

void detector_note_start(struct detector *detector, size_t app, int64_t time_ms)
{
    const struct detector_hooks *hooks = &detector->hooks;
    int64_t known_ms = hooks->started ? hooks->started(hooks->arg, app) : INT64_MIN;
    gate_app_started(detector->gate, app, known_ms == INT64_MIN ? time_ms : known_ms);
}

/* Gives every feed what it has at this time. */
static void take_step(struct detector *detector, int64_t time_ms)
{
    bool first = detector->now_ms == INT64_MIN;
    for (size_t i = 0; first && i < detector->config->app_count; i++)
        detector_note_start(detector, i, time_ms);
    for (size_t i = 0; i < detector->feed_count; i++) {
        struct feed *feed = &detector->feeds[i];
        const struct sample *sample = unseen(feed);
        feed->value = NAN;
        if (!sample || sample->time_ms != time_ms)
            continue;
        feed->value = sample->value;
        feed->seen++;
        if (feed->restarts_of != SIZE_MAX && feed->value > feed->before)
            gate_app_started(detector->gate, feed->restarts_of, time_ms);
        feed->before = feed->value;
    }
    if (time_ms > detector->now_ms)
        detector->now_ms = time_ms;
}

void detector_look_up_series(struct detector *detector)
{
    if (detector->series_known == detector->series->count)
        return;
    detector->series_known = detector->series->count;
    for (size_t i = 0; i < detector->feed_count; i++)
        if (!detector->feeds[i].series)
            detector->feeds[i].series = series_set_find(detector->series, detector->feeds[i].name);
}

void detector_check(struct detector *detector)
{
    detector_look_up_series(detector);
    for (;;) {
        int64_t next_ms = INT64_MAX;
        for (size_t i = 0; i < detector->feed_count; i++) {
            const struct sample *sample = unseen(&detector->feeds[i]);
            if (sample && sample->time_ms < next_ms)
                next_ms = sample->time_ms;
        }
        if (next_ms == INT64_MAX)
            return;
        take_step(detector, next_ms);
        for (size_t i = 0; i < detector->config->trigger_count; i++)
            check_watch(detector, &detector->watches[detector->config->trigger_order[i]], next_ms);
    }
}

bool detector_holds(const struct detector *detector, size_t trigger)
{
    const struct watch *watch = &detector->watches[trigger];
    return watch->verdict.holds && !watch->kind->kind.never_fires;
}

bool detector_is_quiet(const struct detector *detector, size_t app)
{
    return detector->now_ms != INT64_MIN && gate_is_quiet(detector->gate, app, detector->now_ms);
}

enum excursion detector_excursion(
    const struct detector *detector, const bool *among, int64_t *ended_ms)
{
    enum excursion together = EXCURSION_UNTOLD;
    *ended_ms = INT64_MIN;
    for (size_t i = 0; i < detector->config->trigger_count; i++) {
        const struct watch *watch = &detector->watches[i];
        if (!among[i] || watch->excursion == EXCURSION_UNTOLD)
            continue;
        together = watch->excursion > together ? watch->excursion : together;
        *ended_ms = watch->ended_ms > *ended_ms ? watch->ended_ms : *ended_ms;
    }
    return together;
}

const struct recurrence *detector_pattern_of(const struct detector *detector, size_t trigger)
{
    for (size_t i = 0; i < detector->config->trigger_count; i++) {
        const struct watch *watch = &detector->watches[i];
        const struct recurrence *recurrence = watch->verdict.recurrence;
        if (watch->kind->kind.never_fires && recurrence && recurrence->recognised &&
            watch->config->members[0] == trigger)
            return recurrence;
    }
    return NULL;
}

void detector_status(
    const struct detector *detector, size_t trigger, struct detector_status *status)
{
    const struct watch *watch = &detector->watches[trigger];
    *status = (struct detector_status){
        .holds = watch->verdict.holds,
        .fires = watch->fires,
        .suppressed = watch->suppressed,
        .withdrawn = watch->withdrawn,
        .last_fire_ms = gate_last_fire_ms(detector->gate, trigger),
        .cooldown_until_ms = INT64_MIN,
        .told_ms = watch->told_ms,
        .told = watch->told,
        .recurrence = watch->verdict.recurrence,
    };
    if (detector->now_ms != INT64_MIN)
        status->cooldown_until_ms = gate_cooldown_until_ms(
            detector->gate, trigger, detector->now_ms);
    status->has_nearest = watch->kind->nearest_miss(
        watch->trigger, &status->nearest_ms, status->nearest);
}
