/* An incident's place among those that other copies of the service took of the same spike: data,
 * its form in incident.json, and in words. */
#ifndef CORE_INCIDENT_FLEET_H
#define CORE_INCIDENT_FLEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { INCIDENT_FLEET_TEXT = 120 };

struct incident_fleet {
    int64_t window_ms; /* when the window of its fire begins (wall ms); 0: nobody asked the fleet */
    int64_t slot;      /* 1 and up: the one that it has of the window; 0: none, or not known yet */
    bool duplicate;    /* others have all the slots, and it was captured all the same */
    int64_t seen_by;   /* agents that saw the spike, its own included; 0: not known */
};

/* Whether it is still to be settled which of the two it is. */
bool incident_fleet_open(const struct incident_fleet *fleet);

/* The object "fleet"; empty when there is none. The caller decrefs. */
json_t *incident_fleet_to_json(const struct incident_fleet *fleet);
void incident_fleet_from_json(const json_t *json, struct incident_fleet *fleet);

/* "seen by 12 copies; a duplicate: other copies took it first"; "" when there is nothing to say.
 * Returns text. */
const char *incident_fleet_text(const struct incident_fleet *fleet, char text[INCIDENT_FLEET_TEXT]);

#endif
