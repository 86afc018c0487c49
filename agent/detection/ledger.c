#include "agent/detection/ledger.h"

#include "agent/detection/day.h"
#include "agent/detection/detector.h"
#include "agent/storage/state_file.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

/* Room for more triggers, openings and incidents than there can be. */
static const size_t max_file_bytes = 512 * 1024;
static const int64_t never_ms = INT64_MIN;
static const int64_t hour_ms = 3600000;
static const int64_t same_ms = 500; /* two readings of one time differ by less */

/* No incident is as large; and as many as there can be are no overflow. */
static const json_int_t max_stored_bytes = INT64_C(1) << 50;

struct ledger {
    const struct config *config;
    struct offload *disk;
    char *path;
    int64_t *fired_ms;  /* by trigger; never_ms: not known to have fired */
    int64_t *opened_ms; /* the oldest first */
    size_t opened;
    struct day stored;
    bool failing; /* the file could not be written the last time */
};

static void begin(struct ledger *ledger, const struct config *config)
{
    ledger->config = config;
    ledger->fired_ms = xcalloc(config->trigger_count, sizeof *ledger->fired_ms);
    for (size_t i = 0; i < config->trigger_count; i++)
        ledger->fired_ms[i] = never_ms;
    ledger->opened_ms = xcalloc((size_t)config->limits.per_hour, sizeof *ledger->opened_ms);
    ledger->opened = 0;
}

static void end(struct ledger *ledger)
{
    free(ledger->fired_ms);
    free(ledger->opened_ms);
    day_free(&ledger->stored);
}

struct ledger *ledger_open(const struct config *config, struct offload *disk)
{
    struct ledger *ledger = xcalloc(1, sizeof *ledger);
    ledger->disk = disk;
    ledger->path = xasprintf("%s/limits.json", config->state);
    begin(ledger, config);
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    end(ledger);
    free(ledger->path);
    free(ledger);
}

/* Only the newest limits.per_hour openings can matter. */
static void add_opening(struct ledger *ledger, int64_t wall_ms)
{
    size_t most = (size_t)ledger->config->limits.per_hour;
    if (most == 0)
        return;
    if (ledger->opened == most) {
        memmove(ledger->opened_ms, ledger->opened_ms + 1, (most - 1) * sizeof *ledger->opened_ms);
        ledger->opened--;
    }
    ledger->opened_ms[ledger->opened++] = wall_ms;
}

static int read_time(const json_t *json, int64_t *wall_ms)
{
    const char *text = json_string_value(json);
    return text ? rfc3339_parse(text, json_string_length(json), wall_ms) : -1;
}

static bool all_are_times(const json_t *fired, const json_t *opened)
{
    const char *name;
    json_t *time;
    size_t i;
    int64_t wall_ms;
    json_object_foreach((json_t *)fired, name, time)
    {
        if (read_time(time, &wall_ms) < 0)
            return false;
    }
    json_array_foreach(opened, i, time)
    {
        if (read_time(time, &wall_ms) < 0)
            return false;
    }
    return true;
}

static bool all_are_stored(const json_t *stored)
{
    size_t i;
    json_t *entry;
    int64_t wall_ms;
    json_array_foreach(stored, i, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "id"));
        const json_t *bytes = json_object_get(entry, "bytes");
        if (!id || !incident_id_valid(id) || !json_is_integer(bytes) ||
            json_integer_value(bytes) < 0 || json_integer_value(bytes) > max_stored_bytes ||
            read_time(json_object_get(entry, "time"), &wall_ms) < 0)
            return false;
    }
    return !stored || json_is_array(stored);
}

static void take_up_stored(struct ledger *ledger, const json_t *stored)
{
    size_t i;
    json_t *entry;
    day_free(&ledger->stored);
    json_array_foreach(stored, i, entry)
    {
        int64_t wall_ms = 0;
        read_time(json_object_get(entry, "time"), &wall_ms);
        day_set(&ledger->stored, json_string_value(json_object_get(entry, "id")), wall_ms,
            (uint64_t)json_integer_value(json_object_get(entry, "bytes")));
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void take_up(struct ledger *ledger, const json_t *fired, const json_t *opened)
{
    for (size_t i = 0; i < ledger->config->trigger_count; i++) {
        ledger->fired_ms[i] = never_ms;
        read_time(json_object_get(fired, ledger->config->triggers[i].name), &ledger->fired_ms[i]);
    }
    size_t count = json_array_size(opened);
    int64_t *times = xcalloc(count + 1, sizeof *times);
    for (size_t i = 0; i < count; i++)
        read_time(json_array_get(opened, i), &times[i]);
    qsort(times, count, sizeof *times, compare_times);
    size_t most = (size_t)ledger->config->limits.per_hour;
    ledger->opened = 0;
    for (size_t i = count > most ? count - most : 0; i < count; i++)
        add_opening(ledger, times[i]);
    free(times);
}

int ledger_parse(struct ledger *ledger, const char *text, size_t size, struct error *err)
{
    json_error_t problem;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    const json_t *fired = json_object_get(json, "fired"), *opened = json_object_get(json, "opened");
    const json_t *stored = json_object_get(json, "stored");
    int status = 0;
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    else if (!json_is_object(fired) || !json_is_array(opened) || !all_are_times(fired, opened))
        status = error_set(err, "\"fired\" and \"opened\" do not hold times");
    else if (!all_are_stored(stored))
        status = error_set(err, "\"stored\" does not hold incidents and their bytes");
    if (status == 0) {
        take_up(ledger, fired, opened);
        take_up_stored(ledger, stored);
    }
    json_decref(json);
    return status;
}

static json_t *time_json(int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    return json_string(rfc3339_format(wall_ms, text));
}

static json_t *stored_json(const struct day *stored)
{
    json_t *list = json_array();
    for (size_t i = 0; i < stored->count; i++) {
        const struct day_entry *entry = &stored->entries[i];
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:I}", "id", entry->id, "time", time_json(entry->wall_ms),
                      "bytes", (json_int_t)entry->bytes));
    }
    return list;
}

char *ledger_text(const struct ledger *ledger)
{
    json_t *json = json_object(), *fired = json_object(), *opened = json_array();
    for (size_t i = 0; i < ledger->config->trigger_count; i++)
        if (ledger->fired_ms[i] != never_ms)
            json_object_set_new(
                fired, ledger->config->triggers[i].name, time_json(ledger->fired_ms[i]));
    for (size_t i = 0; i < ledger->opened; i++)
        json_array_append_new(opened, time_json(ledger->opened_ms[i]));
    json_object_set_new(json, "schema", json_integer(SCHEMA));
    json_object_set_new(json, "fired", fired);
    json_object_set_new(json, "opened", opened);
    if (ledger->stored.count)
        json_object_set_new(json, "stored", stored_json(&ledger->stored));
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

void ledger_reload(struct ledger *ledger, const struct config *config)
{
    char *text = ledger_text(ledger);
    end(ledger);
    begin(ledger, config);
    ledger_parse(ledger, text, strlen(text), &(struct error){0});
    free(text);
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* A clock that was set back since must not lengthen a cooldown: nothing lies in the future. */
void ledger_tell(const struct ledger *ledger, struct detector *detector)
{
    int64_t now_ms = clock_mono_ms(), wall_offset_ms = clock_wall_ms() - now_ms;
    for (size_t i = 0; i < ledger->config->trigger_count; i++)
        if (ledger->fired_ms[i] != never_ms)
            detector_restore_fire(
                detector, i, earlier(ledger->fired_ms[i] - wall_offset_ms, now_ms));
    for (size_t i = 0; i < ledger->opened; i++)
        detector_restore_opening(detector, earlier(ledger->opened_ms[i] - wall_offset_ms, now_ms));
}

void ledger_restore(struct ledger *ledger, struct detector *detector)
{
    struct buf text;
    struct error err;
    if (!fs_exists(ledger->path))
        return;
    int status = fs_read(ledger->path, max_file_bytes, &text, &err);
    if (status == 0)
        status = ledger_parse(ledger, text.data, text.size, &err);
    if (status == 0)
        ledger_tell(ledger, detector);
    else
        log_warn(
            "%s is passed over, so cooldowns and limits begin anew: %s", ledger->path, err.text);
    buf_free(&text);
}

static void file_written(void *arg, const struct error *err)
{
    struct ledger *ledger = arg;
    if (err && !ledger->failing)
        log_warn("after a restart cooldowns and limits will begin anew: %s", err->text);
    ledger->failing = err;
}

static void write_down(struct ledger *ledger)
{
    state_file_write(ledger->disk, ledger->path, ledger_text(ledger), file_written, ledger);
}

void ledger_note(struct ledger *ledger, const struct detector_event *event)
{
    int64_t wall_ms = event->time_ms + clock_wall_ms() - clock_mono_ms();
    ledger->fired_ms[event->trigger] = wall_ms;
    if (!event->joins)
        add_opening(ledger, wall_ms);
    write_down(ledger);
}

/* The clocks were read again, so it is there to some milliseconds. */
void ledger_withdraw(struct ledger *ledger, const struct detector_event *event)
{
    int64_t wall_ms = event->time_ms + clock_wall_ms() - clock_mono_ms();
    for (size_t i = ledger->opened; i-- > 0;) {
        if (llabs(ledger->opened_ms[i] - wall_ms) > same_ms)
            continue;
        ledger->opened--;
        memmove(&ledger->opened_ms[i], &ledger->opened_ms[i + 1],
            (ledger->opened - i) * sizeof *ledger->opened_ms);
        write_down(ledger);
        return;
    }
}

void ledger_store(struct ledger *ledger, const char *id, int64_t wall_ms, uint64_t bytes)
{
    day_trim(&ledger->stored, clock_wall_ms());
    day_set(&ledger->stored, id, wall_ms, bytes);
    write_down(ledger);
}

void ledger_unstore(struct ledger *ledger, const char *id)
{
    day_drop(&ledger->stored, id);
    write_down(ledger);
}

bool ledger_has_stored(const struct ledger *ledger, const char *id)
{
    return day_has(&ledger->stored, id);
}

void ledger_day(struct ledger *ledger, struct ledger_day *day)
{
    int64_t now_ms = clock_wall_ms();
    uint64_t limit = (uint64_t)ledger->config->limits.per_day_bytes;
    day_trim(&ledger->stored, now_ms);
    int64_t room_ms = day_room_ms(&ledger->stored, limit, now_ms);
    *day = (struct ledger_day){.bytes = day_bytes(&ledger->stored),
        .limit_bytes = limit,
        .room_wall_ms = room_ms > now_ms ? room_ms : 0};
}

size_t ledger_hour(const struct ledger *ledger)
{
    int64_t now_ms = clock_wall_ms();
    size_t count = 0;
    for (size_t i = 0; i < ledger->opened; i++)
        count += now_ms - ledger->opened_ms[i] < hour_ms;
    return count;
}
