#include "config/config_parts.h"
#include "config/fields_schema.h"

#include <string.h>

static json_t *table_schema(const struct field *fields)
{
    const struct field *const tables[] = {fields, NULL};
    return fields_schema(tables);
}

/* A mapping of names of this pattern to what `of` says; takes it. */
static json_t *names_schema(const char *pattern, json_t *of)
{
    return json_pack("{s:s,s:{s:s},s:o}", "type", "object", "propertyNames", "pattern", pattern,
        "additionalProperties", of);
}

static json_t *source_schema(const struct config_kinds *kinds)
{
    json_t *names = json_pack("[s]", "auto");
    for (size_t i = 0; kinds->sources[i]; i++)
        json_array_append_new(names, json_string(kinds->sources[i]->name));
    return fields_schema_either(
        json_pack("{s:o,s:s}", "enum", names, "default", "auto"), fields_schema_pattern("\\$\\{"));
}

static json_t *database_schema(void)
{
    json_t *list = json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items",
        table_schema(config_named_database_fields));
    return fields_schema_either(table_schema(config_database_fields), list);
}

/* One of the kinds, each with its own keys and at least one of its marks. */
static json_t *triggers_schema(const struct config_kinds *kinds)
{
    json_t *any = json_array();
    for (size_t i = 0; kinds->triggers[i]; i++) {
        struct trigger_tables tables;
        config_trigger_tables(kinds->triggers[i], &tables);
        json_t *kind = fields_schema(tables.fields);
        json_t *marks = json_array();
        for (const char *const *mark = kinds->triggers[i]->marks; *mark; mark++)
            json_array_append_new(marks, json_pack("{s:[s]}", "required", *mark));
        json_object_set_new(kind, "description", json_string(kinds->triggers[i]->help));
        json_object_set_new(kind, "anyOf", marks);
        json_array_append_new(any, kind);
    }
    return names_schema("^[a-z0-9_-][a-z0-9._-]{0,39}$", json_pack("{s:o}", "anyOf", any));
}

static json_t *captures_schema(void)
{
    json_t *entry = fields_schema_either(
        fields_schema_pattern("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"),
        table_schema(config_capture_fields));
    return names_schema("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$",
        json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items", entry));
}

static json_t *off_or(const struct field *fields)
{
    json_t *off = fields_schema_either(
        json_pack("{s:[b]}", "enum", 0), fields_schema_pattern("^off$"));
    return fields_schema_either(off, table_schema(fields));
}

static json_t *export_schema(const struct config_kinds *kinds)
{
    json_t *schema = fields_schema_object();
    for (size_t i = 0; kinds->exporters[i]; i++) {
        const struct kind *kind = kinds->exporters[i];
        json_t *one = table_schema(kind->fields);
        if (kind->short_key)
            one = fields_schema_either(json_pack("{s:s}", "type", "string"), one);
        json_t *either = fields_schema_one_or_list(one);
        json_object_set_new(either, "description", json_string(kind->help));
        json_object_set_new(json_object_get(schema, "properties"), kind->name, either);
    }
    return schema;
}

static json_t *listen_schema(void)
{
    return fields_schema_either(json_pack("{s:[b]}", "enum", 0),
        fields_schema_pattern("^(off|[0-9.]+:[0-9]{1,5}|\\[[0-9A-Fa-f:.]+\\]:[0-9]{1,5})$"));
}

static void set(json_t *properties, const char *key, json_t *schema)
{
    for (const struct field *field = config_fields; field->key; field++)
        if (!strcmp(field->key, key))
            json_object_set_new(schema, "description", json_string(field->help));
    json_object_set_new(properties, key, schema);
}

void config_print_schema(const struct config_kinds *kinds, FILE *out)
{
    json_t *schema = table_schema(config_fields);
    json_t *properties = json_object_get(schema, "properties");
    json_object_set_new(
        schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("stakeout configuration"));
    /* Exactly one of the two. */
    json_object_set_new(
        schema, "oneOf", json_pack("[{s:[s]},{s:[s]}]", "required", "app", "required", "apps"));
    set(properties, "app", table_schema(config_app_fields));
    set(properties, "apps", names_schema("^[A-Za-z0-9_-]{1,29}$", table_schema(config_app_fields)));
    set(properties, "source", source_schema(kinds));
    set(properties, "database", database_schema());
    set(properties, "metrics",
        names_schema("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", table_schema(config_series_fields)));
    set(properties, "triggers", triggers_schema(kinds));
    set(properties, "captures", captures_schema());
    set(properties, "baseline", off_or(config_baseline_fields));
    set(properties, "fleet", off_or(config_fleet_fields));
    set(properties, "export", export_schema(kinds));
    set(properties, "listen", listen_schema());
    json_dumpf(schema, out, JSON_INDENT(2));
    fputs("\n", out);
    json_decref(schema);
}
