#include "agent/detection/learned_json.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };
/* A text of so many onsets in all has room in LEARNED_MAX_BYTES: each takes 32 bytes, and what is
 * left is 1 KiB for each of 64 triggers. */
enum { MOST_OF_ONE = 256, MOST_OF_ALL = (LEARNED_MAX_BYTES - (64 << 10)) / 32 };

/* The trigger whose onsets these are; NULL: it looks at none. */
static const char *source_of(const struct trigger_config *trigger)
{
    return trigger->scope.member_count ? trigger->scope.members[0] : NULL;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

size_t learned_sort(int64_t *times_ms, size_t count)
{
    if (count == 0)
        return 0;
    qsort(times_ms, count, sizeof *times_ms, compare_times);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (times_ms[i] != times_ms[kept - 1])
            times_ms[kept++] = times_ms[i];
    return kept;
}

static int read_time(const json_t *json, int64_t *wall_ms)
{
    const char *text = json_string_value(json);
    return text ? rfc3339_parse(text, json_string_length(json), wall_ms) : -1;
}

static bool all_are_onsets(const json_t *learned)
{
    const char *name;
    json_t *entry, *time;
    size_t i;
    int64_t wall_ms;
    json_object_foreach((json_t *)learned, name, entry)
    {
        const json_t *onsets = json_object_get(entry, "onsets");
        if (!json_is_string(json_object_get(entry, "of")) || !json_is_array(onsets))
            return false;
        json_array_foreach(onsets, i, time)
        {
            if (read_time(time, &wall_ms) < 0)
                return false;
        }
    }
    return true;
}

static void take(const json_t *list, int64_t now_wall_ms, struct learned_onsets *onsets)
{
    size_t size = json_array_size(list), count = 0;
    int64_t *times_ms = xcalloc(size + 1, sizeof *times_ms);
    for (size_t i = 0; i < size; i++)
        if (read_time(json_array_get(list, i), &times_ms[count]) == 0 &&
            times_ms[count] <= now_wall_ms)
            count++;
    count = learned_sort(times_ms, count);
    size_t dropped = count > MOST_OF_ONE ? count - MOST_OF_ONE : 0;
    onsets->count = count - dropped;
    memmove(times_ms, times_ms + dropped, onsets->count * sizeof *times_ms);
    onsets->wall_ms = times_ms;
}

int learned_parse(const struct config *config, const char *text, size_t size, int64_t now_wall_ms,
    struct learned_onsets *onsets, bool *partial, struct error *err)
{
    json_error_t problem;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    const json_t *learned = json_object_get(json, "learned");
    int status = 0;
    *partial = json_is_true(json_object_get(json, "partial"));
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    else if (!json_is_object(learned) || !all_are_onsets(learned))
        status = error_set(err, "\"learned\" does not hold the onsets of triggers");
    for (size_t i = 0; status == 0 && i < config->trigger_count; i++) {
        const json_t *entry = json_object_get(learned, config->triggers[i].name);
        const char *of = source_of(&config->triggers[i]);
        if (entry && of && !strcmp(of, json_string_value(json_object_get(entry, "of"))))
            take(json_object_get(entry, "onsets"), now_wall_ms, &onsets[i]);
    }
    json_decref(json);
    return status;
}

static json_t *time_json(int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    return json_string(rfc3339_format(wall_ms, text));
}

static json_t *onsets_json(const struct learned_onsets *onsets, size_t most)
{
    json_t *list = json_array();
    for (size_t i = onsets->count > most ? onsets->count - most : 0; i < onsets->count; i++)
        json_array_append_new(list, time_json(onsets->wall_ms[i]));
    return list;
}

char *learned_text(const struct config *config, const struct learned_onsets *onsets, bool partial,
    int64_t saved_wall_ms)
{
    json_t *learned = json_object();
    size_t learners = 0;
    for (size_t i = 0; i < config->trigger_count; i++)
        learners += onsets[i].count > 0;
    size_t most = learners * MOST_OF_ONE > MOST_OF_ALL ? MOST_OF_ALL / learners : MOST_OF_ONE;
    for (size_t i = 0; i < config->trigger_count; i++) {
        const char *of = source_of(&config->triggers[i]);
        if (of && onsets[i].count)
            json_object_set_new(learned, config->triggers[i].name,
                json_pack("{s:s, s:o}", "of", of, "onsets", onsets_json(&onsets[i], most)));
    }
    json_t *json = json_pack(
        "{s:i, s:o, s:o}", "schema", SCHEMA, "saved", time_json(saved_wall_ms), "learned", learned);
    if (partial)
        json_object_set_new(json, "partial", json_true());
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

void learned_onsets_clear(struct learned_onsets *onsets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(onsets[i].wall_ms);
        onsets[i] = (struct learned_onsets){0};
    }
}
