/* Claims and counts of the exporters: a folder, and a bucket on a stub. */
#include "config/config.h"
#include "exporters/directory.h"
#include "exporters/s3.h"
#include "exporters_rig.h"
#include "stub_server.h"

#include <unistd.h>

struct seen {
    size_t done;
    bool all;
    size_t wanted, taken, existing;
    struct claim_result result;
    struct count_result count;
};

static void note(void *arg, const struct claim_result *result)
{
    struct seen *seen = arg;
    seen->result = *result;
    seen->taken += result->outcome == CLAIM_TAKEN;
    seen->existing += result->outcome == CLAIM_EXISTS;
    seen->all = ++seen->done == seen->wanted;
}

static void note_count(void *arg, const struct count_result *result)
{
    struct seen *seen = arg;
    seen->count = *result;
    seen->all = true;
}

static void wait_for(struct seen *seen)
{
    assert_true(loop_run_until(loop, &seen->all, clock_mono_ms() + 20000));
}

static int64_t count(const struct exporter_kind *kind, void *self, const char *key)
{
    struct seen seen = {0};
    kind->count(self, key, note_count, &seen);
    wait_for(&seen);
    assert_int_equal(seen.count.reason[0] != '\0', seen.count.count < 0);
    return seen.count.count;
}

/* Several agents, each with a thread of its own. */
static void of_many_in_a_folder_one_is_first(void **state)
{
    (void)state;
    enum { AGENTS = 8 };
    struct directory_exporter_options options = {.path = folder};
    void *agents[AGENTS];
    struct seen seen = {.wanted = AGENTS};
    for (size_t i = 0; i < AGENTS; i++)
        agents[i] = open_exporter(&exporter_directory, &options);
    for (size_t i = 0; i < AGENTS; i++)
        exporter_directory.claim(agents[i], "a/b/0", "{\"incident\": 1}", note, &seen);
    wait_for(&seen);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.existing, AGENTS - 1);
    assert_int_equal(count(&exporter_directory, agents[0], "a/b/"), 1);
    assert_int_equal(count(&exporter_directory, agents[0], "a/c/"), -1);
    for (size_t i = 0; i < AGENTS; i++)
        exporter_directory.close(agents[i]);
}

static void a_folder_says_what_is_wrong(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = folder};
    void *self = open_exporter(&exporter_directory, &options);
    struct seen seen = {.wanted = 1};
    exporter_directory.claim(self, "a", "x", note, &seen);
    wait_for(&seen);
    seen = (struct seen){.wanted = 1};
    exporter_directory.claim(self, "a/0", "x", note, &seen);
    wait_for(&seen);
    assert_int_equal(seen.result.outcome, CLAIM_FAILED);
    assert_true(seen.result.refused);
    assert_non_null(strstr(seen.result.reason, "/a"));
    seen = (struct seen){.wanted = 1};
    exporter_directory.claim(self, "b", "x", note, &seen);
    exporter_directory.count(self, "b/", note_count, &seen);
    exporter_directory.close(self);
    assert_int_equal(seen.done, 0);
}

static void a_bucket_answers(void **state)
{
    (void)state;
    static const struct {
        struct stub_answer answer;
        enum claim_outcome outcome;
        bool refused;
        const char *reason;
    } cases[] = {
        {{.status = 200, .headers = {"ETag", "\"e\""}}, CLAIM_TAKEN, false, ""},
        {{.status = 412, .body = "<Error><Code>PreconditionFailed</Code></Error>"}, CLAIM_EXISTS,
            true, ""},
        {{.status = 409, .body = "<Error><Code>ConditionalRequestConflict</Code></Error>"},
            CLAIM_FAILED, false, "409"},
        {{.status = 503}, CLAIM_FAILED, false, "503"},
        {{.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"}, CLAIM_FAILED, true,
            "s3:PutObject"},
        /* it never goes without its condition */
        {{.status = 501,
             .body = "<Error><Code>NotImplemented</Code><Header>If-None-Match</Header></Error>"},
            CLAIM_UNABLE, true, "conditional writes"},
        {{.status = 501, .body = "<Error><Code>NotImplemented</Code></Error>"}, CLAIM_FAILED, true,
            "a part of the request"},
        {{.status = 501, .body = "<Error><Code>NotImplemented</Code></Error>"}, CLAIM_FAILED, true,
            "a part of the request"}, /* nor without checksums */
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct stub_answer answers[CASES];
    struct stub_server server;
    char bucket[] = "woogles", prefix[] = "prod";
    for (size_t i = 0; i < CASES; i++)
        answers[i] = cases[i].answer;
    stub_start(&server, answers, CASES);
    struct s3_exporter_options options = {
        .bucket = bucket, .prefix = prefix, .endpoint = server.url, .verify = true};
    void *self = open_exporter(&exporter_s3, &options);
    for (size_t i = 0; i + 1 < CASES; i++) {
        struct seen seen = {.wanted = 1};
        exporter_s3.claim(self, "fleet/x/0", "{\"incident\": 1}", note, &seen);
        assert_false(seen.all);
        wait_for(&seen);
        assert_int_equal(seen.result.outcome, cases[i].outcome);
        assert_int_equal(seen.result.refused, cases[i].refused);
        if (!strstr(seen.result.reason, cases[i].reason))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].reason, seen.result.reason);
    }
    exporter_s3.close(self);
    stub_stop(&server);
    for (size_t i = 0; i < server.count; i++)
        assert_non_null(strcasestr(server.requests[i].head.data, "if-none-match: *\n"));
    assert_string_equal(server.requests[0].path, "/woogles/prod/fleet/x/0");
    assert_string_equal(server.requests[0].body.data, "{\"incident\": 1}");
    stub_free(&server);
}

static void a_bucket_counts(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 200,
            .body = "<ListBucketResult><Contents><Key>prod/s/1</Key></Contents><Contents>"
                    "<Key>prod/s/2</Key></Contents></ListBucketResult>"},
        {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"},
    };
    struct stub_server server;
    char bucket[] = "woogles", prefix[] = "prod";
    stub_start(&server, answers, 2);
    struct s3_exporter_options options = {
        .bucket = bucket, .prefix = prefix, .endpoint = server.url, .verify = true};
    void *self = open_exporter(&exporter_s3, &options);
    assert_int_equal(count(&exporter_s3, self, "s/"), 2);
    assert_int_equal(count(&exporter_s3, self, "s/"), -1);
    struct seen seen = {.wanted = 1};
    exporter_s3.claim(self, "x", "y", note, &seen);
    exporter_s3.count(self, "s/", note_count, &seen);
    exporter_s3.close(self); /* with both on their way */
    assert_false(seen.all);
    stub_stop(&server);
    stub_free(&server);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(of_many_in_a_folder_one_is_first),
        WITH_LOOP(a_folder_says_what_is_wrong),
        WITH_LOOP(a_bucket_answers),
        WITH_LOOP(a_bucket_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
