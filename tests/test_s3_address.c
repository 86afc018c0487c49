#include "core/s3/s3_address.h"

#include "core/error.h"
#include "core/s3/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    unsetenv("AWS_REGION");
    unsetenv("AWS_DEFAULT_REGION");
    return 0;
}

static void builds_urls(void **state)
{
    (void)state;
    static const struct {
        struct s3_settings settings;
        const char *key, *query, *url, *host;
    } cases[] = {
        {{.bucket = "woogles"}, "a/b", NULL, "https://woogles.s3.us-east-1.amazonaws.com/a/b",
            "woogles.s3.us-east-1.amazonaws.com"},
        {{.bucket = "woogles", .region = "eu-central-1", .path_style = true}, "a", "x=1",
            "https://s3.eu-central-1.amazonaws.com/woogles/a?x=1", "s3.eu-central-1.amazonaws.com"},
        {{.bucket = "woogles", .region = "cn-north-1"}, "", NULL,
            "https://woogles.s3.cn-north-1.amazonaws.com.cn/",
            "woogles.s3.cn-north-1.amazonaws.com.cn"},
        /* No certificate covers these below a wildcard. */
        {{.bucket = "my.logs"}, "a", NULL, "https://s3.us-east-1.amazonaws.com/my.logs/a",
            "s3.us-east-1.amazonaws.com"},
        {{.bucket = "b-1", .endpoint = "http://127.0.0.1:7480", .path_style = true}, "k", "",
            "http://127.0.0.1:7480/b-1/k", "127.0.0.1:7480"},
        {{.bucket = "b-1", .endpoint = "http://127.0.0.1:7480"}, "k", NULL,
            "http://127.0.0.1:7480/b-1/k", "127.0.0.1:7480"},
        {{.bucket = "b-1", .endpoint = "http://[::1]:9000/"}, "k", NULL, "http://[::1]:9000/b-1/k",
            "[::1]:9000"},
        {{.bucket = "b-1", .endpoint = "https://s3.internal:443/"}, "k", NULL,
            "https://b-1.s3.internal/k", "b-1.s3.internal"},
        {{.bucket = "b-1", .endpoint = "https://s3.internal:9000"}, "k", NULL,
            "https://b-1.s3.internal:9000/k", "b-1.s3.internal:9000"},
        {{.bucket = "b-1", .endpoint = "http://h", .path_style = true},
            "service=x/a b+c%/../\xc3\xa9?#", NULL,
            "http://h/b-1/service%3Dx/a%20b%2Bc%25/../%C3%A9%3F%23", "h"},
        {{.bucket = "woogles", .dualstack = true}, "a", NULL,
            "https://woogles.s3.dualstack.us-east-1.amazonaws.com/a",
            "woogles.s3.dualstack.us-east-1.amazonaws.com"},
        {{.bucket = "woogles", .region = "us-gov-west-1", .fips = true}, "a", NULL,
            "https://woogles.s3-fips.us-gov-west-1.amazonaws.com/a",
            "woogles.s3-fips.us-gov-west-1.amazonaws.com"},
        {{.bucket = "woogles", .fips = true, .dualstack = true, .path_style = true}, "a", NULL,
            "https://s3-fips.dualstack.us-east-1.amazonaws.com/woogles/a",
            "s3-fips.dualstack.us-east-1.amazonaws.com"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_address address;
        struct error err = {""};
        if (s3_address_init(&address, &cases[i].settings, &err) < 0)
            fail_msg("%s: %s", cases[i].url, err.text);
        char *url = s3_address_url(&address, cases[i].key, cases[i].query);
        assert_string_equal(url, cases[i].url);
        assert_string_equal(address.host, cases[i].host);
        free(url);
        s3_address_free(&address);
    }
}

static void refuses_what_cannot_work(void **state)
{
    (void)state;
    static const struct {
        struct s3_settings settings;
        const char *error;
    } cases[] = {
        {{.bucket = NULL}, "no bucket name"},
        {{.bucket = ""}, "no bucket name"},
        {{.bucket = "ab"}, "no bucket name"},
        {{.bucket = "s3://woogles"}, "without s3://"},
        {{.bucket = "woogles/prod"}, "goes into prefix"},
        {{.bucket = "arn:aws:s3:::woogles"}, "an ARN"},
        {{.bucket = "evil@host"}, "no bucket name"},
        {{.bucket = "key:secret@host"}, "this is no bucket name"},
        {{.bucket = "..."}, "no bucket name"},
        {{.bucket = "ABC"}, "no bucket name"},
        {{.bucket = "a_b"}, "no bucket name"},
        {{.bucket = "a..b"}, "no bucket name"},
        {{.bucket = "a.-b"}, "no bucket name"},
        {{.bucket = "-ab"}, "no bucket name"},
        {{.bucket = "ab-"}, "no bucket name"},
        {{.bucket = ".ab"}, "no bucket name"},
        {{.bucket = "ab."}, "no bucket name"},
        {{.bucket = "192.168.5.4"}, "no bucket name"},
        {{.bucket = "b234567890123456789012345678901234567890123456789012345678901234"},
            "no bucket name"},
        {{.bucket = "woogles", .region = "us-east-1.evil.com/"}, "no region"},
        {{.bucket = "woogles", .region = "us east"}, "no region"},
        {{.bucket = "woogles", .region = "US-EAST-1"}, "no region"},
        {{.bucket = "woogles", .region = "-"}, "no region"},
        {{.bucket = "woogles", .endpoint = "s3.internal"}, "no http:// or https:// address"},
        {{.bucket = "woogles", .endpoint = "ftp://h"}, "no http:// or https:// address"},
        {{.bucket = "woogles", .endpoint = "http://"}, "no http:// or https:// address"},
        {{.bucket = "woogles", .endpoint = "https://h/woogles"}, "has a path, /woogles"},
        {{.bucket = "woogles", .endpoint = "https://h/?x"}, "has a path"},
        {{.bucket = "woogles", .endpoint = "https://key:secret@h"}, "user name or password"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_address address;
        struct error err = {""};
        assert_int_equal(s3_address_init(&address, &cases[i].settings, &err), -1);
        if (!strstr(err.text, cases[i].error))
            fail_msg("wanted \"%s\": %s", cases[i].error, err.text);
        assert_null(strstr(err.text, "secret@"));
    }
}

static void prefixes_that_other_tools_would_change_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *error; /* NULL: it is right */
    } cases[] = {
        {"", NULL},
        {"/", NULL},
        {"prod/eu", NULL},
        {"/a//b/", NULL},
        {"a..b/.c/...", NULL},
        {"..", "folders . and .."},
        {"a/../b", "folders . and .."},
        {"a/./b", "folders . and .."},
        {"a/..", "folders . and .."},
        {"a\tb", "control character"},
        {"a\x7f", "control character"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {""};
        int status = s3_address_check_prefix(cases[i].prefix, &err);
        assert_int_equal(status, cases[i].error ? -1 : 0);
        if (cases[i].error && !strstr(err.text, cases[i].error))
            fail_msg("wanted \"%s\": %s", cases[i].error, err.text);
    }
    char longest[514];
    memset(longest, 'a', sizeof longest);
    longest[513] = '\0';
    assert_int_equal(s3_address_check_prefix(longest, NULL), -1);
    longest[512] = '\0';
    assert_int_equal(s3_address_check_prefix(longest, NULL), 0);
}

static void takes_the_region_from_the_environment(void **state)
{
    (void)state;
    struct s3_settings settings = {.bucket = "woogles"};
    struct s3_address address;
    setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
    assert_int_equal(s3_address_init(&address, &settings, NULL), 0);
    assert_string_equal(address.region, "eu-west-1");
    s3_address_free(&address);
    setenv("AWS_REGION", "eu-west-2", 1);
    assert_int_equal(s3_address_init(&address, &settings, NULL), 0);
    assert_string_equal(address.region, "eu-west-2");
    s3_address_free(&address);
    settings.region = "eu-west-3";
    assert_int_equal(s3_address_init(&address, &settings, NULL), 0);
    assert_string_equal(address.region, "eu-west-3");
    s3_address_free(&address);
}

static void moves_to_another_region(void **state)
{
    (void)state;
    static const struct {
        struct s3_settings settings;
        const char *region, *url; /* NULL: it is none */
    } cases[] = {
        {{.bucket = "woogles"}, "eu-west-1", "https://woogles.s3.eu-west-1.amazonaws.com/k"},
        {{.bucket = "woogles", .fips = true}, "us-west-2",
            "https://woogles.s3-fips.us-west-2.amazonaws.com/k"},
        {{.bucket = "my.logs"}, "cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/my.logs/k"},
        {{.bucket = "woogles", .endpoint = "https://h:9"}, "eu-west-1", "https://woogles.h:9/k"},
        {{.bucket = "woogles"}, "evil.com/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wanted = cases[i].url;
        struct s3_address address, copy;
        assert_int_equal(s3_address_init(&address, &cases[i].settings, NULL), 0);
        int status = s3_address_move(&address, cases[i].region, NULL);
        assert_int_equal(status, wanted ? 0 : -1);
        s3_address_copy(&copy, &address);
        s3_address_free(&address);
        char *url = s3_address_url(&copy, "k", NULL);
        assert_string_equal(url, wanted ? wanted : "https://woogles.s3.us-east-1.amazonaws.com/k");
        assert_string_equal(copy.region, wanted ? cases[i].region : "us-east-1");
        free(url);
        s3_address_free(&copy);
    }
}

static void some_stores_have_one_region(void **state)
{
    (void)state;
    struct s3_settings settings = {
        .bucket = "woogles", .endpoint = "https://abc.r2.cloudflarestorage.com"};
    struct s3_address address;
    setenv("AWS_REGION", "eu-west-2", 1);
    assert_int_equal(s3_address_init(&address, &settings, NULL), 0);
    assert_string_equal(address.region, "auto");
    s3_address_free(&address);
    settings.region = "weur";
    assert_int_equal(s3_address_init(&address, &settings, NULL), 0);
    assert_string_equal(address.region, "weur");
    s3_address_free(&address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(builds_urls, setup),
        cmocka_unit_test_setup(refuses_what_cannot_work, setup),
        cmocka_unit_test(prefixes_that_other_tools_would_change_are_refused),
        cmocka_unit_test_setup(moves_to_another_region, setup),
        cmocka_unit_test_setup(some_stores_have_one_region, setup),
        cmocka_unit_test_setup(takes_the_region_from_the_environment, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
