#include "config/config_changes.h"

#include "config/config_parts.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_TABLES = TRIGGER_TABLES };

/* One of what stands side by side in the file, under its path. */
struct item {
    char *path;
    size_t kind; /* of another kind it is another one */
    const struct field *fields[ITEM_TABLES];
    const void *targets[ITEM_TABLES];
    size_t count;
};

struct items {
    struct item *all;
    size_t count;
};

struct comparison {
    const struct config_kinds *kinds;
    void (*each)(void *arg, enum field_change change, const char *path);
    void *arg;
};

static void add(struct items *items, const struct item *item)
{
    items->all = xrealloc(items->all, items->count + 1, sizeof *items->all);
    items->all[items->count++] = *item;
}

static void clear(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        free(items->all[i].path);
    free(items->all);
}

static const struct item *find(const struct items *items, const char *path)
{
    for (size_t i = 0; i < items->count; i++)
        if (!strcmp(items->all[i].path, path))
            return &items->all[i];
    return NULL;
}

static void compare_item(
    const struct comparison *comparison, const struct item *before, const struct item *after)
{
    if (before->kind != after->kind) {
        comparison->each(comparison->arg, FIELD_CHANGED, after->path);
        return;
    }
    for (size_t i = 0; i < after->count; i++)
        fields_compare(after->fields[i], before->targets[i], after->targets[i], after->path,
            comparison->each, comparison->arg);
}

/* Both are empty afterwards. */
static void compare_items(
    const struct comparison *comparison, struct items *before, struct items *after)
{
    for (size_t i = 0; i < before->count; i++)
        if (!find(after, before->all[i].path))
            comparison->each(comparison->arg, FIELD_REMOVED, before->all[i].path);
    for (size_t i = 0; i < after->count; i++) {
        const struct item *was = find(before, after->all[i].path);
        if (was)
            compare_item(comparison, was, &after->all[i]);
        else
            comparison->each(comparison->arg, FIELD_ADDED, after->all[i].path);
    }
    clear(before);
    clear(after);
}

static struct items list_apps(const struct config *config)
{
    struct items items = {0};
    for (size_t i = 0; i < config->app_count; i++) {
        const struct app_config *app = &config->apps[i];
        add(&items, &(struct item){.path = config->single_app ? xstrdup("app")
                                                              : xasprintf("apps.%s", app->name),
                        .fields = {config_app_fields},
                        .targets = {app},
                        .count = 1});
    }
    return items;
}

static struct items list_databases(const struct config *config)
{
    struct items items = {0};
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        add(&items, &(struct item){.path = database->name ? xasprintf("database.%s", database->name)
                                                          : xstrdup("database"),
                        .fields = {config_database_fields},
                        .targets = {database},
                        .count = 1});
    }
    return items;
}

static struct items list_series(const struct config *config)
{
    struct items items = {0};
    for (size_t i = 0; i < config->series_count; i++)
        add(&items, &(struct item){.path = xasprintf("metrics.%s", config->series[i].name),
                        .fields = {config_series_fields},
                        .targets = {&config->series[i]},
                        .count = 1});
    return items;
}

static struct items list_triggers(const struct config *config, const struct config_kinds *kinds)
{
    struct items items = {0};
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct trigger_config *trigger = &config->triggers[i];
        struct trigger_tables tables;
        config_trigger_tables(kinds->triggers[trigger->kind], &tables);
        struct item item = {.path = xasprintf("triggers.%s", trigger->name),
            .kind = trigger->kind,
            .count = tables.count};
        for (size_t j = 0; j < tables.count; j++) {
            item.fields[j] = tables.fields[j];
            item.targets[j] = j == tables.of_kind ? trigger->options : (const void *)trigger;
        }
        add(&items, &item);
    }
    return items;
}

static bool same_set(const struct capture_set *a, const struct capture_set *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = fields_same(config_capture_fields, &a->entries[i], &b->entries[i]);
    return same;
}

static void compare_captures(const struct comparison *comparison, const struct config *before,
    const struct config *after, enum field_change missing)
{
    for (size_t i = 0; i < before->capture_count; i++) {
        const struct capture_set *set = &before->captures[i];
        const struct capture_set *other = config_capture(after, set->name);
        char *path = xasprintf("captures.%s", set->name);
        if (!other)
            comparison->each(comparison->arg, missing, path);
        else if (missing == FIELD_REMOVED && !same_set(set, other))
            comparison->each(comparison->arg, FIELD_CHANGED, path);
        free(path);
    }
}

static size_t count_kind(const struct config *config, size_t kind)
{
    size_t count = 0;
    for (size_t i = 0; i < config->exporter_count; i++)
        count += config->exporters[i].kind == kind;
    return count;
}

static bool has_exporter(const struct config *config, const struct exporter_config *exporter,
    const struct config_kinds *kinds)
{
    for (size_t i = 0; i < config->exporter_count; i++)
        if (config_same_exporter(&config->exporters[i], exporter, kinds))
            return true;
    return false;
}

/* Those that the other one has not. */
static struct items list_exporters(
    const struct config *config, const struct config *other, const struct config_kinds *kinds)
{
    struct items items = {0};
    for (size_t i = 0; i < config->exporter_count; i++) {
        const struct exporter_config *exporter = &config->exporters[i];
        const struct kind *kind = kinds->exporters[exporter->kind];
        size_t number = 1;
        if (has_exporter(other, exporter, kinds))
            continue;
        for (size_t j = 0; j < items.count; j++)
            number += items.all[j].kind == exporter->kind;
        bool one = count_kind(config, exporter->kind) <= 1 &&
                   count_kind(other, exporter->kind) <= 1;
        add(&items, &(struct item){.path = one ? xasprintf("export.%s", kind->name)
                                               : xasprintf("export.%s[%zu]", kind->name, number),
                        .kind = exporter->kind,
                        .fields = {kind->fields},
                        .targets = {exporter->options},
                        .count = 1});
    }
    return items;
}

/* What has no rule of its own is compared as it is printed. */
static void compare_printed(const struct comparison *comparison, const struct config *before,
    const struct config *after, const char *key)
{
    const struct config *both[] = {before, after};
    char *texts[2];
    size_t sizes[2];
    for (size_t i = 0; i < 2; i++) {
        FILE *out = open_memstream(&texts[i], &sizes[i]);
        if (!out)
            abort(); /* out of memory */
        config_print_other(both[i], comparison->kinds, key, out);
        fclose(out);
    }
    if (sizes[0] != sizes[1] || memcmp(texts[0], texts[1], sizes[0]) != 0)
        comparison->each(comparison->arg, FIELD_CHANGED, key);
    free(texts[0]);
    free(texts[1]);
}

static void compare_other(const struct comparison *comparison, const struct config *before,
    const struct config *after, const char *key)
{
    struct items was = {0}, is = {0};
    if (!strcmp(key, "app")) {
        was = list_apps(before);
        is = list_apps(after);
    } else if (!strcmp(key, "database")) {
        was = list_databases(before);
        is = list_databases(after);
    } else if (!strcmp(key, "metrics")) {
        was = list_series(before);
        is = list_series(after);
    } else if (!strcmp(key, "triggers")) {
        was = list_triggers(before, comparison->kinds);
        is = list_triggers(after, comparison->kinds);
    } else if (!strcmp(key, "export")) {
        was = list_exporters(before, after, comparison->kinds);
        is = list_exporters(after, before, comparison->kinds);
    } else if (!strcmp(key, "captures")) {
        compare_captures(comparison, before, after, FIELD_REMOVED);
        compare_captures(comparison, after, before, FIELD_ADDED);
    } else if (strcmp(key, "apps") != 0) { /* that comes with app */
        compare_printed(comparison, before, after, key);
    }
    compare_items(comparison, &was, &is);
}

void config_changes(const struct config *before, const struct config *after,
    const struct config_kinds *kinds,
    void (*each)(void *arg, enum field_change change, const char *path), void *arg)
{
    struct comparison comparison = {kinds, each, arg};
    for (const struct field *field = config_fields; field->key; field++) {
        const struct field one[] = {*field, {.key = NULL}};
        if (field->type == FIELD_OTHER)
            compare_other(&comparison, before, after, field->key);
        else
            fields_compare(one, before, after, "", each, arg);
    }
}

enum { TEXT_MAX = 600 }; /* what a line of the log can take of it */

struct phrase {
    struct buf lists[FIELD_CHANGED + 1];
    size_t left_out;
};

static void note(void *arg, enum field_change change, const char *path)
{
    static const char *const words[] = {
        [FIELD_ADDED] = "added ", [FIELD_REMOVED] = "removed ", [FIELD_CHANGED] = "changed "};
    struct phrase *phrase = arg;
    struct buf *list = &phrase->lists[change];
    size_t used = 0;
    for (size_t i = 0; i <= FIELD_CHANGED; i++)
        used += phrase->lists[i].size;
    if (used + strlen(path) > TEXT_MAX)
        phrase->left_out++;
    else
        buf_printf(list, "%s%s", list->size ? ", " : words[change], path);
}

char *config_changes_text(
    const struct config *before, const struct config *after, const struct config_kinds *kinds)
{
    struct phrase phrase = {0};
    struct buf text;
    buf_init(&text, 2 * TEXT_MAX);
    for (size_t i = 0; i <= FIELD_CHANGED; i++)
        buf_init(&phrase.lists[i], 2 * TEXT_MAX);
    config_changes(before, after, kinds, note, &phrase);
    for (size_t i = FIELD_CHANGED + 1; i-- > 0;) {
        if (phrase.lists[i].size)
            buf_printf(&text, "%s%s", text.size ? "; " : "", phrase.lists[i].data);
        buf_free(&phrase.lists[i]);
    }
    if (phrase.left_out)
        buf_printf(&text, "%sand %zu more", text.size ? "; " : "", phrase.left_out);
    char *copy = text.size ? xstrdup(text.data) : NULL;
    buf_free(&text);
    return copy;
}

bool config_same_rule(const struct trigger_config *a, const struct trigger_config *b,
    const struct config_kinds *kinds)
{
    struct trigger_tables tables;
    config_trigger_tables(kinds->triggers[a->kind], &tables);
    return a->kind == b->kind && fields_same(config_metric_fields, a, b) &&
           fields_same(tables.fields[tables.of_kind], a->options, b->options);
}

bool config_same_exporter(const struct exporter_config *a, const struct exporter_config *b,
    const struct config_kinds *kinds)
{
    return a->kind == b->kind &&
           fields_same(kinds->exporters[a->kind]->fields, a->options, b->options);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* What triggers look at decides what is polled. */
static bool same_polling(const struct config *a, const struct config *b)
{
    if (!config_polls_rds(a) && !config_polls_rds(b))
        return true;
    bool same = a->trigger_count == b->trigger_count;
    for (size_t i = 0; same && i < a->trigger_count; i++)
        same = fields_same(config_metric_fields, &a->triggers[i], &b->triggers[i]);
    return same;
}

bool config_same_sources(const struct config *a, const struct config *b)
{
    bool same = a->source == b->source && a->interval_ms == b->interval_ms &&
                a->single_app == b->single_app && a->app_count == b->app_count &&
                a->database_count == b->database_count && a->series_count == b->series_count;
    for (size_t i = 0; same && i < a->app_count; i++)
        same = same_text(a->apps[i].name, b->apps[i].name) &&
               same_text(a->apps[i].container, b->apps[i].container);
    for (size_t i = 0; same && i < a->database_count; i++)
        same = same_text(a->databases[i].name, b->databases[i].name) &&
               fields_same(config_database_fields, &a->databases[i], &b->databases[i]);
    for (size_t i = 0; same && i < a->series_count; i++)
        same = same_text(a->series[i].name, b->series[i].name) &&
               fields_same(config_series_fields, &a->series[i], &b->series[i]);
    return same && same_polling(a, b);
}

bool config_has_metric(const struct config *config, const char *name)
{
    struct config_reader reader = {
        .config = (struct config *)config, .needs = &(struct config_needs){0}};
    enum unit unit;
    size_t app;
    struct error err;
    return config_resolve_metric(&reader, name, &unit, &app, &err) == 0;
}
