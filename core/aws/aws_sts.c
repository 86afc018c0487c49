#include "core/aws/aws_sts.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_fault.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_temporary.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FORM = 65536 };

char *aws_sts_url(const char *region)
{
    return aws_service_url("sts", region, NULL, "AWS_ENDPOINT_URL_STS");
}

char *aws_sts_form(enum aws_sts_action action, const struct aws_role *role, const char *token)
{
    static const char *const names[] = {[AWS_ASSUME_ROLE] = "AssumeRole",
        [AWS_ASSUME_WITH_WEB_IDENTITY] = "AssumeRoleWithWebIdentity",
        [AWS_GET_CALLER_IDENTITY] = "GetCallerIdentity"};
    struct buf form;
    buf_init(&form, MAX_FORM);
    sigv4_add_query(&form, "Action", names[action]);
    sigv4_add_query(&form, "Version", "2011-06-15");
    if (role) {
        sigv4_add_query(&form, "RoleArn", role->arn);
        sigv4_add_query(&form, "RoleSessionName", role->session_name);
        if (role->external_id)
            sigv4_add_query(&form, "ExternalId", role->external_id);
    }
    if (token)
        sigv4_add_query(&form, "WebIdentityToken", token);
    return buf_take(&form);
}

struct answer {
    char *access_key, *secret_key, *session_token, *expiration, *arn;
};

static void set(char **to, const char *text)
{
    aws_wipe(*to);
    *to = xstrdup(text);
}

static void element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml;
    struct answer *answer = arg;
    if (!strcmp(parent, "Credentials")) {
        if (!strcmp(name, "AccessKeyId"))
            set(&answer->access_key, text);
        else if (!strcmp(name, "SecretAccessKey"))
            set(&answer->secret_key, text);
        else if (!strcmp(name, "SessionToken"))
            set(&answer->session_token, text);
        else if (!strcmp(name, "Expiration"))
            set(&answer->expiration, text);
    } else if (!strcmp(parent, "GetCallerIdentityResult") && !strcmp(name, "Arn")) {
        set(&answer->arn, text);
    }
}

static int read_answer(const char *xml, size_t size, struct answer *answer, struct error *err)
{
    char root[XML_NAME_SIZE];
    *answer = (struct answer){.arn = NULL};
    return xml_read(xml, size, root, element, answer, err);
}

static void free_answer(struct answer *answer)
{
    aws_wipe(answer->access_key);
    aws_wipe(answer->secret_key);
    aws_wipe(answer->session_token);
    free(answer->expiration);
    free(answer->arn);
}

/* It stands in a header. */
static bool is_visible(const char *text)
{
    if (!text || !*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

int aws_sts_parse(const char *xml, size_t size, struct aws_temporary *temporary, struct error *err)
{
    struct answer answer;
    *temporary = (struct aws_temporary){.expires_ms = INT64_MAX};
    int status = read_answer(xml, size, &answer, err);
    if (status == 0 && (!is_visible(answer.access_key) || !is_visible(answer.secret_key) ||
                           !is_visible(answer.session_token)))
        status = error_set(err, "its answer has no AccessKeyId, SecretAccessKey and SessionToken");
    else if (status == 0 && answer.expiration &&
             rfc3339_parse(answer.expiration, strlen(answer.expiration), &temporary->expires_ms) <
                 0)
        status = error_set(err, "its answer has an Expiration that is no time");
    if (status == 0) {
        temporary->access_key = answer.access_key;
        temporary->secret_key = answer.secret_key;
        temporary->session_token = answer.session_token;
        answer.access_key = answer.secret_key = answer.session_token = NULL;
    }
    free_answer(&answer);
    return status;
}

char *aws_sts_identity(const char *xml, size_t size)
{
    struct answer answer;
    char *arn = NULL;
    if (read_answer(xml, size, &answer, NULL) == 0 && is_visible(answer.arn))
        arn = xstrdup(answer.arn);
    free_answer(&answer);
    return arn;
}

/* https://docs.aws.amazon.com/STS/latest/APIReference/ : the errors of the actions. */
enum about { ALL, ROLES, WEB }; /* what a remedy is for; WEB: roles by a web identity */
static const struct {
    enum about about;
    struct aws_remedy remedy;
} remedies[] = {
    {WEB, {"AccessDenied", AWS_FAULT_LASTS,
              "let the role's trust policy name the token's OIDC provider for "
              "sts:AssumeRoleWithWebIdentity, with the token's `sub` and `aud`"}},
    {ROLES, {"AccessDenied", AWS_FAULT_LASTS,
                "let the credentials' own policy allow sts:AssumeRole on it, and the role's trust "
                "policy name them (with the external id, if it wants one)"}},
    {ROLES, {"ExpiredToken", AWS_FAULT_LASTS,
                "the credentials that it is assumed with have expired: renew them"}},
    {ROLES, {"ExpiredTokenException", AWS_FAULT_LASTS,
                "the token has expired: is it still being replaced in its file?"}},
    {ROLES, {"InvalidIdentityToken", AWS_FAULT_LASTS,
                "the token is not one of the role's OIDC provider: check the provider's URL and "
                "audience in IAM"}},
    {ROLES, {"IDPRejectedClaim", AWS_FAULT_LASTS,
                "the role's trust policy does not accept the token's claims: check `sub` and `aud` "
                "in it"}},
    {ROLES, {"IDPCommunicationError", AWS_FAULT_PASSES, "AWS could not reach the token's issuer"}},
    {ROLES, {"MalformedPolicyDocument", AWS_FAULT_LASTS, "look at the role's policies"}},
    {ROLES,
        {"PackedPolicyTooLarge", AWS_FAULT_LASTS, "the session's tags and policies are too large"}},
    {ROLES, {"ValidationError", AWS_FAULT_LASTS,
                "check the role's ARN, arn:aws:iam::<account>:role/<name>, and the external id"}},
    {ROLES, {"NoSuchEntity", AWS_FAULT_LASTS, "there is no such role: check its ARN"}},
    {ALL, {"RegionDisabledException", AWS_FAULT_LASTS,
              "STS is off in that region: turn it on in IAM's account settings, or set another"}},
    {ALL, {"MethodNotAllowed", AWS_FAULT_LASTS,
              "there is no such STS there: mend AWS_ENDPOINT_URL_STS"}},
    {ALL, {"InvalidAction", AWS_FAULT_LASTS,
              "there is no such STS there: mend AWS_ENDPOINT_URL_STS"}},
};

static const struct aws_remedy *remedy_of(const char *code, enum aws_sts_action action)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        enum about about = remedies[i].about;
        bool fits = about == ALL || (about == WEB && action == AWS_ASSUME_WITH_WEB_IDENTITY) ||
                    (about == ROLES && action != AWS_GET_CALLER_IDENTITY);
        if (fits && !strcmp(remedies[i].remedy.code, code))
            return &remedies[i].remedy;
    }
    return aws_fault_remedy(code);
}

static void describe(
    char *text, size_t size, enum aws_sts_action action, const struct aws_role *role)
{
    if (action == AWS_GET_CALLER_IDENTITY)
        snprintf(text, size, "who these credentials are cannot be asked");
    else
        snprintf(text, size, "the role %.150s cannot be assumed%s", role->arn,
            action == AWS_ASSUME_WITH_WEB_IDENTITY ? " with the web identity" : "");
}

bool aws_sts_explain(int status, const char *xml, size_t size, enum aws_sts_action action,
    const struct aws_role *role, const char *region, struct error *err)
{
    const struct aws_fault_place place = {.service = "STS", .region = region};
    struct aws_fault fault;
    char what[220], text[300];
    aws_fault_read(&fault, xml, size);
    describe(what, sizeof what, action, role);
    const struct aws_remedy *remedy = remedy_of(fault.code, action);
    if (remedy) {
        aws_fault_fill(text, sizeof text, remedy->text, &place);
        error_set(err, "%s: %s: %s", what, fault.code, text);
        return remedy->end == AWS_FAULT_PASSES;
    }
    if (fault.code[0])
        error_set(err, "%s: STS answered %s: %s", what, fault.code, fault.message);
    else
        error_set(err, "%s: STS answered HTTP %d: is AWS_ENDPOINT_URL_STS right?", what, status);
    return aws_fault_may_pass(status);
}
