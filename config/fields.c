#include "config/fields.h"

#include "config/document.h"
#include "config/fields_text.h"
#include "config/suggestion.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { MAP_MAX = 64 };

static void *value_of(const struct field *field, void *target)
{
    return (char *)target + field->offset;
}

static bool is_header_name(const char *name)
{
    /* RFC 9110, 5.6.2: token */
    for (const char *c = name; *c; c++)
        if (!strchr("!#$%&'*+-.^_`|~0123456789"
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                *c))
            return false;
    return *name != '\0';
}

static void free_map(struct string_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->names[i]);
        free(map->values[i]);
    }
    free(map->names);
    free(map->values);
    *map = (struct string_map){0};
}

static void set_defaults(const struct field *fields, void *target)
{
    for (const struct field *field = fields; field->key; field++) {
        if (field->type == FIELD_STRUCT)
            set_defaults(field->fields, value_of(field, target));
        else if (field->otherwise && field->type != FIELD_OTHER)
            fields_read_text(field, value_of(field, target), field->otherwise, NULL);
    }
}

static void bind_scalar(
    const struct field *field, void *target, const struct node *node, struct problems *problems)
{
    struct error err;
    if (node->type != NODE_SCALAR || node_is_null(node)) {
        const char *article = field->type == FIELD_INTEGER || field->type == FIELD_NUMBER
                                  ? "a number"
                                  : "one value";
        if (node->type == NODE_SCALAR)
            node_key_problem(problems, node, "is empty; give it a value or leave the key out");
        else
            node_problem(problems, node, "must be %s, not %s", article, node_type_name(node));
        return;
    }
    if (node_not_given(node) && !field->required)
        return;
    if (!*node->text) {
        node_problem(problems, node, "must not be empty");
        return;
    }
    void *value = value_of(field, target);
    if (fields_read_text(field, value, node->text, &err) < 0) {
        node_problem(problems, node, "%s", err.text);
        return;
    }
    if (field->type == FIELD_LEVEL) {
        struct level *level = value;
        level->line = node->line;
        level->column = node->column;
    }
}

static void free_list(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct name_list){0};
}

static void bind_list_item(const struct field *field, struct name_list *list,
    const struct node *node, struct problems *problems)
{
    const struct field item = {.key = field->key,
        .type = field->type == FIELD_TRIGGERS ? FIELD_TRIGGER : FIELD_STRING,
        .required = 1};
    char *text = NULL;
    if (node->wrong)
        return;
    bind_scalar(&item, &text, node, problems);
    for (size_t i = 0; text && i < list->count; i++)
        if (!strcmp(list->names[i], text))
            node_problem(problems, node, "\"%.80s\" is in this list twice", text);
    if (text)
        list->names[list->count++] = text;
}

/* A list, or where that is allowed one text that stands for a list of one. */
static void bind_list(
    const struct field *field, void *target, const struct node *node, struct problems *problems)
{
    struct name_list *list = value_of(field, target);
    bool alone = node->type == NODE_SCALAR && field->type == FIELD_NAMES && !node_is_null(node);
    free_list(list);
    if (alone) {
        list->names = xcalloc(1, sizeof *list->names);
        bind_list_item(field, list, node, problems);
        return;
    }
    if (node->type != NODE_SEQUENCE || node->count < (size_t)field->min ||
        node->count > (size_t)field->max) {
        node_key_problem(problems, node, "must be %sa list of %d to %d, such as [a, b]",
            field->type == FIELD_NAMES ? "one text or " : "", (int)field->min, (int)field->max);
        return;
    }
    list->names = xcalloc(node->count, sizeof *list->names);
    for (size_t i = 0; i < node->count; i++)
        bind_list_item(field, list, node->children[i], problems);
}

static void bind_map_entry(const struct field *field, struct string_map *map,
    const struct node *node, struct problems *problems)
{
    if (node->wrong)
        return;
    if (field->type == FIELD_SECRETS && !is_header_name(node->key)) {
        node_hidden_key_problem(problems, node,
            "holds what is not the name of a header; write NAME: \"VALUE\", with a space after the "
            "colon");
        return;
    }
    if (node_is_null(node)) {
        node_hidden_key_problem(
            problems, node, "holds a name without a value; write NAME: \"VALUE\"");
        return;
    }
    if (node->type != NODE_SCALAR) {
        node_problem(problems, node, "must be one value in quotes");
        return;
    }
    if (node_not_given(node))
        return;
    if (!*node->text) {
        node_problem(problems, node, "must not be empty");
        return;
    }
    if (fields_has_control(node->text)) {
        node_problem(problems, node, "holds a line break or another control character");
        return;
    }
    map->names[map->count] = xstrdup(node->key);
    map->values[map->count++] = xstrdup(node->text);
}

static void bind_map(
    const struct field *field, void *target, const struct node *node, struct problems *problems)
{
    struct string_map *map = value_of(field, target);
    if (node->type != NODE_MAPPING) {
        node_problem(
            problems, node, "must be a mapping of names to values, not %s", node_type_name(node));
        return;
    }
    if (node->count > MAP_MAX) {
        node_problem(problems, node, "holds %zu names; %d are allowed", node->count, MAP_MAX);
        return;
    }
    free_map(map);
    map->names = xcalloc(node->count, sizeof *map->names);
    map->values = xcalloc(node->count, sizeof *map->values);
    for (size_t i = 0; i < node->count; i++)
        bind_map_entry(field, map, node->children[i], problems);
}

static void bind_field(
    const struct field *field, void *target, const struct node *node, struct problems *problems)
{
    if (node->wrong || field->type == FIELD_OTHER)
        return;
    if (field->type == FIELD_STRUCT) {
        struct binding inner = {field->fields, value_of(field, target)};
        if (field->short_key && node->type == NODE_SCALAR && !node_is_null(node))
            fields_bind_short(&inner, field->short_key, node, problems);
        else
            fields_bind(&inner, 1, node, problems);
    } else if (field->type == FIELD_SECRETS || field->type == FIELD_TEXTS) {
        bind_map(field, target, node, problems);
    } else if (field->type == FIELD_NAMES || field->type == FIELD_TRIGGERS) {
        bind_list(field, target, node, problems);
    } else {
        bind_scalar(field, target, node, problems);
    }
}

static const struct field *find_field(const struct field *fields, const char *key)
{
    for (const struct field *field = fields; field && field->key; field++)
        if (!strcmp(field->key, key))
            return field;
    return NULL;
}

/* "metric, above, below": every key of the tables. */
static void list_keys(const struct binding *bindings, size_t count, struct buf *list)
{
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = bindings[i].fields; field && field->key; field++)
            buf_printf(list, "%s%s", list->size ? ", " : "", field->key);
}

/* The key that a misspelt one was likely meant to be, or NULL. */
static const char *likely_key(const struct binding *bindings, size_t count, const char *key)
{
    struct suggestion suggestion;
    suggestion_init(&suggestion, key);
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = bindings[i].fields; field && field->key; field++)
            suggestion_offer(&suggestion, field->key);
    return suggestion.best;
}

static void unknown_key(const struct binding *bindings, size_t count, const struct node *node,
    struct problems *problems)
{
    const char *likely = likely_key(bindings, count, node->key);
    if (likely) {
        node_key_problem(problems, node, "is not known; did you mean \"%s\"?", likely);
        return;
    }
    struct buf list;
    buf_init(&list, 400);
    list_keys(bindings, count, &list);
    node_key_problem(problems, node, "is not known; known here: %s", list.data);
    buf_free(&list);
}

static void bind_key(const struct binding *bindings, size_t count, const struct node *node,
    struct problems *problems)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = find_field(bindings[i].fields, node->key);
        if (field) {
            bind_field(field, bindings[i].target, node, problems);
            return;
        }
    }
    unknown_key(bindings, count, node, problems);
}

/* Whether the mapping has the key, or another one that was likely meant to be it: one mistake is
 * told once. */
static bool is_attempted(
    const struct binding *bindings, size_t count, const struct node *mapping, const char *key)
{
    if (node_get(mapping, key))
        return true;
    for (size_t i = 0; i < mapping->count; i++) {
        const char *likely = likely_key(bindings, count, mapping->children[i]->key);
        if (likely && !strcmp(likely, key))
            return true;
    }
    return false;
}

static void check_required(const struct binding *bindings, size_t count, const struct node *mapping,
    struct problems *problems)
{
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = bindings[i].fields; field && field->key; field++)
            if (field->required && !is_attempted(bindings, count, mapping, field->key))
                node_missing(problems, mapping, field->key, "is missing (%s)", field->help);
}

void fields_bind(const struct binding *bindings, size_t count, const struct node *mapping,
    struct problems *problems)
{
    for (size_t i = 0; i < count; i++)
        if (bindings[i].fields)
            set_defaults(bindings[i].fields, bindings[i].target);
    if (mapping->wrong)
        return;
    if (mapping->type != NODE_MAPPING) {
        struct buf list;
        buf_init(&list, 400);
        list_keys(bindings, count, &list);
        if (node_is_null(mapping))
            node_key_problem(problems, mapping, "is empty; keys it takes: %s", list.data);
        else
            node_problem(problems, mapping, "must be a mapping; keys it takes: %s", list.data);
        buf_free(&list);
        return;
    }
    for (size_t i = 0; i < mapping->count; i++)
        bind_key(bindings, count, mapping->children[i], problems);
    check_required(bindings, count, mapping, problems);
}

void fields_bind_short(const struct binding *binding, const char *key, const struct node *scalar,
    struct problems *problems)
{
    const struct field *field = find_field(binding->fields, key);
    set_defaults(binding->fields, binding->target);
    if (field)
        bind_field(field, binding->target, scalar, problems);
}

void fields_free(const struct field *fields, void *target)
{
    for (const struct field *field = fields; field && field->key; field++) {
        void *value = value_of(field, target);
        switch (field->type) {
        case FIELD_STRING:
        case FIELD_SECRET:
        case FIELD_URL:
        case FIELD_NAME:
        case FIELD_TRIGGER:
            free(*(char **)value);
            *(char **)value = NULL;
            break;
        case FIELD_LEVEL:
            free(((struct level *)value)->text);
            *(struct level *)value = (struct level){0};
            break;
        case FIELD_STRUCT:
            fields_free(field->fields, value);
            break;
        case FIELD_SECRETS:
        case FIELD_TEXTS:
            free_map(value);
            break;
        case FIELD_NAMES:
        case FIELD_TRIGGERS:
            free_list(value);
            break;
        default:
            break;
        }
    }
}
