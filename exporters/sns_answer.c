#include "exporters/sns_answer.h"

#include "core/aws/aws_fault.h"
#include "core/http_remedy.h"
#include "core/retry_after.h"

#include <stdio.h>

/* https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors; {what} is the
 * topic. */
static const struct aws_remedy remedies[] = {
    {"NotFound", AWS_FAULT_LASTS,
        "there is no topic {what}: create it, or mend topic (account and region are in it)"},
    {"AuthorizationError", AWS_FAULT_LASTS,
        "allow sns:Publish on {what} to these credentials, in their policy and the topic's"},
    {"AccessDenied", AWS_FAULT_LASTS,
        "allow sns:Publish on {what} to these credentials, in their policy and the topic's"},
    {"AccessDeniedException", AWS_FAULT_LASTS,
        "allow sns:Publish on {what} to these credentials, in their policy and the topic's"},
    {"EndpointDisabled", AWS_FAULT_LASTS, "enable the endpoint of {what} again"},
    {"InvalidParameter", AWS_FAULT_LASTS,
        "SNS does not take the message: is {what} a topic of the region {region}?"},
    {"InvalidParameterValue", AWS_FAULT_LASTS,
        "SNS does not take the message: is {what} a topic of the region {region}?"},
    {"ValidationError", AWS_FAULT_LASTS,
        "SNS does not take the message: is {what} a topic of the region {region}?"},
    {"InvalidSecurity", AWS_FAULT_LASTS, "the topic takes HTTPS only: set endpoint to https://"},
    {"PlatformApplicationDisabled", AWS_FAULT_LASTS,
        "topic is no topic but a disabled application: set it to a topic's ARN"},
    {"KMSAccessDenied", AWS_FAULT_LASTS,
        "allow kms:GenerateDataKey and kms:Decrypt on the key of {what} to these credentials"},
    {"KMSDisabled", AWS_FAULT_LASTS, "enable the KMS key of {what}"},
    {"KMSInvalidState", AWS_FAULT_LASTS,
        "the KMS key of {what} is being deleted or is not ready: cancel that, or give the topic "
        "another key"},
    {"KMSNotFound", AWS_FAULT_LASTS,
        "the KMS key of {what} does not exist: give the topic another key"},
    {"KMSOptInRequired", AWS_FAULT_LASTS, "the account has to sign up for KMS first"},
    {"KMSThrottling", AWS_FAULT_PASSES, "KMS wants fewer requests"},
    {"OptInRequired", AWS_FAULT_LASTS,
        "the account has not enabled the region {region}: enable it, or take a topic of another"},
    {.code = NULL},
};

static void explain(const struct sns_question *question, const struct sns_answer *answer,
    struct send_result *result)
{
    struct aws_fault fault;
    aws_fault_read(&fault, answer->body, answer->size);
    enum aws_fault_end end = aws_fault_explain(&fault, answer->status,
        &(struct aws_fault_place){
            .service = "SNS", .region = question->region, .what = question->topic, .own = remedies},
        result->reason, sizeof result->reason);
    result->outcome = end == AWS_FAULT_PASSES ? SEND_RETRY : SEND_FAILED;
}

void sns_answer_judge(const struct sns_question *question, const struct sns_answer *answer,
    struct send_result *result)
{
    *result = (struct send_result){.outcome = SEND_STORED};
    if (answer->outcome != HTTP_ANSWERED) {
        bool never = answer->outcome == HTTP_BAD_TLS || answer->outcome == HTTP_NOT_HTTP;
        result->outcome = never ? SEND_FAILED : SEND_RETRY;
        const char *remedy = http_remedy(
            answer->outcome, answer->error, question->host, question->ca_file);
        snprintf(result->reason, sizeof result->reason, "SNS: %.300s%s%s", answer->error,
            *remedy ? ": " : "", remedy);
    } else if (answer->status != 200) {
        result->retry_after_ms = retry_after_ms(answer->retry_after, answer->now_ms);
        explain(question, answer, result);
    }
}
