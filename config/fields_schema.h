/* Field tables as JSON Schema, draft 2020-12. */
#ifndef CONFIG_FIELDS_SCHEMA_H
#define CONFIG_FIELDS_SCHEMA_H

#include "config/fields.h"

#include <jansson.h>

/* An object that takes the fields of all tables, which a NULL ends, and nothing else. Keys of type
 * FIELD_OTHER are left to the caller. The caller owns it. */
json_t *fields_schema(const struct field *const *tables);

/* {"type": "object", "additionalProperties": false, "properties": {}} */
json_t *fields_schema_object(void);

/* A string of this pattern, or one that takes an environment variable. */
json_t *fields_schema_pattern(const char *pattern);

/* {"anyOf": [one, other]}; takes both. */
json_t *fields_schema_either(json_t *one, json_t *other);

/* Either what `one` says or a list of such; takes it. */
json_t *fields_schema_one_or_list(json_t *one);

#endif
