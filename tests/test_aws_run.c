/* Carrying out a plan against a stub that gives prepared answers. */
#include "core/aws/aws_run.h"

#include "core/alloc.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_temporary.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;

struct seen {
    bool done, may_recover;
    struct aws_temporary temporary;
    struct error err;
};

static void note(
    void *arg, struct aws_temporary *temporary, bool may_recover, const struct error *err)
{
    struct seen *seen = arg;
    seen->done = true;
    seen->may_recover = may_recover;
    if (temporary)
        seen->temporary = *temporary;
    else
        seen->err = *err;
}

static int64_t clock_offset_ms;

static struct seen run(const struct aws_plan *plan)
{
    struct seen seen = {.done = false};
    clock_offset_ms = 0;
    aws_run_start(&(struct aws_run_setup){.loop = loop,
        .plan = plan,
        .region = "eu-west-1",
        .clock_offset_ms = &clock_offset_ms,
        .done = note,
        .arg = &seen});
    assert_false(seen.done);
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    return seen;
}

#define JSON(key)                                                                                  \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"
#define STS(key)                                                                                   \
    "<A><B><Credentials><AccessKeyId>" key                                                         \
    "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t-" key                       \
    "</SessionToken></Credentials></B></A>"
#define STS_ERROR(code)                                                                            \
    "<ErrorResponse><Error><Code>" code "</Code><Message>m</Message></Error></ErrorResponse>"
#define SSO                                                                                        \
    "{\"roleCredentials\":{\"accessKeyId\":\"SSO\",\"secretAccessKey\":\"s\",\"sessionToken\":"    \
    "\"t\",\"expiration\":9}}"

static char arn_a[] = "arn:a", arn_b[] = "arn:b", session[] = "me", origin[] = "the test",
            key[] = "BASE", secret[] = "s";
static char token_file[] = "/tmp/stakeout-test-token-XXXXXX",
            cache[] = "/tmp/stakeout-test-cache-XXXXXX";
static char region[] = "eu-west-1", account[] = "1", role[] = "r",
            login[] = "aws sso login --profile x";
static char prints[] = "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\"}'";
static char prints_old[] =
    "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\",\"Expiration\":"
    "\"2020-01-02T03:04:05Z\"}'";
static char fails[] = "exit 3", prints_junk[] = "echo junk", floods[] = "yes",
            is_killed[] = "kill -9 $$";

#define BASE .origin = origin, .access_key = key, .secret_key = secret
#define SSO_PLAN                                                                                   \
    .source = AWS_SSO, .origin = origin, .sso_region = region, .sso_account = account,             \
    .sso_role = role, .sso_login = login, .sso_cache = cache

static const struct run_case {
    struct aws_plan plan;
    struct stub_answer answers[4];
    const char *expected; /* the access key; a part of the error, when it begins with "!" */
    const char *requests; /* what was asked, a line each */
    bool may_recover;
} cases[] = {
    {{BASE}, {{0}}, "BASE", "", false},
    {{BASE, .roles = {{arn_a, NULL, session}}, .role_count = 1}, {{200, STS("ROLE"), {0}}}, "ROLE",
        "POST /\n", false},
    {{BASE, .roles = {{arn_a, NULL, session}, {arn_b, NULL, session}}, .role_count = 2},
        {{200, STS("A"), {0}}, {200, STS("B"), {0}}}, "B", "POST /\nPOST /\n", false},
    {{BASE, .roles = {{arn_a, NULL, session}}, .role_count = 1},
        {{403, STS_ERROR("AccessDenied"), {0}}}, "!role arn:a cannot be assumed: AccessDenied",
        "POST /\n", false},
    {{BASE, .roles = {{arn_a, NULL, session}}, .role_count = 1}, {{503, "", {0}}}, "!HTTP 503",
        "POST /\n", true},
    {{.source = AWS_WEB_IDENTITY,
         .origin = origin,
         .token_file = token_file,
         .web = {arn_a, NULL, session}},
        {{200, STS("WEB"), {0}}}, "WEB", "POST /\n", false},
    {{.source = AWS_WEB_IDENTITY,
         .origin = origin,
         .token_file = token_file,
         .web = {arn_a, NULL, session}},
        {{400, STS_ERROR("InvalidIdentityToken"), {0}}},
        "!with the web identity: InvalidIdentityToken", "POST /\n", false},
    {{.source = AWS_INSTANCE, .origin = origin},
        {{200, "TOKEN", {0}}, {200, "my-role\n", {0}}, {200, "TOKEN", {0}},
            {200, JSON("EC2"), {0}}},
        "EC2",
        "PUT /latest/api/token\nGET /latest/meta-data/iam/security-credentials/\n"
        "PUT /latest/api/token\nGET /latest/meta-data/iam/security-credentials/my-role\n",
        false},
    {{.source = AWS_INSTANCE, .origin = origin}, {{200, "TOKEN", {0}}, {404, "", {0}}},
        "!has no role (HTTP 404)",
        "PUT /latest/api/token\nGET /latest/meta-data/iam/security-credentials/\n", false},
    {{.source = AWS_INSTANCE, .origin = origin}, {{403, "", {0}}}, "!there are no AWS credentials",
        "PUT /latest/api/token\n", false},
    {{SSO_PLAN}, {{200, SSO, {0}}}, "SSO", "GET /federation/credentials\n", false},
    {{SSO_PLAN}, {{401, "", {0}}}, "!aws sso login --profile x", "GET /federation/credentials\n",
        false},
    {{.source = AWS_PROCESS, .origin = origin, .command = prints}, {{0}}, "PROC", "", false},
    {{.source = AWS_PROCESS, .origin = origin, .command = fails}, {{0}}, "!ended with status 3", "",
        true},
    {{.source = AWS_PROCESS, .origin = origin, .command = prints_junk}, {{0}}, "!no JSON", "",
        true},
    {{.source = AWS_PROCESS, .origin = origin, .command = prints_old}, {{0}},
        "!its credential_process: printed credentials that ended at 2020-01-02T03:04:05", "", true},
    {{.source = AWS_PROCESS, .origin = origin, .command = floods}, {{0}}, "!more than 64 KiB", "",
        true},
    {{.source = AWS_PROCESS, .origin = origin, .command = is_killed}, {{0}}, "!it was killed", "",
        true},
};

static void point_services_at(const char *url)
{
    setenv("AWS_ENDPOINT_URL_STS", url, 1);
    setenv("AWS_ENDPOINT_URL_SSO", url, 1);
    setenv("AWS_ENDPOINT_URL_SSO_OIDC", url, 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, 1);
}

static char *requests_of(const struct stub_server *server)
{
    struct buf text;
    buf_init(&text, 4096);
    for (size_t i = 0; i < server->count; i++)
        buf_printf(&text, "%s %s\n", server->requests[i].method, server->requests[i].path);
    return buf_take(&text);
}

static void plans_are_carried_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct run_case *test = &cases[i];
        struct stub_server server;
        stub_start(&server, test->answers, 4);
        point_services_at(server.url);
        struct seen seen = run(&test->plan);
        stub_stop(&server);
        const char *found = seen.temporary.access_key;
        if (test->expected[0] == '!' ? found || !strstr(seen.err.text, test->expected + 1)
                                     : !found || strcmp(found, test->expected) != 0)
            fail_msg("case %zu: %s %s", i, found ? found : "", seen.err.text);
        assert_int_equal(seen.may_recover, test->may_recover);
        char *requests = requests_of(&server);
        assert_string_equal(requests, test->requests);
        free(requests);
        aws_temporary_free(&seen.temporary);
        stub_free(&server);
    }
}

/* The second role is assumed with what the first one gave, and the web identity's token is sent
 * unsigned. */
static void requests_say_who_asks(void **state)
{
    (void)state;
    struct stub_server server;
    stub_start(&server, cases[2].answers, 3);
    point_services_at(server.url);
    struct seen roles = run(&cases[2].plan), web = run(&cases[5].plan);
    stub_stop(&server);
    assert_non_null(strstr(server.requests[0].authorization, "Credential=BASE/"));
    assert_non_null(strstr(server.requests[0].authorization, "/eu-west-1/sts/aws4_request"));
    assert_non_null(strstr(server.requests[1].authorization, "Credential=A/"));
    assert_string_equal(server.requests[1].token, "t-A");
    assert_string_equal(server.requests[2].authorization, "");
    assert_non_null(strstr(server.requests[2].body.data, "&WebIdentityToken=token-in-a-file"));
    aws_temporary_free(&roles.temporary);
    aws_temporary_free(&web.temporary);
    stub_free(&server);
}

/* What STS refuses because of the clock is signed with STS's. */
static void a_wrong_clock_is_corrected(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {403, STS_ERROR("SignatureDoesNotMatch"), {"Date", "Mon, 23 Nov 2015 15:04:01 GMT"}},
        {200, STS("ROLE"), {0}}};
    struct stub_server server;
    stub_start(&server, answers, 2);
    point_services_at(server.url);
    struct seen seen = run(&cases[1].plan);
    stub_stop(&server);
    assert_string_equal(seen.temporary.access_key, "ROLE");
    assert_int_equal(server.count, 2);
    assert_memory_equal(server.requests[1].date, "20151123T1504", 13);
    assert_true(clock_offset_ms < 0);
    aws_temporary_free(&seen.temporary);
    stub_free(&server);
}

#define LOGIN(expires)                                                                             \
    "{\"accessToken\":\"old\",\"expiresAt\":\"" expires "\",\"clientId\":\"id\","                  \
    "\"clientSecret\":\"secret\",\"refreshToken\":\"again\",\"startUrl\":\"u\"}"

/* A login that is over and can be renewed is, and kept for the next command. */
static void a_login_is_renewed(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {200, "{\"accessToken\":\"new\",\"expiresIn\":3600,\"refreshToken\":\"more\"}", {0}},
        {200, SSO, {0}}};
    static const struct stub_answer refusal[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"too old\"}", {0}}};
    struct stub_server server;
    const char text[] = LOGIN("2020-01-01T00:00:00UTC");
    for (int i = 0; i < 2; i++) {
        stub_start(&server, i ? refusal : answers, i ? 1 : 2);
        point_services_at(server.url);
        assert_int_equal(fs_write(cache, text, sizeof text - 1, NULL), 0);
        struct seen seen = run(&(struct aws_plan){SSO_PLAN});
        stub_stop(&server);
        assert_string_equal(server.requests[0].path, "/token");
        assert_non_null(strstr(server.requests[0].body.data, "\"refreshToken\":\"again\""));
        stub_free(&server);
        struct buf kept;
        assert_int_equal(fs_read(cache, 4096, &kept, NULL), 0);
        if (i == 0) {
            assert_string_equal(seen.temporary.access_key, "SSO");
            assert_non_null(strstr(kept.data, "\"more\""));
            assert_non_null(strstr(kept.data, "\"startUrl\""));
        } else {
            assert_non_null(strstr(seen.err.text, "run `aws sso login --profile x`"));
            assert_non_null(strstr(seen.err.text, "invalid_grant: too old"));
            assert_string_equal(kept.data, text);
        }
        buf_free(&kept);
        aws_temporary_free(&seen.temporary);
    }
}

static void silence_is_borne(void **state)
{
    (void)state;
    static char waits[] = "sleep 1000";
    const struct aws_plan plans[] = {{.source = AWS_PROCESS, .origin = origin, .command = waits},
        {.source = AWS_INSTANCE, .origin = origin}};
    /* It takes connections and never answers. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(silent, 5), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &size), 0);
    char *url = xasprintf("http://127.0.0.1:%u", ntohs(address.sin_port));
    point_services_at(url);
    free(url);
    bool never = false;
    for (size_t i = 0; i < 2; i++) {
        struct seen seen = {.done = false};
        struct aws_run *one = aws_run_start(&(struct aws_run_setup){.loop = loop,
            .plan = &plans[i],
            .region = "eu-west-1",
            .clock_offset_ms = &clock_offset_ms,
            .done = note,
            .arg = &seen});
        loop_run_until(loop, &never, clock_mono_ms() + 1);
        aws_run_cancel(one);
        assert_false(seen.done);
    }
    /* As where the answer's hops are used up. */
    struct seen seen = run(&plans[1]);
    assert_non_null(strstr(seen.err.text, "HttpPutResponseHopLimit"));
    close(silent);
}

static void make_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    make_file(token_file, "token-in-a-file\n");
    make_file(cache, "{\"accessToken\":\"x\",\"expiresAt\":\"2999-01-01T00:00:00Z\"}");
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_close(loop);
    unlink(token_file);
    unlink(cache);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_carried_out),
        cmocka_unit_test(requests_say_who_asks),
        cmocka_unit_test(a_wrong_clock_is_corrected),
        cmocka_unit_test(a_login_is_renewed),
        cmocka_unit_test(silence_is_borne),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
