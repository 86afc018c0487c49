/* What `stakeout review` holds of a bucket follows what is written there again. */
#include "stub_server.h"

#include "core/error.h"
#include "core/s3/s3.h"
#include "review/web/web_index.h"
#include "review/web/web_stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID           "20261123T150406Z-cpu-000001"
#define DATE         "service=a/date=2026-11-23/"
#define LIST(inner)  "<ListBucketResult>" inner "</ListBucketResult>"
#define FOLDER(path) LIST("<CommonPrefixes><Prefix>" path "</Prefix></CommonPrefixes>")
#define OBJECT(etag)                                                                               \
    LIST("<Contents><Key>" DATE ID "/incident.json</Key><ETag>" etag "</ETag></Contents>")
#define INCIDENT(headline)                                                                         \
    "{\"schema\": 1, \"id\": \"" ID "\", \"service\": \"a\", \"kind\": \"spike\", \"headline\": "  \
    "\"" headline "\", \"fired\": \"2026-11-23T15:04:06.000Z\"}"

/* Three listings of all, with an object that is the same at first and another one then; nothing is
 * known of the service. After that the store is out of order. */
static const struct stub_answer answers[] = {
    {.status = 200, .body = FOLDER("service=a/")},
    {.status = 200, .body = FOLDER(DATE)},
    {.status = 200, .body = OBJECT("one")},
    {.status = 200, .body = INCIDENT("first")},
    {.status = 200, .body = LIST("")},
    {.status = 200, .body = FOLDER("service=a/")},
    {.status = 200, .body = FOLDER(DATE)},
    {.status = 200, .body = OBJECT("one")},
    {.status = 200, .body = LIST("")},
    {.status = 200, .body = FOLDER("service=a/")},
    {.status = 200, .body = FOLDER(DATE)},
    {.status = 200, .body = OBJECT("two")},
    {.status = 200, .body = INCIDENT("second")},
    {.status = 200, .body = LIST("")},
    {.status = 403},
};

/* Lists again and again. */
static const struct web_index_pace pace = {.recent_ms = 10, .all_ms = 10};

static bool wait_for_headline(struct web_index *index, const char *headline)
{
    for (;;) {
        struct web_index_view view = web_index_hold(index);
        uint64_t version = view.version;
        bool there = view.count == 1 && !strcmp(view.summaries[0]->headline, headline);
        web_index_release(index);
        if (there)
            return true;
        web_index_wait_change(index, version, INT64_C(60000));
    }
}

static void what_is_written_again_in_a_bucket_is_read_again(void **state)
{
    (void)state;
    struct stub_server server;
    struct error err = {""};
    stub_start(&server, answers, sizeof answers / sizeof *answers);
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("http_proxy");
    const struct s3_settings settings = {.endpoint = server.url, .path_style = true};
    struct web_stores *stores = web_stores_open("s3://woogles", &settings, &err);
    assert_non_null(stores);
    struct web_index *index = web_index_open(stores, &pace, NULL, &err);
    assert_non_null(index);
    assert_true(wait_for_headline(index, "first"));
    assert_true(wait_for_headline(index, "second"));
    web_index_close(index);
    web_stores_close(stores);
    stub_stop(&server);
    assert_true(server.count >= 13);
    assert_string_equal(server.requests[3].path, "/woogles/" DATE ID "/incident.json");
    assert_string_equal(server.requests[7].path, "/woogles/");
    assert_string_equal(server.requests[8].path, "/woogles/");
    assert_string_equal(server.requests[12].path, "/woogles/" DATE ID "/incident.json");
    stub_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_again_in_a_bucket_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
