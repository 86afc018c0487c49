#include "config/config_parts.h"
#include "config/reference.h"
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

static void print_kind(const struct kind *kind, const struct reference *out)
{
    char *note = xasprintf("%s: %s", kind->name, kind->help);
    reference_note(out, note);
    free(note);
}

static void print_source(const struct config_kinds *kinds, const struct reference *out)
{
    struct buf what;
    buf_init(&what, 400);
    buf_puts(&what, "auto");
    for (size_t i = 0; kinds->sources[i]; i++)
        buf_printf(&what, " | %s", kinds->sources[i]->name);
    buf_puts(&what, ", default auto");
    reference_entry(out, "", "source", what.data,
        "where CPU, memory and network come from; auto: the first of these that works");
    buf_free(&what);
}

static void print_database(const struct reference *out)
{
    reference_entry(out, "", "database", "one without a name, or a list of named ones",
        "whose traffic is counted; optional");
    reference_note(
        out, "one: {endpoint: HOST:PORT}, and cloudwatch: {instance: NAME, region: REGION}");
    fields_print_reference(config_database_fields, "database", out);
    reference_note(out, "several: [{name: NAME, endpoint: HOST:PORT}, ...]");
    fields_print_reference(config_named_database_fields, "database[]", out);
}

static void print_series(const struct reference *out)
{
    reference_entry(out, "", "metrics", "mapping of names to series",
        "further series, for triggers, metrics.csv, status and reports; NAME is as of name, and no "
        "built-in metric's");
    fields_print_reference(config_series_fields, "metrics.NAME", out);
}

/* For one app and one database. */
static void print_built_in(const struct config_kinds *kinds, const struct reference *out)
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
    reference_default(out, text.data);
    reference_note(out, "  (for each app, db-burst for each database)");
    buf_free(&text);
}

static void print_triggers(const struct config_kinds *kinds, const struct reference *out)
{
    reference_entry(out, "", "triggers", "mapping of names to conditions",
        "what opens an incident; NAME is a-z 0-9 . _ - (1 to 40)");
    print_built_in(kinds, out);
    reference_note(out, "what is looked at:");
    fields_print_reference(config_metric_fields, "triggers.NAME", out);
    for (size_t i = 0; kinds->triggers[i]; i++) {
        const struct kind *kind = kinds->triggers[i];
        print_kind(kind, out);
        if (config_has_members(kind->fields))
            reference_note(out, "(it has no metric: it looks at other triggers)");
        fields_print_reference(kind->fields, "triggers.NAME", out);
    }
    reference_note(out, "what a fire does:");
    fields_print_reference(config_fire_fields, "triggers.NAME", out);
}

static void print_captures(const struct reference *out)
{
    reference_entry(out, "", "captures", "lists of profiles, by NAME",
        "the sets that triggers name; an entry is a profile's name or a mapping as below");
    reference_default(out, config_default_captures);
    fields_print_reference(config_capture_fields, "captures.NAME[]", out);
}

static void print_baseline(const struct reference *out)
{
    reference_entry(out, "", "baseline", "off | mapping",
        "an incident of calm time, with the capture set \"spike\", to compare others with");
    fields_print_reference(config_baseline_fields, "baseline", out);
}

static void print_fleet(const struct reference *out)
{
    reference_entry(out, "", "fleet", "off | mapping, default off",
        "of all agents of the service that share a store, the first exporter that is an s3 or a "
        "directory, so many take an incident of the same trigger in a window");
    fields_print_reference(config_fleet_fields, "fleet", out);
}

static void print_exporters(const struct config_kinds *kinds, const struct reference *out)
{
    reference_entry(
        out, "", "export", "required", "where incidents are stored; each may be a list");
    for (size_t i = 0; kinds->exporters[i]; i++) {
        const struct kind *kind = kinds->exporters[i];
        char *path = xasprintf("export.%s", kind->name);
        print_kind(kind, out);
        if (kind->short_key) {
            char *note = xasprintf("(%s: VALUE is short for %s: {%s: VALUE})", kind->name,
                kind->name, kind->short_key);
            reference_note(out, note);
            free(note);
        }
        fields_print_reference(kind->fields, path, out);
        free(path);
    }
}

static const char metric_words[] =
    "\nMetrics. With apps, NAME.cpu and so on; with named databases, db.NAME.received.\n\n";

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

static void print_metrics(const struct reference *out)
{
    reference_section(out, "METRICS");
    reference_prose(out, metric_words);
    for (const struct metric *metric = metrics; metric->name; metric++)
        reference_metric(out, "", 16, metric->name, unit_name(metric->unit), metric->help);
    reference_prose(out, rds_words);
    for (const struct metric *metric = rds_metrics; metric->name; metric++)
        reference_metric(out, "rds.", 32, metric->name, unit_name(metric->unit), metric->help);
}

static void print_other(
    const char *key, const struct config_kinds *kinds, const struct reference *out)
{
    if (!strcmp(key, "app"))
        fields_print_reference(config_app_fields, "app", out);
    else if (!strcmp(key, "apps"))
        reference_entry(out, "apps", "NAME", "the keys of app, instead of app",
            "several apps; NAME is letters, digits, _ - (1 to 29)");
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
        reference_entry(out, "", "listen", "off | ADDRESS:PORT | \"[V6]:PORT\", default off",
            "serves /healthz /metrics /status and POST /capture there");
}

void config_write_reference(const struct config_kinds *kinds, const struct reference *out)
{
    reference_section(out, "DESCRIPTION");
    reference_prose(out, introduction);
    reference_section(out, "KEYS");
    for (const struct field *field = config_fields; field->key; field++) {
        const struct field one[] = {*field, {.key = NULL}};
        reference_key(out, field->key);
        if (field->type == FIELD_OTHER)
            print_other(field->key, kinds, out);
        else
            fields_print_reference(one, "", out);
    }
    print_metrics(out);
}

void config_print_reference(const struct config_kinds *kinds, FILE *out)
{
    config_write_reference(kinds, &(struct reference){out, REFERENCE_TEXT});
}
