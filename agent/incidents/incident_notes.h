/* What an incident says of its fires and the samples around it. */
#ifndef AGENT_INCIDENTS_INCIDENT_NOTES_H
#define AGENT_INCIDENTS_INCIDENT_NOTES_H

#include <stddef.h>
#include <stdint.h>

struct detector_event;
struct incident;
struct incident_cause;
struct series;
struct series_set;
struct source_identity;

/* The largest value of every series from begin_ms to until_ms (on the series' clock). */
void incident_note_peaks(
    struct incident *incident, const struct series_set *series, int64_t begin_ms, int64_t until_ms);

/* The app's use from the first profile's request to the last one's end: the mean of its CPU series,
 * weighted with time, and the highest of its memory's (NULL: there is none). wall_offset_ms is wall
 * time minus the series' clock. */
void incident_note_usage(struct incident *incident, const struct series *cpu,
    const struct series *memory, int64_t wall_offset_ms);

/* Where the app runs; the host is this machine's name when nobody knows better. */
void incident_note_target(struct incident *incident, const struct source_identity *identity);

/* What fired, into a cause that says no more than its name. */
void incident_note_cause(struct incident_cause *cause, const struct detector_event *event);

#endif
