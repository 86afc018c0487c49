#include "agent/notices/tally.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident_json.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

static void free_group(struct tally_group *group)
{
    free(group->group);
    free(group->last);
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free_group(&tally->groups[i]);
    tally->count = 0;
}

static struct tally_group take(struct tally *tally, size_t place)
{
    struct tally_group group = tally->groups[place];
    tally->count--;
    memmove(&tally->groups[place], &tally->groups[place + 1],
        (tally->count - place) * sizeof *tally->groups);
    return group;
}

static void put_last(struct tally *tally, struct tally_group group)
{
    if (tally->count == TALLY_MAX) {
        struct tally_group oldest = take(tally, 0);
        free_group(&oldest);
    }
    tally->groups[tally->count++] = group;
}

const struct tally_group *tally_add(
    struct tally *tally, const char *group, const char *id, int64_t fired_ms)
{
    size_t place = 0;
    while (place < tally->count && strcmp(tally->groups[place].group, group) != 0)
        place++;
    struct tally_group counted = place < tally->count
                                     ? take(tally, place)
                                     : (struct tally_group){.group = xstrdup(group),
                                           .last = xstrdup(""),
                                           .first_ms = fired_ms};
    if (strcmp(counted.last, id) != 0) {
        free(counted.last);
        counted.last = xstrdup(id);
        counted.times++;
    }
    put_last(tally, counted);
    return &tally->groups[tally->count - 1];
}

char *tally_text(const struct tally *tally)
{
    json_t *groups = json_array();
    for (size_t i = 0; i < tally->count; i++) {
        const struct tally_group *group = &tally->groups[i];
        json_t *json = json_object();
        incident_put_text(json, "group", group->group);
        incident_put_positive(json, "times", (int64_t)group->times);
        incident_put_time(json, "first", group->first_ms);
        incident_put_text(json, "last", group->last);
        json_array_append_new(groups, json);
    }
    json_t *json = json_pack("{s:i, s:o}", "schema", SCHEMA, "groups", groups);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        abort(); /* out of memory */
    return text;
}

int tally_parse(struct tally *tally, const char *text, size_t size, struct error *err)
{
    json_error_t fault;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault), *each;
    const json_t *groups = json_object_get(json, "groups");
    size_t i;
    int status = 0;
    if (json_integer_value(json_object_get(json, "schema")) != SCHEMA || !json_is_array(groups))
        status = error_set(err, "it is not of the form that this version writes");
    json_array_foreach(groups, i, each)
    {
        struct tally_group group = {.group = incident_get_text(each, "group"),
            .last = incident_get_text(each, "last"),
            .times = (uint64_t)incident_get_count(each, "times", INT64_MAX),
            .first_ms = incident_get_time(each, "first")};
        if (status == 0 && group.group && group.last)
            put_last(tally, group);
        else
            free_group(&group);
    }
    json_decref(json);
    return status;
}
