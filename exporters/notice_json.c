#include "core/incident.h"
#include "core/incident_json.h"
#include "core/json_text.h"
#include "core/metric.h"
#include "exporters/notice.h"
#include "exporters/notice_text.h"

#include <math.h>
#include <stdlib.h>

/* Fields that mean what they mean in incident.json. */
static void copy_fields(const struct notice *notice, json_t *body)
{
    static const char *const keys[] = {"id", "service", "app", "kind", "trigger", "joined", "onset",
        "fired", "finished", "ended", "target", "headline", "group", "suspect", "no_suspect",
        "recurrence", "app_ended", "fleet"};
    json_t *whole = incident_to_json(notice->incident);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(whole, keys[i]);
        if (value)
            json_object_set(body, keys[i], value);
    }
    json_decref(whole);
}

static void put_movement(const struct notice *notice, json_t *body)
{
    const char *name = notice->incident->trigger.metric;
    const struct metric *metric = name ? metric_of_series(name) : NULL;
    struct notice_movement movement = notice_movement(notice);
    incident_put_number(body, "from", movement.from);
    incident_put_number(body, "to", movement.to);
    if (metric && !isnan(movement.to))
        incident_put_text(body, "unit", unit_name(metric->unit));
}

static void put_grown(const struct notice *notice, json_t *body)
{
    const struct incident_function *grown[NOTICE_GROWN_MAX];
    size_t count = notice_grown(notice, grown);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *function = json_object();
        incident_put_text(function, "function", grown[i]->function);
        incident_put_number(function, "cum_percent", grown[i]->cum_percent);
        incident_put_number(function, "delta_points", grown[i]->delta_points);
        json_array_append_new(list, function);
    }
    json_object_set_new(body, "grew", list);
}

char *notice_json(const struct notice *notice)
{
    json_t *body = json_pack(
        "{s:i, s:s}", "notice", 1, "event", notice->test ? "test" : "incident");
    copy_fields(notice, body);
    put_movement(notice, body);
    put_grown(notice, body);
    incident_put_positive(body, "times", (int64_t)notice->times);
    if (notice->times)
        incident_put_time(body, "times_since", notice->times_since_ms);
    incident_put_positive(body, "more", (int64_t)notice->more);
    if (notice->more)
        incident_put_time(body, "more_since", notice->more_since_ms);
    incident_put_text(body, "stored", notice->stored);
    incident_put_text(body, "review_url", notice->review_url);
    incident_put_text(body, "report_url", notice->report_url);
    if (notice->report_url)
        incident_put_time(body, "report_expires", notice->report_expires_ms);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text)
        abort(); /* out of memory */
    return text;
}
