#include "exporters/webhook.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/loop.h"
#include "core/sha256.h"
#include "exporters/exporter.h"
#include "exporters/notice.h"
#include "exporters/sns.h"

#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct telling {
    bool done;
    struct send_result result;
};

static void on_done(void *arg, const struct send_result *result)
{
    struct telling *telling = arg;
    assert_false(telling->done);
    *telling = (struct telling){true, *result};
}

static struct incident *an_incident(void)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup("20261123T150401Z-cpu-high-0a1b2c");
    incident->service = xstrdup("woogles");
    incident->trigger.name = xstrdup("cpu-high");
    incident->analysis.group = xstrdup("0123456789abcdef");
    incident->fired_ms = 1795446241000;
    return incident;
}

static void *open_kind(const struct exporter_kind *kind, struct loop *loop, const void *options)
{
    struct error err = {0};
    struct exporter_setup setup = {.loop = loop, .options = options, .service = "woogles"};
    void *exporter = kind->open(&setup, &err);
    assert_non_null(exporter);
    return exporter;
}

/* Tells once and returns what came of it. */
static struct send_result tell(const struct exporter_kind *kind, const void *options)
{
    struct error err;
    struct loop *loop = loop_open(&err);
    struct incident *incident = an_incident();
    const struct notice notice = {.incident = incident};
    struct telling telling = {0};
    void *exporter = open_kind(kind, loop, options);
    kind->tell(exporter, &notice, on_done, &telling);
    assert_true(loop_run_until(loop, &telling.done, clock_mono_ms() + 20000));
    kind->close(exporter);
    loop_close(loop);
    incident_free(incident);
    return telling.result;
}

static void a_body_is_signed_with_its_time(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE];
    char *header = webhook_signature("secret", "{}", 1795446000);
    sha256_hmac("secret", 6, "1795446000.{}", 13, hex);
    char *wanted = xasprintf("X-Stakeout-Signature: t=1795446000,v1=%s", hex);
    assert_string_equal(header, wanted);
    free(header);
    free(wanted);
}

/* Neither label nor identity may show the URL, and two URLs of a host are two destinations. */
static void a_url_is_a_secret_that_tells_destinations_apart(void **state)
{
    (void)state;
    struct error err;
    struct loop *loop = loop_open(&err);
    struct webhook_options a = {.url = (char *)"https://u:hidden@hooks.slack.com/hidden/1"},
                           b = {.url = (char *)"https://u:hidden@hooks.slack.com/hidden/2"};
    void *first = open_kind(&exporter_webhook, loop, &a);
    void *second = open_kind(&exporter_webhook, loop, &b);
    assert_string_equal(exporter_webhook.label(first), "slack webhook at hooks.slack.com");
    assert_null(strstr(exporter_webhook.identity(first), "hidden"));
    assert_string_not_equal(exporter_webhook.identity(first), exporter_webhook.identity(second));
    exporter_webhook.close(first);
    exporter_webhook.close(second);
    loop_close(loop);
}

static void what_is_under_way_ends_with_a_close(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{200, "ok", {NULL}}};
    struct stub_server server;
    struct error err;
    struct loop *loop = loop_open(&err);
    struct incident *incident = an_incident();
    const struct notice notice = {.incident = incident};
    struct telling telling = {0};
    stub_start(&server, answers, 1);
    struct webhook_options webhook = {.url = server.url};
    struct sns_options sns = {.topic = (char *)"arn:aws:sns:eu-west-1:1:t", .endpoint = server.url};
    void *exporter = open_kind(&exporter_webhook, loop, &webhook);
    exporter_webhook.tell(exporter, &notice, on_done, &telling);
    exporter_webhook.close(exporter);
    exporter = open_kind(&exporter_sns, loop, &sns);
    exporter_sns.tell(exporter, &notice, on_done, &telling);
    exporter_sns.close(exporter);
    assert_false(loop_run_until(loop, &telling.done, clock_mono_ms() + 50));
    stub_stop(&server);
    stub_free(&server);
    loop_close(loop);
    incident_free(incident);
}

static void a_fifo_topic_gets_groups(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{200, "<PublishResponse/>", {NULL}}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    struct sns_options options = {
        .topic = (char *)"arn:aws:sns:eu-west-1:123456789012:spikes.fifo", .endpoint = server.url};
    struct send_result result = tell(&exporter_sns, &options);
    assert_int_equal(result.outcome, SEND_STORED);
    stub_stop(&server);
    const char *form = server.requests[0].body.data;
    assert_non_null(strstr(form, "&MessageGroupId=0123456789abcdef"));
    assert_non_null(strstr(form, "&MessageDeduplicationId=20261123T150401Z-cpu-high-0a1b2c"));
    assert_non_null(strstr(server.requests[0].authorization, "/eu-west-1/sns/aws4_request"));
    stub_free(&server);
}

static void sns_is_told_by_its_own_clock(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {403, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
            {"Date", "Mon, 23 Nov 2015 15:04:01 GMT"}},
        {200, "<PublishResponse/>", {"Date", "Mon, 23 Nov 2015 15:04:02 GMT"}}};
    struct stub_server server;
    stub_start(&server, answers, 2);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    struct sns_options options = {
        .topic = (char *)"arn:aws:sns:eu-west-1:123456789012:spikes", .endpoint = server.url};
    assert_int_equal(tell(&exporter_sns, &options).outcome, SEND_STORED);
    stub_stop(&server);
    assert_int_equal(server.count, 2);
    assert_memory_equal(server.requests[1].date, "20151123T1504", 13);
    stub_free(&server);
}

static void nobody_there_is_worth_another_try(void **state)
{
    (void)state;
    struct webhook_options options = {.url = (char *)"http://127.0.0.1:1/hidden"};
    struct send_result result = tell(&exporter_webhook, &options);
    assert_int_equal(result.outcome, SEND_RETRY);
    assert_null(strstr(result.reason, "hidden"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_signed_with_its_time),
        cmocka_unit_test(a_url_is_a_secret_that_tells_destinations_apart),
        cmocka_unit_test(what_is_under_way_ends_with_a_close),
        cmocka_unit_test(a_fifo_topic_gets_groups),
        cmocka_unit_test(sns_is_told_by_its_own_clock),
        cmocka_unit_test(nobody_there_is_worth_another_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
