/* The end of an app while its incident was taken: data, its form in incident.json, and in words. */
#ifndef CORE_INCIDENT_END_H
#define CORE_INCIDENT_END_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { INCIDENT_END_TEXT = 200 };

struct incident_end {
    int64_t time_ms;      /* when it was noticed (wall ms); 0: the app did not end */
    int64_t exit_code;    /* -1: not known */
    bool oom_killed;      /* the kernel killed a process of it for want of memory */
    int64_t restarted_ms; /* when it was seen to run again (wall ms); 0: it was not */
};

/* The object "app_ended"; empty when the app did not end. The caller decrefs. */
json_t *incident_end_to_json(const struct incident_end *end);
void incident_end_from_json(const json_t *json, struct incident_end *end);

/* "the app was OOM-killed at 15:04:09 UTC (exit status 137) and runs again since 15:04:12 UTC"; ""
 * when it did not end. Returns text. */
const char *incident_end_text(const struct incident_end *end, char text[INCIDENT_END_TEXT]);

#endif
