/* The S3 exporter where something is there already, or is given up half-way. */
#include "exporters/s3_leftovers.h"

#include "core/s3/s3_record.h"
#include "exporters/s3.h"
#include "exporters_rig.h"
#include "stub_server.h"

#define FAULT(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"
#define BEGUN                                                                                      \
    {                                                                                              \
        .status = 200, .body = "<InitiateMultipartUploadResult><UploadId>id</UploadId>"            \
                               "</InitiateMultipartUploadResult>"                                  \
    }

static struct stub_server server;
static void *exporter;
static char *file;

static int set_up(void **state)
{
    int status = setup(state);
    file = in_folder("heap.pb.gz");
    return status;
}

static int tear_down(void **state)
{
    free(file);
    return teardown(state);
}

static void open_stub(const struct stub_answer *answers, size_t count)
{
    static char bucket[] = "woogles";
    stub_start(&server, answers, count);
    struct s3_exporter_options options = {.bucket = bucket, .endpoint = server.url, .verify = true};
    exporter = open_exporter(&exporter_s3, &options);
}

static void make_file(size_t size)
{
    char *content = xcalloc(1, size);
    assert_int_equal(fs_write(file, content, size, NULL), 0);
    free(content);
}

static enum send_outcome send_file(bool replaces)
{
    struct sent sent = {0};
    const struct artifact artifact = {file, "k", "text/plain", replaces};
    exporter_s3.send(exporter, &artifact, note_sent, &sent);
    wait_sent(&sent);
    return sent.result.outcome;
}

static void close_all(void)
{
    exporter_s3.close(exporter);
    stub_stop(&server);
}

static bool says(size_t request, const char *line)
{
    return strcasestr(server.requests[request].head.data, line) != NULL;
}

static void what_is_there_already_is_stored(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {.status = 412, .body = FAULT("PreconditionFailed")},
        {.status = 200, .headers = {"ETag", "e"}}};
    open_stub(answers, 2);
    make_file(10);
    assert_int_equal(send_file(false), SEND_STORED);
    assert_int_equal(send_file(true), SEND_STORED);
    close_all();
    assert_true(says(0, "if-none-match: *\n"));
    assert_false(says(1, "if-none-match"));
    stub_free(&server);
}

/* Leaves a record and one part at the store. */
static void send_half(void)
{
    make_file(S3_PART_BYTES + 1);
    assert_int_equal(send_file(false), SEND_FAILED);
    char *record = s3_leftovers_record(exporter_s3.identity(exporter), file);
    assert_non_null(strstr(record, "/.upload-"));
    assert_true(fs_exists(record));
    free(record);
}

static int count_names(void *arg, const char *name)
{
    size_t *count = arg;
    *count += name[0] == '.';
    return 0;
}

static size_t records(void)
{
    size_t count = 0;
    fs_each(folder, count_names, &count, NULL);
    return count;
}

static const struct stub_answer half[] = {
    BEGUN, {.status = 403, .body = FAULT("AccessDenied")}, {.status = 204}};

static void what_is_given_up_is_aborted(void **state)
{
    (void)state;
    open_stub(half, 3);
    send_half();
    char *other = xasprintf("%s/.upload-0000000000000000-heap.pb.gz", folder);
    fs_write(other, "not ours", 8, NULL);
    exporter_s3.give_up(exporter, folder);
    assert_int_equal(records(), 1);
    const bool never = false;
    while (server.count < 3)
        loop_run_until(loop, &never, clock_mono_ms() + 5);
    close_all();
    assert_string_equal(server.requests[2].method, "DELETE");
    assert_true(says(2, "?uploadId=id\n"));
    assert_int_equal(server.count, 3);
    stub_free(&server);
    free(other);
}

static void what_an_exporter_that_is_closed_has_given_up_is_aborted_later(void **state)
{
    (void)state;
    open_stub(half, 3);
    send_half();
    exporter_s3.give_up(exporter, folder);
    exporter_s3.close(exporter);
    const bool never = false;
    while (server.count < 3)
        loop_run_until(loop, &never, clock_mono_ms() + 5);
    stub_stop(&server);
    assert_string_equal(server.requests[2].method, "DELETE");
    stub_free(&server);
}

static void the_last_moment_is_for_what_is_given_up(void **state)
{
    (void)state;
    open_stub(half, 3);
    send_half();
    exporter_s3.give_up(exporter, folder);
    exporter_s3.close(exporter);
    offload_close(disk);
    loop_close(loop);
    stub_stop(&server);
    assert_string_equal(server.requests[server.count - 1].method, "DELETE");
    stub_free(&server);
    loop = loop_open(NULL);
    disk = offload_open(loop, "disk", NULL);
}

static void a_store_that_is_gone_holds_nothing_up(void **state)
{
    (void)state;
    open_stub(half, 3);
    send_half();
    stub_stop(&server);
    exporter_s3.give_up(exporter, folder);
    assert_int_equal(records(), 0);
    exporter_s3.give_up(exporter, "/nonexistent");
    exporter_s3.close(exporter);
    stub_free(&server);
}

static void what_is_replaced_leaves_nothing(void **state)
{
    (void)state;
    open_stub(half, 3);
    make_file(S3_PART_BYTES + 1);
    assert_int_equal(send_file(true), SEND_FAILED);
    assert_int_equal(records(), 0);
    close_all();
    assert_string_equal(server.requests[2].method, "DELETE");
    stub_free(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_already_is_stored),
        TEST(what_is_given_up_is_aborted),
        TEST(what_an_exporter_that_is_closed_has_given_up_is_aborted_later),
        TEST(the_last_moment_is_for_what_is_given_up),
        TEST(a_store_that_is_gone_holds_nothing_up),
        TEST(what_is_replaced_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
