#include "agent/detection/ledger.h"

#include "agent/detection/detector.h"
#include "agent/storage/state_file.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

/* Room for more triggers and openings than a configuration can have. */
static const size_t max_file_bytes = 256 * 1024;
static const int64_t never_ms = INT64_MIN;

struct ledger {
    const struct config *config;
    struct offload *disk;
    char *path;
    int64_t *fired_ms;  /* by trigger; never_ms: not known to have fired */
    int64_t *opened_ms; /* the oldest first */
    size_t opened;
    bool failing; /* the file could not be written the last time */
};

struct ledger *ledger_open(const struct config *config, struct offload *disk)
{
    struct ledger *ledger = xcalloc(1, sizeof *ledger);
    ledger->config = config;
    ledger->disk = disk;
    ledger->path = xasprintf("%s/limits.json", config->state);
    ledger->fired_ms = xcalloc(config->trigger_count, sizeof *ledger->fired_ms);
    for (size_t i = 0; i < config->trigger_count; i++)
        ledger->fired_ms[i] = never_ms;
    ledger->opened_ms = xcalloc((size_t)config->limits.per_hour, sizeof *ledger->opened_ms);
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    free(ledger->path);
    free(ledger->fired_ms);
    free(ledger->opened_ms);
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
    int status = 0;
    if (!json)
        status = error_set(err, "it is not JSON: line %d: %s", problem.line, problem.text);
    else if (json_integer_value(json_object_get(json, "schema")) != SCHEMA)
        status = error_set(err, "it is not of schema %d", SCHEMA);
    else if (!json_is_object(fired) || !json_is_array(opened) || !all_are_times(fired, opened))
        status = error_set(err, "\"fired\" and \"opened\" do not hold times");
    else
        take_up(ledger, fired, opened);
    json_decref(json);
    return status;
}

static json_t *time_json(int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    return json_string(rfc3339_format(wall_ms, text));
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
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* A clock that was set back since must not lengthen a cooldown: nothing lies in the future. */
static void tell(const struct ledger *ledger, struct detector *detector)
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
        tell(ledger, detector);
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

void ledger_note(struct ledger *ledger, const struct detector_event *event)
{
    int64_t wall_ms = event->time_ms + clock_wall_ms() - clock_mono_ms();
    ledger->fired_ms[event->trigger] = wall_ms;
    if (!event->joins)
        add_opening(ledger, wall_ms);
    state_file_write(ledger->disk, ledger->path, ledger_text(ledger), file_written, ledger);
}
