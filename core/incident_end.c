#include "core/incident_end.h"

#include "core/clock.h"
#include "core/incident_json.h"

#include <stdio.h>
#include <string.h>

/* What a process can say of itself is 0 to 255; other platforms' are larger. */
static const int64_t largest_exit_code = INT32_MAX;

json_t *incident_end_to_json(const struct incident_end *end)
{
    json_t *json = json_object();
    if (!end->time_ms)
        return json;
    incident_put_time(json, "time", end->time_ms);
    if (end->exit_code >= 0)
        json_object_set_new(json, "exit_code", json_integer(end->exit_code));
    json_object_set_new(json, "oom_killed", json_boolean(end->oom_killed));
    incident_put_time(json, "restarted", end->restarted_ms);
    return json;
}

void incident_end_from_json(const json_t *json, struct incident_end *end)
{
    *end = (struct incident_end){.time_ms = incident_get_time(json, "time"), .exit_code = -1};
    if (!end->time_ms)
        return;
    if (json_is_integer(json_object_get(json, "exit_code")))
        end->exit_code = incident_get_count(json, "exit_code", largest_exit_code);
    end->oom_killed = json_is_true(json_object_get(json, "oom_killed"));
    end->restarted_ms = incident_get_time(json, "restarted");
}

/* "15:04:09 UTC" */
static void time_of_day(int64_t wall_ms, char text[RFC3339_SIZE])
{
    char whole[RFC3339_SIZE];
    rfc3339_format(wall_ms, whole);
    snprintf(text, RFC3339_SIZE, "%.8s UTC", whole + strlen("2026-11-23T"));
}

const char *incident_end_text(const struct incident_end *end, char text[INCIDENT_END_TEXT])
{
    char at[RFC3339_SIZE], again[RFC3339_SIZE], status[40] = "";
    text[0] = '\0';
    if (!end->time_ms)
        return text;
    time_of_day(end->time_ms, at);
    time_of_day(end->restarted_ms, again);
    if (end->exit_code >= 0)
        snprintf(status, sizeof status, " (exit status %lld)", (long long)end->exit_code);
    snprintf(text, INCIDENT_END_TEXT, "the app %s at %s%s%s%s",
        end->oom_killed ? "was OOM-killed" : "ended", at, status,
        end->restarted_ms ? " and runs again since " : "", end->restarted_ms ? again : "");
    return text;
}
