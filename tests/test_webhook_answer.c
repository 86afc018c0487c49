#include "exporters/webhook_answer.h"

#include "exporters/sns_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = 1795446000000; /* 2026-11-23T15:00:00Z */

static const struct {
    struct webhook_answer answer;
    enum send_outcome outcome;
    int64_t retry_after_ms;
    const char *reason;
} answers[] = {
    {{.status = 200, .body = "ok", .slack = true}, SEND_STORED, 0, ""},
    {{.status = 204}, SEND_STORED, 0, ""},
    {{.status = 400, .body = "invalid_payload", .slack = true}, SEND_FAILED, 0,
        "hooks.slack.com: HTTP 400, invalid_payload: Slack does not understand the message: is "
        "the URL that of an incoming webhook, and not of a workflow?"},
    {{.status = 400, .body = "invalid_blocks", .slack = true}, SEND_FAILED, 0, "please report"},
    {{.status = 400, .body = "no_text", .slack = true}, SEND_FAILED, 0, "got no message"},
    {{.status = 400, .body = "user_not_found", .slack = true}, SEND_FAILED, 0,
        "make a webhook for another channel"},
    {{.status = 403, .body = "action_prohibited", .slack = true}, SEND_FAILED, 0,
        "administrator of the workspace"},
    {{.status = 403, .body = "invalid_token", .slack = true}, SEND_FAILED, 0, "copy the webhook"},
    {{.status = 404, .body = "channel_not_found", .slack = true}, SEND_FAILED, 0,
        "channel of this webhook is gone"},
    {{.status = 404, .body = "no_service", .slack = true}, SEND_FAILED, 0, "removed or disabled"},
    {{.status = 404, .body = "no_service_id", .slack = true}, SEND_FAILED, 0, "not complete"},
    {{.status = 404, .body = "no_active_hooks", .slack = true}, SEND_FAILED, 0, "enable it"},
    {{.status = 404, .body = "no_team", .slack = true}, SEND_FAILED, 0, "does not exist"},
    {{.status = 403, .body = "team_disabled", .slack = true}, SEND_FAILED, 0, "in another"},
    {{.status = 410, .body = "channel_is_archived", .slack = true}, SEND_FAILED, 0, "unarchive it"},
    {{.status = 403, .body = "posting_to_general_channel_denied", .slack = true}, SEND_FAILED, 0,
        "general channel"},
    {{.status = 500, .body = "rollup_error", .slack = true}, SEND_RETRY, 0, "rollup_error"},
    {{.status = 429, .body = "rate_limited", .slack = true, .retry_after = "30"}, SEND_RETRY, 30000,
        "rate_limited"},
    {{.status = 429, .retry_after = "Mon, 23 Nov 2026 15:01:00 GMT"}, SEND_RETRY, 60000,
        "HTTP 429: it wants fewer messages"},
    {{.status = 503, .retry_after = "99999999999"}, SEND_RETRY, 3600000, "HTTP 503"},
    {{.status = 503, .retry_after = "soon"}, SEND_RETRY, 0, "HTTP 503"},
    {{.status = 503, .retry_after = "-5"}, SEND_RETRY, 0, "HTTP 503"},
    /* A JSON receiver's body is its own. */
    {{.status = 404, .body = "no_service"}, SEND_FAILED, 0,
        "HTTP 404: there is nothing at the URL"},
    {{.status = 400}, SEND_FAILED, 0, "does it expect another format?"},
    {{.status = 401}, SEND_FAILED, 0, "who asks"},
    {{.status = 403}, SEND_FAILED, 0, "secret the same on both sides"},
    {{.status = 404, .body = "<html>", .slack = true}, SEND_FAILED, 0, "was the webhook removed?"},
    {{.status = 405}, SEND_FAILED, 0, "takes a POST"},
    {{.status = 407}, SEND_FAILED, 0, "HTTPS_PROXY"},
    {{.status = 408}, SEND_RETRY, 0, "waited too long"},
    {{.status = 410}, SEND_FAILED, 0, "make a new one"},
    {{.status = 413}, SEND_FAILED, 0, "too large"},
    {{.status = 415}, SEND_FAILED, 0, "JSON"},
    {{.status = 302}, SEND_FAILED, 0, "set url to where it leads"},
    {{.status = 418}, SEND_FAILED, 0, "is the URL right?"},
    {{.outcome = HTTP_UNREACHED, .error = "connection refused"}, SEND_RETRY, 0,
        "hooks.slack.com: connection refused"},
    {{.outcome = HTTP_TIMEOUT, .error = "no answer"}, SEND_RETRY, 0, "no answer"},
    {{.outcome = HTTP_BAD_TLS, .error = "no trust"}, SEND_FAILED, 0, "no trust"},
};

static void every_answer_of_a_webhook_names_the_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct webhook_answer answer = answers[i].answer;
        struct send_result result;
        answer.body = answer.body ? answer.body : "";
        answer.host = "hooks.slack.com";
        answer.now_ms = now_ms;
        webhook_answer_judge(&answer, &result);
        assert_int_equal(result.outcome, answers[i].outcome);
        assert_int_equal(result.retry_after_ms, answers[i].retry_after_ms);
        if (!strstr(result.reason, answers[i].reason) || (!*answers[i].reason && *result.reason))
            fail_msg("%s", result.reason);
    }
}

#define FAULT(code)                                                                                \
    "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>" \
    "<Code>" code "</Code><Message>why</Message></Error><RequestId>x</RequestId></ErrorResponse>"
#define TOPIC "arn:aws:sns:eu-west-1:123456789012:spikes"

static const struct {
    int status;
    const char *body;
    enum send_outcome outcome;
    const char *reason;
} sns_answers[] = {
    {200, "<PublishResponse/>", SEND_STORED, ""},
    {404, FAULT("NotFound"), SEND_FAILED, "SNS: NotFound: there is no topic " TOPIC ": create it"},
    {403, FAULT("AuthorizationError"), SEND_FAILED, "allow sns:Publish on " TOPIC},
    {403, FAULT("AccessDenied"), SEND_FAILED, "allow sns:Publish on " TOPIC},
    {400, FAULT("InvalidParameter"), SEND_FAILED, "a topic of the region eu-west-1?"},
    {400, FAULT("InvalidParameterValue"), SEND_FAILED, "a topic of the region eu-west-1?"},
    {400, FAULT("EndpointDisabled"), SEND_FAILED, "enable the endpoint"},
    {403, FAULT("InvalidSecurity"), SEND_FAILED, "https://"},
    {400, FAULT("PlatformApplicationDisabled"), SEND_FAILED, "a topic's ARN"},
    {400, FAULT("KMSAccessDenied"), SEND_FAILED, "allow kms:GenerateDataKey and kms:Decrypt"},
    {400, FAULT("KMSDisabled"), SEND_FAILED, "enable the KMS key of " TOPIC},
    {400, FAULT("KMSInvalidState"), SEND_FAILED, "another key"},
    {400, FAULT("KMSNotFound"), SEND_FAILED, "another key"},
    {403, FAULT("KMSOptInRequired"), SEND_FAILED, "sign up"},
    {400, FAULT("KMSThrottling"), SEND_RETRY, "fewer"},
    {400, FAULT("Throttling"), SEND_RETRY, "fewer"},
    {400, FAULT("Throttled"), SEND_RETRY, "fewer"},
    {500, FAULT("InternalError"), SEND_RETRY, "trouble of its own"},
    {403, FAULT("ExpiredToken"), SEND_FAILED, "renew them"},
    {403, FAULT("InvalidClientTokenId"), SEND_FAILED, "partition"},
    {403, FAULT("SignatureDoesNotMatch"), SEND_FAILED, "clock"},
    {400, FAULT("RequestExpired"), SEND_FAILED, "clock right"},
    {403, FAULT("OptInRequired"), SEND_FAILED, "enable it, or take a topic of another"},
    {400, FAULT("SomethingNew"), SEND_FAILED, "SNS answered HTTP 400, SomethingNew: why"},
    {503, "<html>", SEND_RETRY, "HTTP 503 without saying why"},
    {404, "", SEND_FAILED, "is the endpoint one of SNS?"},
};

static void every_error_of_sns_names_the_remedy(void **state)
{
    (void)state;
    const struct sns_question question = {TOPIC, "eu-west-1", NULL, false};
    for (size_t i = 0; i < sizeof sns_answers / sizeof *sns_answers; i++) {
        struct send_result result;
        const char *body = sns_answers[i].body;
        sns_answer_judge(&question,
            &(struct sns_answer){
                .status = sns_answers[i].status, .body = body, .size = strlen(body)},
            &result);
        assert_int_equal(result.outcome, sns_answers[i].outcome);
        if (!strstr(result.reason, sns_answers[i].reason))
            fail_msg("%s", result.reason);
    }
    struct send_result result;
    sns_answer_judge(&question,
        &(struct sns_answer){.outcome = HTTP_UNREACHED, .error = "no name", .body = ""}, &result);
    assert_int_equal(result.outcome, SEND_RETRY);
    assert_string_equal(result.reason, "SNS: no name: is it up, and the way there open?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_a_webhook_names_the_remedy),
        cmocka_unit_test(every_error_of_sns_names_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
