/* The exporters through their common interface: a folder, and a bucket on a stub. */
#include "core/buf.h"
#include "exporters/directory.h"
#include "exporters/s3.h"
#include "exporters_rig.h"
#include "stub_server.h"

#include <sys/stat.h>
#include <unistd.h>

/* Sends a file of that content (NULL: one that is not there) under key. */
static struct send_result send_as(const struct exporter_kind *kind, void *self, const char *key,
    const char *content, bool replaces)
{
    char *path = in_folder("spooled");
    if (content)
        assert_int_equal(fs_write(path, content, strlen(content), NULL), 0);
    struct sent sent = {0};
    kind->send(self, &(struct artifact){path, key, "text/csv", replaces}, note_sent, &sent);
    assert_false(sent.done);
    wait_sent(&sent);
    free(path);
    return sent.result;
}

static struct send_result send_content(
    const struct exporter_kind *kind, void *self, const char *key, const char *content)
{
    return send_as(kind, self, key, content, false);
}

static void assert_file(const char *name, const char *content)
{
    char *path = in_folder(name);
    struct buf buf;
    assert_int_equal(fs_read(path, 1000, &buf, NULL), 0);
    assert_string_equal(buf.data, content);
    buf_free(&buf);
    free(path);
}

static void a_folder_gets_copies_and_their_folders(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("deep/captures")};
    void *self = open_exporter(&exporter_directory, &options);
    char *label = xasprintf("directory:%s", options.path);
    assert_string_equal(exporter_directory.label(self), label);
    const char *key = "service=woogles/date=2026-11-23/x/metrics.csv";
    for (int i = 0; i < 2; i++) /* twice does no harm */
        assert_int_equal(
            send_content(&exporter_directory, self, key, "time,cpu\n").outcome, SEND_STORED);
    assert_file("deep/captures/service=woogles/date=2026-11-23/x/metrics.csv", "time,cpu\n");
    exporter_directory.close(self);
    free(options.path);
    free(label);
}

static void nothing_of_an_incident_is_overwritten(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("captures")};
    void *self = open_exporter(&exporter_directory, &options);
    for (int i = 0; i < 2; i++) {
        const char *content = i ? "other" : "first";
        assert_int_equal(
            send_content(&exporter_directory, self, "i/a", content).outcome, SEND_STORED);
        send_as(&exporter_directory, self, "_state/a", content, true);
    }
    exporter_directory.close(self);
    assert_file("captures/i/a", "first");
    assert_file("captures/_state/a", "other");
    free(options.path);
}

static void a_folder_says_what_is_wrong(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("file")};
    assert_int_equal(fs_write(options.path, "", 0, NULL), 0);
    void *self = open_exporter(&exporter_directory, &options);
    struct send_result result = send_content(&exporter_directory, self, "a/b", "x");
    assert_int_equal(result.outcome, SEND_FAILED);
    assert_non_null(strstr(result.reason, "/file"));
    exporter_directory.close(self);
    free(options.path);
}

static void a_closed_folder_stays_silent(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("captures")};
    char *path = in_folder("spooled");
    assert_int_equal(fs_write(path, "x", 1, NULL), 0);
    struct sent sent = {0};
    void *self = open_exporter(&exporter_directory, &options);
    exporter_directory.send(
        self, &(struct artifact){path, "k", "text/csv", false}, note_sent, &sent);
    exporter_directory.close(self); /* runs the job to its end */
    assert_false(sent.done);
    free(options.path);
    free(path);
}

static void set(void *arg)
{
    *(bool *)arg = true;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void a_folder_that_hangs_holds_up_nobody(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("captures")};
    char *path = in_folder("fifo"); /* opening one without a writer hangs like a dead mount */
    assert_int_equal(mkfifo(path, 0600), 0);
    struct sent sent = {0};
    bool others_work = false;
    void *self = open_exporter(&exporter_directory, &options);
    exporter_directory.send(
        self, &(struct artifact){path, "k", "text/csv", false}, note_sent, &sent);
    offload_submit(disk, nothing, set, &others_work);
    assert_true(loop_run_until(loop, &others_work, clock_mono_ms() + 20000));
    exporter_directory.close(self);
    assert_false(sent.done);
    free(options.path);
    free(path);
}

static void a_bucket_gets_the_object_below_the_prefix(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 200, .headers = {"ETag", "\"e\""}}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    struct s3_exporter_options options = {.bucket = xstrdup("woogles"),
        .prefix = xstrdup("/prod/eu//"),
        .endpoint = server.url,
        .verify = true};
    void *self = open_exporter(&exporter_s3, &options);
    assert_string_equal(exporter_s3.label(self), "s3://woogles/prod/eu");
    struct send_result result = send_content(&exporter_s3, self, "service=w/m.csv", "time,cpu\n");
    assert_int_equal(result.outcome, SEND_STORED);
    assert_string_equal(result.reason, "");
    exporter_s3.close(self);
    stub_stop(&server);
    assert_string_equal(server.requests[0].path, "/woogles/prod/eu/service=w/m.csv");
    assert_string_equal(server.requests[0].body.data, "time,cpu\n");
    stub_free(&server);
    free(options.bucket);
    free(options.prefix);
}

static void a_bucket_passes_on_why_not(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"},
        {.status = 503, .headers = {"Retry-After", "3"}},
    };
    struct stub_server server;
    char bucket[] = "woogles";
    stub_start(&server, answers, 2);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    void *self = open_exporter(&exporter_s3, &options);
    assert_string_equal(exporter_s3.label(self), "s3://woogles");
    struct send_result result = send_content(&exporter_s3, self, "k", "x");
    assert_int_equal(result.outcome, SEND_FAILED);
    assert_non_null(strstr(result.reason, "s3:PutObject on arn:aws:s3:::woogles/*"));
    result = send_content(&exporter_s3, self, "k", "x");
    assert_int_equal(result.outcome, SEND_RETRY);
    assert_int_equal(result.retry_after_ms, 3000);
    char *path = in_folder("spooled");
    unlink(path);
    free(path);
    result = send_content(&exporter_s3, self, "k", NULL);
    assert_int_equal(result.outcome, SEND_FAILED);
    assert_non_null(strstr(result.reason, "/spooled"));
    exporter_s3.close(self);
    stub_stop(&server);
    stub_free(&server);
}

static void a_bucket_can_be_closed_at_any_moment(void **state)
{
    (void)state;
    char bucket[] = "woogles", endpoint[] = "http://127.0.0.1:1";
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = endpoint, .verify = true};
    char *path = in_folder("spooled");
    assert_int_equal(fs_write(path, "x", 1, NULL), 0);
    const bool never = false;
    for (int wait_ms = 0; wait_ms < 4; wait_ms++) {
        struct sent sent = {0};
        void *self = open_exporter(&exporter_s3, &options);
        exporter_s3.send(self, &(struct artifact){path, "k", "text/csv", false}, note_sent, &sent);
        if (wait_ms > 0)
            loop_run_until(loop, &never, clock_mono_ms() + wait_ms);
        exporter_s3.close(self);
        if (wait_ms == 0)
            assert_false(sent.done);
    }
    free(path);
}

struct recalled {
    bool done;
    char said[600]; /* "found: TEXT", "none", ... */
};

static void note_recalled(void *arg, const struct recall_result *result)
{
    static const char *const names[] = {[RECALL_FOUND] = "found",
        [RECALL_NONE] = "none",
        [RECALL_FORBIDDEN] = "forbidden",
        [RECALL_FAILED] = "failed"};
    struct recalled *recalled = arg;
    assert_false(recalled->done);
    recalled->done = true;
    bool found = result->outcome == RECALL_FOUND;
    snprintf(recalled->said, sizeof recalled->said, "%s: %.*s%s", names[result->outcome],
        found ? (int)result->size : 0, found ? result->data : "", result->reason);
}

static void assert_recalled(
    const struct exporter_kind *kind, void *self, const char *key, const char *said)
{
    struct recalled recalled = {0};
    kind->recall(self, key, 8, note_recalled, &recalled);
    assert_false(recalled.done);
    assert_true(loop_run_until(loop, &recalled.done, clock_mono_ms() + 20000));
    if (!strstr(recalled.said, said))
        fail_msg("\"%s\" is not in \"%s\"", said, recalled.said);
}

static void a_folder_gives_back_what_it_has(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = in_folder("captures")};
    void *self = open_exporter(&exporter_directory, &options);
    assert_recalled(&exporter_directory, self, "s/learned.json", "none: ");
    send_as(&exporter_directory, self, "s/learned.json", "12345678", true);
    assert_recalled(&exporter_directory, self, "s/learned.json", "found: 12345678");
    assert_recalled(&exporter_directory, self, "s/learned.json/x", "none: ");
    assert_recalled(&exporter_directory, self, "s", "failed: cannot read ");
    send_as(&exporter_directory, self, "s/learned.json", "", true);
    assert_recalled(&exporter_directory, self, "s/learned.json", "found: ");
    send_as(&exporter_directory, self, "s/learned.json", "123456789", true);
    assert_recalled(&exporter_directory, self, "s/learned.json", "is larger than 8 bytes");
    exporter_directory.close(self);
    free(options.path);
}

static void a_folder_that_hangs_is_closed_without_an_answer(void **state)
{
    (void)state;
    struct directory_exporter_options options = {.path = xstrdup(folder)};
    char *path = in_folder("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct recalled recalled = {0};
    bool others_work = false;
    void *self = open_exporter(&exporter_directory, &options);
    exporter_directory.recall(self, "fifo", 8, note_recalled, &recalled);
    offload_submit(disk, nothing, set, &others_work);
    assert_true(loop_run_until(loop, &others_work, clock_mono_ms() + 20000));
    exporter_directory.close(self);
    assert_false(recalled.done);
    free(options.path);
    free(path);
}

static void a_bucket_gives_back_what_it_has(void **state)
{
    (void)state;
    static const struct {
        struct stub_answer answer;
        const char *said;
    } cases[] = {
        {{.status = 200, .body = "12345678"}, "found: 12345678"},
        {{.status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"}, "none: "},
        {{.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"},
            "forbidden: access denied: allow s3:GetObject on arn:aws:s3:::woogles/prod/*"},
        {{.status = 403, .body = "<Error><Code>InvalidAccessKeyId</Code></Error>"},
            "failed: the store does not know the access key"},
        {{.status = 404, .body = "<Error><Code>NoSuchBucket</Code></Error>"},
            "failed: there is no bucket woogles"},
        {{.status = 200, .body = "123456789"}, "failed: it is larger than 8 bytes"},
        {{.status = 503}, "failed: the store is in trouble"},
    };
    struct stub_answer answers[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        answers[i] = cases[i].answer;
    struct stub_server server;
    stub_start(&server, answers, sizeof cases / sizeof *cases);
    char bucket[] = "woogles", prefix[] = "/prod/";
    struct s3_exporter_options options = {
        .bucket = bucket, .prefix = prefix, .endpoint = server.url, .verify = true};
    void *self = open_exporter(&exporter_s3, &options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_recalled(&exporter_s3, self, "service=w/_state/learned.json", cases[i].said);
    struct recalled closed = {0};
    exporter_s3.recall(self, "k", 8, note_recalled, &closed);
    exporter_s3.close(self);
    assert_false(closed.done);
    stub_stop(&server);
    assert_string_equal(server.requests[0].path, "/woogles/prod/service=w/_state/learned.json");
    assert_string_equal(server.requests[0].method, "GET");
    stub_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(a_folder_gets_copies_and_their_folders),
        WITH_LOOP(nothing_of_an_incident_is_overwritten),
        WITH_LOOP(a_folder_says_what_is_wrong),
        WITH_LOOP(a_closed_folder_stays_silent),
        WITH_LOOP(a_folder_that_hangs_holds_up_nobody),
        WITH_LOOP(a_bucket_gets_the_object_below_the_prefix),
        WITH_LOOP(a_bucket_passes_on_why_not),
        WITH_LOOP(a_bucket_can_be_closed_at_any_moment),
        WITH_LOOP(a_folder_gives_back_what_it_has),
        WITH_LOOP(a_folder_that_hangs_is_closed_without_an_answer),
        WITH_LOOP(a_bucket_gives_back_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
