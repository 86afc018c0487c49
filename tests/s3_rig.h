/* core/s3 with credentials of the environment, against a stub that gives prepared answers. */
#ifndef TESTS_S3_RIG_H
#define TESTS_S3_RIG_H

#include "core/clock.h"
#include "core/loop.h"
#include "core/s3/s3.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct loop *loop;
static struct stub_server server;

/* Of all that AWS's programs look at, two keys alone. */
static inline void set_keys(void)
{
    static const char *const unset[] = {"AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "http_proxy",
        "ALL_PROXY", "all_proxy"};
    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++)
        unsetenv(unset[i]);
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
}

static inline int set_up_s3(void **state)
{
    (void)state;
    set_keys();
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static inline int tear_down_s3(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

#define WITH_S3(test) cmocka_unit_test_setup_teardown(test, set_up_s3, tear_down_s3)

static inline struct s3 *open_stub_with(
    const struct stub_answer *answers, size_t count, struct s3_settings settings)
{
    stub_start(&server, answers, count);
    settings.bucket = "woogles";
    settings.endpoint = server.url;
    settings.path_style = true;
    struct s3 *s3 = s3_open(loop, &settings, NULL);
    assert_non_null(s3);
    return s3;
}

static inline struct s3 *open_stub(const struct stub_answer *answers, size_t count)
{
    return open_stub_with(answers, count, (struct s3_settings){.bucket = NULL});
}

/* Ends the stub: its requests can be looked at from here on, until stub_free. */
static inline void close_stub(struct s3 *s3)
{
    s3_close(s3);
    stub_stop(&server);
}

/* What `done` was told. */
struct seen {
    bool done;
    enum s3_outcome outcome;
    int status;
    int64_t retry_after_ms;
    bool exists, conditional;
    char reason[600];
};

static inline void note(void *arg, const struct s3_result *result)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    *seen = (struct seen){true, result->outcome, result->status, result->retry_after_ms,
        result->exists, result->conditional, {0}};
    snprintf(seen->reason, sizeof seen->reason, "%s", result->reason);
}

/* Waits for `note`. */
static inline void wait_seen(const struct seen *seen)
{
    assert_true(loop_run_until(loop, &seen->done, clock_mono_ms() + 60000));
}

#endif
