#include "core/aws/aws_fault.h"
#include "core/error.h"
#include "sources/cloudwatch/cloudwatch.h"
#include "sources/cloudwatch/cloudwatch_query.h"

#include <stdio.h>

#define ALLOW                                                                                      \
    "allow cloudwatch:GetMetricData to these credentials (the ECS task role, say), on Resource "   \
    "\"*\", as it knows no other"

static const struct aws_remedy remedies[] = {
    {"AccessDenied", AWS_FAULT_LASTS, ALLOW},
    {"AccessDeniedException", AWS_FAULT_LASTS, ALLOW},
    {"NotAuthorized", AWS_FAULT_LASTS, ALLOW},
    {"UnauthorizedOperation", AWS_FAULT_LASTS, ALLOW},
    {"OptInRequired", AWS_FAULT_LASTS,
        "the account has not enabled the region {region}: enable it, or mend region"},
    {"InvalidAction", AWS_FAULT_LASTS,
        "who answers knows no GetMetricData: is the endpoint one of CloudWatch?"},
    {.code = NULL},
};

static void explain(
    const char *region, const struct cloudwatch_answer *answer, struct cloudwatch_verdict *verdict)
{
    struct aws_fault fault;
    aws_fault_read(&fault, answer->body, answer->size);
    enum aws_fault_end end = aws_fault_explain(&fault, answer->status,
        &(struct aws_fault_place){.service = "CloudWatch", .region = region, .own = remedies},
        verdict->reason, sizeof verdict->reason);
    verdict->outcome = end == AWS_FAULT_PASSES ? CLOUDWATCH_RETRY : CLOUDWATCH_REFUSED;
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
