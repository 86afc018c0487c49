#include "core/incident_json.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/json_text.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[] = {"pending", "ok", "truncated", "failed"};
static const char *const kind_names[] = {"spike", "baseline", "follow_up", "manual"};

enum { STATUS_COUNT = sizeof status_names / sizeof *status_names };
enum { KIND_COUNT = sizeof kind_names / sizeof *kind_names };
enum { PEAKS_MAX = 1000 };

struct target_field {
    const char *key;
    size_t offset;
};

static const struct target_field target_fields[] = {
    {"task_arn", offsetof(struct incident_target, task_arn)},
    {"cluster", offsetof(struct incident_target, cluster)},
    {"family", offsetof(struct incident_target, family)},
    {"revision", offsetof(struct incident_target, revision)},
    {"container", offsetof(struct incident_target, container)},
    {"image", offsetof(struct incident_target, image)},
    {"host", offsetof(struct incident_target, host)},
};

enum { TARGET_FIELD_COUNT = sizeof target_fields / sizeof *target_fields };

static const char down[] = "down";

static json_t *cause_to_json(const struct incident_cause *cause)
{
    json_t *json = json_object();
    incident_put_text(json, "name", cause->name);
    incident_put_text(json, "metric", cause->metric);
    incident_put_number(json, "value", cause->value);
    incident_put_number(json, "limit", cause->limit);
    incident_put_text(json, "direction", cause->down ? down : NULL);
    incident_put_time(json, "time", cause->time_ms);
    incident_put_text(json, "reason", cause->reason);
    return json;
}

static json_t *joined_to_json(const struct incident *incident)
{
    json_t *joined = json_array();
    for (size_t i = 0; i < incident->joined_count && i < INCIDENT_JOINED_MAX; i++)
        json_array_append_new(joined, cause_to_json(&incident->joined[i]));
    return joined;
}

static json_t *target_to_json(const struct incident_target *target)
{
    json_t *json = json_object();
    for (size_t i = 0; i < TARGET_FIELD_COUNT; i++) {
        char *const *text = (char *const *)((const char *)target + target_fields[i].offset);
        incident_put_text(json, target_fields[i].key, *text);
    }
    incident_put_time(json, "started", target->started_ms);
    return json;
}

static json_t *profile_to_json(const struct incident_profile *profile)
{
    bool failed = profile->status == PROFILE_FAILED;
    json_t *json = json_object();
    incident_put_text(json, "name", profile->name);
    incident_put_text(json, "file", failed ? NULL : profile->file);
    incident_put_text(json, "status", status_names[profile->status]);
    incident_put_text(json, "url", profile->url);
    incident_put_positive(json, "http_status", profile->http_status);
    incident_put_number(json, "seconds", profile->seconds);
    incident_put_time(json, "requested", profile->requested_ms);
    incident_put_time(json, "finished", profile->finished_ms);
    incident_put_positive(json, "bytes", (int64_t)profile->bytes);
    incident_put_text(json, "sha256", profile->sha256[0] ? profile->sha256 : NULL);
    incident_put_positive(json, "attempts", profile->attempts);
    if (!failed)
        json_object_set_new(json, "onset_covered", json_boolean(profile->onset_covered));
    incident_put_number(json, "covered_percent", failed ? NAN : profile->covered_percent);
    if (profile->ended_early && !failed)
        json_object_set_new(json, "ended_early", json_true());
    json_object_set_new(json, "error", json_text(profile->error));
    return json;
}

static json_t *profiles_to_json(const struct incident *incident)
{
    json_t *profiles = json_array();
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].status != PROFILE_LEFT_OUT)
            json_array_append_new(profiles, profile_to_json(&incident->profiles[i]));
    return profiles;
}

static json_t *metrics_to_json(const struct incident *incident)
{
    json_t *metrics = json_object(), *peaks = json_object();
    incident_put_text(metrics, "file", incident->metrics_file);
    for (size_t i = 0; i < incident->peak_count; i++)
        incident_put_number(peaks, incident->peaks[i].metric, incident->peaks[i].value);
    incident_put_object(metrics, "peak", peaks);
    incident_put_time(metrics, "late_added", incident->late_added_ms);
    return metrics;
}

static json_t *recurrence_to_json(const struct incident_recurrence *recurrence)
{
    json_t *json = json_object();
    incident_put_number(json, "period_s", recurrence->period_s);
    incident_put_number(json, "jitter_s", recurrence->jitter_s);
    incident_put_positive(json, "onsets", recurrence->onsets);
    incident_put_time(json, "next", recurrence->next_ms);
    return json;
}

static json_t *own_code_to_json(const struct incident *incident)
{
    json_t *own_code = json_array();
    for (size_t i = 0; i < incident->own_code_count; i++)
        json_array_append_new(own_code, json_text(incident->own_code[i]));
    return own_code;
}

json_t *incident_to_json(const struct incident *incident)
{
    json_t *json = json_object();
    json_object_set_new(json, "schema", json_integer(INCIDENT_SCHEMA));
    incident_put_text(json, "id", incident->id);
    incident_put_text(json, "service", incident->service);
    incident_put_text(json, "app", incident->app);
    if (incident->own_code_count > 0)
        json_object_set_new(json, "own_code", own_code_to_json(incident));
    incident_put_text(json, "kind", incident->kind);
    incident_put_text(json, "follows", incident->follows);
    incident_put_object(json, "trigger", cause_to_json(&incident->trigger));
    if (incident->joined_count > 0)
        json_object_set_new(json, "joined", joined_to_json(incident));
    incident_put_time(json, "onset", incident->onset_ms);
    incident_put_time(json, "ended", incident->ended_ms);
    incident_put_time(json, "fired", incident->fired_ms);
    incident_put_time(json, "finished", incident->finished_ms);
    json_t *agent = json_object();
    incident_put_text(agent, "version", incident->agent_version);
    incident_put_object(json, "agent", agent);
    incident_put_object(json, "target", target_to_json(&incident->target));
    json_object_set_new(json, "profiles", profiles_to_json(incident));
    incident_put_object(json, "metrics", metrics_to_json(incident));
    incident_put_object(json, "recurrence", recurrence_to_json(&incident->recurrence));
    incident_put_object(json, "app_ended", incident_end_to_json(&incident->app_ended));
    json_t *usage = json_object();
    incident_put_number(usage, "cpu_mean", incident->cpu_mean);
    incident_put_number(usage, "memory_max", incident->memory_max);
    incident_put_object(json, "usage_during_capture", usage);
    incident_put_positive(json, "suppressed_since_last", incident->suppressed_since_last);
    incident_put_object(json, "fleet", incident_fleet_to_json(&incident->fleet));
    if (incident->statements.count)
        json_object_set_new(json, "statements", incident_statements_to_json(&incident->statements));
    incident_put_text(json, "replaced", incident->replaced);
    incident_put_text(json, "baseline", incident->baseline);
    incident_put_text(json, "source_url", incident->source_url);
    incident_analysis_to_json(&incident->analysis, json);
    return json;
}

static int find_name(const char *const *names, int count, const json_t *value)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && i < count; i++)
        if (!strcmp(text, names[i]))
            return i;
    return -1;
}

static void read_cause(const json_t *json, struct incident_cause *cause)
{
    const char *direction = json_string_value(json_object_get(json, "direction"));
    *cause = (struct incident_cause){
        .name = incident_get_text(json, "name"),
        .metric = incident_get_text(json, "metric"),
        .reason = incident_get_text(json, "reason"),
        .value = incident_get_number(json, "value"),
        .limit = incident_get_number(json, "limit"),
        .down = direction && !strcmp(direction, down),
        .time_ms = incident_get_time(json, "time"),
    };
}

static void read_target(const json_t *json, struct incident_target *target)
{
    for (size_t i = 0; i < TARGET_FIELD_COUNT; i++) {
        char **text = (char **)((char *)target + target_fields[i].offset);
        *text = incident_get_text(json, target_fields[i].key);
    }
    target->started_ms = incident_get_time(json, "started");
}

/* A file's name leads a reader to a path: one that is not plain makes the incident unfit. */
static int read_file_name(const json_t *object, char **file, struct error *err)
{
    *file = incident_get_text(object, "file");
    if (*file && !incident_name_valid(*file))
        return error_set(err, "it names a file that is not a plain name of its folder");
    return 0;
}

static int read_profile(const json_t *json, struct incident *incident, struct error *err)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    int status = find_name(status_names, STATUS_COUNT, json_object_get(json, "status"));
    if (!name || !*name)
        return error_set(err, "one of its profiles has no name");
    if (status < 0)
        return error_set(
            err, "the status of one of its profiles is not ok, truncated, failed or pending");
    struct incident_profile *profile = incident_add_profile(incident, name);
    profile->status = (enum profile_status)status;
    profile->url = incident_get_text(json, "url");
    profile->http_status = (int)incident_get_count(json, "http_status", 999);
    profile->seconds = incident_get_number(json, "seconds");
    profile->requested_ms = incident_get_time(json, "requested");
    profile->finished_ms = incident_get_time(json, "finished");
    profile->bytes = (uint64_t)incident_get_count(json, "bytes", INT64_MAX);
    profile->attempts = (int)incident_get_count(json, "attempts", INT_MAX);
    profile->onset_covered = json_is_true(json_object_get(json, "onset_covered"));
    profile->covered_percent = incident_get_number(json, "covered_percent");
    profile->ended_early = json_is_true(json_object_get(json, "ended_early"));
    profile->error = incident_get_text(json, "error");
    const char *sha256 = json_string_value(json_object_get(json, "sha256"));
    if (sha256 && strlen(sha256) == sizeof profile->sha256 - 1 &&
        strspn(sha256, "0123456789abcdef") == sizeof profile->sha256 - 1)
        memcpy(profile->sha256, sha256, sizeof profile->sha256);
    return read_file_name(json, &profile->file, err);
}

static int read_profiles(const json_t *profiles, struct incident *incident, struct error *err)
{
    if (json_array_size(profiles) > INCIDENT_PROFILES_MAX)
        return error_set(err, "it has more than %d profiles", INCIDENT_PROFILES_MAX);
    for (size_t i = 0; i < json_array_size(profiles); i++)
        if (read_profile(json_array_get(profiles, i), incident, err) < 0)
            return -1;
    return 0;
}

static int read_joined(const json_t *joined, struct incident *incident, struct error *err)
{
    if (json_array_size(joined) > INCIDENT_JOINED_MAX)
        return error_set(err, "more than %d fires joined it", INCIDENT_JOINED_MAX);
    for (size_t i = 0; i < json_array_size(joined); i++)
        read_cause(json_array_get(joined, i), incident_add_joined(incident));
    return 0;
}

static void read_own_code(const json_t *own_code, struct incident *incident)
{
    for (size_t i = 0; i < json_array_size(own_code); i++) {
        const char *prefix = json_string_value(json_array_get(own_code, i));
        if (prefix)
            incident_add_own_code(incident, prefix);
    }
}

static int read_metrics(const json_t *metrics, struct incident *incident, struct error *err)
{
    json_t *peaks = json_object_get(metrics, "peak"), *peak;
    const char *name;
    if (json_object_size(peaks) > PEAKS_MAX)
        return error_set(err, "it has peaks of more than %d metrics", PEAKS_MAX);
    json_object_foreach(peaks, name, peak) if (json_is_number(peak))
        incident_add_peak(incident, name, json_number_value(peak));
    incident->late_added_ms = incident_get_time(metrics, "late_added");
    return read_file_name(metrics, &incident->metrics_file, err);
}

static void read_recurrence(const json_t *json, struct incident_recurrence *recurrence)
{
    recurrence->period_s = incident_get_number(json, "period_s");
    recurrence->jitter_s = incident_get_number(json, "jitter_s");
    recurrence->onsets = incident_get_count(json, "onsets", INT64_MAX);
    recurrence->next_ms = incident_get_time(json, "next");
}

/* What no reader can do without. */
static int read_identity(const json_t *json, struct incident *incident, struct error *err)
{
    const json_t *schema = json_object_get(json, "schema");
    if (!json_is_integer(schema))
        return error_set(err, "it is no incident: it has no schema number");
    if (json_integer_value(schema) != INCIDENT_SCHEMA)
        return error_set(err,
            "its schema is %lld and this stakeout reads schema %d only; use the "
            "version of stakeout that wrote it, or a newer one",
            (long long)json_integer_value(schema), INCIDENT_SCHEMA);
    incident->id = incident_get_text(json, "id");
    if (!incident->id || !incident_id_valid(incident->id))
        return error_set(err, "its id is missing or is not of the form "
                              "<YYYYMMDD>T<HHMMSS>Z-<trigger>-<6 hex digits>");
    incident->service = incident_get_text(json, "service");
    if (!incident->service || !incident_name_valid(incident->service))
        return error_set(err, "its service is missing or is not a name of letters, digits, . _ -");
    if (find_name(kind_names, KIND_COUNT, json_object_get(json, "kind")) < 0)
        return error_set(err, "its kind is missing or is not spike, baseline, follow_up or manual");
    incident->kind = incident_get_text(json, "kind");
    incident->fired_ms = incident_get_time(json, "fired");
    if (!incident->fired_ms)
        return error_set(err, "the time when it fired is missing or is not RFC 3339");
    return 0;
}

static int read_incident(const json_t *json, struct incident *incident, struct error *err)
{
    if (read_identity(json, incident, err) < 0)
        return -1;
    incident->app = incident_get_text(json, "app");
    read_own_code(json_object_get(json, "own_code"), incident);
    read_cause(json_object_get(json, "trigger"), &incident->trigger);
    incident->onset_ms = incident_get_time(json, "onset");
    incident->ended_ms = incident_get_time(json, "ended");
    incident->finished_ms = incident_get_time(json, "finished");
    incident->agent_version = incident_get_text(json_object_get(json, "agent"), "version");
    read_target(json_object_get(json, "target"), &incident->target);
    read_recurrence(json_object_get(json, "recurrence"), &incident->recurrence);
    incident_end_from_json(json_object_get(json, "app_ended"), &incident->app_ended);
    const json_t *usage = json_object_get(json, "usage_during_capture");
    incident->cpu_mean = incident_get_number(usage, "cpu_mean");
    incident->memory_max = incident_get_number(usage, "memory_max");
    incident->suppressed_since_last = incident_get_count(json, "suppressed_since_last", INT64_MAX);
    incident_fleet_from_json(json_object_get(json, "fleet"), &incident->fleet);
    incident_statements_from_json(json_object_get(json, "statements"), &incident->statements);
    incident->baseline = incident_get_text(json, "baseline");
    if (incident->baseline && !incident_id_valid(incident->baseline))
        return error_set(err, "its baseline is no id of an incident");
    incident->follows = incident_get_text(json, "follows");
    if (incident->follows && !incident_id_valid(incident->follows))
        return error_set(err, "what it follows is no id of an incident");
    incident->replaced = incident_get_text(json, "replaced");
    if (incident->replaced && !incident_id_valid(incident->replaced))
        return error_set(err, "what it replaced is no id of an incident");
    incident->source_url = incident_get_text(json, "source_url");
    incident_analysis_from_json(json, &incident->analysis);
    if (read_joined(json_object_get(json, "joined"), incident, err) < 0)
        return -1;
    if (read_profiles(json_object_get(json, "profiles"), incident, err) < 0)
        return -1;
    return read_metrics(json_object_get(json, "metrics"), incident, err);
}

struct incident *incident_from_json(const json_t *json, struct error *err)
{
    if (!json_is_object(json)) {
        error_set(err, "it is no incident: it is not a JSON object");
        return NULL;
    }
    struct incident *incident = incident_new();
    if (read_incident(json, incident, err) < 0) {
        incident_free(incident);
        return NULL;
    }
    return incident;
}

char *incident_to_text(const struct incident *incident)
{
    json_t *json = incident_to_json(incident);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(json);
    if (!text)
        abort(); /* out of memory: what is in the tree is valid */
    return text;
}

struct incident *incident_from_text(const char *text, size_t size, struct error *err)
{
    if (size > INCIDENT_TEXT_MAX) {
        error_set(err, "it is larger than %d bytes", INCIDENT_TEXT_MAX);
        return NULL;
    }
    json_error_t problem;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json) {
        error_set(err, "it is not JSON: line %d, column %d: %s", problem.line, problem.column,
            problem.text);
        return NULL;
    }
    struct incident *incident = incident_from_json(json, err);
    json_decref(json);
    return incident;
}
