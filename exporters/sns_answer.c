#include "exporters/sns_answer.h"

#include "core/http_remedy.h"
#include "core/retry_after.h"
#include "core/xml.h"

#include <stdio.h>
#include <string.h>

struct fault {
    char code[64], message[256];
};

static void element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml;
    struct fault *fault = arg;
    if (strcmp(parent, "Error") != 0)
        return;
    if (!strcmp(name, "Code"))
        xml_copy_text(fault->code, sizeof fault->code, text);
    else if (!strcmp(name, "Message"))
        xml_copy_text(fault->message, sizeof fault->message, text);
}

/* https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors and its
 * CommonErrors. What stands in brackets is put in: {topic}, {region}. */
static const struct remedy {
    const char *code;
    enum send_outcome outcome;
    bool token_expired;
    const char *text;
} remedies[] = {
    {"NotFound", SEND_FAILED, false,
        "there is no topic {topic}: create it, or mend topic (account and region are in it)"},
    {"AuthorizationError", SEND_FAILED, false,
        "allow sns:Publish on {topic} to these credentials, in their policy and the topic's"},
    {"AccessDenied", SEND_FAILED, false,
        "allow sns:Publish on {topic} to these credentials, in their policy and the topic's"},
    {"AccessDeniedException", SEND_FAILED, false,
        "allow sns:Publish on {topic} to these credentials, in their policy and the topic's"},
    {"EndpointDisabled", SEND_FAILED, false, "enable the endpoint of {topic} again"},
    {"InvalidParameter", SEND_FAILED, false,
        "SNS does not take the message: is {topic} a topic of the region {region}?"},
    {"InvalidParameterValue", SEND_FAILED, false,
        "SNS does not take the message: is {topic} a topic of the region {region}?"},
    {"ValidationError", SEND_FAILED, false,
        "SNS does not take the message: is {topic} a topic of the region {region}?"},
    {"InvalidSecurity", SEND_FAILED, false, "the topic takes HTTPS only: set endpoint to https://"},
    {"PlatformApplicationDisabled", SEND_FAILED, false,
        "topic is no topic but a disabled application: set it to a topic's ARN"},
    {"KMSAccessDenied", SEND_FAILED, false,
        "allow kms:GenerateDataKey and kms:Decrypt on the key of {topic} to these credentials"},
    {"KMSDisabled", SEND_FAILED, false, "enable the KMS key of {topic}"},
    {"KMSInvalidState", SEND_FAILED, false,
        "the KMS key of {topic} is being deleted or is not ready: cancel that, or give the topic "
        "another key"},
    {"KMSNotFound", SEND_FAILED, false,
        "the KMS key of {topic} does not exist: give the topic another key"},
    {"KMSOptInRequired", SEND_FAILED, false, "the account has to sign up for KMS first"},
    {"KMSThrottling", SEND_RETRY, false, "KMS wants fewer requests"},
    {"Throttling", SEND_RETRY, false, "SNS wants fewer messages"},
    {"Throttled", SEND_RETRY, false, "SNS wants fewer messages"},
    {"ThrottlingException", SEND_RETRY, false, "SNS wants fewer messages"},
    {"InternalError", SEND_RETRY, false, "SNS has trouble of its own"},
    {"InternalFailure", SEND_RETRY, false, "SNS has trouble of its own"},
    {"ServiceUnavailable", SEND_RETRY, false, "SNS has trouble of its own"},
    {"ExpiredToken", SEND_FAILED, true, "the credentials have expired: renew them"},
    {"ExpiredTokenException", SEND_FAILED, true, "the credentials have expired: renew them"},
    {"InvalidClientTokenId", SEND_FAILED, false,
        "AWS does not know the access key: take credentials of the partition of {topic}"},
    {"UnrecognizedClientException", SEND_FAILED, false,
        "AWS does not know the access key: take credentials of the partition of {topic}"},
    {"SignatureDoesNotMatch", SEND_FAILED, false,
        "the secret key does not belong to the access key, or this machine's clock is wrong"},
    {"RequestExpired", SEND_FAILED, false, "set this machine's clock right"},
    {"OptInRequired", SEND_FAILED, false,
        "the account has not enabled the region {region}: enable it, or take a topic of another"},
};

static const struct remedy *remedy_of(const char *code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (!strcmp(remedies[i].code, code))
            return &remedies[i];
    return NULL;
}

static void fill_in(char *out, size_t size, const char *text, const struct sns_question *question)
{
    static const char topic[] = "{topic}", region[] = "{region}";
    size_t used = 0;
    while (*text && used + 1 < size) {
        bool is_topic = !strncmp(text, topic, strlen(topic));
        bool is_region = !strncmp(text, region, strlen(region));
        const char *value = is_topic ? question->topic : question->region;
        if (is_topic || is_region) {
            int length = snprintf(out + used, size - used, "%.200s", value);
            used += (size_t)length < size - used ? (size_t)length : size - used - 1;
            text += is_topic ? strlen(topic) : strlen(region);
        } else {
            out[used++] = *text++;
        }
    }
    out[used] = '\0';
}

static void explain(const struct sns_question *question, const struct sns_answer *answer,
    struct sns_verdict *verdict)
{
    struct fault fault = {0};
    char root[XML_NAME_SIZE], text[400];
    struct send_result *result = &verdict->result;
    xml_read(answer->body, answer->size, root, element, &fault, NULL);
    const struct remedy *remedy = remedy_of(fault.code);
    if (remedy) {
        result->outcome = remedy->outcome;
        verdict->token_expired = remedy->token_expired;
        fill_in(text, sizeof text, remedy->text, question);
        snprintf(result->reason, sizeof result->reason, "SNS: %s: %s", fault.code, text);
        return;
    }
    bool may_recover = answer->status >= 500 || answer->status == 429;
    result->outcome = may_recover ? SEND_RETRY : SEND_FAILED;
    if (fault.code[0])
        snprintf(result->reason, sizeof result->reason, "SNS answered HTTP %d, %s: %s",
            answer->status, fault.code, fault.message);
    else
        snprintf(result->reason, sizeof result->reason,
            "SNS answered HTTP %d without saying why: is the endpoint one of SNS?", answer->status);
}

void sns_answer_judge(const struct sns_question *question, const struct sns_answer *answer,
    struct sns_verdict *verdict)
{
    *verdict = (struct sns_verdict){.result = {.outcome = SEND_STORED}};
    struct send_result *result = &verdict->result;
    if (answer->outcome != HTTP_ANSWERED) {
        bool never = answer->outcome == HTTP_BAD_TLS || answer->outcome == HTTP_NOT_HTTP;
        result->outcome = never ? SEND_FAILED : SEND_RETRY;
        const char *remedy = http_remedy(
            answer->outcome, answer->error, question->host, question->ca_file);
        snprintf(result->reason, sizeof result->reason, "SNS: %.300s%s%s", answer->error,
            *remedy ? ": " : "", remedy);
    } else if (answer->status != 200) {
        result->retry_after_ms = retry_after_ms(answer->retry_after, answer->now_ms);
        explain(question, answer, verdict);
    }
}
