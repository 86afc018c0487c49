#include "core/aws/aws_plan.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char home[] = "/tmp/stakeout-test-home-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(home) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fs_remove(home, NULL);
}

/* What a plan is to say, in one line. */
static char *show(const struct aws_plan *plan)
{
    static const char *const sources[] = {"keys", "web", "process", "sso", "container", "instance"};
    char *text = xstrdup(sources[plan->source]);
    const char *parts[] = {plan->access_key, plan->session_token, plan->token_file, plan->web.arn,
        plan->command, plan->sso_region, plan->sso_account, plan->sso_role, plan->region};
    for (size_t i = 0; i < sizeof parts / sizeof *parts + plan->role_count; i++) {
        size_t role = i - sizeof parts / sizeof *parts;
        const char *part = i < sizeof parts / sizeof *parts ? parts[i] : plan->roles[role].arn;
        if (!part)
            continue;
        char *longer = xasprintf("%s %s", text, part);
        free(text);
        text = longer;
    }
    return text;
}

static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE"};

/* "NAME=value NAME=value" */
static void set_environment(const char *text)
{
    char *copy = xstrdup(text), *rest = NULL;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("HOME", home, 1);
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(one, '=');
        *equals = '\0';
        setenv(one, equals + 1, 1);
    }
    free(copy);
}

static void put(const char *name, const char *text)
{
    char *folder = xasprintf("%s/.aws", home), *path = xasprintf("%s/%s", folder, name);
    fs_make_folders(folder, NULL);
    if (text)
        assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    else
        fs_remove(path, NULL);
    free(path);
    free(folder);
}

#define KEYS             "aws_access_key_id = AKIA\naws_secret_access_key=s\n"
#define ENVIRONMENT_KEYS "AWS_ACCESS_KEY_ID=ENV AWS_SECRET_ACCESS_KEY=s"
#define WEB              "AWS_WEB_IDENTITY_TOKEN_FILE=/token AWS_ROLE_ARN=arn:web"
#define CONTAINER        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x"

static const struct plan_case {
    const char *environment, *config, *credentials, *role;
    const char *expected; /* a part of the error, when it begins with "!" */
} cases[] = {
    /* the order of the chain */
    {ENVIRONMENT_KEYS " " WEB " " CONTAINER, "[default]\n" KEYS, NULL, NULL, "keys ENV"},
    {WEB " " CONTAINER, "[default]\n" KEYS, NULL, NULL, "web /token arn:web"},
    {CONTAINER, "[default]\n" KEYS, NULL, NULL, "keys AKIA"},
    {CONTAINER, NULL, NULL, NULL, "container"},
    {"", NULL, NULL, NULL, "instance"},
    {"AWS_EC2_METADATA_DISABLED=true", NULL, NULL, NULL, "!there are no AWS credentials"},
    /* half is none, or an error */
    {"AWS_ACCESS_KEY_ID=ENV " CONTAINER, NULL, NULL, NULL, "container"},
    {"AWS_WEB_IDENTITY_TOKEN_FILE=/token", NULL, NULL, NULL, "!AWS_ROLE_ARN is not"},
    {"", "[default]\naws_access_key_id=A\n", NULL, NULL, "!only one of"},
    /* profiles and their files */
    {"AWS_PROFILE=dev", "[profile dev]\nregion=eu-west-1\n", "[dev]\n" KEYS "aws_session_token=t",
        NULL, "keys AKIA t eu-west-1"},
    {"AWS_PROFILE=dev AWS_REGION=us-west-2", "[profile dev]\nregion=eu-west-1\n" KEYS, NULL, NULL,
        "keys AKIA us-west-2"},
    {"AWS_PROFILE=dev", "[profile prod]\n" KEYS, "[dev2]\n", NULL, "!names dev, and neither"},
    {"AWS_PROFILE=dev " CONTAINER, "[profile dev]\nregion=eu-west-1\n", NULL, NULL,
        "container eu-west-1"},
    {"", "[default]\n# a comment\n" KEYS "s3 =\n  max_concurrent_requests = 20\n", NULL, NULL,
        "keys AKIA"},
    {"", "[default\n", NULL, NULL, "!config: line 1: the section has no ]"},
    {"", "key = value\n", NULL, NULL, "!line 1: the setting is in no [section]"},
    {"AWS_SHARED_CREDENTIALS_FILE=/nonexistent " CONTAINER, NULL, "[default]\n" KEYS, NULL,
        "container"},
    {ENVIRONMENT_KEYS, "[default]\nregion=eu-west-1\n", NULL, NULL, "keys ENV eu-west-1"},
    {ENVIRONMENT_KEYS " AWS_PROFILE=none", "[default]\nregion=eu-west-1\n", NULL, NULL, "keys ENV"},
    {"", "[profile default]\n" KEYS "[default]\n", NULL, NULL, "keys AKIA"},
    {"AWS_PROFILE=a_b", "[profile\t 'a_b']\n" KEYS, NULL, NULL, "keys AKIA"},
    {CONTAINER, "[default]\nlogin_session=arn:x\n", NULL, NULL,
        "!aws configure export-credentials"},
    /* roles */
    {"", "[default]\nrole_arn=arn:a\nsource_profile=base\n[profile base]\n" KEYS, NULL, NULL,
        "keys AKIA arn:a"},
    {"",
        "[default]\nrole_arn=arn:a\nsource_profile=b\n[profile "
        "b]\nrole_arn=arn:b\nsource_profile=c\n[profile c]\n" KEYS,
        NULL, NULL, "keys AKIA arn:b arn:a"},
    {"", "[default]\nrole_arn=arn:a\nsource_profile=default\n" KEYS, NULL, NULL, "keys AKIA arn:a"},
    {"",
        "[default]\nrole_arn=arn:a\nsource_profile=b\n[profile "
        "b]\nrole_arn=arn:b\nsource_profile=default\n",
        NULL, NULL, "!or in a circle"},
    {"", "[default]\nrole_arn=arn:a\nsource_profile=gone\n", NULL, NULL,
        "!there is no profile gone"},
    {"", "[default]\nrole_arn=arn:a\ncredential_source=EcsContainer\n", NULL, NULL,
        "container arn:a"},
    {"", "[default]\nrole_arn=arn:a\ncredential_source=Ec2InstanceMetadata\n", NULL, NULL,
        "instance arn:a"},
    {"", "[default]\nrole_arn=arn:a\ncredential_source=Environment\n", NULL, NULL, "!is not set"},
    {"", "[default]\nrole_arn=arn:a\ncredential_source=Moon\n", NULL, NULL, "!Moon is none of"},
    {"", "[default]\nrole_arn=arn:a\n", NULL, NULL, "!role_arn needs a source_profile"},
    {"", "[default]\nrole_arn=arn:a\nsource_profile=b\nmfa_serial=arn:mfa\n[profile b]\n" KEYS,
        NULL, NULL, "!MFA"},
    {"", "[default]\nrole_arn=arn:a\nweb_identity_token_file=/t\n", NULL, NULL, "web /t arn:a"},
    {ENVIRONMENT_KEYS, NULL, NULL, "arn:top", "keys ENV arn:top"},
    /* SSO and processes */
    {"",
        "[default]\nsso_session=corp\nsso_account_id=1\nsso_role_name=r\n[sso-session "
        "corp]\nsso_region=eu-west-1\n",
        NULL, NULL, "sso eu-west-1 1 r"},
    {"",
        "[default]\nsso_start_url=https://"
        "x\nsso_region=us-east-1\nsso_account_id=1\nsso_role_name=r\n",
        NULL, NULL, "sso us-east-1 1 r"},
    {"", "[default]\nsso_session=corp\nsso_account_id=1\n", NULL, NULL, "!also needs sso_region"},
    {"", "[default]\ncredential_process = /bin/keys --for me\n", NULL, NULL,
        "process /bin/keys --for me"},
};

static void a_plan_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct plan_case *test = &cases[i];
        const struct aws_wishes wishes = {.role = test->role};
        struct aws_plan plan;
        struct error err = {""};
        set_environment(test->environment);
        put("config", test->config);
        put("credentials", test->credentials);
        int status = aws_plan_make(&plan, &wishes, &err);
        if (test->expected[0] == '!') {
            assert_int_equal(status, -1);
            if (!strstr(err.text, test->expected + 1))
                fail_msg("case %zu: %s", i, err.text);
        } else {
            if (status < 0)
                fail_msg("case %zu: %s", i, err.text);
            char *text = show(&plan);
            assert_string_equal(text, test->expected);
            assert_true(plan.origin && *plan.origin);
            free(text);
        }
        aws_plan_free(&plan);
    }
}

static void session_names_fit(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"stakeout-games", "stakeout-games"}, {"a b/c", "a-b-c"}, {"x", "x-"}, {NULL, "stakeout"}};
    set_environment(ENVIRONMENT_KEYS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct aws_plan plan;
        const struct aws_wishes wishes = {
            .role = "arn:a", .external_id = "e", .session_name = names[i][0]};
        assert_int_equal(aws_plan_make(&plan, &wishes, NULL), 0);
        assert_string_equal(plan.roles[0].session_name, names[i][1]);
        assert_string_equal(plan.roles[0].external_id, "e");
        aws_plan_free(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_made),
        cmocka_unit_test(session_names_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
