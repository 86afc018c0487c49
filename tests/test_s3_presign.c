/* Links: their form and their true end; that a store takes them is tests/e2e/test_s3_core.py's. */
#include "core/s3/s3_presign.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/s3/s3_request.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct loop *loop;

struct seen {
    bool done;
    char url[2000];
    int64_t expires_ms;
    bool may_recover;
    char reason[600];
};

static void note(void *arg, const struct s3_link *link)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    *seen = (struct seen){.done = true, .expires_ms = link->expires_ms};
    seen->may_recover = link->may_recover;
    snprintf(seen->url, sizeof seen->url, "%s", link->url ? link->url : "");
    snprintf(seen->reason, sizeof seen->reason, "%s", link->reason);
}

static struct seen presign(int64_t seconds)
{
    struct s3_settings settings = {.bucket = "woogles", .region = "eu-west-1"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    struct seen seen = {0};
    assert_non_null(s3);
    s3->region_sure = true;
    s3_presign(s3, "a b/report.html", seconds, note, &seen);
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    s3_close(s3);
    return seen;
}

static int setup(void **state)
{
    (void)state;
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

static void a_link_has_all_that_it_takes(void **state)
{
    (void)state;
    int64_t before_ms = clock_wall_ms() / 1000 * 1000;
    struct seen seen = presign(600);
    const char *begin = "https://woogles.s3.eu-west-1.amazonaws.com/a%20b/report.html?"
                        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F";
    assert_memory_equal(seen.url, begin, strlen(begin));
    assert_non_null(strstr(seen.url, "&X-Amz-SignedHeaders=host&X-Amz-Expires=600&"));
    assert_non_null(strstr(seen.url, "&X-Amz-Signature="));
    assert_null(strstr(seen.url, "X-Amz-Security-Token"));
    assert_true(seen.expires_ms >= before_ms + 600000);
    assert_true(seen.expires_ms <= clock_wall_ms() + 600000);
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
    struct seen seen = {0};
    s3_presign(s3, "k", 3600, note, &seen);
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    s3_close(s3);
    stub_stop(&provider);
    stub_free(&provider);
    assert_non_null(strstr(seen.url, "&X-Amz-Security-Token=a%2Ftoken&"));
    assert_int_equal(seen.expires_ms, INT64_C(4071006245000));
}

static void without_credentials_there_is_a_reason(void **state)
{
    (void)state;
    unsetenv("AWS_ACCESS_KEY_ID");
    struct seen seen = presign(60);
    assert_string_equal(seen.url, "");
    assert_non_null(strstr(seen.reason, "no AWS credentials"));
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
    struct stub_server server;
    stub_start(&server, answers, 2);
    struct s3_settings settings = {
        .bucket = "woogles", .region = "eu-west-1", .endpoint = server.url, .path_style = true};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    for (int i = 0; i < 2; i++) {
        struct seen seen = {0};
        s3_presign(s3, "k/report.html", 60, note, &seen);
        assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
        assert_non_null(strstr(seen.url, "%2Feu-west-2%2Fs3%2F"));
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
    struct seen seen = {0};
    s3_presign(s3, "k", 60, note, &seen);
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    assert_non_null(strstr(seen.url, "%2Feu-west-1%2Fs3%2F"));
    assert_false(s3->region_sure);
    s3_close(s3);
}

static void a_cancelled_one_says_nothing(void **state)
{
    (void)state;
    struct s3_settings settings = {.bucket = "woogles"};
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    struct seen seen = {0};
    s3_presign_cancel(s3_presign(s3, "k", 60, note, &seen));
    s3_presign_cancel(NULL);
    s3_close(s3);
    assert_false(seen.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_link_has_all_that_it_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_most_that_s3_takes_is_a_week, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_ends_with_its_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(without_credentials_there_is_a_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_region_is_corrected_first, setup, teardown),
        cmocka_unit_test_setup_teardown(
            without_an_answer_the_region_is_as_configured, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_one_says_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
