#include "core/incident_fleet.h"

#include "core/incident_json.h"

#include <stdio.h>

static const int64_t largest_count = 1000000;

bool incident_fleet_open(const struct incident_fleet *fleet)
{
    return fleet->window_ms && !fleet->slot && !fleet->duplicate;
}

json_t *incident_fleet_to_json(const struct incident_fleet *fleet)
{
    json_t *json = json_object();
    incident_put_time(json, "window", fleet->window_ms);
    incident_put_positive(json, "slot", fleet->slot);
    if (fleet->duplicate)
        json_object_set_new(json, "duplicate", json_true());
    incident_put_positive(json, "seen_by", fleet->seen_by);
    return json;
}

void incident_fleet_from_json(const json_t *json, struct incident_fleet *fleet)
{
    *fleet = (struct incident_fleet){
        .window_ms = incident_get_time(json, "window"),
        .slot = incident_get_count(json, "slot", largest_count),
        .duplicate = json_is_true(json_object_get(json, "duplicate")),
        .seen_by = incident_get_count(json, "seen_by", largest_count),
    };
}

const char *incident_fleet_text(const struct incident_fleet *fleet, char text[INCIDENT_FLEET_TEXT])
{
    char seen[60] = "";
    if (fleet->seen_by > 0)
        snprintf(seen, sizeof seen, "seen by %lld %s", (long long)fleet->seen_by,
            fleet->seen_by == 1 ? "copy" : "copies");
    snprintf(text, INCIDENT_FLEET_TEXT, "%s%s%s", seen, *seen && fleet->duplicate ? "; " : "",
        fleet->duplicate ? "a duplicate: other copies took it first" : "");
    return text;
}
