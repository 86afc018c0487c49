#include "core/aws/aws_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FAULT(code, message)                                                                       \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message              \
    "</Message></Error><RequestId>x</RequestId></ErrorResponse>"

static void codes_and_messages_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *message;
    } cases[] = {
        {FAULT("Throttling", "Rate exceeded"), "Throttling", "Rate exceeded"},
        {FAULT("A&#10;B", "c&#9;d"), "A B", "c d"},
        {"<Error><Code>Outermost</Code></Error>", "Outermost", ""},
        {"<a><Code>Elsewhere</Code></a>", "", ""},
        {"<a><Error><Code>Cut</Code>", "Cut", ""},
        {"<html>", "", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aws_fault fault;
        aws_fault_read(&fault, cases[i].body, strlen(cases[i].body));
        assert_string_equal(fault.code, cases[i].code);
        assert_string_equal(fault.message, cases[i].message);
    }
}

static const struct aws_remedy own[] = {
    {"NotFound", AWS_FAULT_LASTS, "there is no {what} in {region}"},
    {"RequestExpired", AWS_FAULT_PASSES, "the service's own text comes first"},
    {.code = NULL},
};

static const struct {
    int status;
    const char *code;
    enum aws_fault_end end;
    const char *reason;
} cases[] = {
    {404, "NotFound", AWS_FAULT_LASTS, "SNS: NotFound: there is no T in eu-west-1"},
    {400, "RequestExpired", AWS_FAULT_PASSES, "the service's own text comes first"},
    {403, "ExpiredToken", AWS_FAULT_EXPIRED,
        "SNS: ExpiredToken: the credentials have expired: renew them"},
    {403, "ExpiredTokenException", AWS_FAULT_EXPIRED, "renew them"},
    {403, "InvalidClientTokenId", AWS_FAULT_LASTS,
        "AWS does not know the access key: it was deleted, or is not of the partition of "
        "eu-west-1"},
    {403, "UnrecognizedClientException", AWS_FAULT_LASTS, "the partition of eu-west-1"},
    {403, "MissingAuthenticationToken", AWS_FAULT_LASTS, "a proxy (HTTPS_PROXY)"},
    {403, "MissingAuthenticationTokenException", AWS_FAULT_LASTS, "a proxy (HTTPS_PROXY)"},
    {400, "IncompleteSignature", AWS_FAULT_LASTS, "a proxy (HTTPS_PROXY)"},
    {403, "SignatureDoesNotMatch", AWS_FAULT_LASTS, "this machine's clock is wrong"},
    {403, "InvalidSignatureException", AWS_FAULT_LASTS, "not of the region eu-west-1"},
    {403, "OptInRequired", AWS_FAULT_LASTS, "has not enabled the region eu-west-1: enable it"},
    {400, "Throttling", AWS_FAULT_PASSES, "SNS: Throttling: SNS wants fewer requests"},
    {400, "ThrottlingException", AWS_FAULT_PASSES, "fewer requests"},
    {400, "Throttled", AWS_FAULT_PASSES, "fewer requests"},
    {400, "RequestLimitExceeded", AWS_FAULT_PASSES, "fewer requests"},
    {400, "RequestTimeout", AWS_FAULT_PASSES, "SNS has trouble of its own"},
    {500, "InternalError", AWS_FAULT_PASSES, "trouble of its own"},
    {500, "InternalFailure", AWS_FAULT_PASSES, "trouble of its own"},
    {500, "InternalServiceError", AWS_FAULT_PASSES, "trouble of its own"},
    {500, "InternalServiceFault", AWS_FAULT_PASSES, "trouble of its own"},
    {503, "ServiceUnavailable", AWS_FAULT_PASSES, "trouble of its own"},
    {503, "ServiceUnavailableException", AWS_FAULT_PASSES, "trouble of its own"},
    {400, "Odd", AWS_FAULT_LASTS, "SNS answered HTTP 400, Odd: why"},
    {500, "Odd", AWS_FAULT_PASSES, "SNS answered HTTP 500, Odd: why"},
    {429, "", AWS_FAULT_PASSES, "SNS answered HTTP 429 without saying why: is the endpoint one"},
    {404, "", AWS_FAULT_LASTS, "SNS answered HTTP 404 without saying why: is the endpoint one"},
};

static void every_code_has_a_remedy(void **state)
{
    (void)state;
    const struct aws_fault_place place = {"SNS", "eu-west-1", "T", own};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aws_fault fault = {.message = "why"};
        char reason[300];
        snprintf(fault.code, sizeof fault.code, "%s", cases[i].code);
        assert_int_equal(aws_fault_explain(&fault, cases[i].status, &place, reason, sizeof reason),
            cases[i].end);
        if (!strstr(reason, cases[i].reason) || strchr(reason, '{'))
            fail_msg("case %zu: %s", i, reason);
    }
}

static void a_text_is_cut_to_what_fits(void **state)
{
    (void)state;
    const struct aws_fault_place place = {"SNS", "eu-west-1", "T", own};
    char text[12];
    aws_fault_fill(text, sizeof text, "{service} in {region}", &place);
    assert_string_equal(text, "SNS in eu-w");
    aws_fault_fill(text, 1, "{service}", &place);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_and_messages_are_read),
        cmocka_unit_test(every_code_has_a_remedy),
        cmocka_unit_test(a_text_is_cut_to_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
