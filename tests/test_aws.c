#include "core/aws/aws.h"
#include "core/aws/aws_temporary.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "HOME"};

/* What the last answer said. */
struct seen {
    bool done, found, may_recover;
    unsigned number;
    char access_key[64], secret_key[64], token[64], region[32], reason[600];
};

static struct loop *loop;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

static void note(void *arg, const struct aws_answer *answer)
{
    struct seen *seen = arg;
    *seen = (struct seen){.done = true, .may_recover = answer->may_recover};
    snprintf(seen->reason, sizeof seen->reason, "%s", answer->reason);
    const struct sigv4_credentials *credentials = answer->credentials;
    if (!credentials)
        return;
    seen->found = true;
    seen->number = answer->number;
    snprintf(seen->region, sizeof seen->region, "%s", answer->region ? answer->region : "");
    snprintf(seen->access_key, sizeof seen->access_key, "%s", credentials->access_key);
    snprintf(seen->secret_key, sizeof seen->secret_key, "%s", credentials->secret_key);
    snprintf(seen->token, sizeof seen->token, "%s",
        credentials->session_token ? credentials->session_token : "");
}

static struct seen ask(struct aws *aws)
{
    struct seen seen = {0};
    aws_get(aws, note, &seen);
    assert_false(seen.done); /* never from within the call */
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    return seen;
}

static void takes_the_environment_first(void **state)
{
    (void)state;
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    setenv("AWS_ACCESS_KEY_ID", "AKIA", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SESSION_TOKEN", "", 1);
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x", 1);
    struct seen seen = ask(aws);
    assert_true(seen.found);
    assert_string_equal(seen.access_key, "AKIA");
    assert_string_equal(seen.secret_key, "secret");
    assert_string_equal(seen.token, "");
    assert_false(aws_renew(aws, seen.number));
    aws_close(aws);
}

static void names_what_it_tried(void **state)
{
    (void)state;
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    struct seen seen = ask(aws);
    assert_false(seen.found);
    assert_false(seen.may_recover);
    assert_non_null(strstr(seen.reason, "AWS_ACCESS_KEY_ID"));
    assert_non_null(strstr(seen.reason, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
    assert_non_null(strstr(seen.reason, "task role"));
    setenv("AWS_ACCESS_KEY_ID", "AKIA", 1); /* half is none */
    assert_false(ask(aws).found);
    aws_close(aws);
}

#define CREDENTIALS(key, expires)                                                                  \
    "{\"RoleArn\":\"arn:aws:iam::1:role/x\",\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s/"  \
    "+\",\"Token\":\"t==\",\"Expiration\":\"" expires "\"}"

static void fetches_the_containers_and_keeps_them(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200, .body = CREDENTIALS("ASIA1", "2999-01-01T00:00:00Z")},
        {.status = 200, .body = CREDENTIALS("ASIA2", "2999-01-01T00:00:00Z")},
    };
    struct stub_server server;
    stub_start(&server, answers, 2);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let-me-in", 1);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    struct seen both[2] = {0};
    aws_get(aws, note, &both[0]);
    aws_get(aws, note, &both[1]);
    struct seen seen = ask(aws);
    assert_true(both[0].found && both[1].found); /* one fetch served all three */
    assert_string_equal(seen.access_key, "ASIA1");
    assert_string_equal(seen.secret_key, "s/+");
    assert_string_equal(seen.token, "t==");
    assert_string_equal(ask(aws).access_key, "ASIA1");
    assert_true(aws_renew(aws, seen.number));
    assert_string_equal(ask(aws).access_key, "ASIA2");
    assert_true(aws_renew(aws, seen.number)); /* another request had the same old ones */
    assert_string_equal(ask(aws).access_key, "ASIA2");
    aws_close(aws);
    stub_stop(&server);
    assert_int_equal(server.count, 2);
    assert_string_equal(server.requests[0].authorization, "let-me-in");
    stub_free(&server);
}

static void reads_the_token_file_each_time(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200, .body = CREDENTIALS("ASIA", "2999-01-01T00:00:00Z")}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    char path[] = "/tmp/stakeout-test-token-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from-variable", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    assert_int_equal(fs_write(path, "first\n", 6, NULL), 0);
    struct seen seen = ask(aws);
    assert_true(seen.found);
    assert_int_equal(fs_write(path, "second", 6, NULL), 0);
    assert_true(aws_renew(aws, seen.number));
    seen = ask(aws);
    assert_true(seen.found);
    assert_int_equal(fs_write(path, "in\njected", 9, NULL), 0);
    assert_true(aws_renew(aws, seen.number));
    seen = ask(aws);
    assert_false(seen.found);
    assert_null(strstr(seen.reason, "jected"));
    aws_close(aws);
    close(fd);
    unlink(path);
    stub_stop(&server);
    assert_int_equal(server.count, 2);
    assert_string_equal(server.requests[0].authorization, "first");
    assert_string_equal(server.requests[1].authorization, "second");
    stub_free(&server);
}

static void asks_rarely_for_short_lived_ones_and_drops_refused_ones(void **state)
{
    (void)state;
    char expires[RFC3339_SIZE], body[300];
    /* Due for renewal, as less than five minutes are left, but not over. */
    rfc3339_format(clock_wall_ms() + 200000, expires);
    snprintf(body, sizeof body,
        "{\"AccessKeyId\":\"OLD\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"%s\"}",
        expires);
    const struct stub_answer answers[] = {
        {.status = 200, .body = body},
        {.status = 500, .body = "{\"code\":\"InternalError\",\"message\":\"later\"}"},
    };
    struct stub_server server;
    stub_start(&server, answers, 2);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url, 1);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    assert_string_equal(ask(aws).access_key, "OLD");
    struct seen seen = ask(aws); /* without asking the provider again */
    assert_string_equal(seen.access_key, "OLD");
    assert_true(aws_renew(aws, seen.number)); /* refused by the service: not to be used */
    seen = ask(aws);
    assert_false(seen.found);
    assert_true(seen.may_recover);
    assert_non_null(strstr(seen.reason, "InternalError: later"));
    aws_close(aws);
    stub_stop(&server);
    assert_int_equal(server.count, 2);
    stub_free(&server);
}

static void a_profiles_keys_are_read_again(void **state)
{
    (void)state;
    char path[] = "/tmp/stakeout-test-credentials-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    static const char old[] = "[default]\naws_access_key_id=OLD\naws_secret_access_key=s\n";
    static const char new[] = "[default]\naws_access_key_id=NEW\naws_secret_access_key=s\n";
    assert_int_equal(fs_write(path, old, sizeof old - 1, NULL), 0);
    struct seen seen = ask(aws);
    assert_string_equal(seen.access_key, "OLD");
    assert_int_equal(fs_write(path, new, sizeof new - 1, NULL), 0);
    assert_true(aws_renew(aws, seen.number));
    assert_string_equal(ask(aws).access_key, "NEW");
    struct aws_state kept;
    assert_true(aws_state(aws, &kept));
    assert_non_null(strstr(kept.origin, "profile default"));
    assert_true(kept.expires_ms == INT64_MAX);
    aws_close(aws);
    unlink(path);
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
}

/* Only where nothing else says it, and once. */
static void asks_for_the_region(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200, .body = "{\"TaskARN\":\"arn:aws:ecs:eu-north-1:1:task/c/t\"}"}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    setenv("ECS_CONTAINER_METADATA_URI_V4", server.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIA", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    const struct {
        const char *configured, *environment, *expected;
        bool find;
    } cases[] = {{"us-west-2", "us-east-2", "us-west-2", true},
        {NULL, "us-east-2", "us-east-2", true}, {NULL, NULL, "", false},
        {NULL, NULL, "eu-north-1", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aws *aws = aws_open(&(struct aws_setup){
            .loop = loop, .region = cases[i].configured, .find_region = cases[i].find});
        unsetenv("AWS_REGION");
        if (cases[i].environment)
            setenv("AWS_REGION", cases[i].environment, 1);
        assert_string_equal(ask(aws).region, cases[i].expected);
        assert_string_equal(ask(aws).region, cases[i].expected);
        aws_close(aws);
    }
    unsetenv("ECS_CONTAINER_METADATA_URI_V4");
    stub_stop(&server);
    assert_int_equal(server.count, 1);
    assert_string_equal(server.requests[0].path, "/task");
    stub_free(&server);
}

static void a_cancelled_request_gets_no_answer(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIA", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    struct seen cancelled = {0}, left = {0};
    struct aws_request *request = aws_get(aws, note, &cancelled);
    aws_get(aws, note, &left);
    aws_cancel(request);
    assert_true(loop_run_until(loop, &left.done, clock_mono_ms() + 20000));
    assert_false(cancelled.done);
    aws_get(aws, note, &cancelled);
    aws_close(aws);
    assert_false(cancelled.done);
}

static void parses_answers(void **state)
{
    (void)state;
    static const struct {
        const char *json, *error;
    } cases[] = {
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}", NULL},
        {CREDENTIALS("A", "2026-11-23T15:04:01Z"), NULL},
        {"", "no JSON"},
        {"[]", "no AccessKeyId"},
        {"{\"AccessKeyId\":\"A\"}", "no AccessKeyId and SecretAccessKey"},
        {"{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"S\"}", "no AccessKeyId"},
        {"{\"AccessKeyId\":1,\"SecretAccessKey\":\"S\"}", "no AccessKeyId"},
        {"{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":\"S\"}", "no AccessKeyId"},
        {CREDENTIALS("A", "soon"), "no time"},
        {"{\"code\":\"NoSuchTask\",\"message\":\"gone\"}", "NoSuchTask: gone"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aws_temporary temporary;
        struct error err = {""};
        int status = aws_parse_metadata(cases[i].json, strlen(cases[i].json), &temporary, &err);
        assert_int_equal(status, cases[i].error ? -1 : 0);
        if (cases[i].error)
            assert_non_null(strstr(err.text, cases[i].error));
        aws_temporary_free(&temporary);
    }
}

static void renews_in_time(void **state)
{
    (void)state;
    static const struct {
        int64_t left_s;
        unsigned chance;
        int64_t expected_s;
    } cases[] = {{3600, 0, 3300}, {3600, 1000, 3150}, {21600, 500, 21225}, {900, 0, 675},
        {900, 1000, 562}, {4, 0, 3}, {4, 1000, 2}, {0, 1000, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            aws_renewal_ms(cases[i].left_s * 1000, cases[i].chance) / 1000, cases[i].expected_s);
}

static void allows_plain_http_only_nearby(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        bool allowed;
    } cases[] = {
        {"http://169.254.170.2/v2", true},
        {"http://169.254.170.23/v1/credentials", true},
        {"http://[fd00:ec2::23]/v1", true},
        {"http://127.0.0.1:8080/x", true},
        {"http://127.9.9.9", true},
        {"http://[::1]:80/", true},
        {"http://localhost/x", true},
        {"https://anywhere.example/x", true},
        {"http://169.254.169.254/latest", false},
        {"http://example.com/", false},
        {"http://localhost.example.com/", false},
        {"http://127.0.0.1@example.com/", false},
        {"http://127.0.0.1.example.com/", false},
        {"ftp://127.0.0.1/", false},
        {"file:///etc/passwd", false},
        {"/v2/credentials", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (aws_uri_allowed(cases[i].uri) != cases[i].allowed)
            fail_msg("%s", cases[i].uri);
}

static void refuses_addresses_that_leave_the_rules(void **state)
{
    (void)state;
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", 1);
    struct seen seen = ask(aws);
    assert_false(seen.found);
    assert_non_null(strstr(seen.reason, "AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/x", 1);
    seen = ask(aws);
    assert_false(seen.found);
    assert_non_null(strstr(seen.reason, "does not begin with /"));
    aws_close(aws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_environment_first, setup, teardown),
        cmocka_unit_test_setup_teardown(names_what_it_tried, setup, teardown),
        cmocka_unit_test_setup_teardown(fetches_the_containers_and_keeps_them, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_the_token_file_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(
            asks_rarely_for_short_lived_ones_and_drops_refused_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(a_profiles_keys_are_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_for_the_region, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_request_gets_no_answer, setup, teardown),
        cmocka_unit_test(parses_answers),
        cmocka_unit_test(renews_in_time),
        cmocka_unit_test(allows_plain_http_only_nearby),
        cmocka_unit_test_setup_teardown(refuses_addresses_that_leave_the_rules, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
