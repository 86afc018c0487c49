#include "core/error.h"
#include "core/xml.h"
#include "sources/cloudwatch/cloudwatch.h"
#include "sources/cloudwatch/cloudwatch_query.h"

#include <stdio.h>
#include <string.h>

struct fault {
    char code[64], message[256];
};

static void take_fault(
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

#define ALLOW                                                                                      \
    "allow cloudwatch:GetMetricData to these credentials (the ECS task role, say), on Resource "   \
    "\"*\", as it knows no other"

/* https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html; {region} is
 * put in. */
static const struct remedy {
    const char *code;
    enum cloudwatch_outcome outcome;
    bool token_expired;
    const char *text;
} remedies[] = {
    {"AccessDenied", CLOUDWATCH_REFUSED, false, ALLOW},
    {"AccessDeniedException", CLOUDWATCH_REFUSED, false, ALLOW},
    {"NotAuthorized", CLOUDWATCH_REFUSED, false, ALLOW},
    {"UnauthorizedOperation", CLOUDWATCH_REFUSED, false, ALLOW},
    {"ExpiredToken", CLOUDWATCH_REFUSED, true, "the credentials have expired: renew them"},
    {"ExpiredTokenException", CLOUDWATCH_REFUSED, true, "the credentials have expired: renew them"},
    {"InvalidClientTokenId", CLOUDWATCH_REFUSED, false,
        "AWS does not know the access key there: take credentials of the partition of {region}"},
    {"UnrecognizedClientException", CLOUDWATCH_REFUSED, false,
        "AWS does not know the access key there: take credentials of the partition of {region}"},
    {"MissingAuthenticationToken", CLOUDWATCH_REFUSED, false,
        "the signature did not arrive: does a proxy take the Authorization header away?"},
    {"MissingAuthenticationTokenException", CLOUDWATCH_REFUSED, false,
        "the signature did not arrive: does a proxy take the Authorization header away?"},
    {"SignatureDoesNotMatch", CLOUDWATCH_REFUSED, false,
        "the secret key does not belong to the access key, or this machine's clock is wrong, or "
        "the endpoint is not of the region {region}"},
    {"InvalidSignatureException", CLOUDWATCH_REFUSED, false,
        "the secret key does not belong to the access key, or this machine's clock is wrong, or "
        "the endpoint is not of the region {region}"},
    {"RequestExpired", CLOUDWATCH_REFUSED, false, "set this machine's clock right"},
    {"OptInRequired", CLOUDWATCH_REFUSED, false,
        "the account has not enabled the region {region}: enable it, or mend region"},
    {"Throttling", CLOUDWATCH_RETRY, false, "CloudWatch wants fewer requests"},
    {"ThrottlingException", CLOUDWATCH_RETRY, false, "CloudWatch wants fewer requests"},
    {"RequestLimitExceeded", CLOUDWATCH_RETRY, false, "CloudWatch wants fewer requests"},
    {"InternalFailure", CLOUDWATCH_RETRY, false, "CloudWatch has trouble of its own"},
    {"InternalServiceError", CLOUDWATCH_RETRY, false, "CloudWatch has trouble of its own"},
    {"InternalServiceFault", CLOUDWATCH_RETRY, false, "CloudWatch has trouble of its own"},
    {"ServiceUnavailable", CLOUDWATCH_RETRY, false, "CloudWatch has trouble of its own"},
    {"ServiceUnavailableException", CLOUDWATCH_RETRY, false, "CloudWatch has trouble of its own"},
    {"InvalidAction", CLOUDWATCH_REFUSED, false,
        "who answers knows no GetMetricData: is the endpoint one of CloudWatch?"},
};

static const struct remedy *remedy_of(const char *code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (!strcmp(remedies[i].code, code))
            return &remedies[i];
    return NULL;
}

static void say_remedy(const struct remedy *remedy, const struct fault *fault, const char *region,
    char reason[CLOUDWATCH_REASON_SIZE])
{
    static const char mark[] = "{region}";
    const char *at = strstr(remedy->text, mark);
    int before = at ? (int)(at - remedy->text) : (int)strlen(remedy->text);
    snprintf(reason, CLOUDWATCH_REASON_SIZE, "CloudWatch: %s: %.*s%.60s%s", fault->code, before,
        remedy->text, at ? region : "", at ? at + strlen(mark) : "");
}

static void explain(
    const char *region, const struct cloudwatch_answer *answer, struct cloudwatch_verdict *verdict)
{
    struct fault fault = {.code = ""};
    char root[XML_NAME_SIZE];
    xml_read(answer->body, answer->size, root, take_fault, &fault, NULL);
    const struct remedy *remedy = remedy_of(fault.code);
    if (remedy) {
        verdict->outcome = remedy->outcome;
        verdict->token_expired = remedy->token_expired;
        say_remedy(remedy, &fault, region, verdict->reason);
        return;
    }
    bool may_recover = answer->status >= 500 || answer->status == 429;
    verdict->outcome = may_recover ? CLOUDWATCH_RETRY : CLOUDWATCH_REFUSED;
    if (fault.code[0])
        snprintf(verdict->reason, sizeof verdict->reason, "CloudWatch answered HTTP %d, %s: %s",
            answer->status, fault.code, fault.message);
    else
        snprintf(verdict->reason, sizeof verdict->reason,
            "CloudWatch answered HTTP %d without saying why: is the endpoint one of CloudWatch?",
            answer->status);
}

static void say_unreached(const struct cloudwatch_target *target, const char *region,
    const struct cloudwatch_answer *answer, struct cloudwatch_verdict *verdict)
{
    bool never = answer->outcome == HTTP_BAD_TLS || answer->outcome == HTTP_NOT_HTTP;
    verdict->outcome = never ? CLOUDWATCH_REFUSED : CLOUDWATCH_RETRY;
    if (answer->outcome == HTTP_UNREACHED && !target->endpoint)
        snprintf(verdict->reason, sizeof verdict->reason,
            "CloudWatch: %.200s: is %.60s a region, and is there a way to it (a NAT gateway, or "
            "a VPC endpoint of monitoring)?",
            answer->error, region);
    else
        snprintf(verdict->reason, sizeof verdict->reason, "CloudWatch: %.400s", answer->error);
}

void cloudwatch_judge(const struct cloudwatch_target *target, const char *region,
    const struct cloudwatch_answer *answer, struct cloudwatch_lines *lines,
    struct cloudwatch_verdict *verdict)
{
    struct error err;
    *verdict = (struct cloudwatch_verdict){.outcome = CLOUDWATCH_ANSWERED};
    if (answer->outcome != HTTP_ANSWERED) {
        say_unreached(target, region, answer, verdict);
    } else if (answer->status != 200) {
        explain(region, answer, verdict);
    } else if (cloudwatch_read(answer->body, answer->size, lines, &err) < 0) {
        verdict->outcome = CLOUDWATCH_REFUSED;
        snprintf(verdict->reason, sizeof verdict->reason,
            "CloudWatch's answer cannot be read (%.200s): is the endpoint one of CloudWatch?",
            err.text);
    }
}

void cloudwatch_no_data(const struct cloudwatch_target *target, const char *region,
    const struct cloudwatch_lines *lines, char reason[CLOUDWATCH_REASON_SIZE])
{
    const char *name = target->instance ? target->instance : target->cluster;
    const char *what = target->instance ? "instance" : "cluster";
    if (lines->forbidden)
        snprintf(reason, CLOUDWATCH_REASON_SIZE,
            "CloudWatch: the metrics are withheld (Forbidden): " ALLOW);
    else
        snprintf(reason, CLOUDWATCH_REASON_SIZE,
            "CloudWatch has nothing of the %s %s in %s: is that its identifier, is it %s, and is "
            "%s its region?",
            what, name, region,
            target->instance ? "an instance and not a cluster" : "a cluster and not an instance",
            region);
}
