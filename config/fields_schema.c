#include "config/fields_schema.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Also for scalars of any type: what the environment fills in is not known to an editor. */
#define ENVIRONMENT "\\$\\{"

#define DURATION "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"
#define BYTES    "^[0-9]+(\\.[0-9]+)?([KMGT]i?B|B)?$"
#define LEVEL    "^[0-9]+(\\.[0-9]+)?(%|ms|s|m|h|d|([KMGT]i?B|B)(/s)?)?$"
#define DELAY    "^(off|no|false|[0-9]+(\\.[0-9]+)?(ms|s|m|h|d))$"
#define TRUTH    "^(true|false|on|off|yes|no)$"
#define RANGE    "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)\\.\\.[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"
#define TRIGGER  "^[a-z0-9_-][a-z0-9._-]{0,39}$"
#define NAME     "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"

json_t *fields_schema_either(json_t *one, json_t *other)
{
    return json_pack("{s:[o,o]}", "anyOf", one, other);
}

json_t *fields_schema_one_or_list(json_t *one)
{
    json_t *item = json_deep_copy(one);
    return fields_schema_either(
        one, json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items", item));
}

json_t *fields_schema_pattern(const char *pattern)
{
    char *either = xasprintf("%s|%s", pattern, ENVIRONMENT);
    json_t *schema = json_pack("{s:s,s:s}", "type", "string", "pattern", either);
    free(either);
    return schema;
}

json_t *fields_schema_object(void)
{
    return json_pack("{s:s,s:b,s:{}}", "type", "object", "additionalProperties", 0, "properties");
}

static json_t *integer_schema(const struct field *field)
{
    json_t *schema = json_pack("{s:s}", "type", "integer");
    if (field->min || field->max) {
        json_object_set_new(schema, "minimum", json_integer(field->min));
        json_object_set_new(schema, "maximum", json_integer(field->max));
    }
    return fields_schema_either(schema, fields_schema_pattern("^-?[0-9]+$"));
}

static json_t *number_schema(const struct field *field)
{
    json_t *schema = json_pack("{s:s}", "type", "number");
    json_object_set_new(schema, "minimum", json_integer(field->min));
    if (field->max)
        json_object_set_new(schema, "maximum", json_integer(field->max));
    return fields_schema_either(schema, fields_schema_pattern("^[0-9]+(\\.[0-9]+)?$"));
}

/* A list of texts, of this pattern if there is one. */
static json_t *list_schema(const struct field *field, const char *pattern)
{
    json_t *item = pattern ? fields_schema_pattern(pattern) : json_pack("{s:s}", "type", "string");
    return json_pack("{s:s,s:I,s:I,s:b,s:o}", "type", "array", "minItems", (json_int_t)field->min,
        "maxItems", (json_int_t)field->max, "uniqueItems", 1, "items", item);
}

static json_t *bytes_schema(const struct field *field)
{
    json_t *schema = json_pack("{s:s}", "type", "number");
    json_object_set_new(schema, "minimum", json_integer(field->min));
    if (field->max)
        json_object_set_new(schema, "maximum", json_integer(field->max));
    return fields_schema_either(schema, fields_schema_pattern(BYTES));
}

/* One that has a default has "off", which YAML 1.1 reads as a boolean. */
static json_t *level_schema(const struct field *field)
{
    json_t *schema = fields_schema_either(
        json_pack("{s:s,s:i}", "type", "number", "minimum", 0), fields_schema_pattern(LEVEL));
    if (!field->otherwise)
        return schema;
    json_t *off = fields_schema_either(
        json_pack("{s:[b]}", "enum", 0), fields_schema_pattern("^off$"));
    return fields_schema_either(schema, off);
}

/* What a reader of YAML 1.1 or 1.2 takes for a boolean is one in the editor's eyes. */
static void append_choice(json_t *words, const char *word)
{
    json_array_append_new(words, json_string(word));
    if (!strcmp(word, "true") || !strcmp(word, "on") || !strcmp(word, "yes"))
        json_array_append_new(words, json_true());
    if (!strcmp(word, "false") || !strcmp(word, "off") || !strcmp(word, "no"))
        json_array_append_new(words, json_false());
}

static json_t *choice_schema(const struct field *field)
{
    json_t *words = json_array();
    size_t choices = 0;
    for (; field->choices[choices]; choices++)
        append_choice(words, field->choices[choices]);
    bool truths = json_array_size(words) > choices;
    return fields_schema_either(
        json_pack("{s:o}", "enum", words), fields_schema_pattern(truths ? TRUTH : ENVIRONMENT));
}

static json_t *scalar_schema(const struct field *field)
{
    switch (field->type) {
    case FIELD_BOOL:
        return fields_schema_either(
            json_pack("{s:s}", "type", "boolean"), fields_schema_pattern(TRUTH));
    case FIELD_INTEGER:
        return integer_schema(field);
    case FIELD_DELAY:
        return fields_schema_either(json_pack("{s:[b]}", "enum", 0), fields_schema_pattern(DELAY));
    case FIELD_DURATION:
        return fields_schema_pattern(DURATION);
    case FIELD_NUMBER:
        return number_schema(field);
    case FIELD_RANGE:
        return fields_schema_pattern(RANGE);
    case FIELD_TRIGGER:
        return fields_schema_pattern(TRIGGER);
    case FIELD_NAMES:
        return fields_schema_either(json_pack("{s:s}", "type", "string"), list_schema(field, NULL));
    case FIELD_TRIGGERS:
        return list_schema(field, TRIGGER);
    case FIELD_BYTES:
        return bytes_schema(field);
    case FIELD_LEVEL:
        return level_schema(field);
    case FIELD_CHOICE:
        return choice_schema(field);
    case FIELD_URL:
        return fields_schema_pattern("^[Hh][Tt][Tt][Pp][Ss]?://");
    case FIELD_NAME:
        return fields_schema_either(
            json_pack("{s:s}", "type", "number"), fields_schema_pattern(NAME));
    case FIELD_SECRETS:
    case FIELD_TEXTS:
        return json_pack("{s:s,s:{s:[s,s,s]}}", "type", "object", "additionalProperties", "type",
            "string", "number", "boolean");
    default:
        return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
    }
}

static json_t *field_schema(const struct field *field)
{
    const struct field *const inner[] = {field->fields, NULL};
    json_t *schema = field->type == FIELD_STRUCT ? fields_schema(inner) : scalar_schema(field);
    if (field->short_key)
        schema = fields_schema_either(schema, json_pack("{s:s}", "type", "string"));
    if (field->help)
        json_object_set_new(schema, "description", json_string(field->help));
    if (field->otherwise)
        json_object_set_new(schema, "default", json_string(field->otherwise));
    return schema;
}

json_t *fields_schema(const struct field *const *tables)
{
    json_t *schema = fields_schema_object();
    json_t *required = json_array();
    for (; *tables; tables++) {
        for (const struct field *field = *tables; field->key; field++) {
            if (field->type != FIELD_OTHER)
                json_object_set_new(
                    json_object_get(schema, "properties"), field->key, field_schema(field));
            if (field->required)
                json_array_append_new(required, json_string(field->key));
        }
    }
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}
