#include "core/aws/aws_query.h"

#include "core/aws/aws.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "tests/stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FAULT(code)                                                                                \
    "<ErrorResponse><Error><Code>" code "</Code></Error><RequestId>x</RequestId></ErrorResponse>"

struct asking {
    bool done;
    int status;
    bool may_recover;
    char region[32], reason[200];
};

static void on_done(void *arg, const struct aws_query_answer *answer)
{
    struct asking *asking = arg;
    asking->done = true;
    asking->status = answer->http ? answer->http->status : 0;
    asking->may_recover = answer->may_recover;
    snprintf(asking->region, sizeof asking->region, "%s", answer->region);
    snprintf(asking->reason, sizeof asking->reason, "%s", answer->reason ? answer->reason : "");
}

static struct asking ask(const char *url, const char *region)
{
    struct error err;
    struct asking asking = {0};
    struct loop *loop = loop_open(&err);
    struct aws *aws = aws_open(&(struct aws_setup){.loop = loop});
    aws_query_ask(loop,
        &(struct aws_query_question){.aws = aws,
            .service = "monitoring",
            .title = "AWS CloudWatch",
            .region = region,
            .endpoint = url,
            .form = "Action=Test",
            .timeout_ms = 20000},
        on_done, &asking);
    assert_true(loop_run_until(loop, &asking.done, clock_mono_ms() + 30000));
    aws_close(aws);
    loop_close(loop);
    return asking;
}

static const struct {
    struct stub_answer answers[2];
    int status;
    size_t asked;
    const char *date; /* of the last one's signature; NULL: any */
} cases[] = {
    {{{200, "<a/>", {NULL}}}, 200, 1, NULL},
    /* Refused for the clock: signed by AWS's, once. */
    {{{403, FAULT("SignatureDoesNotMatch"), {"Date", "Mon, 23 Nov 2015 15:04:01 GMT"}},
         {200, "<a/>", {"Date", "Mon, 23 Nov 2015 15:04:02 GMT"}}},
        200, 2, "20151123T1504"},
    {{{400, FAULT("RequestExpired"), {"Date", "Mon, 23 Nov 2015 15:04:01 GMT"}},
         {400, FAULT("RequestExpired"), {"Date", "Mon, 23 Nov 2020 15:04:01 GMT"}}},
        400, 2, "20151123T1504"},
    {{{500, "", {"Date", "Mon, 23 Nov 2015 15:04:01 GMT"}}}, 500, 1, NULL},
    /* There are no others. */
    {{{403, FAULT("ExpiredToken"), {NULL}}}, 403, 1, NULL},
};

static void what_the_clock_refused_is_asked_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        size_t count = cases[i].answers[1].status ? 2 : 1;
        stub_start(&server, cases[i].answers, count);
        struct asking asking = ask(server.url, "eu-west-1");
        stub_stop(&server);
        assert_int_equal(asking.status, cases[i].status);
        assert_int_equal(server.count, cases[i].asked);
        const struct stub_request *last = &server.requests[server.count - 1];
        assert_non_null(strstr(last->authorization, "/eu-west-1/monitoring/aws4_request"));
        assert_string_equal(last->body.data, "Action=Test");
        if (cases[i].date)
            assert_memory_equal(last->date, cases[i].date, strlen(cases[i].date));
        stub_free(&server);
    }
}

static void the_region_is_the_environments_without_one(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{200, "<a/>", {NULL}}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    setenv("AWS_REGION", "eu-south-1", 1);
    assert_string_equal(ask(server.url, NULL).region, "eu-south-1");
    unsetenv("AWS_REGION");
    assert_string_equal(ask(server.url, NULL).region, "us-east-1");
    stub_stop(&server);
    stub_free(&server);
}

static void without_credentials_nothing_is_sent(void **state)
{
    (void)state;
    unsetenv("AWS_ACCESS_KEY_ID");
    struct asking asking = ask("http://127.0.0.1:1", "eu-west-1");
    assert_int_equal(asking.status, 0);
    assert_false(asking.may_recover);
    assert_non_null(strstr(asking.reason, "there are no AWS credentials"));
}

int main(void)
{
    setenv("HOME", "/nowhere", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_clock_refused_is_asked_again),
        cmocka_unit_test(the_region_is_the_environments_without_one),
        cmocka_unit_test(without_credentials_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
