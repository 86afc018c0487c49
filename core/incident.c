#include "core/incident.h"

#include "core/alloc.h"
#include "core/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    STAMP_SIZE = 16, /* "20261123T150401Z" */
    TRIGGER_MAX = 40,
    SUFFIX_SIZE = 6,
    NAME_MAX_SIZE = 128
};

/* Six random digits keep apart what two tasks of a service catch within the same second. */
static unsigned random_suffix(void)
{
    unsigned char bytes[3];
    while (getrandom(bytes, sizeof bytes, 0) < (ssize_t)sizeof bytes)
        if (errno != EINTR)
            abort();
    return (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
}

char *incident_new_id(int64_t fired_wall_ms, const char *trigger)
{
    char at[RFC3339_SIZE];
    rfc3339_format(fired_wall_ms, at);
    return xasprintf("%.4s%.2s%.2sT%.2s%.2s%.2sZ-%s-%06x", at, at + 5, at + 8, at + 11, at + 14,
        at + 17, trigger, random_suffix());
}

int incident_id_time(const char *id, int64_t *fired_wall_ms)
{
    if (strnlen(id, STAMP_SIZE) < STAMP_SIZE)
        return -1;
    char text[RFC3339_SIZE];
    int length = snprintf(text, sizeof text, "%.4s-%.2s-%.2s%c%.2s:%.2s:%.2s%c", id, id + 4, id + 6,
        id[8], id + 9, id + 11, id + 13, id[15]);
    if (id[8] != 'T' || id[15] != 'Z')
        return -1;
    return rfc3339_parse(text, (size_t)length, fired_wall_ms);
}

bool incident_id_valid(const char *id)
{
    int64_t fired_ms;
    if (incident_id_time(id, &fired_ms) < 0 || id[STAMP_SIZE] != '-')
        return false;
    const char *trigger = id + STAMP_SIZE + 1;
    size_t rest = strnlen(trigger, TRIGGER_MAX + 1 + SUFFIX_SIZE + 1);
    if (rest < 1 + 1 + SUFFIX_SIZE || rest > TRIGGER_MAX + 1 + SUFFIX_SIZE)
        return false;
    const char *dash = trigger + rest - SUFFIX_SIZE - 1;
    return *dash == '-' && strspn(dash + 1, "0123456789abcdef") == SUFFIX_SIZE &&
           strspn(trigger, "abcdefghijklmnopqrstuvwxyz0123456789._-") == rest;
}

bool incident_id_is_of(const char *id, const char *trigger)
{
    size_t length = strlen(trigger);
    return strlen(id) == STAMP_SIZE + 1 + length + 1 + SUFFIX_SIZE &&
           !strncmp(id + STAMP_SIZE + 1, trigger, length);
}

bool incident_name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t length = strnlen(name, NAME_MAX_SIZE + 1);
    return length >= 1 && length <= NAME_MAX_SIZE && name[0] != '.' &&
           strspn(name, allowed) == length;
}

char *incident_folder(const char *service, const char *id)
{
    return xasprintf("service=%s/date=%.4s-%.2s-%.2s/%s", service, id, id + 4, id + 6, id);
}

struct incident *incident_new(void)
{
    struct incident *incident = xcalloc(1, sizeof *incident);
    incident->trigger.value = NAN;
    incident->trigger.limit = NAN;
    incident->cpu_mean = incident->memory_max = NAN;
    incident->app_ended.exit_code = -1;
    incident->recurrence.period_s = incident->recurrence.jitter_s = NAN;
    incident_clear_analysis(incident);
    return incident;
}

static void free_cause(struct incident_cause *cause)
{
    free(cause->name);
    free(cause->metric);
    free(cause->reason);
}

static void free_target(struct incident_target *target)
{
    free(target->task_arn);
    free(target->cluster);
    free(target->family);
    free(target->revision);
    free(target->container);
    free(target->image);
    free(target->host);
}

static void free_profile(struct incident_profile *profile)
{
    free(profile->name);
    free(profile->file);
    free(profile->url);
    free(profile->error);
}

void incident_free(struct incident *incident)
{
    if (!incident)
        return;
    free(incident->id);
    free(incident->service);
    free(incident->app);
    for (size_t i = 0; i < incident->own_code_count; i++)
        free(incident->own_code[i]);
    free(incident->own_code);
    free(incident->kind);
    free(incident->follows);
    free_cause(&incident->trigger);
    for (size_t i = 0; i < incident->joined_count; i++)
        free_cause(&incident->joined[i]);
    free(incident->joined);
    free(incident->agent_version);
    free_target(&incident->target);
    for (size_t i = 0; i < incident->profile_count; i++)
        free_profile(&incident->profiles[i]);
    free(incident->profiles);
    free(incident->metrics_file);
    incident_clear_peaks(incident);
    free(incident->peaks);
    incident_statements_free(&incident->statements);
    free(incident->replaced);
    free(incident->baseline);
    free(incident->source_url);
    incident_clear_analysis(incident);
    free(incident);
}

struct incident_profile *incident_add_profile(struct incident *incident, const char *name)
{
    size_t count = incident->profile_count++;
    if (count % INCIDENT_PROFILES_MAX == 0)
        incident->profiles = xrealloc(
            incident->profiles, count + INCIDENT_PROFILES_MAX, sizeof *incident->profiles);
    struct incident_profile *profile = &incident->profiles[count];
    *profile = (struct incident_profile){
        .name = xstrdup(name), .seconds = NAN, .covered_percent = NAN};
    return profile;
}

void incident_remove_profile(struct incident *incident, size_t index)
{
    free_profile(&incident->profiles[index]);
    incident->profile_count--;
    memmove(&incident->profiles[index], &incident->profiles[index + 1],
        (incident->profile_count - index) * sizeof *incident->profiles);
}

struct incident_profile *incident_find_profile(const struct incident *incident, const char *name)
{
    for (size_t i = 0; i < incident->profile_count; i++)
        if (!strcmp(incident->profiles[i].name, name))
            return &incident->profiles[i];
    return NULL;
}

bool incident_profile_covers(const struct incident_profile *profile, int64_t onset_ms)
{
    return onset_ms && profile->status != PROFILE_FAILED && profile->requested_ms <= onset_ms &&
           profile->finished_ms >= onset_ms;
}

/* A merged profile may have short gaps and a truncated one ends before its answer did: no more is
 * covered than was recorded. */
static double covered_percent(
    const struct incident_profile *profile, int64_t onset_ms, int64_t end_ms)
{
    bool recorded = profile->status == PROFILE_OK || profile->status == PROFILE_TRUNCATED;
    if (!recorded || !onset_ms || end_ms <= onset_ms || !isfinite(profile->seconds))
        return NAN;
    int64_t from_ms = profile->requested_ms > onset_ms ? profile->requested_ms : onset_ms;
    int64_t to_ms = profile->finished_ms < end_ms ? profile->finished_ms : end_ms;
    double covered_ms = to_ms > from_ms ? (double)(to_ms - from_ms) : 0;
    double percent = 100 * fmin(covered_ms, profile->seconds * 1000) / (double)(end_ms - onset_ms);
    return round(percent * 10) / 10;
}

void incident_note_coverage(struct incident *incident)
{
    int64_t end_ms = incident->ended_ms ? incident->ended_ms : incident->finished_ms;
    for (size_t i = 0; i < incident->profile_count; i++)
        incident->profiles[i].covered_percent = covered_percent(
            &incident->profiles[i], incident->onset_ms, end_ms);
}

struct incident_cause *incident_add_joined(struct incident *incident)
{
    size_t count = incident->joined_count++;
    incident->joined = xrealloc(incident->joined, incident->joined_count, sizeof *incident->joined);
    incident->joined[count] = (struct incident_cause){.value = NAN, .limit = NAN};
    return &incident->joined[count];
}

void incident_add_peak(struct incident *incident, const char *metric, double value)
{
    size_t count = incident->peak_count++;
    incident->peaks = xrealloc(incident->peaks, incident->peak_count, sizeof *incident->peaks);
    incident->peaks[count] = (struct incident_peak){.metric = xstrdup(metric), .value = value};
}

double incident_peak_of(const struct incident *incident, const char *metric)
{
    for (size_t i = 0; metric && i < incident->peak_count; i++)
        if (!strcmp(incident->peaks[i].metric, metric))
            return incident->peaks[i].value;
    return NAN;
}

double incident_peak(const struct incident *incident)
{
    if (incident->trigger.down)
        return NAN;
    double peak = incident_peak_of(incident, incident->trigger.metric);
    return isnan(peak) ? incident->trigger.value : peak;
}

void incident_clear_peaks(struct incident *incident)
{
    for (size_t i = 0; i < incident->peak_count; i++)
        free(incident->peaks[i].metric);
    incident->peak_count = 0;
}

void incident_add_own_code(struct incident *incident, const char *prefix)
{
    if (!*prefix || incident->own_code_count == INCIDENT_OWN_CODE_MAX)
        return;
    incident->own_code = xrealloc(
        incident->own_code, incident->own_code_count + 1, sizeof *incident->own_code);
    incident->own_code[incident->own_code_count++] = xstrdup(prefix);
}
