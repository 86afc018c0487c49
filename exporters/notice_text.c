#include "exporters/notice_text.h"

#include "core/clock.h"
#include "core/incident.h"
#include "core/metric.h"
#include "core/utf8.h"
#include "exporters/notice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_CHARACTERS = 120, REASON_CHARACTERS = 300 };
static const int64_t near_enough_ms = INT64_C(12) * 3600000;

static uint32_t code_of(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t code = length == 1 ? at[0] : at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (at[i] & 0x3fU);
    return code;
}

/* Controls, line and paragraph separators, and what turns the direction of the text around it. */
static bool misleads(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x61c || code == 0xfeff;
}

static const char *escape_of(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
}

void notice_put(struct buf *out, enum notice_style style, const char *text, size_t characters)
{
    for (size_t i = 0; *text; i++) {
        size_t length = utf8_length(text);
        const char *escape = style == NOTICE_SLACK ? escape_of(*text) : NULL;
        if (i + 1 >= characters && text[length ? length : 1]) {
            buf_puts(out, "…");
            return;
        }
        if (length == 0)
            buf_puts(out, UTF8_REPLACEMENT);
        else if (misleads(code_of(text, length)))
            buf_puts(out, " ");
        else if (escape)
            buf_puts(out, escape);
        else
            buf_append(out, text, length);
        text += length ? length : 1;
    }
}

/* The name without the path of its package: what is in brackets or after them is none of it. */
static const char *short_name(const char *function)
{
    const char *name = function, *end = function + strcspn(function, "([");
    for (const char *at = function; at < end; at++)
        if (*at == '/' && at[1])
            name = at + 1;
    return name;
}

/* A backtick would end the code that it stands in. */
static void put_name(struct buf *out, enum notice_style style, const char *function)
{
    struct buf name;
    buf_init(&name, SIZE_MAX - 1);
    notice_put(&name, style, short_name(function), NAME_CHARACTERS);
    for (char *at = name.data; style == NOTICE_SLACK && (at = strchr(at, '`'));)
        *at = '\'';
    buf_printf(out, style == NOTICE_SLACK ? "`%s`" : "%s", name.data);
    buf_free(&name);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    if (!count)
        return NAN;
    qsort(values, count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The lowest of what was measured from the onset on. */
static double lowest_since(const struct incident_sparkline *sparkline, int64_t from_ms)
{
    double lowest = NAN;
    for (size_t i = 0; i < sparkline->count; i++) {
        int64_t part_ms = (sparkline->to_ms - sparkline->from_ms) / (int64_t)sparkline->count;
        if (sparkline->from_ms + (int64_t)(i + 1) * part_ms > from_ms)
            lowest = fmin(lowest, sparkline->values[i]);
    }
    return lowest;
}

struct notice_movement notice_movement(const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    const struct incident_sparkline *sparkline = &incident->analysis.sparkline;
    const struct incident_cause *trigger = &incident->trigger;
    int64_t begin_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    double before[INCIDENT_SPARKLINE_MAX];
    size_t count = 0;
    if (!trigger->metric)
        return (struct notice_movement){NAN, NAN};
    bool same = sparkline->metric && !strcmp(sparkline->metric, trigger->metric);
    for (size_t i = 0; same && i < sparkline->count; i++) {
        int64_t part_ms = (sparkline->to_ms - sparkline->from_ms) / (int64_t)sparkline->count;
        bool is_before = sparkline->from_ms + (int64_t)(i + 1) * part_ms <= begin_ms;
        if (is_before && !isnan(sparkline->values[i]))
            before[count++] = sparkline->values[i];
    }
    double to = trigger->down ? (same ? lowest_since(sparkline, begin_ms) : NAN)
                              : incident_peak(incident);
    return (struct notice_movement){median(before, count), isnan(to) ? trigger->value : to};
}

static double growth(const struct incident_function *function)
{
    return isnan(function->delta_points) ? function->cum_percent : function->delta_points;
}

static int by_growth(const void *left, const void *right)
{
    double a = growth(*(const struct incident_function *const *)left);
    double b = growth(*(const struct incident_function *const *)right);
    return (a < b) - (a > b);
}

size_t notice_grown(
    const struct notice *notice, const struct incident_function *grown[NOTICE_GROWN_MAX])
{
    const struct incident_analysis *analysis = &notice->incident->analysis;
    const struct incident_function *all[INCIDENT_RUNNERS_UP_MAX + 1];
    size_t count = 0;
    if (analysis->suspect.function)
        all[count++] = &analysis->suspect;
    for (size_t i = 0; i < analysis->runner_up_count && i < INCIDENT_RUNNERS_UP_MAX; i++)
        if (analysis->runners_up[i].function && !isnan(growth(&analysis->runners_up[i])))
            all[count++] = &analysis->runners_up[i];
    qsort(all, count, sizeof *all, by_growth);
    count = count < NOTICE_GROWN_MAX ? count : NOTICE_GROWN_MAX;
    memcpy(grown, all, count * sizeof *all);
    return count;
}

void notice_put_title(struct buf *out, enum notice_style style, const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    const char *metric = incident->trigger.metric;
    const struct metric *known = metric ? metric_of_series(metric) : NULL;
    enum unit unit = known ? known->unit : UNIT_NONE;
    struct notice_movement movement = notice_movement(notice);
    char text[VALUE_TEXT_SIZE];
    notice_put(out, style, incident->service ? incident->service : "stakeout", NAME_CHARACTERS);
    buf_puts(out, ": ");
    if (notice->test) {
        buf_puts(out, "a test of stakeout's notifications");
        return;
    }
    notice_put(out, style, metric ? metric : "taken by hand", NAME_CHARACTERS);
    if (!isnan(movement.from))
        buf_printf(out, " %s →", metric_format(unit, movement.from, text));
    if (!isnan(movement.to))
        buf_printf(out, " %s", metric_format(unit, movement.to, text));
}

void notice_put_headline(struct buf *out, enum notice_style style, const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    const char *reason = incident->trigger.reason;
    notice_put(out, style,
        incident->analysis.headline ? incident->analysis.headline
        : reason                    ? reason
                                    : "no reason is given",
        NOTICE_HEADLINE_CHARACTERS);
}

bool notice_put_suspect(struct buf *out, enum notice_style style, const struct notice *notice)
{
    const struct incident_analysis *analysis = &notice->incident->analysis;
    const struct incident_function *suspect = &analysis->suspect;
    const char *none = analysis->no_suspect ? analysis->no_suspect : analysis->skipped;
    if (!suspect->function) {
        notice_put(out, style, none ? none : "", REASON_CHARACTERS);
        return none;
    }
    put_name(out, style, suspect->function);
    buf_printf(out, ": %.1f%% of ", suspect->cum_percent);
    notice_put(out, style, suspect->profile ? suspect->profile : "the profile", NAME_CHARACTERS);
    if (!isnan(suspect->baseline_percent))
        buf_printf(out, ", %.1f%% on a calm day", suspect->baseline_percent);
    return true;
}

void notice_put_function(
    struct buf *out, enum notice_style style, const struct incident_function *function)
{
    put_name(out, style, function->function);
    if (isnan(function->delta_points))
        buf_printf(out, " %.1f%%", function->cum_percent);
    else
        buf_printf(out, " %+.1f points", function->delta_points);
}

/* Slack shows it in the reader's own time zone. */
void notice_put_time(struct buf *out, enum notice_style style, int64_t wall_ms, int64_t near_ms)
{
    char text[RFC3339_SIZE], shown[40];
    rfc3339_format(wall_ms, text);
    bool is_near = llabs(wall_ms - near_ms) <= near_enough_ms;
    if (is_near)
        snprintf(shown, sizeof shown, "%.5s UTC", text + strlen("2026-11-23T"));
    else
        snprintf(shown, sizeof shown, "%.10s %.5s UTC", text, text + strlen("2026-11-23T"));
    if (style == NOTICE_SLACK)
        buf_printf(out, "<!date^%lld^%s|%s>", (long long)(wall_ms / 1000),
            is_near ? "{time}" : "{date_short} {time}", shown);
    else
        buf_puts(out, shown);
}

static const char *separator(const struct buf *out, size_t start)
{
    return out->size > start ? "; " : "";
}

bool notice_put_often(struct buf *out, enum notice_style style, const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    const struct incident_recurrence *pattern = &incident->recurrence;
    char text[VALUE_TEXT_SIZE];
    size_t start = out->size;
    if (notice->times > 1) {
        buf_printf(out, "%llu times since ", (unsigned long long)notice->times);
        notice_put_time(out, style, notice->times_since_ms, incident->fired_ms);
    } else if (notice->times == 1) {
        buf_puts(out, "the first that this agent has seen");
    }
    if (pattern->period_s > 0) {
        buf_printf(out, "%severy %s", separator(out, start),
            metric_format(UNIT_SECONDS, pattern->period_s, text));
        if (pattern->next_ms) {
            buf_puts(out, ", next about ");
            notice_put_time(out, style, pattern->next_ms, incident->fired_ms);
        }
    }
    if (incident->fleet.seen_by > 1)
        buf_printf(out, "%sseen by %lld copies", separator(out, start),
            (long long)incident->fleet.seen_by);
    if (notice->more) {
        buf_printf(out, "%s%zu more since ", separator(out, start), notice->more);
        notice_put_time(out, style, notice->more_since_ms, incident->fired_ms);
    }
    return out->size > start;
}

static void put_fact(struct buf *out, enum notice_style style, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, "%s%s ", out->size ? " · " : "", name);
    notice_put(out, style, value, NAME_CHARACTERS);
}

void notice_put_facts(struct buf *out, enum notice_style style, const struct notice *notice)
{
    const struct incident *incident = notice->incident;
    struct buf facts;
    buf_init(&facts, SIZE_MAX - 1);
    put_fact(&facts, style, "trigger", incident->trigger.name);
    put_fact(&facts, style, "app", incident->app);
    put_fact(&facts, style, "task", incident->target.task_arn);
    put_fact(&facts, style, "host", incident->target.host);
    put_fact(&facts, style, "image", incident->target.image);
    if (incident->fired_ms) {
        buf_puts(&facts, facts.size ? " · fired " : "fired ");
        notice_put_time(&facts, style, incident->fired_ms, 0);
    }
    put_fact(&facts, style, "incident", incident->id);
    buf_append(out, facts.data, facts.size);
    buf_free(&facts);
}
