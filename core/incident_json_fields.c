#include "core/incident_json.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/json_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void incident_put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_text(text));
}

static bool is_whole(double value)
{
    static const double exact_max = 9007199254740992.0; /* 2^53 */
    return fabs(value) <= exact_max && value == trunc(value);
}

/* Whole numbers are written as such ("limit": 80), others with 12 digits (93.1 stays 93.1, and no
 * metric is measured better). */
void incident_put_number(json_t *object, const char *key, double value)
{
    if (!isfinite(value))
        return;
    if (!is_whole(value)) {
        char text[32];
        snprintf(text, sizeof text, "%.12g", value);
        value = strtod(text, NULL);
    }
    json_t *json = is_whole(value) ? json_integer((json_int_t)value) : json_real(value);
    json_object_set_new(object, key, json);
}

void incident_put_positive(json_t *object, const char *key, int64_t value)
{
    if (value > 0)
        json_object_set_new(object, key, json_integer(value));
}

void incident_put_time(json_t *object, const char *key, int64_t wall_ms)
{
    char text[RFC3339_SIZE];
    if (wall_ms)
        json_object_set_new(object, key, json_string(rfc3339_format(wall_ms, text)));
}

/* Puts an object that something applies to; takes it over. */
void incident_put_object(json_t *object, const char *key, json_t *inner)
{
    if (json_object_size(inner) > 0)
        json_object_set_new(object, key, inner);
    else
        json_decref(inner);
}

/* Readers of optional fields: what is missing or of another type does not apply. */

char *incident_get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? xstrdup(text) : NULL;
}

double incident_get_number(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* A count: 0 when it is none, at most max. */
int64_t incident_get_count(const json_t *object, const char *key, int64_t max)
{
    int64_t count = json_integer_value(json_object_get(object, key));
    return count < 0 ? 0 : count > max ? max : count;
}

int64_t incident_get_time(const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);
    int64_t wall_ms;
    if (!json_is_string(text) ||
        rfc3339_parse(json_string_value(text), json_string_length(text), &wall_ms) < 0)
        return 0;
    return wall_ms;
}
