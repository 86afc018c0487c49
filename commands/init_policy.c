#include "commands/init_policy.h"

#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/aws/aws_region.h"
#include "exporters/exporter.h"
#include "exporters/s3.h"
#include "exporters/sns.h"

#include <stdlib.h>
#include <string.h>

/* Whose policy is being written, and what it has so far. */
struct writing {
    const struct config *config;
    const char *role; /* NULL: the task's own */
    json_t *statements;
};

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* One action or several, with blanks between them, on one resource. Sid, which people read, is of
 * letters and digits only. The text of `resource` is freed. */
static json_t *allow(struct writing *writing, const char *sid, const char *actions, char *resource)
{
    json_t *list = json_array();
    for (const char *at = actions; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        json_array_append_new(list, json_stringn(at, length));
        at += length;
    }
    json_t *statement = json_pack("{s:s, s:s, s:o, s:s}", "Sid", sid, "Effect", "Allow", "Action",
        list, "Resource", resource);
    json_array_append_new(writing->statements, statement);
    free(resource);
    return statement;
}

/* ARNs of buckets name no region, but the partition. */
static const char *partition_of(const struct s3_exporter_options *options)
{
    return options->region ? aws_region_partition(options->region) : "aws";
}

/* "arn:aws:s3:::bucket/prefix/REST" */
static char *objects(const struct s3_exporter_options *options, const char *rest)
{
    char *prefix = s3_exporter_prefix(options);
    char *arn = xasprintf("arn:%s:s3:::%s/%s%s%s", partition_of(options), options->bucket, prefix,
        *prefix ? "/" : "", rest);
    free(prefix);
    return arn;
}

/* What is listed is one service's, and not the bucket. */
static void allow_listing(struct writing *writing, const struct s3_exporter_options *options)
{
    char *bucket = xasprintf("arn:%s:s3:::%s", partition_of(options), options->bucket);
    json_t *statement = allow(writing, "CountCopies", "s3:ListBucket", bucket);
    char *prefix = s3_exporter_prefix(options);
    char *below = xasprintf(
        "%s%sservice=%s/*", prefix, *prefix ? "/" : "", writing->config->service);
    json_object_set_new(
        statement, "Condition", json_pack("{s:{s:s}}", "StringLike", "s3:prefix", below));
    free(below);
    free(prefix);
}

/* A key is named by its ARN, by its id, or by an alias, which is no resource of its own.
 * https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html */
static void allow_key(struct writing *writing, const struct s3_exporter_options *options)
{
    static const char actions[] = "kms:GenerateDataKey kms:Decrypt";
    const char *key = options->encryption.kms_key;
    const char *alias = strstr(key, "alias/");
    if (alias) {
        json_t *statement = allow(writing, "Encrypt", actions, xstrdup("*"));
        json_object_set_new(statement, "Condition",
            json_pack("{s:{s:s}}", "ForAnyValue:StringEquals", "kms:ResourceAliases", alias));
        return;
    }
    bool is_arn = !strncmp(key, "arn:", 4);
    allow(writing, "Encrypt", actions,
        is_arn ? xstrdup(key) : xasprintf("arn:%s:kms:*:*:key/%s", partition_of(options), key));
}

static void allow_s3(struct writing *writing, const struct s3_exporter_options *options)
{
    char *state = xasprintf("service=%s/_state/*", writing->config->service);
    allow(writing, "StoreIncidents",
        options->tags.count > 0 ? "s3:PutObject s3:AbortMultipartUpload s3:PutObjectTagging"
                                : "s3:PutObject s3:AbortMultipartUpload",
        objects(options, "*"));
    allow(writing, "KnowWhatWasLearned", "s3:GetObject", objects(options, state));
    free(state);
    if (writing->config->report_links_ms > 0) {
        char *service = xasprintf("service=%s/*", writing->config->service);
        allow(writing, "LinkToReports", "s3:GetObject", objects(options, service));
        free(service);
    }
    if (writing->config->fleet.incidents > 0)
        allow_listing(writing, options);
    if (options->encryption.kms_key)
        allow_key(writing, options);
}

/* The role that an exporter assumes; NULL: none. *at_amazon: whether rights of AWS's are what it
 * needs. */
static const char *role_of(const struct exporter_config *exporter, bool *at_amazon)
{
    const struct exporter_kind *kind = exporter_kinds[exporter->kind];
    if (kind == &exporter_s3) {
        const struct s3_exporter_options *s3 = exporter->options;
        *at_amazon = !s3->endpoint || aws_region_owns(s3->endpoint);
        return s3->role;
    }
    *at_amazon = kind == &exporter_sns;
    const struct sns_options *sns = *at_amazon ? exporter->options : NULL;
    return sns ? sns->role : NULL;
}

/* What a database has of CloudWatch at Amazon; NULL: nothing. */
static const struct cloudwatch_config *cloudwatch_of(const struct config *config, size_t database)
{
    const struct cloudwatch_config *cloudwatch = &config->databases[database].cloudwatch;
    bool at_amazon = !cloudwatch->endpoint || aws_region_owns(cloudwatch->endpoint);
    return config_has_cloudwatch(&config->databases[database]) && at_amazon ? cloudwatch : NULL;
}

static void allow_exporter(struct writing *writing, const struct exporter_config *exporter)
{
    bool at_amazon;
    const char *role = role_of(exporter, &at_amazon);
    if (!at_amazon || !same(role, writing->role))
        return;
    if (exporter_kinds[exporter->kind] == &exporter_s3) {
        allow_s3(writing, exporter->options);
    } else {
        const struct sns_options *sns = exporter->options;
        allow(writing, "TellPeople", "sns:Publish", xstrdup(sns->topic));
    }
}

static void allow_roles(struct writing *writing)
{
    const char **roles = xcalloc(init_policy_roles_max(writing->config), sizeof *roles);
    size_t count = init_policy_roles(writing->config, roles);
    for (size_t i = 0; i < count; i++)
        allow(writing, "AssumeRole", "sts:AssumeRole", xstrdup(roles[i]));
    free(roles);
}

/* CloudWatch knows no resources for metrics: it is all or none, once.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html */
static void allow_cloudwatch(struct writing *writing)
{
    for (size_t i = 0; i < writing->config->database_count; i++) {
        const struct cloudwatch_config *cloudwatch = cloudwatch_of(writing->config, i);
        if (!cloudwatch || !same(cloudwatch->role, writing->role))
            continue;
        allow(writing, "ReadDatabaseMetrics", "cloudwatch:GetMetricData", xstrdup("*"));
        return;
    }
}

/* Two exporters may need the same right on different things: Sids are unique in a policy. */
static void number_sids(json_t *statements)
{
    size_t i;
    json_t *each;
    json_array_foreach(statements, i, each)
    {
        const char *sid = json_string_value(json_object_get(each, "Sid"));
        size_t before = 0;
        for (size_t j = 0; j < i; j++) {
            const char *other = json_string_value(
                json_object_get(json_array_get(statements, j), "Sid"));
            before += !strncmp(other, sid, strlen(sid));
        }
        if (before > 0) {
            char *numbered = xasprintf("%s%zu", sid, before + 1);
            json_object_set_new(each, "Sid", json_string(numbered));
            free(numbered);
        }
    }
}

json_t *init_policy(const struct config *config, const char *role)
{
    struct writing writing = {config, role, json_array()};
    for (size_t i = 0; i < config->exporter_count; i++)
        allow_exporter(&writing, &config->exporters[i]);
    allow_cloudwatch(&writing);
    if (!role)
        allow_roles(&writing);
    if (json_array_size(writing.statements) == 0) {
        json_decref(writing.statements);
        return NULL;
    }
    number_sids(writing.statements);
    return json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", writing.statements);
}

size_t init_policy_roles_max(const struct config *config)
{
    return config->exporter_count + config->database_count + 1;
}

static size_t add_role(const char **roles, size_t count, const char *role)
{
    for (size_t i = 0; i < count; i++)
        if (same(roles[i], role))
            return count;
    if (role)
        roles[count++] = role;
    return count;
}

size_t init_policy_roles(const struct config *config, const char **roles)
{
    size_t count = 0;
    for (size_t i = 0; i < config->exporter_count; i++) {
        bool at_amazon;
        count = add_role(roles, count, role_of(&config->exporters[i], &at_amazon));
    }
    for (size_t i = 0; i < config->database_count; i++) {
        const struct cloudwatch_config *cloudwatch = cloudwatch_of(config, i);
        if (cloudwatch)
            count = add_role(roles, count, cloudwatch->role);
    }
    return count;
}
