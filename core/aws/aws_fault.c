#include "core/aws/aws_fault.h"

#include "core/xml.h"

#include <stdio.h>
#include <string.h>

static void element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml;
    struct aws_fault *fault = arg;
    if (strcmp(parent, "Error") != 0)
        return;
    if (!strcmp(name, "Code"))
        xml_copy_text(fault->code, sizeof fault->code, text);
    else if (!strcmp(name, "Message"))
        xml_copy_text(fault->message, sizeof fault->message, text);
}

void aws_fault_read(struct aws_fault *fault, const char *body, size_t size)
{
    char root[XML_NAME_SIZE];
    *fault = (struct aws_fault){.code = ""};
    xml_read(body, size, root, element, fault, NULL);
}

#define EXPIRED "the credentials have expired: renew them"
#define UNKNOWN_KEY                                                                                \
    "AWS does not know the access key: it was deleted, or is not of the partition of {region}"
#define SIGNATURE                                                                                  \
    "the secret key does not belong to the access key, or this machine's clock is wrong, or the "  \
    "endpoint is not of the region {region}"
#define UNSIGNED                                                                                   \
    "the signature did not arrive whole: does a proxy (HTTPS_PROXY) change the Authorization "     \
    "header?"
#define TOO_MANY "{service} wants fewer requests"
#define TROUBLE  "{service} has trouble of its own"

static const struct aws_remedy shared[] = {
    {"ExpiredToken", AWS_FAULT_EXPIRED, EXPIRED},
    {"ExpiredTokenException", AWS_FAULT_EXPIRED, EXPIRED},
    {"InvalidClientTokenId", AWS_FAULT_LASTS, UNKNOWN_KEY},
    {"UnrecognizedClientException", AWS_FAULT_LASTS, UNKNOWN_KEY},
    {"MissingAuthenticationToken", AWS_FAULT_LASTS, UNSIGNED},
    {"MissingAuthenticationTokenException", AWS_FAULT_LASTS, UNSIGNED},
    {"IncompleteSignature", AWS_FAULT_LASTS, UNSIGNED},
    {"SignatureDoesNotMatch", AWS_FAULT_LASTS, SIGNATURE},
    {"InvalidSignatureException", AWS_FAULT_LASTS, SIGNATURE},
    {"RequestExpired", AWS_FAULT_LASTS, "set this machine's clock right"},
    {"OptInRequired", AWS_FAULT_LASTS,
        "the account has not enabled the region {region}: enable it, or set another"},
    {"Throttling", AWS_FAULT_PASSES, TOO_MANY},
    {"ThrottlingException", AWS_FAULT_PASSES, TOO_MANY},
    {"Throttled", AWS_FAULT_PASSES, TOO_MANY},
    {"RequestLimitExceeded", AWS_FAULT_PASSES, TOO_MANY},
    {"RequestTimeout", AWS_FAULT_PASSES, TROUBLE},
    {"InternalError", AWS_FAULT_PASSES, TROUBLE},
    {"InternalFailure", AWS_FAULT_PASSES, TROUBLE},
    {"InternalServiceError", AWS_FAULT_PASSES, TROUBLE},
    {"InternalServiceFault", AWS_FAULT_PASSES, TROUBLE},
    {"ServiceUnavailable", AWS_FAULT_PASSES, TROUBLE},
    {"ServiceUnavailableException", AWS_FAULT_PASSES, TROUBLE},
    {NULL, AWS_FAULT_LASTS, NULL},
};

static const struct aws_remedy *find(const struct aws_remedy *remedy, const char *code)
{
    for (; remedy->code; remedy++)
        if (!strcmp(remedy->code, code))
            return remedy;
    return NULL;
}

const struct aws_remedy *aws_fault_remedy(const char *code)
{
    return find(shared, code);
}

void aws_fault_fill(char *out, size_t size, const char *text, const struct aws_fault_place *place)
{
    const struct {
        const char *mark, *value;
    } marks[] = {
        {"{service}", place->service}, {"{region}", place->region}, {"{what}", place->what}};
    size_t used = 0;
    while (*text && used + 1 < size) {
        size_t i = 0, count = sizeof marks / sizeof *marks;
        while (i < count && strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < count) {
            int length = snprintf(out + used, size - used, "%.200s", marks[i].value);
            used += (size_t)length < size - used ? (size_t)length : size - used - 1;
            text += strlen(marks[i].mark);
        } else {
            out[used++] = *text++;
        }
    }
    out[used] = '\0';
}

bool aws_fault_may_pass(int status)
{
    return status >= 500 || status == 429;
}

enum aws_fault_end aws_fault_explain(const struct aws_fault *fault, int status,
    const struct aws_fault_place *place, char *reason, size_t size)
{
    const struct aws_remedy *remedy = find(place->own, fault->code);
    char text[400];
    if (!remedy)
        remedy = aws_fault_remedy(fault->code);
    if (remedy) {
        aws_fault_fill(text, sizeof text, remedy->text, place);
        snprintf(reason, size, "%s: %s: %s", place->service, fault->code, text);
        return remedy->end;
    }
    if (fault->code[0])
        snprintf(reason, size, "%s answered HTTP %d, %s: %s", place->service, status, fault->code,
            fault->message);
    else
        snprintf(reason, size, "%s answered HTTP %d without saying why: is the endpoint one of %s?",
            place->service, status, place->service);
    return aws_fault_may_pass(status) ? AWS_FAULT_PASSES : AWS_FAULT_LASTS;
}
