#include "commands/view.h"

#include "commands/view_parts.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/metric.h"
#include "review/evidence/evidence.h"
#include "review/history/group.h"
#include "review/history/history.h"
#include "review/history/mark.h"
#include "review/store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINED_SHOWN = 20, PHRASE_SIZE = 64 };

static const char *const profile_titles[] = {
    "PROFILE", "STATUS", "SECONDS", "SIZE", "FILE", "NOTE"};

static const char *const peak_titles[] = {"METRIC", "PEAK", ""};

enum { PROFILE_COLUMNS = sizeof profile_titles / sizeof *profile_titles };

static void add_fact(struct view *view, const char *label, char *text)
{
    view_add(&view->facts, label, text);
}

static void add_text(struct view *view, const char *label, const char *text)
{
    add_fact(view, label, text ? xstrdup(text) : NULL);
}

static const char *format_duration(int64_t ms, char text[PHRASE_SIZE])
{
    double seconds = (double)ms / 1000;
    if (seconds < 60)
        snprintf(text, PHRASE_SIZE, "%.1f s", seconds);
    else if (seconds < 3600)
        snprintf(text, PHRASE_SIZE, "%d min %d s", (int)(seconds / 60), (int)fmod(seconds, 60));
    else if (seconds < 86400)
        snprintf(text, PHRASE_SIZE, "%d h %d min", (int)(seconds / 3600),
            (int)(fmod(seconds, 3600) / 60));
    else
        snprintf(text, PHRASE_SIZE, "%.0f d %d h", floor(seconds / 86400),
            (int)(fmod(seconds, 86400) / 3600));
    return text;
}

/* "10.0 s after the onset" */
static char *distance(int64_t from_ms, int64_t to_ms, const char *what)
{
    char text[PHRASE_SIZE];
    return xasprintf("%s %s %s", format_duration(llabs(to_ms - from_ms), text),
        to_ms < from_ms ? "before" : "after", what);
}

static void add_time(
    struct view *view, const char *label, int64_t at_ms, int64_t from_ms, const char *from)
{
    char text[RFC3339_SIZE];
    if (!at_ms)
        return;
    rfc3339_format(at_ms, text);
    char *since = from_ms && from ? distance(from_ms, at_ms, from) : NULL;
    add_fact(view, label, xasprintf("%s%s%s", text, since ? ", " : "", since ? since : ""));
    free(since);
}

static enum unit unit_of(const char *metric)
{
    const struct metric *known = metric_of_series(metric);
    return known ? known->unit : UNIT_NONE;
}

static const char *format_difference(enum unit unit, double value, char text[VALUE_TEXT_SIZE])
{
    if (unit != UNIT_PERCENT)
        return metric_format(unit, value, text);
    snprintf(text, VALUE_TEXT_SIZE, "%.1f points", value);
    return text;
}

/* "cpu-high: cpu 93.1% against 80.0%, 13.1 points above"; what was taken by hand has no limit */
static char *describe_trigger(const struct incident_cause *trigger, const char *kind)
{
    if (!trigger->name)
        return NULL;
    if (!trigger->metric || isnan(trigger->value))
        return xstrdup(trigger->name);
    char value[VALUE_TEXT_SIZE], limit[VALUE_TEXT_SIZE], difference[VALUE_TEXT_SIZE];
    enum unit unit = unit_of(trigger->metric);
    metric_format(unit, trigger->value, value);
    if (isnan(trigger->limit) || !strcmp(kind, "manual"))
        return xasprintf("%s: %s %s", trigger->name, trigger->metric, value);
    metric_format(unit, trigger->limit, limit);
    format_difference(unit, fabs(trigger->value - trigger->limit), difference);
    return xasprintf("%s: %s %s against %s, %s %s", trigger->name, trigger->metric, value, limit,
        difference, trigger->value < trigger->limit ? "below" : "above");
}

static void add_joined(struct view *view, const struct incident *incident)
{
    for (size_t i = 0; i < incident->joined_count && i < JOINED_SHOWN; i++) {
        const struct incident_cause *cause = &incident->joined[i];
        char *when = cause->time_ms ? distance(incident->fired_ms, cause->time_ms, "the fire")
                                    : xstrdup("at an unknown time");
        add_fact(view, i ? "" : "joined",
            xasprintf("%s, %s%s%s", cause->name ? cause->name : "?", when,
                cause->reason ? ": " : "", cause->reason ? cause->reason : ""));
        free(when);
    }
    if (incident->joined_count > JOINED_SHOWN)
        add_fact(view, "", xasprintf("and %zu more", incident->joined_count - JOINED_SHOWN));
}

static void add_target(struct view *view, const struct incident *incident)
{
    const struct incident_target *target = &incident->target;
    add_text(view, "container", target->container);
    add_text(view, "image", target->image);
    add_text(view, "task", target->task_arn);
    add_text(view, "cluster", target->cluster);
    if (target->family)
        add_fact(view, "family",
            xasprintf("%s%s%s", target->family, target->revision ? ":" : "",
                target->revision ? target->revision : ""));
    add_text(view, "host", target->host);
    add_time(view, "started", target->started_ms, incident->fired_ms, "the fire");
}

/* "every 30 min, give or take 12.5 s, seen in 5 onsets; the next at ..." */
static void add_recurrence(struct view *view, const struct incident *incident)
{
    const struct incident_recurrence *recurrence = &incident->recurrence;
    char period[VALUE_TEXT_SIZE], jitter[VALUE_TEXT_SIZE], next[RFC3339_SIZE];
    if (!isfinite(recurrence->period_s))
        return;
    metric_format(UNIT_SECONDS, recurrence->period_s, period);
    metric_format(UNIT_SECONDS, isfinite(recurrence->jitter_s) ? recurrence->jitter_s : 0, jitter);
    rfc3339_format(recurrence->next_ms, next);
    add_fact(view, "recurs",
        xasprintf("every %s, give or take %s, seen in %lld onsets%s%s", period, jitter,
            (long long)recurrence->onsets, recurrence->next_ms ? "; the next at " : "",
            recurrence->next_ms ? next : ""));
}

static void add_mark(struct view *view, const struct mark *mark)
{
    if (!mark)
        return;
    add_time(view, "looked at", mark->looked_ms, 0, NULL);
    add_text(view, "note", mark->note);
}

static void add_usage(struct view *view, const struct incident *incident)
{
    char cpu[VALUE_TEXT_SIZE], memory[VALUE_TEXT_SIZE];
    bool has_cpu = isfinite(incident->cpu_mean), has_memory = isfinite(incident->memory_max);
    if (!has_cpu && !has_memory)
        return;
    metric_format(UNIT_PERCENT, incident->cpu_mean, cpu);
    metric_format(UNIT_PERCENT, incident->memory_max, memory);
    add_fact(view, "usage",
        xasprintf("%s%s%s%s%s%s during the capture", has_cpu ? "cpu " : "", has_cpu ? cpu : "",
            has_cpu ? " on average" : "", has_cpu && has_memory ? ", " : "",
            has_memory ? "memory at most " : "", has_memory ? memory : ""));
}

static void add_facts(struct view *view, const struct incident *incident, const char *location)
{
    char group[GROUP_SIZE];
    add_text(view, "id", incident->id);
    add_text(view, "kind", incident->kind);
    add_text(view, "group", group_as_stored(incident, group));
    add_text(view, "service", incident->service);
    add_text(view, "app", incident->app);
    add_fact(view, "trigger",
        describe_trigger(&incident->trigger, incident->kind ? incident->kind : ""));
    add_text(view, "follows", incident->follows);
    add_time(view, "onset", incident->onset_ms, 0, NULL);
    add_time(view, "fired", incident->fired_ms, incident->onset_ms, "the onset");
    add_time(view, "over", incident->ended_ms, incident->onset_ms, "the onset");
    char end[INCIDENT_END_TEXT];
    if (incident->app_ended.time_ms)
        add_text(view, "ended", incident_end_text(&incident->app_ended, end));
    add_time(view, "finished", incident->finished_ms, incident->fired_ms, "the fire");
    add_joined(view, incident);
    add_recurrence(view, incident);
    add_usage(view, incident);
    char fleet[INCIDENT_FLEET_TEXT];
    if (*incident_fleet_text(&incident->fleet, fleet))
        add_text(view, "fleet", fleet);
    if (incident->suppressed_since_last > 0)
        add_fact(view, "suppressed",
            xasprintf(
                "%lld since the incident before", (long long)incident->suppressed_since_last));
    add_text(view, "replaced", incident->replaced);
    add_target(view, incident);
    add_text(view, "stakeout", incident->agent_version);
    add_text(view, "metrics", incident->metrics_file);
    add_text(view, "compared with", incident->baseline);
    add_text(view, "stored in", location);
}

/* What is to be said of a profile; found NULL: nobody has looked. The caller frees. */
static char *note_of(const struct incident_profile *profile, const struct evidence_profile *found)
{
    if (profile->error)
        return xstrdup(profile->error);
    if (found && *found->damage.text)
        return xasprintf("damaged: %s", found->damage.text);
    if (found && !found->profile)
        return xstrdup(found->problem.text);
    char covered[40] = "";
    if (isfinite(profile->covered_percent) && profile->covered_percent <= 0)
        return xstrdup("was begun when the spike was over");
    if (isfinite(profile->covered_percent))
        snprintf(covered, sizeof covered, "covers %.0f%% of the spike", profile->covered_percent);
    return xasprintf("%s%s%s%s", profile->onset_covered ? "was running at the onset" : "",
        profile->onset_covered && *covered ? ", " : "", covered,
        profile->ended_early ? ", ended with it" : "");
}

static void add_profile(
    struct view *view, const struct incident_profile *profile, const struct evidence_profile *found)
{
    static const char *const names[] = {"pending", "ok", "truncated", "failed"};
    char seconds[VALUE_TEXT_SIZE] = "", size[VALUE_TEXT_SIZE] = "";
    if (isfinite(profile->seconds))
        snprintf(seconds, sizeof seconds, "%.1f", profile->seconds);
    if (profile->bytes > 0)
        metric_format(UNIT_BYTES, (double)profile->bytes, size);
    char *note = note_of(profile, found);
    const char *const cells[PROFILE_COLUMNS] = {
        profile->name, names[profile->status], seconds, size, profile->file, note};
    table_add(&view->profiles, cells);
    free(note);
}

/* A word of the shell: quoted when it has to be. */
static char *shell_word(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789._/=:@%+-,";
    if (*text && *text != '-' && strspn(text, plain) == strlen(text))
        return xstrdup(text);
    struct buf word;
    buf_init(&word, SIZE_MAX - 1);
    buf_puts(&word, "'");
    for (; *text; text++)
        if (*text == '\'')
            buf_puts(&word, "'\\''");
        else
            buf_append(&word, text, 1);
    buf_puts(&word, "'");
    return buf_take(&word);
}

static const struct incident_profile *find_cpu_profile(const struct incident *incident)
{
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        bool kept = profile->status == PROFILE_OK || profile->status == PROFILE_TRUNCATED;
        if (kept && profile->file && !strcmp(profile->name, "cpu"))
            return profile;
    }
    return NULL;
}

static char *describe_opening(const struct store_incident *stored, const char *endpoint)
{
    const struct incident_profile *cpu = find_cpu_profile(stored->incident);
    if (!cpu)
        return NULL;
    char *path = xasprintf("%s/%s", stored->location, cpu->file);
    char *word = shell_word(path), *url = shell_word(endpoint ? endpoint : "");
    bool folder = strncmp(path, "s3://", 5) != 0;
    char *text = folder ? xasprintf("go tool pprof %s", word)
                        : xasprintf("aws s3 cp %s%s%s%s . && go tool pprof ./%s",
                              endpoint ? "--endpoint-url " : "", endpoint ? url : "",
                              endpoint ? " " : "", word, cpu->file);
    free(path);
    free(word);
    free(url);
    return text;
}

/* "worse: 14th time since 2 November, every 30 min; the peak of cpu grows by 3% a week: ..." */
static char *describe_history(const struct history *history)
{
    if (!history || !history->frequency)
        return NULL;
    bool told = history->verdict == VERDICT_KNOWN || history->verdict == VERDICT_GONE;
    return xasprintf("%s: %s%s%s%s%s", history_verdict_name(history), history->frequency,
        told ? "; " : "", told ? history->verdict_text : "", history->trend ? "; " : "",
        history->trend ? history->trend : "");
}

void view_init(
    struct view *view, const struct store_incident *stored, const struct view_extras *extras)
{
    const struct evidence *evidence = extras->evidence;
    const struct incident *incident = evidence ? evidence->incident : stored->incident;
    const char *headline = incident->analysis.headline ? incident->analysis.headline
                                                       : incident->trigger.reason;
    *view = (struct view){.open = describe_opening(stored, extras->endpoint)};
    view->headline = xstrdup(headline ? headline : incident->kind);
    view->verdict = describe_history(extras->history);
    table_init(&view->suspect, 2, NULL);
    table_init(&view->facts, 2, NULL);
    table_init(&view->profiles, PROFILE_COLUMNS, profile_titles);
    table_init(&view->peaks, 3, peak_titles);
    view_add_suspect(view, incident);
    view_add_growth(view, evidence);
    add_mark(view, extras->mark);
    add_facts(view, incident, stored->location);
    view_add_statements(view, incident);
    for (size_t i = 0; i < incident->profile_count; i++)
        add_profile(view, &incident->profiles[i],
            evidence && i < evidence->profile_count ? &evidence->profiles[i] : NULL);
    view_add_peaks(view, incident, evidence);
}

void view_free(struct view *view)
{
    free(view->headline);
    free(view->verdict);
    free(view->source);
    free(view->growth_title);
    for (size_t i = 0; i < view->growth_count; i++)
        free(view->growth_links[i]);
    free(view->growth_links);
    free(view->open);
    table_free(&view->suspect);
    table_free(&view->growth);
    table_free(&view->statements);
    table_free(&view->ongoing);
    table_free(&view->facts);
    table_free(&view->profiles);
    table_free(&view->peaks);
}
