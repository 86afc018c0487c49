#include "core/aws/aws_sts.h"

#include "core/aws/aws_plan.h"
#include "core/aws/aws_temporary.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANSWER(inner)                                                                              \
    "<AssumeRoleResponse "                                                                         \
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>" inner    \
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define ALL                                                                                        \
    "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey><SessionToken>t</"      \
    "SessionToken>"

static void credentials_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *error;
    } cases[] = {
        {ANSWER(ALL "<Expiration>2026-11-23T15:04:01Z</Expiration>"), NULL},
        {ANSWER(ALL), NULL},
        {ANSWER(ALL "<Expiration>soon</Expiration>"), "no time"},
        {ANSWER("<AccessKeyId>ASIA</AccessKeyId>"),
            "no AccessKeyId, SecretAccessKey and SessionToken"},
        {ANSWER("<AccessKeyId>A&#10;B</AccessKeyId><SecretAccessKey>s</"
                "SecretAccessKey><SessionToken>t</SessionToken>"),
            "no AccessKeyId"},
        {"<html>", "no XML"},
        {"", "no XML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aws_temporary temporary;
        struct error err = {""};
        int status = aws_sts_parse(cases[i].xml, strlen(cases[i].xml), &temporary, &err);
        assert_int_equal(status, cases[i].error ? -1 : 0);
        if (cases[i].error && !strstr(err.text, cases[i].error))
            fail_msg("case %zu: %s", i, err.text);
        if (status == 0) {
            assert_string_equal(temporary.access_key, "ASIA");
            assert_string_equal(temporary.secret_key, "s/+=");
            assert_string_equal(temporary.session_token, "t");
            aws_temporary_free(&temporary);
        }
    }
}

/* Every refusal names what to do. */
static void refusals_name_a_remedy(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code, *remedy;
        bool may_recover;
    } cases[] = {
        {403, "AccessDenied", "trust policy", false},
        {403, "ExpiredToken", "renew them", false},
        {400, "ExpiredTokenException", "replaced in its file", false},
        {400, "InvalidIdentityToken", "OIDC provider", false},
        {403, "IDPRejectedClaim", "`sub` and `aud`", false},
        {400, "IDPCommunicationError", "issuer", true},
        {403, "InvalidClientTokenId", "does not know the access key", false},
        {403, "SignatureDoesNotMatch", "secret key", false},
        {400, "RequestExpired", "clock", false},
        {403, "RegionDisabledException", "account settings", false},
        {400, "MalformedPolicyDocument", "policies", false},
        {400, "PackedPolicyTooLarge", "too large", false},
        {400, "ValidationError", "ARN", false},
        {404, "NoSuchEntity", "no such role", false},
        {403, "UnrecognizedClientException", "does not know the access key", false},
        {400, "IncompleteSignature", "HTTPS_PROXY", false},
        {403, "MissingAuthenticationToken", "HTTPS_PROXY", false},
        {403, "OptInRequired", "has not enabled the region eu-west-1", false},
        {405, "MethodNotAllowed", "AWS_ENDPOINT_URL_STS", false},
        {400, "InvalidAction", "AWS_ENDPOINT_URL_STS", false},
        {400, "RequestTimeout", "STS has trouble of its own", true},
        {500, "InternalError", "STS has trouble of its own", true},
        {400, "Throttling", "fewer requests", true},
        {400, "ThrottlingException", "fewer requests", true},
        {503, "ServiceUnavailable", "STS has trouble of its own", true},
        {500, "InternalFailure", "STS has trouble of its own", true},
        {500, "Unheard", "STS answered Unheard: why", true},
        {404, "", "AWS_ENDPOINT_URL_STS", false},
    };
    static char arn[] = "arn:aws:iam::1:role/x";
    const struct aws_role role = {.arn = arn};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char xml[300];
        struct error err;
        snprintf(xml, sizeof xml,
            "<ErrorResponse><Error><Code>%s</Code><Message>why</Message></Error></ErrorResponse>",
            cases[i].code);
        bool recovers = aws_sts_explain(
            cases[i].status, xml, strlen(xml), AWS_ASSUME_ROLE, &role, "eu-west-1", &err);
        assert_int_equal(recovers, cases[i].may_recover);
        if (!strstr(err.text, cases[i].remedy) || !strstr(err.text, arn))
            fail_msg("case %zu: %s", i, err.text);
    }
}

/* Nobody's own policy is asked there. */
static void a_web_identity_is_refused_by_the_trust_policy(void **state)
{
    (void)state;
    static const char xml[] = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not "
                              "authorized</Message></Error></ErrorResponse>";
    static char arn[] = "arn:aws:iam::1:role/x";
    const struct aws_role role = {.arn = arn};
    struct error err;
    aws_sts_explain(403, xml, strlen(xml), AWS_ASSUME_WITH_WEB_IDENTITY, &role, "eu-west-1", &err);
    assert_non_null(strstr(err.text, "with the web identity: AccessDenied: let the role's trust"));
    assert_null(strstr(err.text, "own policy"));
}

static void forms_are_encoded(void **state)
{
    (void)state;
    static char arn[] = "arn:aws:iam::1:role/x", name[] = "me", id[] = "a&b";
    const struct aws_role role = {arn, id, name};
    char *form = aws_sts_form(AWS_ASSUME_ROLE, &role, NULL);
    assert_string_equal(form,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
        "RoleSessionName=me&ExternalId=a%26b");
    aws_wipe(form);
    unsetenv("AWS_ENDPOINT_URL_STS");
    static const struct {
        const char *endpoint, *region, *url;
    } cases[] = {
        {"", "eu-west-1", "https://sts.eu-west-1.amazonaws.com/"},
        {"", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"},
        {"", "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"},
        {"http://127.0.0.1:1", "eu-west-1", "http://127.0.0.1:1/"},
        {"http://127.0.0.1:1/", "eu-west-1", "http://127.0.0.1:1/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("AWS_ENDPOINT_URL_STS", cases[i].endpoint, 1);
        char *url = aws_sts_url(cases[i].region);
        assert_string_equal(url, cases[i].url);
        free(url);
    }
    setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1", 1);
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    char *url = aws_sts_url("eu-west-1");
    assert_string_equal(url, "https://sts.eu-west-1.amazonaws.com/");
    free(url);
    unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
}

static void an_identity_is_read(void **state)
{
    (void)state;
    static const char xml[] =
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>";
    char *arn = aws_sts_identity(xml, strlen(xml));
    assert_string_equal(arn, "arn:aws:iam::1:user/x");
    free(arn);
    assert_null(aws_sts_identity("<a/>", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_read),
        cmocka_unit_test(refusals_name_a_remedy),
        cmocka_unit_test(a_web_identity_is_refused_by_the_trust_policy),
        cmocka_unit_test(forms_are_encoded),
        cmocka_unit_test(an_identity_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
