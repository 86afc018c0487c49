/* What the readers and writers of incident.json share: fields that do not apply are left out, and
 * what is missing or of another type does not apply. */
#ifndef CORE_INCIDENT_JSON_H
#define CORE_INCIDENT_JSON_H

#include <jansson.h>
#include <stdint.h>

struct incident_analysis;

/* Nothing is put for NULL. */
void incident_put_text(json_t *object, const char *key, const char *text);
/* Nothing is put for what is not finite. Whole numbers are written as such ("limit": 80), others
 * with 12 digits (93.1 stays 93.1, and no metric is measured better). */
void incident_put_number(json_t *object, const char *key, double value);
void incident_put_positive(json_t *object, const char *key, int64_t value);
/* RFC 3339, milliseconds; nothing is put for 0. */
void incident_put_time(json_t *object, const char *key, int64_t wall_ms);
/* Takes the inner object over, and puts it unless it is empty. */
void incident_put_object(json_t *object, const char *key, json_t *inner);

/* A copy that the caller frees, or NULL; NAN; 0 .. max, 0 when it is no count; wall ms, or 0. */
char *incident_get_text(const json_t *object, const char *key);
double incident_get_number(const json_t *object, const char *key);
int64_t incident_get_count(const json_t *object, const char *key, int64_t max);
int64_t incident_get_time(const json_t *object, const char *key);

/* The fields of the analysis among the others of the incident. */
void incident_analysis_to_json(const struct incident_analysis *analysis, json_t *incident);
void incident_analysis_from_json(const json_t *incident, struct incident_analysis *analysis);

#endif
