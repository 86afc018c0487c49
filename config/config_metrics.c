#include "config/config_parts.h"
#include "config/suggestion.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/rds_metric.h"

#include <stdlib.h>
#include <string.h>

/* Every valid name, one after the other, is compared with the one that is looked for. */
struct search {
    const char *name;
    const struct metric *found;
    size_t app;
    struct suggestion suggestion;
    char *best; /* the suggestion's own copy */
};

static bool of_database(const char *name)
{
    return !strncmp(name, "db.", 3);
}

static void offer(struct search *search, const char *prefix, const char *rest,
    const struct metric *metric, size_t app)
{
    char *name = xasprintf("%s%s", prefix, rest);
    if (!search->found && !strcmp(name, search->name)) {
        search->found = metric;
        search->app = app;
    }
    const char *before = search->suggestion.best;
    suggestion_offer(&search->suggestion, name);
    if (search->suggestion.best == before) {
        free(name);
        return;
    }
    free(search->best);
    search->best = name;
}

static void offer_app_metric(
    struct search *search, const struct config *config, const struct metric *metric)
{
    if (config->single_app) {
        offer(search, "", metric->name, metric, 0);
        return;
    }
    for (size_t i = 0; i < config->app_count; i++) {
        char *prefix = xasprintf("%s.", config->apps[i].name);
        offer(search, prefix, metric->name, metric, i);
        free(prefix);
    }
}

static void offer_database_metric(
    struct search *search, const struct config *config, const struct metric *metric)
{
    for (size_t i = 0; i < config->database_count; i++) {
        const char *name = config->databases[i].name;
        char *prefix = name ? xasprintf("db.%s.", name) : xstrdup("db.");
        offer(search, prefix, metric->name + strlen("db."), metric, 0);
        free(prefix);
    }
}

/* Own metrics. Whether one of them has the name. */
static bool offer_series(struct search *search, const struct config *config)
{
    bool found = false;
    for (size_t i = 0; i < config->series_count; i++) {
        offer(search, "", config->series[i].name, NULL, 0);
        found = found || !strcmp(config->series[i].name, search->name);
    }
    return found;
}

static bool is_column(const struct config_needs *needs, const char *name)
{
    for (size_t i = 0; needs->columns && needs->columns[i]; i++)
        if (!strcmp(needs->columns[i], name))
            return true;
    return false;
}

/* The app whose name begins the series' name, else the first. */
static size_t app_of(const struct config *config, const char *name)
{
    for (size_t i = 0; !config->single_app && i < config->app_count; i++) {
        size_t length = strlen(config->apps[i].name);
        if (!strncmp(config->apps[i].name, name, length) && name[length] == '.')
            return i;
    }
    return 0;
}

static int unknown_database_metric(const struct config *config, const char *name, struct error *err)
{
    const struct metric *metric = metric_of_series(name);
    if (config->database_count == 0)
        return error_set(err,
            "%s needs the key database: {endpoint: HOST:PORT}, the traffic that is counted", name);
    const char *first = config->databases[0].name;
    return error_set(err, "%s; did you mean \"db.%s%s%s\"?",
        first ? "is of none of the named databases"
              : "names a database, and the only one has no name",
        first ? first : "", first ? "." : "", metric->name + strlen("db."));
}

static int unknown_metric(
    const struct config_reader *reader, const struct search *search, struct error *err)
{
    const struct config *config = reader->config;
    const struct metric *metric = metric_of_series(search->name);
    if (metric && of_database(search->name))
        return unknown_database_metric(config, search->name, err);
    if (metric && !config->single_app && config->app_count && metric_find(search->name))
        return error_set(err, "with apps, a metric carries the app's name; did you mean \"%s.%s\"?",
            config->apps[0].name, search->name);
    if (metric && config->single_app && !search->suggestion.best)
        return error_set(err, "there is no app of that name; did you mean \"%s\"?", metric->name);
    char likely[SUGGESTION_TEXT_SIZE];
    return error_set(err, "\"%.80s\" is not a metric%s%s", search->name,
        reader->needs->columns ? " and no column of the trace" : "",
        search->suggestion.best ? suggestion_format(&search->suggestion, likely)
                                : "; stakeout config --reference lists them");
}

int config_resolve_metric(const struct config_reader *reader, const char *name, enum unit *unit,
    size_t *app, struct error *err)
{
    const struct config *config = reader->config;
    struct search search = {.name = name};
    *app = 0;
    if (rds_metric_is_series(name) && !is_column(reader->needs, name) &&
        !(reader->needs->columns && !config->database_count))
        return config_resolve_rds(reader, name, unit, err);
    suggestion_init(&search.suggestion, name);
    for (const struct metric *metric = metrics; metric->name; metric++) {
        if (of_database(metric->name))
            offer_database_metric(&search, config, metric);
        else
            offer_app_metric(&search, config, metric);
    }
    const struct metric *metric = search.found;
    int status = 0;
    if (offer_series(&search, config)) {
        free(search.best);
        *app = 0;
        *unit = UNIT_NONE;
        return 0;
    }
    *app = search.app;
    if (!metric && (is_column(reader->needs, name) ||
                       (reader->needs->columns && of_database(name) && !config->database_count &&
                           metric_of_series(name)) ||
                       rds_metric_is_series(name))) {
        metric = metric_of_series(name);
        *app = app_of(config, name);
        *unit = metric ? metric->unit : UNIT_NONE;
    } else if (metric) {
        *unit = metric->unit;
    } else {
        for (size_t i = 0; reader->needs->columns && reader->needs->columns[i]; i++)
            suggestion_offer(&search.suggestion, reader->needs->columns[i]);
        status = unknown_metric(reader, &search, err);
    }
    free(search.best);
    return status;
}
