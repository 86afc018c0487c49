#include "exporters/retention.h"

#include "core/incident.h"

#include <jansson.h>

static const int64_t comparable_ms = INT64_C(2) * 24 * 3600 * 1000;

struct choosing {
    struct retained *incidents;
    size_t count;
    const struct retention *retention;
    uint64_t total_bytes; /* of what stays */
    int64_t now_ms;
};

static int64_t time_of(const struct retained *incident)
{
    int64_t fired_ms;
    return incident_id_time(incident->id, &fired_ms) == 0 ? fired_ms : INT64_MAX;
}

static bool is_baseline(const struct retained *incident)
{
    return incident_id_is_of(incident->id, "baseline");
}

/* What is newer than the list may be, too. */
static bool is_compared_with(const struct choosing *choosing, size_t index)
{
    int64_t until_ms = time_of(&choosing->incidents[index]) + comparable_ms;
    for (size_t i = index + 1; i < choosing->count; i++) {
        const struct retained *later = &choosing->incidents[i];
        if (time_of(later) > until_ms)
            return false;
        if (!later->goes && !is_baseline(later))
            return true;
    }
    return choosing->retention->more;
}

static bool is_too_old(const struct choosing *choosing, const struct retained *incident)
{
    int64_t keep_ms = choosing->retention->keep_ms;
    return keep_ms && time_of(incident) < choosing->now_ms - keep_ms;
}

static bool is_too_much(const struct choosing *choosing, size_t index)
{
    const struct retention *retention = choosing->retention;
    bool newest = index + 1 == choosing->count && !retention->more;
    return retention->size_bytes && choosing->total_bytes > retention->size_bytes && !newest;
}

static bool has_to_go(const struct choosing *choosing, size_t index)
{
    const struct retained *incident = &choosing->incidents[index];
    if (incident->goes || !incident->complete || incident->held)
        return false;
    if (!is_too_old(choosing, incident) && !is_too_much(choosing, index))
        return false;
    return !is_baseline(incident) || !is_compared_with(choosing, index);
}

size_t retention_choose(struct retained *incidents, size_t count, const struct retention *retention,
    int64_t now_wall_ms)
{
    struct choosing choosing = {incidents, count, retention, retention->total_bytes, now_wall_ms};
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        incidents[i].goes = false;
    for (size_t i = 0; i < count;) {
        if (!has_to_go(&choosing, i)) {
            i++;
            continue;
        }
        struct retained *incident = &incidents[i];
        incident->goes = true;
        incident->too_old = is_too_old(&choosing, incident);
        choosing.total_bytes -= incident->bytes < choosing.total_bytes ? incident->bytes
                                                                       : choosing.total_bytes;
        chosen++;
        /* A baseline that stayed for it may go now, and is older than what is next. */
        i = is_baseline(incident) ? i + 1 : 0;
    }
    return chosen;
}

bool retention_is_note(const char *text, size_t size)
{
    json_t *json = json_loadb(text, size < RETENTION_MARKS_MAX ? size : 0, 0, NULL);
    const char *note = json_string_value(json_object_get(json, "note"));
    bool is_note = !json_is_object(json) || (note && *note);
    json_decref(json);
    return is_note;
}
