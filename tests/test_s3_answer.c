#include "core/s3/s3_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FAULT(code, message)                                                                       \
    "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>" message "</Message></Error>"

/* 2026-11-23T15:00:00Z, as S3 writes it. */
#define STORE_DATE "Mon, 23 Nov 2026 15:00:00 GMT"
static const int64_t store_ms = 1795446000000;

static const struct s3_question question = {
    .action = S3_PUT_OBJECT,
    .host = "woogles.s3.internal",
    .bucket = "woogles",
    .prefix = "prod",
    .region = "us-east-1",
    .access_key = "AKIASECRETID",
    .sent_ms = 1795446000000,
};

static struct s3_verdict judge(const struct s3_question *asked, struct s3_answer answer)
{
    struct s3_verdict verdict;
    answer.size = answer.body ? strlen(answer.body) : 0;
    answer.body = answer.body ? answer.body : "";
    s3_answer_judge(asked, &answer, &verdict);
    return verdict;
}

static const struct {
    struct s3_answer answer;
    enum s3_outcome outcome;
    const char *reason;
} endings[] = {
    {{.status = 200, .etag = "\"x\""}, S3_OK, ""},
    {{.status = 200}, S3_REFUSED, "no ETag"},
    {{.status = 500, .body = FAULT("InternalError", "We are sorry")}, S3_RETRY,
        "HTTP 500, InternalError: We are sorry"},
    {{.status = 503, .body = "<html>"}, S3_RETRY, "HTTP 503"},
    {{.status = 503, .body = FAULT("SlowDown", "Slow")}, S3_RETRY, "SlowDown"},
    {{.status = 429}, S3_RETRY, "HTTP 429"},
    {{.status = 507}, S3_RETRY, "HTTP 507"},
    {{.status = 400, .body = FAULT("RequestTimeout", "idle")}, S3_RETRY, "RequestTimeout"},
    {{.status = 400, .body = FAULT("BadDigest", "x")}, S3_RETRY, "BadDigest"},
    {{.status = 409, .body = FAULT("OperationAborted", "x")}, S3_RETRY, "OperationAborted"},
    {{.status = 501, .body = FAULT("NotImplemented", "x")}, S3_REFUSED, "NotImplemented"},
    {{.status = 403, .body = FAULT("AccessDenied", "Access Denied")}, S3_REFUSED,
        "allow s3:PutObject on arn:aws:s3:::woogles/prod/*"},
    {{.status = 403}, S3_REFUSED, "allow s3:PutObject"},
    {{.status = 404, .body = FAULT("NoSuchBucket", "x")}, S3_REFUSED, "no bucket woogles"},
    {{.status = 403, .body = FAULT("SignatureDoesNotMatch", "x")}, S3_REFUSED,
        "secret key does not belong to the access key AKIA"},
    {{.status = 403, .body = FAULT("InvalidAccessKeyId", "x")}, S3_REFUSED,
        "does not know the access key AKIA"},
    {{.status = 301, .body = FAULT("PermanentRedirect", "x"), .bucket_region = "eu-west-1"},
        S3_REFUSED, "set region: eu-west-1"},
    {{.status = 307, .bucket_region = "eu-west-1"}, S3_REFUSED, "set region: eu-west-1"},
    {{.status = 301,
         .body = "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3-eu.x</Endpoint></Error>"},
        S3_REFUSED, "addressed at b.s3-eu.x"},
    {{.status = 400,
         .body = "<Error><Code>AuthorizationHeaderMalformed</Code>"
                 "<Region>eu-west-2</Region></Error>"},
        S3_REFUSED, "in the region eu-west-2, not us-east-1: set region: eu-west-2"},
    {{.status = 403, .body = FAULT("RequestTimeTooSkewed", "x")}, S3_REFUSED, "clock"},
    {{.status = 400, .body = FAULT("ExpiredToken", "x")}, S3_REFUSED, "AWS_SESSION_TOKEN"},
    {{.status = 403, .body = FAULT("QuotaExceeded", "10 GB")}, S3_REFUSED, "quota is used up"},
    {{.outcome = HTTP_BROKEN, .error = "CONNECT tunnel failed, response 407"}, S3_RETRY,
        "the proxy wants a user"},
    {{.outcome = HTTP_BROKEN, .error = "CONNECT tunnel failed, response 503"}, S3_RETRY,
        "name the host in NO_PROXY"},
    {{.status = 418, .body = "teapot"}, S3_REFUSED, "does the endpoint speak S3"},
    {{.outcome = HTTP_UNREACHED, .error = "refused"}, S3_RETRY, "does not answer: refused"},
    {{.outcome = HTTP_TIMEOUT, .error = "late"}, S3_RETRY, "does not answer: late"},
    {{.outcome = HTTP_BROKEN, .error = "reset"}, S3_RETRY, "does not answer: reset"},
    {{.outcome = HTTP_BAD_TLS, .error = "self-signed"}, S3_REFUSED, "set ca_file"},
    {{.outcome = HTTP_BAD_TLS,
         .error = "SSL: no alternative certificate subject name matches "
                  "target host name 'woogles.s3.internal'"},
        S3_REFUSED, "path_style: true"},
    {{.outcome = HTTP_REFUSED, .error = "x"}, S3_REFUSED, "could not be read"},
    {{.outcome = HTTP_TOO_LARGE, .status = 200, .error = "large"}, S3_REFUSED, "large"},
    {{.outcome = HTTP_TOO_LARGE, .status = 503, .error = "large"}, S3_RETRY, "HTTP 503"},
    {{.outcome = HTTP_BROKEN, .status = 403, .error = "reset", .body = FAULT("AccessDenied", "x")},
        S3_REFUSED, "s3:PutObject"},
};

static void tells_done_from_later_from_no(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct s3_verdict verdict = judge(&question, endings[i].answer);
        if (verdict.outcome != endings[i].outcome || !strstr(verdict.reason, endings[i].reason))
            fail_msg("case %zu: %d, %s", i, (int)verdict.outcome, verdict.reason);
        assert_null(strstr(verdict.reason, question.access_key));
        assert_int_equal(verdict.outcome == S3_OK, verdict.reason[0] == '\0');
    }
}

static void names_the_right_that_is_missing(void **state)
{
    (void)state;
    static const struct {
        enum s3_action action;
        const char *prefix, *region, *reason;
    } cases[] = {
        {S3_PUT_OBJECT, NULL, "us-east-1", "allow s3:PutObject on arn:aws:s3:::woogles/*"},
        {S3_PUT_OBJECT, "", "cn-north-1", "allow s3:PutObject on arn:aws-cn:s3:::woogles/*"},
        {S3_GET_OBJECT, "a/b", "us-gov-west-1",
            "allow s3:GetObject on arn:aws-us-gov:s3:::woogles/a/b/*"},
        {S3_LIST_BUCKET, "a", "us-east-1", "allow s3:ListBucket on arn:aws:s3:::woogles"},
        {S3_LIST_UPLOADS, "a", "us-east-1",
            "allow s3:ListBucketMultipartUploads on arn:aws:s3:::woogles"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_question asked = question;
        asked.action = cases[i].action;
        asked.prefix = cases[i].prefix;
        asked.region = cases[i].region;
        struct s3_verdict verdict = judge(
            &asked, (struct s3_answer){.status = 403, .body = FAULT("AccessDenied", "x")});
        assert_non_null(strstr(verdict.reason, cases[i].reason));
    }
}

static void notices_a_clock_that_is_off(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *date;
        int64_t ahead_ms;
        bool off;
    } cases[] = {
        {403, FAULT("RequestTimeTooSkewed", "x"), STORE_DATE, 3600000, true},
        {403, FAULT("RequestTimeTooSkewed", "x"), STORE_DATE, -3600000, true},
        {400, FAULT("RequestTimeTooSkewed", "x"), STORE_DATE, 3600000, true},
        {403, FAULT("AccessDenied", "x"), STORE_DATE, 3600000, true},
        {403, FAULT("AccessDenied", "x"), STORE_DATE, 60000, false},
        {403, FAULT("RequestTimeTooSkewed", "x"), NULL, 3600000, false},
        {403, FAULT("RequestTimeTooSkewed", "x"), "yesterday", 3600000, false},
        {404, FAULT("NoSuchBucket", "x"), STORE_DATE, 3600000, false},
        {503, "", STORE_DATE, 3600000, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_question asked = question;
        asked.sent_ms = store_ms + cases[i].ahead_ms;
        struct s3_verdict verdict = judge(
            &asked, (struct s3_answer){
                        .status = cases[i].status, .body = cases[i].body, .date = cases[i].date});
        assert_int_equal(verdict.clock_off, cases[i].off);
        if (verdict.clock_off)
            assert_int_equal(verdict.store_ms, store_ms);
    }
}

static void reads_how_long_to_wait(void **state)
{
    (void)state;
    static const struct {
        const char *retry_after;
        int64_t wait_ms;
    } cases[] = {
        {NULL, 0},
        {"7", 7000},
        {"0", 0},
        {"-5", 0},
        {"99999999999999999999", 3600000},
        {"Mon, 23 Nov 2026 15:00:30 GMT", 30000},
        {"Mon, 23 Nov 2026 14:00:00 GMT", 0},
        {"Mon, 23 Nov 2099 14:00:00 GMT", 3600000},
        {"soon", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_verdict verdict = judge(
            &question, (struct s3_answer){
                           .status = 503, .retry_after = cases[i].retry_after, .date = STORE_DATE});
        assert_int_equal(verdict.retry_after_ms, cases[i].wait_ms);
    }
}

static void notices_expired_tokens(void **state)
{
    (void)state;
    struct s3_answer expired = {.status = 400, .body = FAULT("ExpiredToken", "x")};
    struct s3_answer denied = {.status = 403, .body = FAULT("AccessDenied", "x")};
    assert_true(judge(&question, expired).token_expired);
    assert_false(judge(&question, denied).token_expired);
}

static void cuts_what_the_store_says(void **state)
{
    (void)state;
    static char body[6000];
    int used = snprintf(body, sizeof body, "<Error><Code>");
    memset(body + used, 'C', 2000);
    used += 2000;
    used += snprintf(body + used, sizeof body - (size_t)used, "</Code><Message>");
    memset(body + used, 'm', 3000);
    used += 3000;
    snprintf(body + used, sizeof body - (size_t)used, "&#10;x</Message></Error>");
    struct s3_verdict verdict = judge(&question, (struct s3_answer){.status = 400, .body = body});
    assert_int_equal(verdict.outcome, S3_REFUSED);
    assert_true(strlen(verdict.reason) < sizeof verdict.reason);
    assert_null(strchr(verdict.reason, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_done_from_later_from_no),
        cmocka_unit_test(names_the_right_that_is_missing),
        cmocka_unit_test(notices_a_clock_that_is_off),
        cmocka_unit_test(reads_how_long_to_wait),
        cmocka_unit_test(notices_expired_tokens),
        cmocka_unit_test(cuts_what_the_store_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
