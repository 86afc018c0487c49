#include "config/config.h"

#include "config/config_parts.h"
#include "config/fields_text.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

/* Go takes a whole number of seconds; anything else silently means 30. */
static void check_recorder(struct config_reader *reader, const struct node *root)
{
    const struct node *recorder = node_get(root, "recorder");
    if (recorder && recorder->type == NODE_MAPPING && reader->config->recorder.slice_ms % 1000)
        node_problem(reader->problems, node_get(recorder, "slice"), "must be whole seconds");
}

/* Its metric is always cpu, so its unit is known here. */
static void check_hold_off(struct config_reader *reader, const struct node *root)
{
    const struct node *limits = node_get(root, "limits");
    bool given = limits && limits->type == NODE_MAPPING;
    const struct node *node = given ? node_get(limits, "hold_off") : NULL;
    struct level *level = &reader->config->limits.hold_off;
    struct error err;
    if (!node || !level->text)
        return;
    if (fields_is_off(level->text)) {
        free(level->text);
        level->text = xstrdup("off");
        return;
    }
    if (units_read_value(level->text, UNIT_PERCENT, "cpu", &level->value, &err) < 0)
        node_problem(reader->problems, node, "%s", err.text);
    else if (level->value <= 0 || level->value > 100)
        node_problem(reader->problems, node, "must be above 0%% and at most 100%%, or off");
}

/* What is in braces has a meaning; the URL is stored with every incident, so it holds no secret. */
static void check_source_url(struct config_reader *reader, const struct node *root)
{
    static const char *const parts[] = {"{commit}", "{path}", "{line}"};
    const char *url = reader->config->source_url;
    const struct node *node = node_get(root, "source_url");
    for (const char *brace = url ? strchr(url, '{') : NULL; brace; brace = strchr(brace + 1, '{')) {
        bool known = false;
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            known = known || !strncmp(brace, parts[i], strlen(parts[i]));
        if (!known)
            node_problem(reader->problems, node,
                "has \"%.*s\", which stands for nothing; it may have {commit}, {path} and {line}",
                (int)strcspn(brace, "}") + (strchr(brace, '}') != NULL), brace);
    }
    if (url && !strstr(url, "{path}"))
        node_problem(reader->problems, node, "has no {path}, so every link would be the same");
    const char *authority = url ? strstr(url, "//") + 2 : "";
    if (memchr(authority, '@', strcspn(authority, "/?#")))
        node_problem(reader->problems, node, "must not hold a user or a password");
}

/* What is told links to it. */
static void check_review_url(struct config_reader *reader, const struct node *root)
{
    const char *url = reader->config->review_url;
    const struct node *node = node_get(root, "review_url");
    for (const char *brace = url ? strchr(url, '{') : NULL; brace; brace = strchr(brace + 1, '{'))
        if (strncmp(brace, "{id}", 4) != 0 && strncmp(brace, "{service}", 9) != 0)
            node_problem(reader->problems, node,
                "has \"%.*s\", which stands for nothing; it may have {id} and {service}",
                (int)strcspn(brace, "}") + (strchr(brace, '}') != NULL), brace);
    if (url && !strstr(url, "{id}"))
        node_problem(reader->problems, node, "has no {id}, so every link would be the same");
    const char *authority = url ? strstr(url, "//") + 2 : "";
    if (memchr(authority, '@', strcspn(authority, "/?#")))
        node_problem(reader->problems, node, "must not hold a user or a password");
}

static void read_all(struct config_reader *reader, const struct node *root)
{
    struct binding binding = {config_fields, reader->config};
    fields_bind(&binding, 1, root, reader->problems);
    if (root->type != NODE_MAPPING)
        return;
    /* Triggers come last: they name captures, apps, databases and metrics. */
    config_read_apps(reader, root);
    config_read_source(reader, root);
    config_read_databases(reader, root);
    config_read_series(reader, root);
    config_read_captures(reader, root);
    check_recorder(reader, root);
    check_hold_off(reader, root);
    config_read_baseline(reader, root);
    check_source_url(reader, root);
    check_review_url(reader, root);
    config_read_exporters(reader, root);
    config_read_fleet(reader, root);
    config_read_listen(reader, root);
    config_read_triggers(reader, root);
}

struct config *config_parse(const char *text, size_t size, const char *name,
    const struct config_kinds *kinds, const struct config_needs *needs, struct buf *problems)
{
    struct problems found = {0};
    struct config *config = xcalloc(1, sizeof *config);
    struct config_reader reader = {config, kinds, needs, &found};
    config->file = xstrdup(name);
    struct node *root = document_parse(text, size, &found);
    if (root)
        read_all(&reader, root);
    document_free(root);
    problems_write(&found, name, problems);
    if (found.count) {
        config_free(config, kinds);
        config = NULL;
    }
    problems_free(&found);
    return config;
}

/* NULL: it does not say. */
static char *read_state(const char *text, size_t size)
{
    struct problems ignored = {0};
    struct node *root = document_parse(text, size, &ignored);
    const struct node *node = root && root->type == NODE_MAPPING ? node_get(root, "state") : NULL;
    bool says = node && !node->wrong && node->type == NODE_SCALAR && !node_not_given(node);
    char *state = says && *node->text ? xstrdup(node->text) : NULL;
    document_free(root);
    problems_free(&ignored);
    return state;
}

/* Where the whole is no YAML, its line alone may be. */
char *config_state(const char *text, size_t size)
{
    static const char key[] = "state:";
    char *state = read_state(text, size);
    const char *end = text + size;
    for (const char *line = text; !state && line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next + 1 : end;
        if ((size_t)(next - line) > strlen(key) && !strncmp(line, key, strlen(key)))
            state = read_state(line, (size_t)(next - line));
        line = next;
    }
    return state ? state : xstrdup(config_default_state);
}

static void free_captures(struct config *config)
{
    for (size_t i = 0; i < config->capture_count; i++) {
        struct capture_set *set = &config->captures[i];
        for (size_t j = 0; j < set->count; j++)
            fields_free(config_capture_fields, &set->entries[j]);
        free(set->entries);
        free(set->name);
    }
    free(config->captures);
}

static void free_plugins(struct config *config, const struct config_kinds *kinds)
{
    for (size_t i = 0; i < config->trigger_count; i++) {
        struct trigger_config *trigger = &config->triggers[i];
        fields_free(kinds->triggers[trigger->kind]->fields, trigger->options);
        fields_free(config_metric_fields, trigger);
        fields_free(config_fire_fields, trigger);
        free(trigger->options);
        free(trigger->units);
        free(trigger->members);
        free(trigger->member_names);
        free(trigger->name);
    }
    free(config->triggers);
    free(config->trigger_order);
    for (size_t i = 0; i < config->exporter_count; i++) {
        struct exporter_config *exporter = &config->exporters[i];
        fields_free(kinds->exporters[exporter->kind]->fields, exporter->options);
        free(exporter->options);
    }
    free(config->exporters);
}

void config_free(struct config *config, const struct config_kinds *kinds)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->app_count; i++) {
        fields_free(config_app_fields, &config->apps[i]);
        free(config->apps[i].name);
    }
    free(config->apps);
    for (size_t i = 0; i < config->database_count; i++)
        fields_free(config_named_database_fields, &config->databases[i]);
    free(config->databases);
    for (size_t i = 0; i < config->series_count; i++) {
        fields_free(config_series_fields, &config->series[i]);
        free(config->series[i].name);
    }
    free(config->series);
    free_captures(config);
    free_plugins(config, kinds);
    fields_free(config_fields, config);
    free(config->listen);
    free(config->file);
    free(config);
}

const struct capture_set *config_capture(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->capture_count; i++)
        if (!strcmp(config->captures[i].name, name))
            return &config->captures[i];
    return NULL;
}
