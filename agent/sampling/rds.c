#include "agent/sampling/rds.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/rds_metric.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <stdlib.h>
#include <string.h>

void rds_target(const struct database_config *database, struct cloudwatch_target *target)
{
    const struct cloudwatch_config *config = &database->cloudwatch;
    *target = (struct cloudwatch_target){.name = database->name,
        .instance = config->instance,
        .cluster = config->cluster,
        .region = config->region,
        .endpoint = config->endpoint,
        .ca_file = config->ca_file,
        .role = config->role,
        .external_id = config->external_id};
}

struct names {
    char **all;
    size_t count;
};

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->all[i], name))
            return;
    if (names->count == CLOUDWATCH_METRICS_MAX)
        return;
    names->all = xrealloc(names->all, names->count + 1, sizeof *names->all);
    names->all[names->count++] = xstrdup(name);
}

/* Those of the database that triggers look at. */
static void add_polled(
    struct names *names, const struct config *config, const struct database_config *database)
{
    struct cloudwatch_target target;
    rds_target(database, &target);
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct trigger_config *trigger = &config->triggers[i];
        for (size_t j = 0; j < trigger->metrics.count; j++) {
            const char *series = trigger->metrics.names[j];
            if (!rds_metric_is_series(series))
                continue;
            char *own = cloudwatch_series(&target, rds_metric_of_series(series));
            if (!strcmp(own, series))
                add_name(names, rds_metric_of_series(series));
            free(own);
        }
    }
}

char **rds_names(const struct config *config, const struct database_config *database, size_t *count)
{
    struct names names = {.all = NULL};
    const struct name_list *given = &database->cloudwatch.metrics;
    for (size_t i = 0; i < given->count; i++)
        add_name(&names, given->names[i]);
    for (size_t i = 0; given->count == 0 && i < rds_metrics_usual; i++)
        add_name(&names, rds_metrics[i].name);
    add_polled(&names, config, database);
    *count = names.count;
    return names.all;
}

void rds_free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

struct rds_polled {
    struct cloudwatch_polling *databases;
    struct cloudwatch_options options;
};

static void copy_target(struct cloudwatch_target *copy, const struct cloudwatch_target *target)
{
    *copy = (struct cloudwatch_target){.name = xstrdup_or_null(target->name),
        .instance = xstrdup_or_null(target->instance),
        .cluster = xstrdup_or_null(target->cluster),
        .region = xstrdup_or_null(target->region),
        .endpoint = xstrdup_or_null(target->endpoint),
        .ca_file = xstrdup_or_null(target->ca_file),
        .role = xstrdup_or_null(target->role),
        .external_id = xstrdup_or_null(target->external_id)};
}

struct rds_polled *rds_polled_new(const struct config *config)
{
    struct rds_polled *polled = xcalloc(1, sizeof *polled);
    polled->databases = xcalloc(config->database_count, sizeof *polled->databases);
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        struct names names = {.all = NULL};
        if (config_has_cloudwatch(database))
            add_polled(&names, config, database);
        if (!names.count)
            continue;
        struct cloudwatch_polling *polling = &polled->databases[polled->options.count++];
        struct cloudwatch_target target;
        rds_target(database, &target);
        copy_target(&polling->target, &target);
        polling->metrics = (const char *const *)names.all;
        polling->count = names.count;
        polling->service = xstrdup(config->service);
    }
    polled->options.databases = polled->databases;
    if (polled->options.count)
        return polled;
    rds_polled_free(polled);
    return NULL;
}

const struct cloudwatch_options *rds_polled_options(const struct rds_polled *polled)
{
    return &polled->options;
}

void rds_polled_free(struct rds_polled *polled)
{
    if (!polled)
        return;
    for (size_t i = 0; i < polled->options.count; i++) {
        struct cloudwatch_polling *polling = &polled->databases[i];
        const char *const texts[] = {polling->target.name, polling->target.instance,
            polling->target.cluster, polling->target.region, polling->target.endpoint,
            polling->target.ca_file, polling->target.role, polling->target.external_id,
            polling->service};
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            free((char *)texts[j]);
        rds_free_names((char **)polling->metrics, polling->count);
    }
    free(polled->databases);
    free(polled);
}
