#include "commands/where.h"

#include "agent/kinds.h"
#include "commands/command.h"
#include "commands/terminal.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/s3/s3_address.h"
#include "exporters/directory.h"
#include "exporters/s3.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

static const char scheme[] = "s3://";

/* What the command line does not say about the bucket is the configuration's. */
static void complete_settings(
    struct s3_settings *settings, const struct s3_exporter_options *options)
{
    struct s3_settings configured = s3_exporter_settings(options, NULL);
    if (!settings->endpoint) {
        settings->endpoint = configured.endpoint;
        settings->path_style = settings->path_style || configured.path_style;
        settings->insecure = configured.insecure;
    }
    if (!settings->region)
        settings->region = configured.region;
    if (!settings->ca_file)
        settings->ca_file = configured.ca_file;
}

/* Takes the place from an exporter; false when nothing can be read back from its kind. */
static bool take_place(struct where *where, const struct exporter_config *exporter)
{
    const struct exporter_kind *kind = exporter_kinds[exporter->kind];
    if (kind == &exporter_directory) {
        const struct directory_exporter_options *directory = exporter->options;
        where->place = xstrdup(directory->path);
    } else if (kind == &exporter_s3) {
        const struct s3_exporter_options *s3 = exporter->options;
        char *prefix = s3_exporter_prefix(s3);
        where->place = xasprintf("%s%s/%s", scheme, s3->bucket, prefix);
        complete_settings(&where->s3, s3);
        free(prefix);
    }
    return where->place != NULL;
}

static int place_from_config(struct where *where, const struct command *command)
{
    static const struct config_needs needs = {.exporter = true};
    where->config = command_load_config(where->config_path, &needs);
    if (!where->config)
        return EXIT_USAGE;
    for (size_t i = 0; i < where->config->exporter_count; i++)
        if (take_place(where, &where->config->exporters[i]))
            return EXIT_DONE;
    return command_misused(command,
        "the configuration stores incidents neither in a folder nor in a bucket; name one on the "
        "command line");
}

static bool has_config(void)
{
    struct buf text;
    char *name;
    if (config_locate(NULL, &text, &name, NULL) < 0)
        return false;
    buf_free(&text);
    free(name);
    return true;
}

/* "s3://bucket/prefix" is of this bucket */
static bool is_of_bucket(const char *place, const char *bucket)
{
    size_t length = strlen(bucket);
    const char *name = place + sizeof scheme - 1;
    return !strncmp(name, bucket, length) && (name[length] == '/' || name[length] == '\0');
}

/* A configuration that is asked for has to be right, whether or not it is needed. */
static int check_config(struct where *where)
{
    static const struct config_needs needs = {.exporter = false};
    if (where->config || !where->config_path)
        return EXIT_DONE;
    where->config = command_load_config(where->config_path, &needs);
    return where->config ? EXIT_DONE : EXIT_USAGE;
}

/* A bucket of the command line may be one that the configuration knows how to reach. */
static int settings_from_config(struct where *where)
{
    static const struct config_needs needs = {.exporter = false};
    if (!where->config_path && (where->s3.endpoint || !has_config()))
        return EXIT_DONE;
    where->config = command_load_config(where->config_path, &needs);
    if (!where->config)
        return EXIT_USAGE;
    for (size_t i = 0; i < where->config->exporter_count; i++) {
        const struct exporter_config *exporter = &where->config->exporters[i];
        const struct s3_exporter_options *options = exporter->options;
        if (exporter_kinds[exporter->kind] != &exporter_s3 ||
            !is_of_bucket(where->place, options->bucket))
            continue;
        complete_settings(&where->s3, options);
        break;
    }
    return EXIT_DONE;
}

/* What is wrong on the command line itself. An endpoint with a password in it is not repeated. */
static int check_arguments(
    const struct where *where, const struct command *command, const char *place)
{
    struct error err;
    const char *endpoint = where->s3.endpoint;
    if (endpoint && s3_address_check_endpoint(endpoint, &err) < 0) {
        bool has_secret = strchr(endpoint, '@') != NULL;
        char *value = terminal_safe(has_secret ? "" : endpoint), *reason = terminal_safe(err.text);
        command_misused(command, "--endpoint%s%s: %s", has_secret ? "" : " ", value, reason);
        free(value);
        free(reason);
        return EXIT_USAGE;
    }
    const char *bucket = place && !strncmp(place, scheme, sizeof scheme - 1)
                             ? place + sizeof scheme - 1
                             : NULL;
    if (bucket && (!*bucket || *bucket == '/')) {
        char *value = terminal_safe(place);
        command_misused(command, "%s names no bucket: it is s3://BUCKET/PREFIX", value);
        free(value);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int where_open(struct where *where, const struct command *command, const char *place)
{
    int status = check_arguments(where, command, place);
    if (status != EXIT_DONE)
        return status;
    where->s3.path_style = where->s3.path_style || where->s3.endpoint;
    if (place)
        where->place = xstrdup(place);
    if (!place)
        status = place_from_config(where, command);
    else if (!strncmp(place, scheme, sizeof scheme - 1))
        status = settings_from_config(where);
    else
        status = check_config(where);
    if (status != EXIT_DONE)
        return status;
    struct error err;
    where->store = store_open(where->place, &where->s3, &err);
    return where->store ? EXIT_DONE : command_failed(command, "%s", err.text);
}

void where_close(struct where *where)
{
    store_close(where->store);
    config_free(where->config, &config_kinds);
    free(where->place);
    *where = (struct where){0};
}

int where_read_since(const char *text, int64_t now_ms, int64_t *since_ms, struct error *err)
{
    int64_t ago_ms;
    if (units_read_duration(text, &ago_ms, NULL) == 0) {
        *since_ms = now_ms - ago_ms;
        return 0;
    }
    char *midnight = xasprintf("%sT00:00:00Z", text);
    int status = rfc3339_parse(midnight, strlen(midnight), since_ms);
    if (status < 0)
        status = rfc3339_parse(text, strlen(text), since_ms);
    free(midnight);
    if (status < 0)
        return error_set(err,
            "%s is neither a duration (7d, 12h), a date (2026-11-23) nor an RFC "
            "3339 time (2026-11-23T15:04:00Z)",
            text);
    return 0;
}
