/* database.cloudwatch, and the metrics that come from there. */
#include "config/config_parts.h"
#include "config/suggestion.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/aws/aws_plan.h"
#include "core/error.h"
#include "core/rds_metric.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is up to RDS_LATE_MS late says nothing of a moment that is nearer than that, and of the
 * forecast some is to be left. */
static const int64_t forecast_ms = 2 * RDS_LATE_MS;

/* What a sentence says of all of these. */
static const char nature[] = "has one sample a minute, which comes up to 5 minutes late";

bool config_has_cloudwatch(const struct database_config *database)
{
    return database->cloudwatch.instance || database->cloudwatch.cluster;
}

/* https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html */
static bool is_identifier(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return !text[length] && length >= 1 && length <= 63 && isalpha((unsigned char)*text);
}

static void check_identifier(
    struct config_reader *reader, const struct node *node, const char *key, const char *text)
{
    const struct node *child = node->type == NODE_MAPPING ? node_get(node, key) : node;
    if (!text || !child || child->wrong || is_identifier(text))
        return;
    if (strchr(text, '.'))
        node_problem(reader->problems, child,
            "\"%.80s\" is a host; write the identifier that RDS has for it, which is what stands "
            "before the first dot",
            text);
    else
        node_problem(reader->problems, child,
            "\"%.80s\" is no identifier of RDS: letters, digits and -, a letter first (1 to 63)",
            text);
}

static void check_metrics(
    struct config_reader *reader, const struct name_list *names, const struct node *node)
{
    const struct node *child = node_get(node, "metrics");
    for (size_t i = 0; child && i < names->count; i++) {
        const char *name = names->names[i];
        const char *problem = NULL;
        if (!strncmp(name, "rds.", 4))
            problem = "takes CloudWatch's names, without rds.";
        else if (!isalpha((unsigned char)*name) || strlen(name) > 60 ||
                 name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_")])
            problem = "takes names of CloudWatch's metrics, such as CPUUtilization";
        if (problem)
            node_problem(reader->problems,
                child->type == NODE_SEQUENCE ? child->children[i] : child, "%s", problem);
    }
}

static void check_role(
    struct config_reader *reader, const struct cloudwatch_config *config, const struct node *node)
{
    const struct node *role = node_get(node, "role"), *id = node_get(node, "external_id");
    struct error err;
    if (role && !role->wrong && aws_plan_check_role(config->role, &err) < 0)
        node_problem(reader->problems, role, "%s", err.text);
    if (id && !id->wrong && !(role && role->wrong) &&
        aws_plan_check_external_id(config->external_id, config->role, &err) < 0)
        node_problem(reader->problems, id, "%s", err.text);
}

void config_check_cloudwatch(struct config_reader *reader, const struct node *database)
{
    const struct database_config *config =
        &reader->config->databases[reader->config->database_count - 1];
    const struct cloudwatch_config *cloudwatch = &config->cloudwatch;
    const struct node *node = database->type == NODE_MAPPING ? node_get(database, "cloudwatch")
                                                             : NULL;
    if (!node || node->wrong)
        return;
    check_identifier(reader, node, "instance", cloudwatch->instance);
    if (node->type != NODE_MAPPING)
        return;
    check_identifier(reader, node, "cluster", cloudwatch->cluster);
    check_metrics(reader, &cloudwatch->metrics, node);
    check_role(reader, cloudwatch, node);
    if (cloudwatch->instance && cloudwatch->cluster)
        node_key_problem(reader->problems, node_get(node, "cluster"),
            "cannot stand beside instance: their metrics would have the same names");
    else if (!node_get(node, "instance") && !node_get(node, "cluster"))
        node_key_problem(reader->problems, node,
            "needs instance: NAME or cluster: NAME, the identifier that RDS has for it");
}

/* The database whose metric a series' name is, and CloudWatch's name in it. */
static const struct database_config *database_of(
    const struct config *config, const char *series, const char **metric)
{
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        const char *rest = series + strlen("rds.");
        size_t length = database->name ? strlen(database->name) : 0;
        if (!config_has_cloudwatch(database))
            continue;
        if (database->name && (strncmp(rest, database->name, length) != 0 || rest[length] != '.'))
            continue;
        *metric = database->name ? rest + length + 1 : rest;
        if (**metric && !strchr(*metric, '.'))
            return database;
    }
    return NULL;
}

static int no_database(const struct config *config, const char *series, struct error *err)
{
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        if (!config_has_cloudwatch(database))
            continue;
        return error_set(err, "%.80s %s; did you mean \"rds.%s%s%.60s\"?", series,
            database->name ? "is of none of the named databases that have cloudwatch"
                           : "names a database, and the only one has no name",
            database->name ? database->name : "", database->name ? "." : "",
            rds_metric_of_series(series));
    }
    return error_set(err,
        "%.80s needs the key cloudwatch of the database: {endpoint: HOST:PORT, cloudwatch: "
        "{instance: NAME, region: REGION}}",
        series);
}

int config_resolve_rds(
    const struct config_reader *reader, const char *series, enum unit *unit, struct error *err)
{
    const char *name;
    const struct database_config *database = database_of(reader->config, series, &name);
    *unit = UNIT_NONE;
    if (!database)
        return no_database(reader->config, series, err);
    const struct metric *metric = rds_metric_find(name);
    if (metric) {
        *unit = metric->unit;
        return 0;
    }
    for (size_t i = 0; i < database->cloudwatch.metrics.count; i++)
        if (!strcmp(database->cloudwatch.metrics.names[i], name))
            return 0;
    struct suggestion suggestion;
    char likely[SUGGESTION_TEXT_SIZE];
    suggestion_init(&suggestion, name);
    for (metric = rds_metrics; metric->name; metric++)
        suggestion_offer(&suggestion, metric->name);
    return error_set(err,
        "%.60s is no metric of RDS that is known here%s; another one of CloudWatch's is listed in "
        "database.cloudwatch.metrics first",
        name, suggestion_format(&suggestion, likely));
}

/* The first rds metric that the trigger, or one that it looks at, looks at; NULL: none does. */
static const char *rds_metric_of(const struct config *config, const struct trigger_config *trigger)
{
    const char *found = NULL;
    for (size_t i = 0; i < trigger->metrics.count && !found; i++)
        if (rds_metric_is_series(trigger->metrics.names[i]))
            found = trigger->metrics.names[i];
    for (size_t i = 0; i < trigger->scope.member_count && !found; i++)
        found = rds_metric_of(config, &config->triggers[trigger->members[i]]);
    return found;
}

bool config_polls_rds(const struct config *config)
{
    for (size_t i = 0; i < config->trigger_count; i++)
        if (rds_metric_of(config, &config->triggers[i]))
            return true;
    return false;
}

/* A duration of the options; -1: they have none of that key. */
static int64_t duration_of(const struct kind *kind, const void *options, const char *key)
{
    for (const struct field *field = kind->fields; field && field->key; field++)
        if (field->type == FIELD_DURATION && !strcmp(field->key, key))
            return *(const int64_t *)((const char *)options + field->offset);
    return -1;
}

static void refuse(struct config_reader *reader, const struct node *node, const char *key,
    int64_t given_ms, const char *metric, const char *remedy)
{
    const struct node *child = node_get(node, key);
    char text[VALUE_TEXT_SIZE];
    units_format_duration(given_ms, text);
    if (child)
        node_problem(
            reader->problems, child, "cannot be %s: %s %s; %s", text, metric, nature, remedy);
    else
        node_key_problem(reader->problems, node, "cannot work with %s %s: %s %s; %s", key, text,
            metric, nature, remedy);
}

static void check_times(
    struct config_reader *reader, const struct trigger_config *trigger, const struct node *node)
{
    const struct kind *kind = reader->kinds->triggers[trigger->kind];
    const char *metric = rds_metric_of(reader->config, trigger);
    int64_t for_ms = duration_of(kind, trigger->options, "for");
    int64_t within_ms = duration_of(kind, trigger->options, "within");
    if (for_ms > 0 && for_ms < RDS_PERIOD_MS)
        refuse(reader, node, "for", for_ms, metric,
            "give 0s, which is one sample, or 1m and more, or look at db.received");
    if (within_ms < 0 || node_get(node, "any"))
        return;
    if (node_get(node, "reaches") && within_ms < forecast_ms)
        refuse(
            reader, node, "within", within_ms, metric, "give 10m or more, or a trigger of above");
    else if (node_get(node, "all") && within_ms < RDS_LATE_MS)
        refuse(reader, node, "within", within_ms, metric,
            "give 5m or more, or look at db.received, which is there at once");
    else if (within_ms > 0 && within_ms < RDS_PERIOD_MS)
        refuse(reader, node, "within", within_ms, metric,
            "give 0s, which is from one sample to the next, or 1m and more");
}

/* Scores are combined where the samples are of one time, and these never are of that of others. */
static void check_mixture(
    struct config_reader *reader, const struct trigger_config *trigger, const struct node *node)
{
    size_t rds = 0;
    for (size_t i = 0; i < trigger->metrics.count; i++)
        rds += rds_metric_is_series(trigger->metrics.names[i]);
    if (!rds || rds == trigger->metrics.count)
        return;
    const struct node *metric = node_get(node, "metric");
    node_problem(reader->problems, metric ? metric : node,
        "mixes rds.* with metrics that are measured at once, and %s %s: make them two triggers, "
        "and "
        "combine these with all: and within: 5m",
        rds_metric_of(reader->config, trigger), nature);
}

void config_check_rds_triggers(struct config_reader *reader, const struct node *mapping)
{
    const struct config *config = reader->config;
    for (size_t i = 0; i < config->trigger_count; i++) {
        const struct trigger_config *trigger = &config->triggers[i];
        const struct node *node = node_get(mapping, trigger->name);
        if (!node || !rds_metric_of(config, trigger))
            continue;
        check_mixture(reader, trigger, node);
        check_times(reader, trigger, node);
    }
}
