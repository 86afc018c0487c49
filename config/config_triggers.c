#include "config/config_parts.h"
#include "config/suggestion.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { TRIGGERS_MAX = 64, TRIGGER_NAME_MAX = 40 };

bool config_has_members(const struct field *fields)
{
    for (const struct field *field = fields; field && field->key; field++)
        if (field->type == FIELD_TRIGGER || field->type == FIELD_TRIGGERS ||
            (field->type == FIELD_STRUCT && config_has_members(field->fields)))
            return true;
    return false;
}

void config_trigger_tables(const struct kind *kind, struct trigger_tables *tables)
{
    *tables = (struct trigger_tables){.count = 0};
    if (!config_has_members(kind->fields))
        tables->fields[tables->count++] = config_metric_fields;
    tables->of_kind = tables->count;
    tables->fields[tables->count++] = kind->fields;
    if (!kind->never_fires)
        tables->fields[tables->count++] = config_fire_fields;
}

static void check_name(struct config_reader *reader, const struct node *node)
{
    const char *name = node->key;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    if (name[length] || length > TRIGGER_NAME_MAX || *name == '.')
        node_key_problem(
            reader->problems, node, "a trigger's name is a-z, 0-9, . _ - (1 to 40), no dot first");
    if (!strcmp(name, "baseline") || !strcmp(name, "manual") || !strcmp(name, "follow_up"))
        node_key_problem(reader->problems, node,
            "is taken: incidents of that kind have it; give the trigger another name");
}

static const struct node *find_mark(const char *const *marks, const struct node *node)
{
    const struct node *found = NULL;
    for (; *marks && !found; marks++)
        found = node_get(node, *marks);
    return found;
}

static bool is_key_of_any_kind(
    const struct config_reader *reader, const char *key, struct suggestion *suggestion)
{
    for (size_t i = 0; reader->kinds->triggers[i]; i++) {
        struct trigger_tables tables;
        config_trigger_tables(reader->kinds->triggers[i], &tables);
        for (size_t j = 0; j < tables.count; j++) {
            for (const struct field *field = tables.fields[j]; field && field->key; field++) {
                suggestion_offer(suggestion, field->key);
                if (!strcmp(field->key, key))
                    return true;
            }
        }
    }
    return false;
}

static void list_marks(const struct config_reader *reader, struct buf *list)
{
    for (size_t i = 0; reader->kinds->triggers[i]; i++)
        for (const char *const *mark = reader->kinds->triggers[i]->marks; *mark; mark++)
            buf_printf(list, "%s%s", list->size ? ", " : "", *mark);
}

/* No key tells the kind: an unknown one may have been meant to. */
static void no_kind(const struct config_reader *reader, const struct node *node)
{
    bool told = false;
    struct buf marks;
    buf_init(&marks, 300);
    list_marks(reader, &marks);
    for (size_t i = 0; i < node->count; i++) {
        struct suggestion suggestion;
        const struct node *child = node->children[i];
        suggestion_init(&suggestion, child->key);
        if (is_key_of_any_kind(reader, child->key, &suggestion))
            continue;
        told = true;
        if (suggestion.best)
            node_key_problem(
                reader->problems, child, "is not known; did you mean \"%s\"?", suggestion.best);
        else
            node_key_problem(
                reader->problems, child, "is not known; conditions are: %s", marks.data);
    }
    if (!told)
        node_key_problem(
            reader->problems, node, "has no condition; give it one of: %s", marks.data);
    buf_free(&marks);
}

/* The kind whose mark is in the mapping; false after a problem. */
static bool find_kind(const struct config_reader *reader, const struct node *node, size_t *kind)
{
    const struct node *first = NULL;
    for (size_t i = 0; reader->kinds->triggers[i]; i++) {
        const struct node *mark = find_mark(reader->kinds->triggers[i]->marks, node);
        if (!mark)
            continue;
        if (first) {
            node_key_problem(reader->problems, mark,
                "cannot stand beside %s: these are two conditions; make them two triggers",
                first->key);
            return false;
        }
        first = mark;
        *kind = i;
    }
    if (!first)
        no_kind(reader, node);
    return first;
}

static bool has_one_unit(const struct trigger_config *trigger)
{
    for (size_t i = 1; i < trigger->metrics.count; i++)
        if (trigger->units[i] != trigger->units[0])
            return false;
    return true;
}

/* Reads the levels of the table in the metric's unit. */
static void read_levels(const struct config_reader *reader, const struct trigger_config *trigger,
    const struct field *fields, void *options, const struct node *node)
{
    for (const struct field *field = fields; field && field->key; field++) {
        void *value = (char *)options + field->offset;
        const struct node *child = node->type == NODE_MAPPING ? node_get(node, field->key) : NULL;
        if (field->type == FIELD_STRUCT)
            read_levels(reader, trigger, field->fields, value, child ? child : node);
        struct level *level = value;
        struct error err;
        if (field->type != FIELD_LEVEL || !level->text)
            continue;
        if (!has_one_unit(trigger))
            node_problem(reader->problems, child ? child : node,
                "needs metrics of one unit, and %s and the others are of several",
                trigger->metrics.names[0]);
        else if (units_read_value(level->text, trigger->units[0], trigger->metrics.names[0],
                     &level->value, &err) < 0)
            node_problem(reader->problems, child ? child : node, "%s", err.text);
    }
}

static void check_capture(const struct config_reader *reader, const struct trigger_config *trigger,
    const struct node *node)
{
    struct suggestion suggestion;
    char likely[SUGGESTION_TEXT_SIZE];
    const struct node *capture = node_get(node, "capture");
    const struct config *config = reader->config;
    if (!trigger->capture || config_capture(config, trigger->capture))
        return;
    suggestion_init(&suggestion, trigger->capture);
    struct buf list;
    buf_init(&list, 300);
    for (size_t i = 0; i < config->capture_count; i++) {
        suggestion_offer(&suggestion, config->captures[i].name);
        buf_printf(&list, "%s%s", i ? ", " : "", config->captures[i].name);
    }
    node_problem(reader->problems, capture ? capture : node,
        "\"%.80s\" is none of the capture sets %s%s", trigger->capture, list.data,
        suggestion_format(&suggestion, likely));
    buf_free(&list);
}

/* Where the metric of that index was written. */
static const struct node *metric_node(const struct node *node, size_t index)
{
    const struct node *metric = node_get(node, "metric");
    if (!metric)
        return node;
    return metric->type == NODE_SEQUENCE && index < metric->count ? metric->children[index]
                                                                  : metric;
}

/* The metrics, and what has their unit; false after a problem. */
static bool read_metrics(
    const struct config_reader *reader, struct trigger_config *trigger, const struct node *node)
{
    const struct kind *kind = reader->kinds->triggers[trigger->kind];
    size_t before = reader->problems->count, count = trigger->metrics.count;
    if (config_has_members(kind->fields))
        return true;
    /* Without a usable app no name can be right: that was told at the app. */
    if (!count || (!reader->config->single_app && !reader->config->app_count))
        return false;
    trigger->units = xcalloc(count, sizeof *trigger->units);
    for (size_t i = 0; i < count; i++) {
        struct error err;
        size_t app;
        if (config_resolve_metric(
                reader, trigger->metrics.names[i], &trigger->units[i], &app, &err) < 0)
            node_problem(reader->problems, metric_node(node, i), "%s", err.text);
        else if (i == 0)
            trigger->app = app;
    }
    if (count > 1 && !kind->many_metrics)
        node_problem(reader->problems, metric_node(node, 1),
            "is one too many: a %s looks at one metric", kind->name);
    trigger->scope.metrics = (const char *const *)trigger->metrics.names;
    trigger->scope.units = trigger->units;
    trigger->scope.metric_count = count;
    if (reader->problems->count == before)
        read_levels(reader, trigger, kind->fields, trigger->options, node);
    return reader->problems->count == before;
}

/* Whether a value in the tree is lost to a problem that was told already. */
static bool has_wrong(const struct node *node)
{
    bool wrong = node->wrong;
    for (size_t i = 0; i < node->count && !wrong; i++)
        wrong = has_wrong(node->children[i]);
    return wrong;
}

static struct trigger_config *add_trigger(
    struct config_reader *reader, const struct node *node, size_t kind, bool built_in)
{
    struct config *config = reader->config;
    config->triggers = xrealloc(
        config->triggers, config->trigger_count + 1, sizeof *config->triggers);
    struct trigger_config *trigger = &config->triggers[config->trigger_count++];
    *trigger = (struct trigger_config){.name = xstrdup(node->key),
        .kind = kind,
        .options = xcalloc(1, reader->kinds->triggers[kind]->options_size),
        .cooldown_ms = -1,
        .built_in = built_in,
        .line = node->key_line,
        .column = node->key_column};
    return trigger;
}

static void read_trigger(struct config_reader *reader, const struct node *node, bool built_in)
{
    size_t index, before = reader->problems->count;
    check_name(reader, node);
    if (!config_is_mapping(reader, node, "a mapping such as {metric: cpu, above: 80%}") ||
        !find_kind(reader, node, &index))
        return;
    struct trigger_config *trigger = add_trigger(reader, node, index, built_in);
    const struct kind *kind = reader->kinds->triggers[index];
    struct trigger_tables tables;
    struct binding bindings[TRIGGER_TABLES];
    config_trigger_tables(kind, &tables);
    for (size_t i = 0; i < tables.count; i++)
        bindings[i] = (struct binding){
            tables.fields[i], i == tables.of_kind ? trigger->options : (void *)trigger};
    fields_bind(bindings, tables.count, node, reader->problems);
    if (trigger->cooldown_ms < 0)
        trigger->cooldown_ms = reader->config->limits.cooldown_ms;
    check_capture(reader, trigger, node);
    if (!read_metrics(reader, trigger, node) || reader->problems->count != before ||
        has_wrong(node))
        return;
    config_validate(reader, kind, trigger->options, node);
    if (kind->complete && reader->problems->count == before)
        kind->complete(trigger->options);
}

static void read_mapping(struct config_reader *reader, const struct node *triggers, bool built_in)
{
    for (size_t i = 0; i < triggers->count; i++)
        read_trigger(reader, triggers->children[i], built_in);
    size_t before = reader->problems->count;
    config_link_triggers(reader, triggers);
    if (reader->problems->count == before) /* else they may look at each other without end */
        config_check_rds_triggers(reader, triggers);
}

static void read_built_in(struct config_reader *reader)
{
    struct buf text;
    buf_init(&text, DOCUMENT_SIZE_MAX);
    config_built_in_triggers(reader, &text);
    struct node *triggers = document_parse(text.data, text.size, reader->problems);
    if (triggers)
        read_mapping(reader, triggers, true);
    document_free(triggers);
    buf_free(&text);
}

void config_read_triggers(struct config_reader *reader, const struct node *root)
{
    const struct node *triggers = node_get(root, "triggers");
    if (!triggers && reader->problems->count == 0 && reader->kinds->triggers[0])
        read_built_in(reader);
    if (!triggers || !config_is_mapping(reader, triggers, "a mapping of names to triggers"))
        return;
    if (triggers->count > TRIGGERS_MAX)
        node_problem(reader->problems, triggers, "holds %zu triggers; %d are allowed",
            triggers->count, TRIGGERS_MAX);
    else
        read_mapping(reader, triggers, false);
}
