#include "core/known.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident_json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

/* Of a function's name, and of the other texts. KNOWN_GROUPS_MAX groups have room in KNOWN_TEXT_MAX
 * also where each byte of them takes six in JSON. */
enum { SUSPECT_BYTES_MAX = 256, TEXT_BYTES_MAX = 100 };

static void group_free(struct known_group *group)
{
    free(group->app);
    free(group->trigger);
    free(group->metric);
    free(group->suspect);
}

void known_free(struct known *known)
{
    for (size_t i = 0; i < known->count; i++)
        group_free(&known->groups[i]);
    free(known->groups);
    *known = (struct known){0};
}

bool known_group_valid(const char *text)
{
    return text && strnlen(text, KNOWN_GROUP_SIZE) == KNOWN_GROUP_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == KNOWN_GROUP_SIZE - 1;
}

static struct known_group *find(const struct known *known, const char *group)
{
    for (size_t i = 0; i < known->count; i++)
        if (!strcmp(known->groups[i].group, group))
            return &known->groups[i];
    return NULL;
}

const struct known_group *known_find(const struct known *known, const char *group)
{
    return find(known, group);
}

static char *copy_text(const char *text, size_t max)
{
    return text ? xstrndup(text, max) : NULL;
}

int known_add(struct known *known, const struct known_group *group, struct error *err)
{
    if (!known_group_valid(group->group))
        return error_set(err, "a group is 16 hex digits");
    struct known_group *place = find(known, group->group);
    double peak = group->peak;
    if (!place && known->count == KNOWN_GROUPS_MAX)
        return error_set(err, "%d groups are known already; take one off first", KNOWN_GROUPS_MAX);
    if (place) {
        peak = fmax(peak, place->peak); /* NAN loses */
        group_free(place);
    } else {
        known->groups = xrealloc(known->groups, known->count + 1, sizeof *known->groups);
        place = &known->groups[known->count++];
    }
    *place = (struct known_group){.app = copy_text(group->app, TEXT_BYTES_MAX),
        .trigger = copy_text(group->trigger, TEXT_BYTES_MAX),
        .metric = copy_text(group->metric, TEXT_BYTES_MAX),
        .peak = peak,
        .suspect = copy_text(group->suspect, SUSPECT_BYTES_MAX),
        .marked_ms = group->marked_ms};
    memcpy(place->group, group->group, KNOWN_GROUP_SIZE);
    return 0;
}

bool known_remove(struct known *known, const char *group)
{
    struct known_group *place = find(known, group);
    if (!place)
        return false;
    group_free(place);
    known->count--;
    size_t behind = known->count - (size_t)(place - known->groups);
    memmove(place, place + 1, behind * sizeof *place);
    return true;
}

static void take_group(const json_t *json, struct known *known)
{
    const char *name = json_string_value(json_object_get(json, "group"));
    if (!known_group_valid(name) || known_find(known, name))
        return;
    struct known_group group = {.app = incident_get_text(json, "app"),
        .trigger = incident_get_text(json, "trigger"),
        .metric = incident_get_text(json, "metric"),
        .peak = incident_get_number(json, "peak"),
        .suspect = incident_get_text(json, "suspect"),
        .marked_ms = incident_get_time(json, "marked")};
    memcpy(group.group, name, KNOWN_GROUP_SIZE);
    known_add(known, &group, NULL);
    group_free(&group);
}

int known_parse(const char *text, size_t size, struct known *known, struct error *err)
{
    json_error_t problem;
    if (size > KNOWN_TEXT_MAX)
        return error_set(err, "it is larger than %d bytes", KNOWN_TEXT_MAX);
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    const json_t *groups = json_object_get(json, "groups"), *group;
    int status = 0;
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    else if (!json_is_array(groups))
        status = error_set(err, "\"groups\" is not a list");
    for (size_t i = 0; status == 0 && i < json_array_size(groups); i++) {
        group = json_array_get(groups, i);
        if (known->count < KNOWN_GROUPS_MAX)
            take_group(group, known);
    }
    json_decref(json);
    return status;
}

char *known_text(const struct known *known)
{
    json_t *json = json_object(), *groups = json_array();
    for (size_t i = 0; i < known->count; i++) {
        const struct known_group *group = &known->groups[i];
        json_t *entry = json_object();
        incident_put_text(entry, "group", group->group);
        incident_put_text(entry, "app", group->app);
        incident_put_text(entry, "trigger", group->trigger);
        incident_put_text(entry, "metric", group->metric);
        incident_put_number(entry, "peak", group->peak);
        incident_put_text(entry, "suspect", group->suspect);
        incident_put_time(entry, "marked", group->marked_ms);
        json_array_append_new(groups, entry);
    }
    json_object_set_new(json, "schema", json_integer(SCHEMA));
    json_object_set_new(json, "groups", groups);
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    json_decref(json);
    if (!text)
        abort(); /* out of memory: what is in the tree is valid */
    return text;
}
