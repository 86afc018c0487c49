/* core/s3 against a stub that gives prepared answers; a real store is the judge in tests/e2e. */
#include "core/error.h"
#include "core/sha256.h"
#include "s3_rig.h"

#include <time.h>
#include <unistd.h>

#define FAULT(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"

static const char content[] = "profile bytes";

static struct seen put_file(struct s3 *s3)
{
    char path[] = "/tmp/stakeout-test-s3-XXXXXX", sha256[SHA256_HEX_SIZE];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, content, sizeof content - 1), sizeof content - 1);
    sha256_hash(content, sizeof content - 1, sha256);
    struct seen seen = {0};
    const struct s3_object object = {.key = "a b/cpu.pb.gz",
        .fd = fd,
        .size = sizeof content - 1,
        .sha256 = sha256,
        .content_type = "application/gzip"};
    s3_put(s3, &object, note, &seen);
    wait_seen(&seen);
    close(fd);
    return seen;
}

static void puts_a_file_with_its_hash_signed(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .headers = {"ETag", "\"e\""}}};
    struct s3 *s3 = open_stub(answers, 1);
    assert_int_equal(put_file(s3).outcome, S3_OK);
    close_stub(s3);
    const struct stub_request *request = &server.requests[0];
    char sha256[SHA256_HEX_SIZE];
    sha256_hash(content, sizeof content - 1, sha256);
    assert_int_equal(server.count, 1);
    assert_string_equal(request->method, "PUT");
    assert_string_equal(request->path, "/woogles/a b/cpu.pb.gz");
    assert_string_equal(request->body.data, content);
    assert_string_equal(request->hash, sha256);
    assert_non_null(strstr(request->authorization, "SignedHeaders=content-type;host;"
                                                   "x-amz-checksum-sha256;x-amz-content-sha256;"
                                                   "x-amz-date"));
    stub_free(&server);
}

static void says_when_to_come_back(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 503, .body = FAULT("SlowDown"), .headers = {"Retry-After", "12"}}};
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = put_file(s3);
    close_stub(s3);
    assert_int_equal(seen.outcome, S3_RETRY);
    assert_int_equal(seen.status, 503);
    assert_int_equal(seen.retry_after_ms, 12000);
    assert_int_equal(server.count, 1);
    stub_free(&server);
}

static void corrects_its_clock_once(void **state)
{
    (void)state;
    /* A store that is two hours ahead. */
    char date[64];
    time_t ahead = time(NULL) + 7200;
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&ahead, &utc));
    const struct stub_answer answers[] = {
        {.status = 403, .body = FAULT("RequestTimeTooSkewed"), .headers = {"Date", date}},
        {.status = 200, .headers = {"ETag", "\"e\""}},
    };
    struct s3 *s3 = open_stub(answers, 2);
    assert_int_equal(put_file(s3).outcome, S3_OK);
    assert_int_equal(put_file(s3).outcome, S3_OK); /* remembered */
    close_stub(s3);
    assert_int_equal(server.count, 3);
    assert_string_equal(server.requests[1].body.data, content); /* all of it again */
    /* X-Amz-Date sorts as text. */
    assert_true(strcmp(server.requests[1].date, server.requests[0].date) > 0);
    assert_true(strcmp(server.requests[2].date, server.requests[0].date) > 0);
    stub_free(&server);
}

static void gives_up_on_a_clock_that_stays_wrong(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 403,
        .body = FAULT("RequestTimeTooSkewed"),
        .headers = {"Date", "Mon, 23 Nov 2020 15:00:00 GMT"}}};
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = put_file(s3);
    close_stub(s3);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_int_equal(server.count, 2);
    stub_free(&server);
}

static void renews_an_expired_token_once(void **state)
{
    (void)state;
    static const struct stub_answer credentials[] = {
        {.status = 200,
            .body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"one\"}"},
        {.status = 200,
            .body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"two\"}"},
    };
    static const struct stub_answer answers[] = {
        {.status = 400, .body = FAULT("ExpiredToken")},
        {.status = 200, .headers = {"ETag", "\"e\""}},
        {.status = 400, .body = FAULT("ExpiredToken")},
    };
    struct stub_server provider;
    stub_start(&provider, credentials, 2);
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", provider.url, 1);
    struct s3 *s3 = open_stub(answers, 3);
    assert_int_equal(put_file(s3).outcome, S3_OK);
    assert_int_equal(put_file(s3).outcome, S3_REFUSED);
    close_stub(s3);
    stub_stop(&provider);
    assert_int_equal(server.count, 4);
    assert_string_equal(server.requests[0].token, "one");
    assert_string_equal(server.requests[1].token, "two");
    stub_free(&server);
    stub_free(&provider);
}

static void static_credentials_are_not_tried_again(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 400, .body = FAULT("ExpiredToken")}};
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = put_file(s3);
    close_stub(s3);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "AWS_SESSION_TOKEN"));
    assert_int_equal(server.count, 1);
    stub_free(&server);
}

static void reports_missing_credentials_without_asking(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200}};
    unsetenv("AWS_ACCESS_KEY_ID");
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = put_file(s3);
    close_stub(s3);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "no AWS credentials"));
    assert_int_equal(server.count, 0);
    stub_free(&server);
}

static void a_store_that_is_down_is_for_later(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200}};
    struct s3 *s3 = open_stub(answers, 1);
    stub_stop(&server);
    struct seen seen = put_file(s3);
    assert_int_equal(seen.outcome, S3_RETRY);
    assert_int_equal(seen.status, 0);
    s3_close(s3);
    stub_free(&server);
}

static void a_cancelled_put_says_nothing(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .headers = {"ETag", "\"e\""}}};
    struct s3 *s3 = open_stub(answers, 1);
    struct seen first = {0};
    s3_cancel(s3_put(s3, &(struct s3_object){.key = "k"}, note, &first));
    s3_cancel(NULL);
    assert_int_equal(put_file(s3).outcome, S3_OK);
    assert_false(first.done);
    close_stub(s3);
    assert_int_equal(server.count, 1);
    stub_free(&server);
}

static int collect(void *arg, const char *key)
{
    buf_printf(arg, "%s|", key);
    return strcmp(key, "stop") == 0;
}

static void lists_page_after_page(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 500},
        {.status = 200,
            .body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t/+"
                    "</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>"},
        {.status = 200,
            .body = "<ListBucketResult><Contents><Key>b</Key></Contents><Contents><Key>stop</Key>"
                    "</Contents><Contents><Key>c</Key></Contents></ListBucketResult>"},
    };
    struct s3 *s3 = open_stub(answers, 3);
    struct buf keys;
    struct error err = {""};
    buf_init(&keys, 1000);
    assert_int_equal(s3_list(s3, "p/", "/", collect, &keys, &err), 0);
    assert_string_equal(keys.data, "a|b|stop|");
    buf_free(&keys);
    close_stub(s3);
    assert_int_equal(server.count, 3);
    assert_string_equal(server.requests[1].continuation, "");
    assert_string_equal(server.requests[2].continuation, "t/+");
    stub_free(&server);
}

static void stops_at_a_listing_that_goes_in_circles(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200,
        .body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
                "</NextContinuationToken></ListBucketResult>"}};
    struct s3 *s3 = open_stub(answers, 1);
    struct error err;
    assert_int_equal(s3_list(s3, "p/", NULL, collect, NULL, &err), -1);
    assert_non_null(strstr(err.text, "again and again"));
    close_stub(s3);
    stub_free(&server);
}

static void gets_bounded_objects(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200, .body = "12345678"},
        {.status = 200, .body = "12345678"},
        {.status = 404, .body = FAULT("NoSuchKey")},
    };
    struct s3 *s3 = open_stub(answers, 3);
    struct buf body;
    struct error err;
    assert_int_equal(s3_get_bytes(s3, "k", 8, &body, &err), 0);
    assert_string_equal(body.data, "12345678");
    buf_free(&body);
    assert_int_equal(s3_get_bytes(s3, "k", 7, &body, &err), -1);
    assert_non_null(strstr(err.text, "larger than 7 bytes"));
    buf_free(&body);
    assert_int_equal(s3_get_bytes(s3, "k", 8, &body, &err), -1);
    assert_string_equal(
        err.text, "cannot read s3://woogles/k: there is no such object (NoSuchKey)");
    buf_free(&body);
    close_stub(s3);
    stub_free(&server);
}

static void note_object(void *arg, const struct s3_result *result)
{
    char *said = arg;
    snprintf(said, 200, "%d %s%s%s", result->outcome, result->missing ? "missing: " : "",
        result->denied ? "denied: " : "",
        result->outcome == S3_OK ? result->body->data : result->reason);
}

static void gets_an_object_in_one_attempt(void **state)
{
    (void)state;
    static const struct {
        struct stub_answer answer;
        const char *said;
    } cases[] = {
        {{.status = 200, .body = "12345678"}, "0 12345678"},
        {{.status = 200}, "0 "},
        {{.status = 200, .body = "123456789"}, "2 it is larger than 8 bytes"},
        {{.status = 404, .body = FAULT("NoSuchKey")},
            "2 missing: there is no such object (NoSuchKey)"},
        {{.status = 404, .body = FAULT("NoSuchBucket")},
            "2 there is no bucket woogles: create it or mend bucket (NoSuchBucket)"},
        {{.status = 403, .body = FAULT("AccessDenied")},
            "2 denied: access denied: allow s3:GetObject on arn:aws:s3:::woogles/* (without "
            "s3:ListBucket this is also the answer for what is not there) (AccessDenied)"},
        {{.status = 503, .body = FAULT("SlowDown")},
            "1 the store is in trouble: HTTP 503, SlowDown: m"},
    };
    struct stub_answer answers[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        answers[i] = cases[i].answer;
    struct s3 *s3 = open_stub(answers, sizeof cases / sizeof *cases);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[200] = "";
        s3_get(s3, "a b/learned.json", 8, note_object, said);
        assert_string_equal(said, ""); /* never at once */
        const bool never = false;
        int64_t deadline_ms = clock_mono_ms() + 20000;
        while (!said[0] && clock_mono_ms() < deadline_ms)
            loop_run_until(loop, &never, clock_mono_ms() + 5);
        assert_string_equal(said, cases[i].said);
    }
    char said[200] = "";
    s3_cancel(s3_get(s3, "k", 8, note_object, said));
    close_stub(s3);
    assert_string_equal(said, "");
    assert_int_equal(server.count, sizeof cases / sizeof *cases);
    assert_string_equal(server.requests[0].method, "GET");
    assert_string_equal(server.requests[0].path, "/woogles/a b/learned.json");
    stub_free(&server);
}

static void puts_bytes_and_tries_again(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 503}, {.status = 200, .headers = {"ETag", "\"e\""}}};
    struct s3 *s3 = open_stub(answers, 2);
    struct error err;
    assert_int_equal(s3_put_bytes(s3, "k", "hello", 5, "text/plain", &err), 0);
    assert_int_equal(s3_put_bytes(s3, "empty", NULL, 0, "text/plain", &err), 0);
    close_stub(s3);
    assert_int_equal(server.count, 3);
    assert_string_equal(server.requests[1].body.data, "hello");
    assert_string_equal(server.requests[2].hash, sha256_of_nothing);
    stub_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_S3(puts_a_file_with_its_hash_signed),
        WITH_S3(says_when_to_come_back),
        WITH_S3(corrects_its_clock_once),
        WITH_S3(gives_up_on_a_clock_that_stays_wrong),
        WITH_S3(renews_an_expired_token_once),
        WITH_S3(static_credentials_are_not_tried_again),
        WITH_S3(reports_missing_credentials_without_asking),
        WITH_S3(a_store_that_is_down_is_for_later),
        WITH_S3(a_cancelled_put_says_nothing),
        WITH_S3(lists_page_after_page),
        WITH_S3(stops_at_a_listing_that_goes_in_circles),
        WITH_S3(gets_bounded_objects),
        WITH_S3(gets_an_object_in_one_attempt),
        WITH_S3(puts_bytes_and_tries_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
