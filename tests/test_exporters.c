/* The exporters through their common interface: a folder, and a bucket on a stub. */
#include "exporters/exporter.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"
#include "core/offload.h"
#include "exporters/directory.h"
#include "exporters/s3.h"
#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct offload *disk;
static char folder[64];

static int setup(void **state)
{
    (void)state;
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("http_proxy");
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    strcpy(folder, "/tmp/stakeout-test-exporters-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    loop = loop_open(NULL);
    disk = offload_open(loop, "disk", NULL);
    return loop && disk ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    offload_close(disk);
    loop_close(loop);
    return fs_remove(folder, NULL);
}

static char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void *open_exporter(const struct exporter_kind *kind, const void *options)
{
    struct exporter_setup exporter_setup = {
        .loop = loop, .disk = disk, .options = options, .service = "woogles"};
    void *self = kind->open(&exporter_setup, NULL);
    assert_non_null(self);
    return self;
}

struct seen {
    bool done;
    struct send_result result;
};

static void note(void *arg, const struct send_result *result)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    *seen = (struct seen){true, *result};
}

/* Sends a file of that content (NULL: one that is not there) under key. */
static struct send_result send_as(const struct exporter_kind *kind, void *self, const char *key,
    const char *content, bool replaces)
{
    char *path = in_folder("spooled");
    if (content)
        assert_int_equal(fs_write(path, content, strlen(content), NULL), 0);
    struct seen seen = {0};
    kind->send(self, &(struct artifact){path, key, "text/csv", replaces}, note, &seen);
    assert_false(seen.done);
    assert_true(loop_run_until(loop, &seen.done, clock_mono_ms() + 20000));
    free(path);
    return seen.result;
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

static char *identity_of(struct s3_exporter_options options)
{
    void *self = open_exporter(&exporter_s3, &options);
    char *identity = xstrdup(exporter_s3.identity(self));
    exporter_s3.close(self);
    return identity;
}

static void the_same_bucket_name_at_two_stores_is_told_apart(void **state)
{
    (void)state;
    static char bucket[] = "woogles", prefix[] = "prod", china[] = "cn-north-1";
    static char one[] = "http://127.0.0.1:7480", other[] = "http://127.0.0.1:7481";
    static const struct s3_exporter_options options[] = {
        {.bucket = bucket, .verify = true},
        {.bucket = bucket, .verify = true, .prefix = prefix},
        {.bucket = bucket, .verify = true, .region = china},
        {.bucket = bucket, .verify = true, .endpoint = one},
        {.bucket = bucket, .verify = true, .endpoint = other},
        {.bucket = bucket, .verify = true, .endpoint = other, .prefix = prefix},
    };
    char *identities[sizeof options / sizeof *options];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        identities[i] = identity_of(options[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(identities[i], identities[j]);
    }
    char *again = identity_of(options[3]);
    assert_string_equal(again, identities[3]);
    free(again);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        free(identities[i]);
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
    struct seen seen = {0};
    void *self = open_exporter(&exporter_directory, &options);
    exporter_directory.send(self, &(struct artifact){path, "k", "text/csv", false}, note, &seen);
    exporter_directory.close(self); /* runs the job to its end */
    assert_false(seen.done);
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
    struct seen seen = {0};
    bool others_work = false;
    void *self = open_exporter(&exporter_directory, &options);
    exporter_directory.send(self, &(struct artifact){path, "k", "text/csv", false}, note, &seen);
    offload_submit(disk, nothing, set, &others_work);
    assert_true(loop_run_until(loop, &others_work, clock_mono_ms() + 20000));
    exporter_directory.close(self);
    assert_false(seen.done);
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
        struct seen seen = {0};
        void *self = open_exporter(&exporter_s3, &options);
        exporter_s3.send(self, &(struct artifact){path, "k", "text/csv", false}, note, &seen);
        if (wait_ms > 0)
            loop_run_until(loop, &never, clock_mono_ms() + wait_ms);
        exporter_s3.close(self);
        if (wait_ms == 0)
            assert_false(seen.done);
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

static void settings_follow_the_options(void **state)
{
    (void)state;
    char bucket[] = "b", endpoint[] = "https://h";
    struct s3_exporter_options options = {.bucket = bucket, .verify = true};
    assert_false(s3_exporter_settings(&options, "").path_style);
    assert_false(s3_exporter_settings(&options, "").insecure);
    options.path_style = S3_PATH_STYLE_ON;
    assert_true(s3_exporter_settings(&options, "").path_style);
    options.endpoint = endpoint;
    options.path_style = S3_PATH_STYLE_AUTO;
    assert_true(s3_exporter_settings(&options, "").path_style);
    options.path_style = S3_PATH_STYLE_OFF;
    options.verify = false;
    assert_false(s3_exporter_settings(&options, "").path_style);
    assert_true(s3_exporter_settings(&options, "").insecure);
}

static void a_bucket_that_cannot_work_is_said_at_open(void **state)
{
    (void)state;
    char bucket[] = "s3://woogles";
    struct s3_exporter_options options = {.bucket = bucket, .verify = true};
    struct exporter_setup exporter_setup = {.loop = loop, .disk = disk, .options = &options};
    struct error err;
    assert_null(exporter_s3.open(&exporter_setup, &err));
    assert_non_null(strstr(err.text, "no bucket name"));
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void a_bucket_that_cannot_be_is_a_problem_of_the_configuration(void **state)
{
    (void)state;
    static const struct kind *const none[] = {NULL}, *const exporters[] = {&exporter_s3.kind, NULL};
    static const struct config_kinds kinds = {
        .sources = none, .triggers = none, .exporters = exporters};
    static const struct config_needs needs = {.exporter = true};
#define NO_BUCKET                                                                                  \
    " is no bucket name: give the bare name, 3 to 63 lower-case letters, digits, - and ., "        \
    "without s3://, an ARN or a path (a path goes into prefix)\n"
    static const struct {
        const char *options, *problems;
    } cases[] = {
        {"bucket: a-b.c", ""},
        {"bucket: abc, region: '${T_UNSET:-}', prefix: /a/", ""},
        {"bucket: 's3://abc'", "f:3:23: export.s3.bucket: \"s3://abc\"" NO_BUCKET},
        {"bucket: ABC, endpoint: 'http://h'", "f:3:23: export.s3.bucket: \"ABC\"" NO_BUCKET},
        {"bucket: abc/x, prefix: a/../b, region: us_east, endpoint: 'http://u:p@h'",
            "f:3:23: export.s3.bucket: \"abc/x\"" NO_BUCKET
            "f:3:38: export.s3.prefix: the prefix may not hold the folders . and ..: they mean "
            "nothing in a bucket, and other tools take them out\n"
            "f:3:54: export.s3.region: \"us_east\" is no region: an example is us-east-1\n"
            "f:3:73: export.s3.endpoint: the S3 endpoint may not hold a user name or password: "
            "credentials come from the environment or the task role\n"},
        /* Beside problems that the table finds. */
        {"bucket: a, prefix: \"a\\n\", verify: x, region: '${T_UNSET}'",
            "f:3:23: export.s3.bucket: \"a\"" NO_BUCKET
            "f:3:34: export.s3.prefix: holds a line break or another control character\n"
            "f:3:49: export.s3.verify: \"x\" is neither true nor false\n"
            "f:3:60: export.s3.region: the environment variable T_UNSET is not set; set it, or "
            "give a default as in ${T_UNSET:-default}\n"},
        {"bucket: abc, endpoint: 'http://h/abc'",
            "f:3:38: export.s3.endpoint: the S3 endpoint has a path, /abc: give only scheme, host "
            "and port (the bucket goes into bucket)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        buf_init(&problems, 1 << 16);
        char *text = xasprintf(
            "service: s\napp: {debug: 'http://h'}\nexport: {s3: {%s}}\n", cases[i].options);
        config_free(config_parse(text, strlen(text), "f", &kinds, &needs, &problems), &kinds);
        assert_string_equal(problems.data, cases[i].problems);
        buf_free(&problems);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(a_folder_gets_copies_and_their_folders),
        WITH_LOOP(nothing_of_an_incident_is_overwritten),
        WITH_LOOP(a_folder_says_what_is_wrong),
        WITH_LOOP(the_same_bucket_name_at_two_stores_is_told_apart),
        WITH_LOOP(a_closed_folder_stays_silent),
        WITH_LOOP(a_folder_that_hangs_holds_up_nobody),
        WITH_LOOP(a_bucket_gets_the_object_below_the_prefix),
        WITH_LOOP(a_bucket_passes_on_why_not),
        WITH_LOOP(a_bucket_can_be_closed_at_any_moment),
        WITH_LOOP(a_folder_gives_back_what_it_has),
        WITH_LOOP(a_folder_that_hangs_is_closed_without_an_answer),
        WITH_LOOP(a_bucket_gives_back_what_it_has),
        WITH_LOOP(settings_follow_the_options),
        WITH_LOOP(a_bucket_that_cannot_work_is_said_at_open),
        cmocka_unit_test(a_bucket_that_cannot_be_is_a_problem_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
