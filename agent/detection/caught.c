#include "agent/detection/caught.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident_json.h"
#include "core/known.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1, NAME_BYTES_MAX = 64 };

static const int64_t days_ms = CAUGHT_DAYS * INT64_C(86400000);

struct catch
{
    char *app, *trigger;
    char group[KNOWN_GROUP_SIZE]; /* "": it was not analysed */
    int64_t wall_ms;
};

struct caught {
    struct catch all[CAUGHT_MAX]; /* as they came */
    size_t count;
};

struct caught *caught_new(void)
{
    return xcalloc(1, sizeof(struct caught));
}

static void drop(struct caught *caught, size_t index)
{
    free(caught->all[index].app);
    free(caught->all[index].trigger);
    caught->count--;
    memmove(&caught->all[index], &caught->all[index + 1],
        (caught->count - index) * sizeof *caught->all);
}

void caught_free(struct caught *caught)
{
    while (caught && caught->count)
        drop(caught, caught->count - 1);
    free(caught);
}

static bool is_of(const struct catch *one, const char *app, const char *trigger)
{
    return !strcmp(one->app, app) && !strcmp(one->trigger, trigger);
}

/* The oldest of that trigger, when it has its share; else, when all is full, the oldest of the one
 * that has most: one that catches much costs the others nothing. */
static void make_room(struct caught *caught, const char *app, const char *trigger)
{
    size_t own = 0, oldest = 0, most = 0, from = 0;
    for (size_t i = caught->count; i-- > 0;)
        if (is_of(&caught->all[i], app, trigger)) {
            own++;
            oldest = i;
        }
    if (own >= CAUGHT_TRIGGER_MAX) {
        drop(caught, oldest);
        return;
    }
    for (size_t i = 0; i < caught->count && caught->count == CAUGHT_MAX; i++) {
        const struct catch *one = &caught->all[i];
        size_t count = 0;
        for (size_t j = i; j < caught->count; j++)
            count += is_of(&caught->all[j], one->app, one->trigger);
        if (count > most) {
            most = count;
            from = i;
        }
    }
    if (caught->count == CAUGHT_MAX)
        drop(caught, from);
}

void caught_add(
    struct caught *caught, const char *app, const char *trigger, const char *group, int64_t wall_ms)
{
    for (size_t i = caught->count; i-- > 0;)
        if (wall_ms - caught->all[i].wall_ms >= days_ms)
            drop(caught, i);
    make_room(caught, app, trigger);
    struct catch *added = &caught->all[caught->count++];
    *added = (struct catch){.app = xstrndup(app, NAME_BYTES_MAX),
        .trigger = xstrndup(trigger, NAME_BYTES_MAX),
        .wall_ms = wall_ms};
    if (known_group_valid(group))
        memcpy(added->group, group, KNOWN_GROUP_SIZE);
}

static const struct known_group *find_known(
    const struct known *sets, size_t count, const char *group)
{
    const struct known_group *found = NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = known_find(&sets[i], group);
    return found;
}

/* When the newest of the trigger's incidents fired if all are known, with the highest of their
 * peaks; INT64_MIN when one is not, or there is none. */
static int64_t newest_known(const struct caught *caught, const struct known *sets, size_t set_count,
    const struct caught_fire *fire, double *peak)
{
    int64_t newest_ms = INT64_MIN;
    *peak = NAN;
    for (size_t i = 0; i < caught->count; i++) {
        const struct catch *one = &caught->all[i];
        int64_t age_ms = fire->wall_ms - one->wall_ms;
        if (strcmp(one->app, fire->app) != 0 || strcmp(one->trigger, fire->trigger) != 0 ||
            age_ms >= days_ms)
            continue;
        const struct known_group *known = find_known(sets, set_count, one->group);
        bool comparable = known && known->suspect && known->metric &&
                          !strcmp(known->metric, fire->metric);
        if (!comparable || age_ms < 0) /* the clock was set back: nobody knows */
            return INT64_MIN;
        *peak = fmax(*peak, known->peak); /* NAN loses */
        if (one->wall_ms > newest_ms)
            newest_ms = one->wall_ms;
    }
    return newest_ms;
}

double caught_worse_level(enum unit unit, double peak)
{
    double level = CAUGHT_WORSE * peak;
    return unit == UNIT_PERCENT && peak < 100 ? fmin(level, (peak + 100) / 2) : level;
}

bool caught_explains(const struct caught *caught, const struct known *sets, size_t set_count,
    const struct caught_fire *fire, char why[CAUGHT_WHY_SIZE])
{
    double peak;
    if (!fire->metric || fire->down)
        return false;
    int64_t newest_ms = newest_known(caught, sets, set_count, fire, &peak);
    double worse = caught_worse_level(fire->unit, peak);
    if (newest_ms == INT64_MIN || !(fire->value <= worse))
        return false;
    char level[VALUE_TEXT_SIZE], next[RFC3339_SIZE];
    metric_format(fire->unit, worse, level);
    rfc3339_format(newest_ms + days_ms, next);
    snprintf(why, CAUGHT_WHY_SIZE,
        "all that it caught in %d days is marked as known; it is captured again from %.16sZ on, or "
        "above %s",
        CAUGHT_DAYS, next, level);
    return true;
}

char *caught_text(const struct caught *caught)
{
    json_t *json = json_object(), *list = json_array();
    for (size_t i = 0; i < caught->count; i++) {
        json_t *entry = json_object();
        incident_put_text(entry, "app", caught->all[i].app);
        incident_put_text(entry, "trigger", caught->all[i].trigger);
        incident_put_text(entry, "group", caught->all[i].group);
        incident_put_time(entry, "time", caught->all[i].wall_ms);
        json_array_append_new(list, entry);
    }
    json_object_set_new(json, "schema", json_integer(SCHEMA));
    json_object_set_new(json, "caught", list);
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    if (!text)
        abort(); /* out of memory: what is in the tree is valid */
    return text;
}

static bool all_are_caught(const json_t *list)
{
    const json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        const char *group = json_string_value(json_object_get(entry, "group"));
        if (!json_is_string(json_object_get(entry, "app")) ||
            !json_is_string(json_object_get(entry, "trigger")) || !group ||
            (*group && !known_group_valid(group)) || !incident_get_time(entry, "time"))
            return false;
    }
    return json_is_array(list);
}

int caught_parse(struct caught *caught, const char *text, size_t size, struct error *err)
{
    json_error_t problem;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    const json_t *list = json_object_get(json, "caught"), *entry;
    size_t i;
    int status = 0;
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    else if (!all_are_caught(list))
        status = error_set(err, "\"caught\" does not hold what was caught");
    if (status == 0)
        json_array_foreach(list, i, entry)
        {
            caught_add(caught, json_string_value(json_object_get(entry, "app")),
                json_string_value(json_object_get(entry, "trigger")),
                json_string_value(json_object_get(entry, "group")),
                incident_get_time(entry, "time"));
        }
    json_decref(json);
    return status;
}
