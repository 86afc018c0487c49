#include "core/s3/s3_dialect.h"

#include "core/s3/s3_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned all = S3_CONDITION | S3_CHECKSUM | S3_TAGGING;
static const unsigned others = S3_CHECKSUM | S3_TAGGING;

static const struct {
    const char *host;
    unsigned missing;
    const char *region;
} hosts[] = {
    {"woogles.s3.us-east-1.amazonaws.com", 0, NULL},
    {"abc.r2.cloudflarestorage.com", S3_TAGGING, "auto"},
    {"abc.eu.r2.cloudflarestorage.com:443", S3_TAGGING, "auto"},
    {"notr2.cloudflarestorage.com", 0, NULL},
    {"storage.googleapis.com", S3_CONDITION | S3_CHECKSUM | S3_TAGGING, NULL},
    {"woogles.storage.googleapis.com", S3_CONDITION | S3_CHECKSUM | S3_TAGGING, NULL},
    {"127.0.0.1:9000", 0, NULL},
    {"", 0, NULL},
};

static void some_stores_are_known_by_their_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct s3_dialect dialect = s3_dialect_of(hosts[i].host);
        if (dialect.missing != hosts[i].missing)
            fail_msg("%s: %u", hosts[i].host, dialect.missing);
        assert_string_equal(
            dialect.region ? dialect.region : "", hosts[i].region ? hosts[i].region : "");
    }
}

/* The answers of Cloudflare R2, Backblaze B2, S3 itself, MinIO. */
static const struct {
    unsigned sent;
    int status;
    struct s3_fault fault;
    unsigned learned;
    bool guessed;
} refusals[] = {
    {all, 501,
        {.code = "NotImplemented",
            .message = "Header 'x-amz-tagging' with value 'a=b' not implemented"},
        S3_TAGGING},
    {all, 400,
        {.code = "InvalidArgument",
            .message = "Unsupported header 'x-amz-checksum-sha256' received for this API call."},
        S3_CHECKSUM},
    {all, 400,
        {.code = "InvalidArgument",
            .message = "Unsupported header 'x-amz-sdk-checksum-algorithm' received"},
        S3_CHECKSUM},
    {all, 501,
        {.code = "NotImplemented",
            .message = "A header you provided implies functionality that is not implemented",
            .argument = "If-None-Match"},
        S3_CONDITION},
    /* It does not say what: one after the other. */
    {all, 501, {.code = "NotImplemented"}, S3_TAGGING, true},
    {S3_CHECKSUM | S3_CONDITION, 501, {.code = "NotImplemented"}, S3_CHECKSUM, true},
    {S3_CONDITION, 501, {.code = ""}, S3_CONDITION, true},
    {0, 501, {.code = "NotImplemented", .message = "If-None-Match"}, 0},
    {S3_CHECKSUM, 501, {.code = "NotImplemented", .message = "tagging"}, S3_CHECKSUM, true},
    /* About something else. */
    {all, 501,
        {.code = "NotImplemented",
            .message = "Header 'x-amz-server-side-encryption' with value 'AES256' not implemented"},
        0},
    {all, 400, {.code = "InvalidArgument", .message = "x-amz-storage-class"}, 0},
    {all, 400, {.code = "InvalidTag", .message = "the tagging is wrong"}, 0},
    {all, 400, {.code = "BadDigest", .message = "the x-amz-checksum-sha256 does not match"}, 0},
    {all, 412, {.code = "PreconditionFailed", .message = "precondition If-None-Match"}, 0},
    {all, 403, {.code = "AccessDenied", .message = "tagging"}, 0},
};

static void refusals_teach(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        bool guessed;
        unsigned learned = s3_dialect_learn(
            refusals[i].sent, refusals[i].status, &refusals[i].fault, &guessed);
        if (learned != refusals[i].learned || guessed != refusals[i].guessed)
            fail_msg("refusal %zu: %u", i, learned);
    }
}

/* Requests that were taken, one after the other. */
static void a_guess_is_believed_the_second_time(void **state)
{
    (void)state;
    static const struct {
        unsigned sent, left_out, guessed, learned;
    } cases[] = {
        {others, S3_CONDITION, S3_CONDITION, 0}, {all, 0, 0, 0},         /* it does know it */
        {others, S3_CONDITION, S3_CONDITION, 0}, {S3_CHECKSUM, 0, 0, 0}, /* says nothing of it */
        {others, S3_CONDITION, S3_CONDITION, S3_CONDITION},
        {S3_CHECKSUM, S3_TAGGING, 0, S3_TAGGING}, /* was named */
    };
    struct s3_dialect dialect = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            s3_dialect_settle(&dialect, cases[i].sent, cases[i].left_out, cases[i].guessed),
            cases[i].learned);
    assert_int_equal(dialect.missing, S3_CONDITION | S3_TAGGING);
}

static void every_part_has_a_name(void **state)
{
    (void)state;
    assert_non_null(strstr(s3_dialect_name(S3_CONDITION), "If-None-Match"));
    assert_non_null(strstr(s3_dialect_name(S3_CHECKSUM), "checksum"));
    assert_non_null(strstr(s3_dialect_name(S3_TAGGING), "tag"));
    assert_string_equal(s3_dialect_name(0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_stores_are_known_by_their_hosts),
        cmocka_unit_test(refusals_teach),
        cmocka_unit_test(a_guess_is_believed_the_second_time),
        cmocka_unit_test(every_part_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
