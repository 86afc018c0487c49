#include "commands/init_policy.h"

#include "config_text.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config *config_of(const char *rest)
{
    char text[800];
    snprintf(text, sizeof text,
        "service: woogles\napp: {debug: \"http://localhost:8001/debug/pprof\"}\n%s", rest);
    return parse_config(text, (struct config_needs){.exporter = true});
}

/* "s3:PutObject s3:AbortMultipartUpload on arn:...\n" a statement; the caller frees. */
static char *rights_of(const struct config *config, const char *role)
{
    struct buf text;
    buf_init(&text, 8192);
    json_t *policy = init_policy(config, role);
    size_t i, j;
    const json_t *statement, *action;
    json_array_foreach(json_object_get(policy, "Statement"), i, statement)
    {
        json_array_foreach(json_object_get(statement, "Action"), j, action)
            buf_printf(&text, "%s ", json_string_value(action));
        buf_printf(&text, "on %s\n", json_string_value(json_object_get(statement, "Resource")));
    }
    json_decref(policy);
    return buf_take(&text);
}

static void rights_are_what_the_configuration_needs(void **state)
{
    (void)state;
    static const char put[] = "s3:PutObject s3:AbortMultipartUpload ";
    static const struct {
        const char *config, *first, *rights; /* `first`: of the first statement, after `put` */
    } rows[] = {
        {"export: {s3: {bucket: b-1}}", "on arn:aws:s3:::b-1/*\n",
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"},
        {"export: {s3: {bucket: b-1, prefix: /a/b/, region: us-gov-west-1}}",
            "on arn:aws-us-gov:s3:::b-1/a/b/*\n",
            "s3:GetObject on arn:aws-us-gov:s3:::b-1/a/b/service=woogles/_state/*\n"},
        {"export: {s3: {bucket: b-1, tags: {team: games}}}",
            "s3:PutObjectTagging on arn:aws:s3:::b-1/*\n",
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"},
        {"export: {s3: {bucket: b-1}}\nreport_links: 12h\nfleet: {incidents: 3, per: 10m}",
            "on arn:aws:s3:::b-1/*\n",
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/*\n"
            "s3:ListBucket on arn:aws:s3:::b-1\n"},
        {"export: {s3: {bucket: b-1, encryption: {kms_key: \"arn:aws:kms:us-east-1:1:key/k\"}}}",
            "on arn:aws:s3:::b-1/*\n",
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"
            "kms:GenerateDataKey kms:Decrypt on arn:aws:kms:us-east-1:1:key/k\n"},
        {"export: {s3: {bucket: b-1, encryption: {kms_key: alias/mine}}}",
            "on arn:aws:s3:::b-1/*\n",
            "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"
            "kms:GenerateDataKey kms:Decrypt on *\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = config_of(rows[i].config);
        char *rights = rights_of(config, NULL);
        char expected[800];
        snprintf(expected, sizeof expected, "%s%s%s", put, rows[i].first, rows[i].rights);
        assert_string_equal(rights, expected);
        free(rights);
        config_free(config, &config_kinds);
    }
}

static void who_asks_cloudwatch_may_read_metrics(void **state)
{
    (void)state;
    static const char right[] = "cloudwatch:GetMetricData on *\n";
    static const char to_a_folder[] = "export: {directory: /captures}\n";
    static const char role[] = "arn:aws:iam::123456789012:role/profiles";
    static const char assume[] = "sts:AssumeRole on arn:aws:iam::123456789012:role/profiles\n";
    static const struct {
        const char *database, *rights, *of_role;
    } rows[] = {
        {"database: {endpoint: \"a:5432\", cloudwatch: {instance: prod}}", right, ""},
        {"database: {endpoint: \"a:5432\", cloudwatch: {instance: prod,"
         " role: \"arn:aws:iam::123456789012:role/profiles\"}}",
            assume, right},
        {"database:\n"
         "- {name: a, endpoint: \"a:5432\"}\n"
         "- {name: b, endpoint: \"b:5432\", cloudwatch: {cluster: b}}\n"
         "- {name: c, endpoint: \"c:5432\", cloudwatch: {instance: c}}\n",
            right, ""},
        {"database: {endpoint: \"a:5432\", cloudwatch: {instance: prod, endpoint: "
         "\"https://monitoring.internal\"}}",
            "", ""},
        {"database: {endpoint: \"a:5432\"}", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s%s", to_a_folder, rows[i].database);
        struct config *config = config_of(text);
        char *rights = rights_of(config, NULL), *of_role = rights_of(config, role);
        assert_string_equal(rights, rows[i].rights);
        assert_string_equal(of_role, rows[i].of_role);
        free(rights);
        free(of_role);
        config_free(config, &config_kinds);
    }
}

static void other_places_need_no_rights_at_amazon(void **state)
{
    (void)state;
    struct config *config = config_of("export: {directory: /captures, s3: {bucket: b-1, endpoint: "
                                      "\"https://s3.internal:9000\"}}");
    assert_null(init_policy(config, NULL));
    config_free(config, &config_kinds);
}

static void an_assumed_role_has_the_rights_instead(void **state)
{
    (void)state;
    static const char role[] = "arn:aws:iam::123456789012:role/profiles";
    struct config *config = config_of(
        "export:\n"
        "  s3:\n"
        "  - {bucket: b-1, role: \"arn:aws:iam::123456789012:role/profiles\"}\n"
        "  - {bucket: b-2}\n"
        "  - {bucket: b-3}\n"
        "  sns: {topic: \"arn:aws:sns:us-east-1:123456789012:t\","
        " role: \"arn:aws:iam::123456789012:role/profiles\"}\n");
    char *own = rights_of(config, NULL), *assumed = rights_of(config, role);
    assert_string_equal(own, "s3:PutObject s3:AbortMultipartUpload on arn:aws:s3:::b-2/*\n"
                             "s3:GetObject on arn:aws:s3:::b-2/service=woogles/_state/*\n"
                             "s3:PutObject s3:AbortMultipartUpload on arn:aws:s3:::b-3/*\n"
                             "s3:GetObject on arn:aws:s3:::b-3/service=woogles/_state/*\n"
                             "sts:AssumeRole on arn:aws:iam::123456789012:role/profiles\n");
    assert_string_equal(assumed, "s3:PutObject s3:AbortMultipartUpload on arn:aws:s3:::b-1/*\n"
                                 "s3:GetObject on arn:aws:s3:::b-1/service=woogles/_state/*\n"
                                 "sns:Publish on arn:aws:sns:us-east-1:123456789012:t\n");
    json_t *policy = init_policy(config, NULL);
    const json_t *third = json_array_get(json_object_get(policy, "Statement"), 2);
    assert_string_equal(json_string_value(json_object_get(third, "Sid")), "StoreIncidents2");
    json_decref(policy);
    const char *roles[4];
    assert_int_equal(init_policy_roles(config, roles), 1);
    assert_string_equal(roles[0], role);
    free(own);
    free(assumed);
    config_free(config, &config_kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_what_the_configuration_needs),
        cmocka_unit_test(who_asks_cloudwatch_may_read_metrics),
        cmocka_unit_test(other_places_need_no_rights_at_amazon),
        cmocka_unit_test(an_assumed_role_has_the_rights_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
