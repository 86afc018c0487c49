#include "config/config_parts.h"
#include "core/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_apps(const struct config *config, FILE *out)
{
    if (config->single_app) {
        fputs("app:\n", out);
        fields_print(config_app_fields, &config->apps[0], 2, false, out);
        return;
    }
    fputs("apps:\n", out);
    for (size_t i = 0; i < config->app_count; i++) {
        fprintf(out, "  %s:\n", config->apps[i].name);
        fields_print(config_app_fields, &config->apps[i], 4, false, out);
    }
}

static void print_databases(const struct config *config, FILE *out)
{
    if (config->database_count)
        fputs("database:\n", out);
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        if (database->name)
            fields_print(config_named_database_fields, database, 4, true, out);
        else
            fields_print(config_database_fields, database, 2, false, out);
    }
}

static void print_series(const struct config *config, FILE *out)
{
    if (config->series_count)
        fputs("metrics:\n", out);
    for (size_t i = 0; i < config->series_count; i++) {
        fprintf(out, "  %s:\n", config->series[i].name);
        fields_print(config_series_fields, &config->series[i], 4, false, out);
    }
}

static void print_triggers(const struct config *config, const struct config_kinds *kinds, FILE *out)
{
    fputs(config->trigger_count ? "triggers:\n" : "triggers: {}\n", out);
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct trigger_config *trigger = &config->triggers[i];
        fprintf(out, "  %s:%s\n", trigger->name, trigger->built_in ? "  # built in" : "");
        struct trigger_tables tables;
        config_trigger_tables(kinds->triggers[trigger->kind], &tables);
        for (size_t j = 0; j < tables.count; j++)
            fields_print(tables.fields[j],
                j == tables.of_kind ? trigger->options : (const void *)trigger, 4, false, out);
    }
}

static void print_entry(const struct capture_entry *entry, FILE *out)
{
    bool heap = !entry->path && !strcmp(entry->profile, "heap");
    bool leak = !entry->path && !strcmp(entry->profile, "goroutineleak");
    if (!entry->path && !entry->name && !entry->seconds && !entry->at && !heap &&
        entry->optional == leak) {
        fputs(entry->profile, out);
        return;
    }
    char *path = entry->path ? document_quote(entry->path) : NULL;
    if (path)
        fprintf(out, "{path: %s, name: %s", path, config_entry_name(entry));
    else
        fprintf(out, "{profile: %s", entry->profile);
    free(path);
    if (entry->name && !entry->path)
        fprintf(out, ", name: %s", entry->name);
    if (entry->seconds)
        fprintf(out, ", seconds: %" PRId64, entry->seconds);
    if (entry->at == CAPTURE_AT_END)
        fputs(", at: end", out);
    if (heap)
        fprintf(out, ", gc: %s", entry->gc ? "true" : "false");
    if (entry->optional != leak)
        fprintf(out, ", optional: %s", entry->optional ? "true" : "false");
    fputs("}", out);
}

static void print_captures(const struct config *config, FILE *out)
{
    fputs("captures:\n", out);
    for (size_t i = 0; i < config->capture_count; i++) {
        const struct capture_set *set = &config->captures[i];
        fprintf(out, "  %s: [", set->name);
        for (size_t j = 0; j < set->count; j++) {
            fputs(j ? ", " : "", out);
            print_entry(&set->entries[j], out);
        }
        fputs("]\n", out);
    }
}

static bool same_kind(const struct config *config, size_t a, size_t b)
{
    return a < config->exporter_count && b < config->exporter_count &&
           config->exporters[a].kind == config->exporters[b].kind;
}

/* Those of one kind stand together, as they come from one key. */
static void print_exporters(
    const struct config *config, const struct config_kinds *kinds, FILE *out)
{
    if (config->exporter_count)
        fputs("export:\n", out);
    for (size_t i = 0; i < config->exporter_count; i++) {
        const struct exporter_config *exporter = &config->exporters[i];
        const struct kind *kind = kinds->exporters[exporter->kind];
        bool first = i == 0 || !same_kind(config, i - 1, i);
        bool item = !first || same_kind(config, i, i + 1);
        if (first)
            fprintf(out, "  %s:\n", kind->name);
        fields_print(kind->fields, exporter->options, item ? 6 : 4, item, out);
    }
}

static void print_listen(const struct config *config, FILE *out)
{
    char *quoted = config->listen ? document_quote(config->listen) : xstrdup("off");
    fprintf(out, "listen: %s\n", quoted);
    free(quoted);
}

static void print_baseline(const struct config *config, FILE *out)
{
    if (!config->baseline.every_ms) {
        fputs("baseline: off\n", out);
        return;
    }
    fputs("baseline:\n", out);
    fields_print(config_baseline_fields, &config->baseline, 2, false, out);
}

static void print_fleet(const struct config *config, FILE *out)
{
    fputs(config->fleet.incidents ? "fleet:\n" : "fleet: off\n", out);
    if (config->fleet.incidents)
        fields_print(config_fleet_fields, &config->fleet, 2, false, out);
}

void config_print_other(
    const struct config *config, const struct config_kinds *kinds, const char *key, FILE *out)
{
    if (!strcmp(key, "app"))
        print_apps(config, out);
    else if (!strcmp(key, "source"))
        fprintf(out, "source: %s\n",
            config->source ? kinds->sources[config->source - 1]->name : "auto");
    else if (!strcmp(key, "database"))
        print_databases(config, out);
    else if (!strcmp(key, "metrics"))
        print_series(config, out);
    else if (!strcmp(key, "triggers"))
        print_triggers(config, kinds, out);
    else if (!strcmp(key, "captures"))
        print_captures(config, out);
    else if (!strcmp(key, "baseline"))
        print_baseline(config, out);
    else if (!strcmp(key, "fleet"))
        print_fleet(config, out);
    else if (!strcmp(key, "export"))
        print_exporters(config, kinds, out);
    else if (!strcmp(key, "listen"))
        print_listen(config, out);
}

void config_print(const struct config *config, const struct config_kinds *kinds, FILE *out)
{
    for (const struct field *field = config_fields; field->key; field++) {
        /* A table of one, so that the keys come in the order of the table. */
        const struct field one[] = {*field, {.key = NULL}};
        if (field->type == FIELD_OTHER)
            config_print_other(config, kinds, field->key, out);
        else
            fields_print(one, config, 0, false, out);
    }
}
