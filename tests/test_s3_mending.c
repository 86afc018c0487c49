/* What core/s3 mends on its own besides clocks and tokens: the region, and what a store does not
 * know. */
#include "core/s3/s3_dialect.h"
#include "core/s3/s3_request.h"
#include "s3_rig.h"

#define FAULT(code, more) "<Error><Code>" code "</Code>" more "</Error>"
#define STORED                                                                                     \
    {                                                                                              \
        .status = 200, .headers = { "ETag", "\"e\"" }                                              \
    }

static struct seen put(struct s3 *s3)
{
    struct seen seen = {0};
    s3_put(s3, &(struct s3_object){.key = "k", .only_new = true}, note, &seen);
    wait_seen(&seen);
    return seen;
}

static bool says(size_t request, const char *line)
{
    return strcasestr(server.requests[request].head.data, line) != NULL;
}

static void all_that_is_configured_is_sent_and_signed(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {STORED};
    char name[] = "Team", value[] = "games & co", *names[] = {name}, *values[] = {value};
    struct s3 *s3 = open_stub_with(answers, 1,
        (struct s3_settings){.kms_key = "arn:aws:kms:eu-west-1:1:key/k",
            .storage_class = "STANDARD_IA",
            .expected_bucket_owner = "123456789012",
            .tags = {names, values, 1},
            .metadata = {names, values, 1}});
    assert_int_equal(put(s3).outcome, S3_OK);
    close_stub(s3);
    static const char *const lines[] = {"x-amz-server-side-encryption: aws:kms\n",
        "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/k\n",
        "x-amz-storage-class: STANDARD_IA\n", "x-amz-tagging: Team=games%20%26%20co\n",
        "x-amz-meta-team: games & co\n", "x-amz-expected-bucket-owner: 123456789012\n",
        /* Of nothing. */
        "x-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "if-none-match: *\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!says(0, lines[i]))
            fail_msg("%s is not among %s", lines[i], server.requests[0].head.data);
    assert_non_null(strstr(server.requests[0].authorization,
        "SignedHeaders=host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;"
        "x-amz-expected-bucket-owner;x-amz-meta-team;x-amz-server-side-encryption;"
        "x-amz-server-side-encryption-aws-kms-key-id;x-amz-storage-class;x-amz-tagging,"));
    stub_free(&server);
}

static void only_the_owner_goes_with_a_get(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .body = "x"}};
    struct s3 *s3 = open_stub_with(answers, 1,
        (struct s3_settings){.encryption = "AES256", .expected_bucket_owner = "123456789012"});
    struct seen seen = {0};
    s3_get(s3, "k", 10, note, &seen);
    wait_seen(&seen);
    close_stub(s3);
    assert_true(says(0, "x-amz-expected-bucket-owner: 123456789012\n"));
    assert_false(says(0, "x-amz-server-side-encryption"));
    assert_false(says(0, "x-amz-checksum-sha256"));
    stub_free(&server);
}

static void what_is_there_is_told(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 412, .body = FAULT("PreconditionFailed", "")}, {.status = 304}};
    struct s3 *s3 = open_stub(answers, 2);
    struct seen seen = put(s3);
    assert_true(seen.exists);
    assert_true(put(s3).exists);
    assert_int_equal(seen.outcome, S3_REFUSED);
    close_stub(s3);
    stub_free(&server);
}

static void what_a_store_does_not_know_is_left_out_from_then_on(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 501, .body = FAULT("NotImplemented", "<Header>If-None-Match</Header>")},
        {.status = 400,
            .body = FAULT("InvalidArgument",
                "<Message>Unsupported header 'x-amz-checksum-sha256' received</Message>")},
        STORED, STORED};
    struct s3 *s3 = open_stub(answers, 4);
    struct seen seen = put(s3);
    assert_int_equal(seen.outcome, S3_OK);
    assert_false(seen.conditional);
    assert_int_equal(put(s3).outcome, S3_OK);
    close_stub(s3);
    assert_int_equal(server.count, 4);
    assert_true(says(0, "if-none-match"));
    assert_true(says(1, "x-amz-checksum"));
    assert_false(says(1, "if-none-match"));
    for (size_t i = 2; i < 4; i++) {
        assert_false(says(i, "if-none-match"));
        assert_false(says(i, "x-amz-checksum"));
    }
    stub_free(&server);
}

/* A proxy may say 501 once of whatever it likes. */
static void a_refusal_without_a_name_is_no_lesson(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 501}, {.status = 501}, STORED, STORED};
    struct s3 *s3 = open_stub(answers, 4);
    assert_false(put(s3).conditional);
    assert_true(put(s3).conditional);
    close_stub(s3);
    assert_true(says(0, "if-none-match") && says(0, "x-amz-checksum"));
    assert_true(says(1, "if-none-match") && !says(1, "x-amz-checksum"));
    assert_false(says(2, "if-none-match") || says(2, "x-amz-checksum"));
    assert_true(says(3, "if-none-match") && says(3, "x-amz-checksum"));
    stub_free(&server);
}

/* Whose refusals need not be waited for. */
static void what_a_store_is_known_to_lack_is_not_sent(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {STORED, STORED};
    char name[] = "team", *names[] = {name};
    const struct s3_settings settings = {.storage_class = "STANDARD", .tags = {names, names, 1}};
    struct s3 *s3 = open_stub_with(answers, 2, settings);
    s3->dialect = s3_dialect_of("storage.googleapis.com");
    assert_false(put(s3).conditional);
    s3->dialect = s3_dialect_of("abc.r2.cloudflarestorage.com");
    assert_true(put(s3).conditional);
    close_stub(s3);
    assert_false(says(0, "if-none-match") || says(0, "x-amz-checksum") || says(0, "tagging"));
    assert_true(says(0, "x-amz-storage-class: STANDARD\n"));
    assert_true(says(1, "if-none-match: *\n") && says(1, "x-amz-checksum-sha256"));
    assert_false(says(1, "tagging"));
    stub_free(&server);
}

static void encryption_is_never_left_out(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 501, .body = FAULT("NotImplemented", "")}};
    struct s3 *s3 = open_stub_with(answers, 1, (struct s3_settings){.encryption = "AES256"});
    struct seen seen = put(s3);
    assert_false(s3->dialect.missing & S3_CONDITION); /* it was not that */
    close_stub(s3);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "take out what it lacks (encryption"));
    assert_true(says(server.count - 1, "x-amz-server-side-encryption: AES256\n"));
    stub_free(&server);
}

static void a_wrong_region_is_corrected_where_it_stays_the_same_store(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 400,
            .body = FAULT("AuthorizationHeaderMalformed", "<Region>eu-west-2</Region>")},
        STORED, STORED};
    struct s3 *s3 = open_stub(answers, 3);
    assert_int_equal(put(s3).outcome, S3_OK);
    assert_int_equal(put(s3).outcome, S3_OK);
    close_stub(s3);
    assert_int_equal(server.count, 3);
    assert_non_null(strstr(server.requests[0].authorization, "/us-east-1/s3/"));
    assert_non_null(strstr(server.requests[1].authorization, "/eu-west-2/s3/"));
    assert_non_null(strstr(server.requests[2].authorization, "/eu-west-2/s3/"));
    stub_free(&server);
}

static void a_given_endpoint_is_not_left_for_another(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 301,
        .body = FAULT("PermanentRedirect", "<Endpoint>evil.example</Endpoint>"),
        .headers = {"x-amz-bucket-region", "eu-west-2"}}};
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = put(s3);
    close_stub(s3);
    assert_int_equal(server.count, 1);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "set region: eu-west-2"));
    stub_free(&server);
}

static void a_region_is_corrected_once_a_request(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 400,
            .body = FAULT("AuthorizationHeaderMalformed", "<Region>eu-west-2</Region>")},
        {.status = 400,
            .body = FAULT("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>")}};
    static const struct stub_answer nonsense[] = {
        {.status = 400, .body = FAULT("AuthorizationHeaderMalformed", "<Region>a/b</Region>")}};
    struct s3 *s3 = open_stub(answers, 2);
    assert_int_equal(put(s3).outcome, S3_REFUSED);
    close_stub(s3);
    assert_int_equal(server.count, 2);
    stub_free(&server);
    s3 = open_stub(nonsense, 1);
    assert_int_equal(put(s3).outcome, S3_REFUSED);
    close_stub(s3);
    assert_int_equal(server.count, 1);
    stub_free(&server);
}

/* AWS's own answers: which of them move the address. */
static const struct {
    int status;
    const char *body, *header, *region;
} moves[] = {
    {301, FAULT("PermanentRedirect", ""), "eu-west-1", "eu-west-1"},
    {301, "", "eu-west-1", "eu-west-1"},
    {307, FAULT("TemporaryRedirect", "<Endpoint>w.s3-eu-west-1.amazonaws.com</Endpoint>"), NULL,
        "eu-west-1"},
    {301, FAULT("PermanentRedirect", "<Endpoint>w.s3.eu-west-1.amazonaws.com</Endpoint>"), NULL,
        "eu-west-1"},
    {301, FAULT("PermanentRedirect", "<Endpoint>w.s3.amazonaws.com</Endpoint>"), NULL, ""},
    {301, FAULT("PermanentRedirect", "<Endpoint>.amazonaws.com</Endpoint>"), NULL, ""},
    {301, FAULT("PermanentRedirect", ""), "us-east-1", ""},
    {400, FAULT("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), NULL, "eu-west-1"},
    {403, FAULT("AccessDenied", ""), "eu-west-1", ""},
};

static void aws_says_where_a_bucket_is(void **state)
{
    (void)state;
    const struct s3_question question = {.action = S3_PUT_OBJECT,
        .bucket = "w",
        .region = "us-east-1",
        .access_key = "A",
        .own_endpoint = true};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        struct s3_verdict verdict;
        s3_answer_judge(&question,
            &(struct s3_answer){.status = moves[i].status,
                .body = moves[i].body,
                .size = strlen(moves[i].body),
                .bucket_region = moves[i].header},
            &verdict);
        if (strcmp(verdict.region, moves[i].region) != 0)
            fail_msg("answer %zu: \"%s\"", i, verdict.region);
    }
}

static void the_same_store_on_another_loop(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {STORED};
    struct s3 *first = open_stub_with(
        answers, 1, (struct s3_settings){.storage_class = "STANDARD"});
    struct s3 *s3 = s3_open_again(first, loop);
    s3_close(first);
    assert_int_equal(put(s3).outcome, S3_OK);
    close_stub(s3);
    assert_true(says(0, "x-amz-storage-class: STANDARD\n"));
    stub_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_S3(all_that_is_configured_is_sent_and_signed),
        WITH_S3(only_the_owner_goes_with_a_get),
        WITH_S3(what_is_there_is_told),
        WITH_S3(what_a_store_does_not_know_is_left_out_from_then_on),
        WITH_S3(a_refusal_without_a_name_is_no_lesson),
        WITH_S3(what_a_store_is_known_to_lack_is_not_sent),
        WITH_S3(encryption_is_never_left_out),
        WITH_S3(a_wrong_region_is_corrected_where_it_stays_the_same_store),
        WITH_S3(a_given_endpoint_is_not_left_for_another),
        WITH_S3(a_region_is_corrected_once_a_request),
        WITH_S3(aws_says_where_a_bucket_is),
        WITH_S3(the_same_store_on_another_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
