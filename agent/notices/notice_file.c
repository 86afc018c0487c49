#include "agent/notices/notice_file.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/incident_json.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

void notice_file_free(struct notice_file *file)
{
    incident_free(file->incident);
    free(file->stored);
    *file = (struct notice_file){0};
}

char *notice_file_text(const struct notice_file *file)
{
    json_t *json = json_pack("{s:i, s:b}", "schema", SCHEMA, "report", file->report);
    incident_put_text(json, "stored", file->stored);
    incident_put_positive(json, "times", (int64_t)file->times);
    incident_put_time(json, "times_since", file->times_since_ms);
    json_object_set_new(json, "incident", incident_to_json(file->incident));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        abort(); /* out of memory */
    return text;
}

int notice_file_parse(struct notice_file *file, const char *text, size_t size, struct error *err)
{
    json_error_t fault;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
    const json_t *incident = json_object_get(json, "incident");
    int status = 0;
    if (json_integer_value(json_object_get(json, "schema")) != SCHEMA || !incident)
        status = error_set(err, "it is not of the form that this version writes");
    else if (!(file->incident = incident_from_json(incident, err)))
        status = -1;
    file->report = json_is_true(json_object_get(json, "report"));
    file->stored = incident_get_text(json, "stored");
    file->times = (uint64_t)incident_get_count(json, "times", INT64_MAX);
    file->times_since_ms = incident_get_time(json, "times_since");
    json_decref(json);
    return status;
}

char *notice_group(const struct incident *incident)
{
    if (incident->analysis.group)
        return xasprintf("group %s", incident->analysis.group);
    return xasprintf("app %s, trigger %s", incident->app ? incident->app : "",
        incident->trigger.name ? incident->trigger.name : "");
}

bool notice_wanted(const struct incident *incident)
{
    const char *kind = incident->kind;
    bool calm = kind && (!strcmp(kind, "baseline") || !strcmp(kind, "follow_up"));
    return !calm && !incident->fleet.duplicate;
}
