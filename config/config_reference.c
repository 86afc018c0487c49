#include "config/config_parts.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/rds_metric.h"

#include <stdlib.h>
#include <string.h>

static const char introduction[] =
    "The configuration is YAML, taken from -c FILE, else from the text in $STAKEOUT_CONFIG, else\n"
    "from /etc/stakeout/stakeout.yaml. (An SSM parameter holds 4 KB, an advanced one 8 KB.)\n"
    "\n"
    "${NAME} and ${NAME:-default} in a value take environment variables; an unset ${NAME} without\n"
    "default is an error, $${ stands for ${ itself. Anchors, aliases and tags are not taken.\n"
    "\n"
    "  duration  500ms 10s 5m 2h 7d\n"
    "  bytes     512KiB 64MiB 1GiB, 500KB 10MB 2GB, or a bare number\n"
    "  level     in the unit of its metric: 80%, 20MB/s, 512MiB, 20ms, or a bare number for "
    "counts\n"
    "            and cores (bytes and bytes a second may be bare, too)\n"
    "  name      letters, digits, . _ - (1 to 64)\n";

static void print_source(const struct config_kinds *kinds, FILE *out)
{
    struct buf what;
    buf_init(&what, 400);
    buf_puts(&what, "auto");
    for (size_t i = 0; kinds->sources[i]; i++)
        buf_printf(&what, " | %s", kinds->sources[i]->name);
    buf_puts(&what, ", default auto");
    fields_print_entry("", "source", what.data,
        "where CPU, memory and network come from; auto: the first of these that works", out);
    buf_free(&what);
}

static void print_database(FILE *out)
{
    fields_print_entry("", "database", "one without a name, or a list of named ones",
        "whose traffic is counted; optional", out);
    fputs("  one: {endpoint: HOST:PORT}, and cloudwatch: {instance: NAME, region: REGION}\n", out);
    fields_print_reference(config_database_fields, "database", out);
    fputs("  several: [{name: NAME, endpoint: HOST:PORT}, ...]\n", out);
    fields_print_reference(config_named_database_fields, "database[]", out);
}

static void print_series(FILE *out)
{
    fields_print_entry("", "metrics", "mapping of names to series",
        "further series, for triggers, metrics.csv, status and reports; NAME is as of name, and no "
        "built-in metric's",
        out);
    fields_print_reference(config_series_fields, "metrics.NAME", out);
}

/* What holds without the key, line by line. */
static void print_default(const char *text, FILE *out)
{
    fputs("  default:\n", out);
    for (const char *line = text; *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "    %.*s\n", length, line);
        line += length + 1;
    }
}

/* For one app and one database. */
static void print_built_in(const struct config_kinds *kinds, FILE *out)
{
    struct app_config app = {.name = NULL};
    struct database_config database = {.name = NULL};
    struct config config = {.apps = &app,
        .app_count = 1,
        .single_app = true,
        .databases = &database,
        .database_count = 1};
    const struct config_needs needs = {.exporter = false};
    const struct config_reader reader = {&config, kinds, &needs, NULL};
    struct buf text;
    buf_init(&text, 4096);
    config_built_in_triggers(&reader, &text);
    print_default(text.data, out);
    fputs("    (for each app, db-burst for each database)\n", out);
    buf_free(&text);
}

static void print_triggers(const struct config_kinds *kinds, FILE *out)
{
    fields_print_entry("", "triggers", "mapping of names to conditions",
        "what opens an incident; NAME is a-z 0-9 . _ - (1 to 40)", out);
    print_built_in(kinds, out);
    fputs("  what is looked at:\n", out);
    fields_print_reference(config_metric_fields, "triggers.NAME", out);
    for (size_t i = 0; kinds->triggers[i]; i++) {
        const struct kind *kind = kinds->triggers[i];
        fprintf(out, "  %s: %s\n", kind->name, kind->help);
        if (config_has_members(kind->fields))
            fputs("  (it has no metric: it looks at other triggers)\n", out);
        fields_print_reference(kind->fields, "triggers.NAME", out);
    }
    fputs("  what a fire does:\n", out);
    fields_print_reference(config_fire_fields, "triggers.NAME", out);
}

static void print_captures(FILE *out)
{
    fields_print_entry("", "captures", "lists of profiles, by NAME",
        "the sets that triggers name; an entry is a profile's name or a mapping as below", out);
    print_default(config_default_captures, out);
    fields_print_reference(config_capture_fields, "captures.NAME[]", out);
}

static void print_baseline(FILE *out)
{
    fields_print_entry("", "baseline", "off | mapping",
        "an incident of calm time, with the capture set \"spike\", to compare others with", out);
    fields_print_reference(config_baseline_fields, "baseline", out);
}

static void print_fleet(FILE *out)
{
    fields_print_entry("", "fleet", "off | mapping, default off",
        "of all agents of the service that share a store, the first exporter that is an s3 or a "
        "directory, so many take an incident of the same trigger in a window",
        out);
    fields_print_reference(config_fleet_fields, "fleet", out);
}

static void print_exporters(const struct config_kinds *kinds, FILE *out)
{
    fields_print_entry(
        "", "export", "required", "where incidents are stored; each may be a list", out);
    for (size_t i = 0; kinds->exporters[i]; i++) {
        const struct kind *kind = kinds->exporters[i];
        char *path = xasprintf("export.%s", kind->name);
        fprintf(out, "  %s: %s\n", kind->name, kind->help);
        if (kind->short_key)
            fprintf(out, "  (%s: VALUE is short for %s: {%s: VALUE})\n", kind->name, kind->name,
                kind->short_key);
        fields_print_reference(kind->fields, path, out);
        free(path);
    }
}

/* https://aws.amazon.com/cloudwatch/pricing/ */
static const char rds_words[] =
    "\n"
    "With database.cloudwatch; of named databases, rds.NAME.CPUUtilization. One sample a minute, "
    "the\n"
    "mean of it, up to 5 minutes late: they are added to the metrics.csv and the report of an\n"
    "incident that is stored. A trigger that looks at one has it polled once a minute, and fires "
    "late.\n"
    "AWS counts every metric that is asked for: polling asks for 43,200 a month for each metric of "
    "a\n"
    "trigger and each copy of this agent, an incident for all that are fetched, 1 to 5 times.\n"
    "\n";

static void print_metrics(FILE *out)
{
    fputs("\nMetrics. With apps, NAME.cpu and so on; with named databases, db.NAME.received.\n\n",
        out);
    for (const struct metric *metric = metrics; metric->name; metric++)
        fprintf(out, "  %-16s %-8s %s\n", metric->name, unit_name(metric->unit), metric->help);
    fputs(rds_words, out);
    for (const struct metric *metric = rds_metrics; metric->name; metric++)
        fprintf(out, "  rds.%-32s %-8s %s\n", metric->name, unit_name(metric->unit), metric->help);
}

static void print_other(const char *key, const struct config_kinds *kinds, FILE *out)
{
    if (!strcmp(key, "app"))
        fields_print_reference(config_app_fields, "app", out);
    else if (!strcmp(key, "apps"))
        fields_print_entry("apps", "NAME", "the keys of app, instead of app",
            "several apps; NAME is letters, digits, _ - (1 to 29)", out);
    else if (!strcmp(key, "source"))
        print_source(kinds, out);
    else if (!strcmp(key, "database"))
        print_database(out);
    else if (!strcmp(key, "metrics"))
        print_series(out);
    else if (!strcmp(key, "triggers"))
        print_triggers(kinds, out);
    else if (!strcmp(key, "captures"))
        print_captures(out);
    else if (!strcmp(key, "baseline"))
        print_baseline(out);
    else if (!strcmp(key, "fleet"))
        print_fleet(out);
    else if (!strcmp(key, "export"))
        print_exporters(kinds, out);
    else if (!strcmp(key, "listen"))
        fields_print_entry("", "listen", "off | ADDRESS:PORT | \"[V6]:PORT\", default off",
            "serves /healthz /metrics /status and POST /capture there", out);
}

void config_print_reference(const struct config_kinds *kinds, FILE *out)
{
    fputs(introduction, out);
    for (const struct field *field = config_fields; field->key; field++) {
        const struct field one[] = {*field, {.key = NULL}};
        fputs("\n", out);
        if (field->type == FIELD_OTHER)
            print_other(field->key, kinds, out);
        else
            fields_print_reference(one, "", out);
    }
    print_metrics(out);
}
