#include "core/aws/aws_who.h"

#include "core/aws/aws.h"
#include "core/clock.h"
#include "core/loop.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    bool done;
    char who[512];
};

static void note(void *arg, const char *who)
{
    struct seen *seen = arg;
    seen->done = true;
    snprintf(seen->who, sizeof seen->who, "%s", who ? who : "nobody");
}

#define FROM "from the environment (AWS_ACCESS_KEY_ID), access key AKIA..."

static const struct who_case {
    const char *access_key;
    bool of_aws;
    struct stub_answer answer;
    const char *who; /* how it begins */
    size_t requests;
} cases[] = {
    {"AKIAEXAMPLE", true,
        {200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn>"
            "</GetCallerIdentityResult></GetCallerIdentityResponse>",
            {0}},
        "arn:aws:iam::1:user/x, " FROM, 1},
    {"AKIAEXAMPLE", false, {200, "", {0}}, FROM, 0},
    {"AKIAEXAMPLE", true,
        {403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            "</ErrorResponse>",
            {0}},
        FROM "; who these credentials are cannot be asked: STS answered AccessDenied: no", 1},
    {"AKIAEXAMPLE", true, {200, "<html/>", {0}}, FROM "; STS's answer names nobody", 1},
    {"", true, {200, "", {0}}, "nobody", 0},
};

static void says_who(void **state)
{
    (void)state;
    struct loop *loop = loop_open(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        struct seen seen = {.done = false};
        stub_start(&server, &cases[i].answer, 1);
        setenv("AWS_ENDPOINT_URL_STS", server.url, 1);
        setenv("AWS_ACCESS_KEY_ID", cases[i].access_key, 1);
        struct aws *aws = aws_open(&(struct aws_setup){.loop = loop, .region = "eu-west-1"});
        aws_who_ask(loop, aws, cases[i].of_aws, note, &seen);
        assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
        aws_who_cancel(aws_who_ask(loop, aws, true, note, NULL));
        aws_close(aws);
        stub_stop(&server);
        if (strncmp(seen.who, cases[i].who, strlen(cases[i].who)) != 0)
            fail_msg("case %zu: %s", i, seen.who);
        assert_null(strstr(seen.who, "EXAMPLE"));
        assert_null(strstr(seen.who, "hidden"));
        assert_int_equal(server.count, cases[i].requests);
        stub_free(&server);
    }
    loop_close(loop);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const variables[] = {"AWS_SESSION_TOKEN", "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "HOME"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_who)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
