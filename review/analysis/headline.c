#include "review/analysis/headline.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/incident.h"
#include "review/analysis/headline_parts.h"
#include "review/analysis/headline_words.h"
#include "review/analysis/movement.h"
#include "review/evidence/evidence.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADLINE_MAX = 1000 };

/* The series of a bare metric of the incident's app: "cpu" or "api.cpu". */
static const struct series *series_of_app(const struct evidence *evidence, const char *bare)
{
    const struct series *series = series_set_find(&evidence->metrics, bare);
    if (series || !evidence->incident->app)
        return series;
    char *name = xasprintf("%s.%s", evidence->incident->app, bare);
    series = series_set_find(&evidence->metrics, name);
    free(name);
    return series;
}

const struct series *headline_series(const struct evidence *evidence)
{
    const char *metric = evidence->incident->trigger.metric;
    if (metric)
        return series_set_find(&evidence->metrics, metric);
    const struct series *series = series_of_app(evidence, "cpu");
    return series ? series : series_of_app(evidence, "cpu.cores");
}

static int64_t begin_of(const struct incident *incident)
{
    return incident->onset_ms ? incident->onset_ms : incident->fired_ms;
}

static void put_time(struct buf *out, int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    rfc3339_format(wall_ms, text);
    buf_printf(out, " at %.8s UTC", text + strlen("2026-11-23T"));
}

/* "rose from 12% to 97% for 41 s at 15:04:01 UTC" */
static void put_movement(
    struct buf *out, enum unit unit, const struct movement *movement, int64_t begin_ms)
{
    char from[VALUE_TEXT_SIZE], to[VALUE_TEXT_SIZE], lasted[VALUE_TEXT_SIZE];
    headline_value(unit, movement->extreme, to);
    headline_value(unit, movement->usual, from);
    if (isnan(movement->usual) || !strcmp(from, to)) {
        buf_printf(out, isnan(movement->usual) ? " reached %s" : " was at %s", to);
        put_time(out, begin_ms);
        return;
    }
    headline_duration((double)(movement->until_ms - begin_ms) / 1000, lasted);
    buf_printf(out, " %s from %s to %s", movement->falls ? "fell" : "rose", from, to);
    bool took_time = movement->until_ms > begin_ms;
    if (took_time && !movement->lasts)
        buf_printf(out, " for %s", lasted);
    put_time(out, begin_ms);
    if (took_time && movement->lasts)
        buf_printf(out, ", still %s when the capture ended %s later",
            movement->falls ? "low" : "high", lasted);
}

/* Which way the trigger looks: from the usual level to its own, or to what it saw. */
static enum movement_way way_of(
    const struct incident_cause *trigger, const struct series *series, int64_t begin_ms)
{
    struct movement movement;
    movement_of(series, begin_ms, MOVEMENT_EITHER, &movement);
    double end = isfinite(trigger->limit) && trigger->limit != movement.usual ? trigger->limit
                                                                              : trigger->value;
    double start = isfinite(movement.usual) ? movement.usual : trigger->limit;
    if (isnan(movement.usual))
        end = trigger->value;
    if (!isfinite(start) || !isfinite(end) || start == end)
        return MOVEMENT_EITHER;
    return end < start ? MOVEMENT_DOWN : MOVEMENT_UP;
}

/* The level it was on its way to and how long until then, from the reason of a forecast:
 * "memory 78.0%, +1.2 points/s: 100% in 41 s". */
static const char *forecast_of(
    const struct incident_cause *trigger, char level[VALUE_TEXT_SIZE], const struct series *series)
{
    const char *colon = trigger->reason ? strrchr(trigger->reason, ':') : NULL;
    if (!colon || !trigger->metric || !isfinite(trigger->limit))
        return NULL;
    const struct metric *metric = metric_of_series(trigger->metric);
    enum unit unit = series ? series->unit : metric ? metric->unit : UNIT_NONE;
    metric_format_level(unit, trigger->limit, level);
    const char *after = colon + strspn(colon, ": ");
    size_t length = strlen(level);
    if (strncmp(after, level, length) != 0)
        return NULL;
    after += length;
    if (!strncmp(after, " in ", 4))
        return after + strlen(" in ");
    return strcmp(after, " is reached") == 0 ? "" : NULL;
}

static void put_forecast(struct buf *out, const struct evidence *evidence,
    const struct series *series, const char *level, const char *left)
{
    const struct incident *incident = evidence->incident;
    struct movement movement = {.usual = NAN, .extreme = NAN};
    char from[VALUE_TEXT_SIZE], to[VALUE_TEXT_SIZE];
    headline_metric(out, incident->trigger.metric);
    if (*left)
        buf_printf(out, " would have reached %s in %s", level, left);
    else
        buf_printf(out, " reached %s", level);
    put_time(out, incident->fired_ms);
    if (series)
        movement_of(series, begin_of(incident), MOVEMENT_UP, &movement);
    if (!series || isnan(movement.usual) || isnan(movement.extreme))
        return;
    buf_printf(out, ": it rose from %s to %s", headline_value(series->unit, movement.usual, from),
        headline_value(series->unit, movement.extreme, to));
}

/* By how much a counter rose, from its reason: "oom_kills rose by 2 to 5 within 1 min". */
static bool counted_by(const struct incident_cause *trigger, char by[VALUE_TEXT_SIZE])
{
    static const char verb[] = " rose by ";
    size_t length = trigger->metric ? strlen(trigger->metric) : 0;
    if (!length || !trigger->reason || strncmp(trigger->reason, trigger->metric, length) != 0 ||
        strncmp(trigger->reason + length, verb, strlen(verb)) != 0)
        return false;
    const char *number = trigger->reason + length + strlen(verb);
    size_t digits = strcspn(number, " ");
    if (!digits || digits >= VALUE_TEXT_SIZE)
        return false;
    snprintf(by, VALUE_TEXT_SIZE, "%.*s", (int)digits, number);
    return true;
}

static void put_counter(struct buf *out, const struct incident *incident, const char *by)
{
    const char *metric = incident->trigger.metric, *bare = headline_bare_name(metric);
    bool once = !strcmp(by, "1");
    const char *what = !strcmp(bare, "oom_kills")  ? "OOM-killed"
                       : !strcmp(bare, "restarts") ? "restarted"
                                                   : NULL;
    if (!what) {
        headline_metric(out, metric);
        buf_printf(out, " rose by %s", by);
    } else {
        int app = (int)(strlen(metric) - strlen(bare));
        buf_printf(
            out, "the container%s%.*s was %s", app ? " " : "", app ? app - 1 : 0, metric, what);
        if (!once)
            buf_printf(out, " %s times", by);
    }
    put_time(out, begin_of(incident));
}

/* Without samples, what the trigger saw. */
static void put_trigger(struct buf *out, const struct incident *incident)
{
    const struct incident_cause *trigger = &incident->trigger;
    char value[VALUE_TEXT_SIZE];
    if (!trigger->metric || !isfinite(trigger->value)) {
        buf_puts(out, trigger->name ? "the trigger " : "a trigger");
        buf_printf(out, "%s fired", trigger->name ? trigger->name : "");
        put_time(out, begin_of(incident));
        if (trigger->reason)
            buf_printf(out, ": %.400s", trigger->reason);
    } else {
        const struct metric *metric = metric_of_series(trigger->metric);
        headline_metric(out, trigger->metric);
        buf_printf(out, " was at %s",
            headline_value(metric ? metric->unit : UNIT_NONE, trigger->value, value));
        put_time(out, begin_of(incident));
    }
}

static void put_spike(struct buf *out, const struct evidence *evidence)
{
    const struct incident *incident = evidence->incident;
    const struct incident_cause *trigger = &incident->trigger;
    const struct series *series = trigger->metric
                                      ? series_set_find(&evidence->metrics, trigger->metric)
                                      : NULL;
    char level[VALUE_TEXT_SIZE], by[VALUE_TEXT_SIZE];
    const char *left = forecast_of(trigger, level, series);
    struct movement movement = {.extreme = NAN};
    if (series && !left)
        movement_of(
            series, begin_of(incident), way_of(trigger, series, begin_of(incident)), &movement);
    if (left) {
        put_forecast(out, evidence, series, level, left);
    } else if (counted_by(trigger, by)) {
        put_counter(out, incident, by);
    } else if (series && isfinite(movement.extreme)) {
        headline_metric(out, trigger->metric);
        put_movement(out, series->unit, &movement, begin_of(incident));
    } else {
        put_trigger(out, incident);
    }
}

/* The level of a metric over all that was sampled: "CPU at 12%". */
static bool put_level(struct buf *out, const struct series *series, const char *before)
{
    struct movement movement;
    char value[VALUE_TEXT_SIZE];
    if (!series || series->count == 0)
        return false;
    movement_of(series, INT64_MAX, MOVEMENT_EITHER, &movement);
    double level = isnan(movement.usual) ? series_at(series, 0)->value : movement.usual;
    buf_puts(out, before);
    headline_metric(out, series->name);
    buf_printf(out, " at %s", headline_value(series->unit, level, value));
    return true;
}

static void put_calm(struct buf *out, const struct evidence *evidence, const char *what)
{
    const struct series *memory = series_of_app(evidence, "memory");
    buf_puts(out, what);
    bool put = put_level(out, headline_series(evidence), ": ");
    put_level(out, memory ? memory : series_of_app(evidence, "memory.bytes"), put ? ", " : ": ");
}

static void put_manual(struct buf *out, const struct evidence *evidence)
{
    static const char by_hand[] = "taken by hand";
    const char *reason = evidence->incident->trigger.reason;
    buf_puts(out, by_hand);
    put_time(out, evidence->incident->fired_ms);
    if (reason && *reason && strcmp(reason, by_hand) != 0)
        buf_printf(out, ": %.300s", reason);
    put_level(out, headline_series(evidence), "; ");
}

/* Of a counter of ends the first part tells. */
static void put_end(struct buf *out, const struct incident *incident)
{
    const struct incident_end *end = &incident->app_ended;
    const char *metric = incident->trigger.metric;
    const char *bare = metric ? headline_bare_name(metric) : "";
    if (!end->time_ms || !strcmp(bare, "oom_kills") || !strcmp(bare, "restarts"))
        return;
    buf_printf(out, "; the app %s", end->oom_killed ? "was OOM-killed" : "ended");
    put_time(out, end->time_ms);
}

char *headline_of(const struct evidence *evidence)
{
    const char *kind = evidence->incident->kind;
    struct buf out;
    buf_init(&out, HEADLINE_MAX);
    if (!strcmp(kind, "baseline"))
        put_calm(&out, evidence, "a calm moment to compare with");
    else if (!strcmp(kind, "follow_up"))
        put_calm(&out, evidence, "after the spike");
    else if (!strcmp(kind, "manual"))
        put_manual(&out, evidence);
    else
        put_spike(&out, evidence);
    headline_put_suspect(&out, evidence);
    if (!strcmp(kind, "spike") || !strcmp(kind, "manual"))
        headline_put_companion(&out, evidence);
    put_end(&out, evidence->incident);
    out.data[0] = (char)toupper((unsigned char)out.data[0]);
    return buf_take(&out);
}
