/* Links: their form and their true end; that a store takes them is tests/e2e/test_s3_core.py's. */
#include "core/s3/s3_presign.h"

#include "core/error.h"
#include "core/s3/s3_request.h"
#include "s3_rig.h"

struct told {
    bool done;
    char url[2000];
    int64_t expires_ms;
    bool may_recover;
    char reason[600];
};

static void note_link(void *arg, const struct s3_link *link)
{
    struct told *told = arg;
    assert_false(told->done);
    *told = (struct told){.done = true, .expires_ms = link->expires_ms};
    told->may_recover = link->may_recover;
    snprintf(told->url, sizeof told->url, "%s", link->url ? link->url : "");
    snprintf(told->reason, sizeof told->reason, "%s", link->reason);
}

static struct told presign(int64_t seconds)
{
    struct s3_settings settings = {.bucket = "woogles", .region = "eu-west-1"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    struct told told = {0};
    assert_non_null(s3);
    s3->region_sure = true;
    s3_presign(s3, "a b/report.html", seconds, note_link, &told);
    assert_true(loop_run_until(loop, &told.done, clock_mono_ms() + 20000));
    s3_close(s3);
    return told;
}

static void a_link_has_all_that_it_takes(void **state)
{
    (void)state;
    int64_t before_ms = clock_wall_ms() / 1000 * 1000;
    struct told told = presign(600);
    const char *begin = "https://woogles.s3.eu-west-1.amazonaws.com/a%20b/report.html?"
                        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F";
    assert_memory_equal(told.url, begin, strlen(begin));
    assert_non_null(strstr(told.url, "&X-Amz-SignedHeaders=host&X-Amz-Expires=600&"));
    assert_non_null(strstr(told.url, "&X-Amz-Signature="));
    assert_null(strstr(told.url, "X-Amz-Security-Token"));
    assert_true(told.expires_ms >= before_ms + 600000);
    assert_true(told.expires_ms <= clock_wall_ms() + 600000);
}

static void the_most_that_s3_takes_is_a_week(void **state)
{
    (void)state;
    assert_non_null(strstr(presign(INT64_MAX).url, "&X-Amz-Expires=604800&"));
    assert_non_null(strstr(presign(0).url, "&X-Amz-Expires=1&"));
}

static void a_link_ends_with_its_credentials(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200,
        .body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"a/token\","
                "\"Expiration\":\"2099-01-02T03:04:05Z\"}"}};
    struct stub_server provider;
    stub_start(&provider, answers, 1);
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", provider.url, 1);
    struct s3_settings settings = {.bucket = "woogles"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    s3->region_sure = true;
    s3->clock_offset_ms = INT64_C(4071006245000) - 100000 - clock_wall_ms();
    struct told told = {0};
    s3_presign(s3, "k", 3600, note_link, &told);
    assert_true(loop_run_until(loop, &told.done, clock_mono_ms() + 20000));
    s3_close(s3);
    stub_stop(&provider);
    stub_free(&provider);
    assert_non_null(strstr(told.url, "&X-Amz-Security-Token=a%2Ftoken&"));
    assert_int_equal(told.expires_ms, INT64_C(4071006245000));
}

static void without_credentials_there_is_a_reason(void **state)
{
    (void)state;
    unsetenv("AWS_ACCESS_KEY_ID");
    struct told told = presign(60);
    assert_string_equal(told.url, "");
    assert_non_null(strstr(told.reason, "no AWS credentials"));
}

/* Before anything was stored: nothing else would have told, and nobody corrects a link. */
static void a_wrong_region_is_corrected_first(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 400,
            .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-2</Region>"
                    "</Error>"},
        {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"}, /* that is enough */
    };
    stub_start(&server, answers, 2);
    struct s3_settings settings = {
        .bucket = "woogles", .region = "eu-west-1", .endpoint = server.url, .path_style = true};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    for (int i = 0; i < 2; i++) {
        struct told told = {0};
        s3_presign(s3, "k/report.html", 60, note_link, &told);
        assert_true(loop_run_until(loop, &told.done, clock_mono_ms() + 20000));
        assert_non_null(strstr(told.url, "%2Feu-west-2%2Fs3%2F"));
    }
    s3_close(s3);
    stub_stop(&server);
    assert_int_equal(server.count, 2); /* for the first one */
    stub_free(&server);
}

static void without_an_answer_the_region_is_as_configured(void **state)
{
    (void)state;
    struct s3_settings settings = {
        .bucket = "woogles", .region = "eu-west-1", .endpoint = "http://127.0.0.1:1"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    struct told told = {0};
    s3_presign(s3, "k", 60, note_link, &told);
    assert_true(loop_run_until(loop, &told.done, clock_mono_ms() + 20000));
    assert_non_null(strstr(told.url, "%2Feu-west-1%2Fs3%2F"));
    assert_false(s3->region_sure);
    s3_close(s3);
}

static void a_cancelled_one_says_nothing(void **state)
{
    (void)state;
    struct s3_settings settings = {.bucket = "woogles"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    struct told told = {0};
    s3_presign_cancel(s3_presign(s3, "k", 60, note_link, &told));
    s3_presign_cancel(NULL);
    s3_close(s3);
    assert_false(told.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_S3(a_link_has_all_that_it_takes),
        WITH_S3(the_most_that_s3_takes_is_a_week),
        WITH_S3(a_link_ends_with_its_credentials),
        WITH_S3(without_credentials_there_is_a_reason),
        WITH_S3(a_wrong_region_is_corrected_first),
        WITH_S3(without_an_answer_the_region_is_as_configured),
        WITH_S3(a_cancelled_one_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
