/* What the options of an S3 exporter make of it, and what of them the configuration refuses. */
#include "config/config.h"
#include "core/buf.h"
#include "exporters/s3.h"
#include "exporters_rig.h"

static char *identity_of(struct s3_exporter_options options)
{
    void *self = open_exporter(&exporter_s3, &options);
    char *identity = xstrdup(exporter_s3.identity(self));
    exporter_s3.close(self);
    return identity;
}

static void the_same_bucket_name_at_two_stores_is_told_apart(void **state)
{
    (void)state;
    static char bucket[] = "woogles", prefix[] = "prod", china[] = "cn-north-1";
    static char one[] = "http://127.0.0.1:7480", other[] = "http://127.0.0.1:7481";
    static const struct s3_exporter_options options[] = {
        {.bucket = bucket, .verify = true},
        {.bucket = bucket, .verify = true, .prefix = prefix},
        {.bucket = bucket, .verify = true, .region = china},
        {.bucket = bucket, .verify = true, .endpoint = one},
        {.bucket = bucket, .verify = true, .endpoint = other},
        {.bucket = bucket, .verify = true, .endpoint = other, .prefix = prefix},
    };
    char *identities[sizeof options / sizeof *options];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        identities[i] = identity_of(options[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(identities[i], identities[j]);
    }
    char *again = identity_of(options[3]);
    assert_string_equal(again, identities[3]);
    free(again);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        free(identities[i]);
}

static void settings_follow_the_options(void **state)
{
    (void)state;
    char bucket[] = "b", endpoint[] = "https://h";
    struct s3_exporter_options options = {.bucket = bucket, .verify = true};
    assert_false(s3_exporter_settings(&options, "").path_style);
    assert_false(s3_exporter_settings(&options, "").insecure);
    options.path_style = S3_PATH_STYLE_ON;
    assert_true(s3_exporter_settings(&options, "").path_style);
    options.endpoint = endpoint;
    options.path_style = S3_PATH_STYLE_AUTO;
    assert_true(s3_exporter_settings(&options, "").path_style);
    options.path_style = S3_PATH_STYLE_OFF;
    options.verify = false;
    assert_false(s3_exporter_settings(&options, "").path_style);
    assert_true(s3_exporter_settings(&options, "").insecure);
}

static void a_bucket_that_cannot_work_is_said_at_open(void **state)
{
    (void)state;
    char bucket[] = "s3://woogles";
    struct s3_exporter_options options = {.bucket = bucket, .verify = true};
    struct exporter_setup exporter_setup = {.loop = loop, .disk = disk, .options = &options};
    struct error err;
    assert_null(exporter_s3.open(&exporter_setup, &err));
    assert_non_null(strstr(err.text, "no bucket name"));
}

static void a_bucket_that_cannot_be_is_a_problem_of_the_configuration(void **state)
{
    (void)state;
    static const struct kind *const none[] = {NULL}, *const exporters[] = {&exporter_s3.kind, NULL};
    static const struct config_kinds kinds = {
        .sources = none, .triggers = none, .exporters = exporters};
    static const struct config_needs needs = {.exporter = true};
#define NO_BUCKET                                                                                  \
    " is no bucket name: give the bare name, 3 to 63 lower-case letters, digits, - and ., "        \
    "without s3://, an ARN or a path (a path goes into prefix)\n"
    static const struct {
        const char *options, *problems;
    } cases[] = {
        {"bucket: a-b.c", ""},
        {"bucket: abc, region: '${T_UNSET:-}', prefix: /a/", ""},
        {"bucket: 's3://abc'", "f:3:23: export.s3.bucket: \"s3://abc\"" NO_BUCKET},
        {"bucket: ABC, endpoint: 'http://h'", "f:3:23: export.s3.bucket: \"ABC\"" NO_BUCKET},
        {"bucket: abc/x, prefix: a/../b, region: us_east, endpoint: 'http://u:p@h'",
            "f:3:23: export.s3.bucket: \"abc/x\"" NO_BUCKET
            "f:3:38: export.s3.prefix: the prefix may not hold the folders . and ..: they mean "
            "nothing in a bucket, and other tools take them out\n"
            "f:3:54: export.s3.region: \"us_east\" is no region: an example is us-east-1\n"
            "f:3:73: export.s3.endpoint: the S3 endpoint may not hold a user name or password: "
            "credentials come from the environment or the task role\n"},
        /* Beside problems that the table finds. */
        {"bucket: a, prefix: \"a\\n\", verify: x, region: '${T_UNSET}'",
            "f:3:23: export.s3.bucket: \"a\"" NO_BUCKET
            "f:3:34: export.s3.prefix: holds a line break or another control character\n"
            "f:3:49: export.s3.verify: \"x\" is neither true nor false\n"
            "f:3:60: export.s3.region: the environment variable T_UNSET is not set; set it, or "
            "give a default as in ${T_UNSET:-default}\n"},
        {"bucket: abc, endpoint: 'http://h/abc'",
            "f:3:38: export.s3.endpoint: the S3 endpoint has a path, /abc: give only scheme, host "
            "and port (the bucket goes into bucket)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        buf_init(&problems, 1 << 16);
        char *text = xasprintf(
            "service: s\napp: {debug: 'http://h'}\nexport: {s3: {%s}}\n", cases[i].options);
        config_free(config_parse(text, strlen(text), "f", &kinds, &needs, &problems), &kinds);
        assert_string_equal(problems.data, cases[i].problems);
        buf_free(&problems);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(the_same_bucket_name_at_two_stores_is_told_apart),
        WITH_LOOP(settings_follow_the_options),
        WITH_LOOP(a_bucket_that_cannot_work_is_said_at_open),
        cmocka_unit_test(a_bucket_that_cannot_be_is_a_problem_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
