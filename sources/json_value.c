#include "sources/json_value.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"

#include <math.h>
#include <string.h>

/* Integers as reals: Docker writes 18446744073709551615 for "no limit", which would make jansson
 * refuse the whole answer. Counters keep 53 bits: 104 days of CPU time to the nanosecond. */
json_t *json_value_parse(const char *json, size_t length, struct error *err)
{
    json_error_t problem;
    json_t *root = json_loadb(json, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &problem);
    if (!root)
        error_set(err, "the answer is no JSON (line %d, column %d: %s)", problem.line,
            problem.column, problem.text);
    return root;
}

char *json_value_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? xstrdup(text) : NULL;
}

double json_value_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* What cannot be negative, nor as large as what stands for "unlimited"; else NAN. */
double json_value_amount(const json_t *object, const char *key)
{
    double value = json_value_number(object, key);
    return value >= 0 && value < 9e18 ? value : NAN;
}

bool json_value_counter(const json_t *object, const char *key, uint64_t *counter)
{
    double value = json_value_amount(object, key);
    if (isnan(value))
        return false;
    *counter = (uint64_t)value;
    return true;
}

int64_t json_value_small(const json_t *object, const char *key)
{
    double value = json_value_number(object, key);
    return value >= 0 && value < 1e9 ? (int64_t)value : -1;
}

/* Nanoseconds since 1970 of an RFC 3339 time; 0 when it is none, or Docker's zero time. */
int64_t json_value_time_ns(const json_t *object, const char *key)
{
    static const int64_t last_ms = 9000000000000; /* in 2255; ns fit in 64 bits until 2262 */
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    int64_t ms;
    if (!text || rfc3339_parse(text, json_string_length(value), &ms) < 0 || ms <= 0 || ms > last_ms)
        return 0;
    /* What the parser rounds away. */
    int64_t rest_ns = 0, unit = 100000;
    const char *fraction = strchr(text, '.');
    for (int i = 1; fraction && unit && fraction[i] >= '0' && fraction[i] <= '9'; i++) {
        if (i <= 3)
            continue;
        rest_ns += (fraction[i] - '0') * unit;
        unit /= 10;
    }
    return ms * 1000000 + rest_ns;
}
