/* Uploads in parts against prepared answers; tests/e2e/test_s3_upload.py has a real store. */
#include "core/s3/s3_upload.h"

#include "core/fs.h"
#include "core/offload.h"
#include "core/s3/s3_record.h"
#include "s3_rig.h"

#include <unistd.h>

#define FAULT(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"
#define BEGUN(id)                                                                                  \
    {                                                                                              \
        .status = 200, .body = "<InitiateMultipartUploadResult><UploadId>" id                      \
                               "</UploadId></InitiateMultipartUploadResult>"                       \
    }
#define PART(etag)                                                                                 \
    {                                                                                              \
        .status = 200, .headers = { "ETag", etag }                                                 \
    }
/* As of Ceph: without a word on the ETag. */
#define ENDED                                                                                      \
    {                                                                                              \
        .status = 200,                                                                             \
        .body = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>"     \
    }

enum { SIZE = S3_PART_BYTES + 1000 };

static struct offload *disk;
static char folder[] = "/tmp/stakeout-test-upload-XXXXXX";
static char file[100], record[100];

static int setup(void **state)
{
    (void)state;
    set_keys();
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(record, sizeof record, "%s/.record", folder);
    char *content = calloc(1, SIZE);
    memset(content + S3_PART_BYTES, 'b', SIZE - S3_PART_BYTES);
    fs_write(file, content, SIZE, NULL);
    free(content);
    loop = loop_open(NULL);
    disk = offload_open(loop, "disk", NULL);
    return disk ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    offload_close(disk);
    loop_close(loop);
    fs_remove(folder, NULL);
    return 0;
}

static struct s3_upload *start(struct s3 *s3, const char *noted, struct seen *seen)
{
    FILE *opened = fopen(file, "r");
    assert_non_null(opened);
    int fd = dup(fileno(opened));
    fclose(opened);
    *seen = (struct seen){0};
    return s3_upload_start(&(struct s3_upload_setup){.s3 = s3,
        .disk = disk,
        .key = "a b/file",
        .content_type = "text/plain",
        .fd = fd,
        .size = SIZE,
        .only_new = true,
        .record = noted,
        .done = note,
        .arg = seen});
}

static struct seen upload(struct s3 *s3, const char *noted)
{
    struct seen seen;
    start(s3, noted, &seen);
    wait_seen(&seen);
    return seen;
}

/* Ends the stub and says what it was asked: "POST PUT1 PUT2 POST". */
static const char *asked(struct s3 *s3)
{
    static char text[300];
    s3_close(s3);
    stub_stop(&server);
    *text = '\0';
    for (size_t i = 0; i < server.count; i++) {
        const char *part = strstr(server.requests[i].head.data, "?partNumber=");
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s%.*s", i ? " " : "",
            server.requests[i].method, part ? 1 : 0, part ? part + strlen("?partNumber=") : "");
    }
    return text;
}

static bool says(size_t request, const char *line)
{
    return strcasestr(server.requests[request].head.data, line) != NULL;
}

static void sends_parts_and_puts_them_together(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        BEGUN("i/d"), PART("\"one\""), PART("\"t&o\""), ENDED};
    struct s3 *s3 = open_stub(answers, 4);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "POST PUT1 PUT2 POST");
    assert_true(says(0, "?uploads="));
    assert_true(says(0, "content-type: text/plain\n"));
    assert_true(says(0, "content-length: 0\n"));
    assert_true(says(0, "x-amz-checksum-algorithm: SHA256\n"));
    assert_false(says(0, "if-none-match"));
    assert_true(says(1, "?uploadId=i/d\n"));
    assert_true(says(1, "content-length: 8388608\n"));
    /* head -c 8388608 /dev/zero | openssl dgst -sha256 -binary | base64 */
    assert_true(says(1, "x-amz-checksum-sha256: La6x82CVtEsxhBCz9Oi12Yncx7sCPRQmxJLasKMFPnQ=\n"));
    assert_true(says(2, "content-length: 1000\n"));
    assert_true(says(3, "if-none-match: *\n"));
    const char *body = server.requests[3].body.data;
    assert_non_null(strstr(body, "<ETag>\"one\"</ETag><PartNumber>1</PartNumber>"));
    assert_non_null(strstr(body, "<ETag>\"t&#38;o\"</ETag><PartNumber>2</PartNumber>"));
    assert_non_null(strstr(body, "<ChecksumSHA256>"));
    assert_int_equal(server.requests[2].body.size, 1000);
    assert_int_equal(server.requests[2].body.data[0], 'b');
    stub_free(&server);
    offload_close(disk);
    disk = offload_open(loop, "disk", NULL);
    assert_false(fs_exists(record));
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    static const struct stub_answer first[] = {
        BEGUN("id"), PART("\"one\""), {.status = 403, .body = FAULT("AccessDenied")}};
    static const struct stub_answer second[] = {PART("\"two\""), ENDED};
    struct s3 *s3 = open_stub(first, 3);
    assert_int_equal(upload(s3, record).outcome, S3_REFUSED);
    assert_string_equal(asked(s3), "POST PUT1 PUT2");
    stub_free(&server);
    s3 = open_stub(second, 2);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "PUT2 POST");
    assert_non_null(strstr(server.requests[1].body.data, "<ETag>\"one\"</ETag>"));
    stub_free(&server);
}

static void what_has_changed_is_sent_again(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {PART("\"one\""), PART("\"two\""), ENDED};
    static const char text[] =
        "stakeout upload 1\nkey a b/file\nsize 8389608\nchecked 0\nid id\n"
        "part 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 \"old\"\n";
    fs_write(record, text, sizeof text - 1, NULL);
    struct s3 *s3 = open_stub(answers, 3);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "PUT1 PUT2 POST");
    assert_false(says(0, "x-amz-checksum"));
    assert_null(strstr(server.requests[2].body.data, "ChecksumSHA256"));
    stub_free(&server);
}

static void begins_anew_once_where_the_store_forgot(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {BEGUN("one"),
        {.status = 404, .body = FAULT("NoSuchUpload")}, BEGUN("two"), PART("e"), PART("e"), ENDED};
    static const struct stub_answer never[] = {BEGUN("one"),
        {.status = 404, .body = FAULT("NoSuchUpload")}, BEGUN("two"),
        {.status = 404, .body = FAULT("NoSuchUpload")}};
    struct s3 *s3 = open_stub(answers, 6);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "POST PUT1 POST PUT1 PUT2 POST");
    assert_true(says(4, "?uploadId=two\n"));
    stub_free(&server);
    s3 = open_stub(never, 4);
    assert_int_equal(upload(s3, record).outcome, S3_REFUSED);
    assert_string_equal(asked(s3), "POST PUT1 POST PUT1");
    stub_free(&server);
}

/* The store may have begun one all the same, whose parts nobody else would ever end. */
static void what_was_begun_without_an_answer_is_looked_for(void **state)
{
    (void)state;
#define UPLOADS(uploads)                                                                           \
    {                                                                                              \
        .status = 200,                                                                             \
        .body = "<ListMultipartUploadsResult>" uploads "</ListMultipartUploadsResult>"             \
    }
    static const struct {
        struct stub_answer answers[7];
        const char *asked, *id; /* of the parts */
    } cases[] = {
        {{{0},
             UPLOADS("<Upload><Key>a b/file2</Key><UploadId>no</UploadId></Upload>"
                     "<Upload><Key>a b/file</Key><UploadId>yes</UploadId></Upload>"),
             PART("e"), PART("e"), ENDED},
            "POST GET PUT1 PUT2 POST", "?uploadId=yes\n"},
        {{{0}, UPLOADS(""), BEGUN("id"), PART("e"), PART("e"), ENDED},
            "POST GET POST PUT1 PUT2 POST", "?uploadId=id\n"},
        {{{0}, {.status = 403, .body = FAULT("AccessDenied")}, BEGUN("id"), PART("e"), PART("e"),
             ENDED},
            "POST GET POST PUT1 PUT2 POST", "?uploadId=id\n"},
        {{{0}, {.status = 503}, UPLOADS(""), BEGUN("id"), PART("e"), PART("e"), ENDED},
            "POST GET GET POST PUT1 PUT2 POST", "?uploadId=id\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3 *s3 = open_stub(cases[i].answers, 7);
        assert_int_equal(upload(s3, record).outcome, S3_OK);
        assert_string_equal(asked(s3), cases[i].asked);
        assert_true(says(1, "?prefix=a b/file\n"));
        assert_true(says(server.count - 1, cases[i].id));
        stub_free(&server);
    }
}

static void a_part_is_tried_again_on_its_own(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {BEGUN("id"), {.status = 503}, PART("e"),
        {.status = 500}, PART("e"), {.status = 200, .body = FAULT("InternalError")}, ENDED};
    struct s3 *s3 = open_stub(answers, 7);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "POST PUT1 PUT1 PUT2 PUT2 POST POST");
    stub_free(&server);
}

static void an_error_in_a_good_status_is_one(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        BEGUN("id"), PART("e"), PART("e"), {.status = 200, .body = FAULT("AccessDenied")}};
    static const struct stub_answer portal[] = {
        BEGUN("id"), PART("e"), PART("e"), {.status = 200, .body = "<html></html>"}};
    struct s3 *s3 = open_stub(answers, 4);
    struct seen seen = upload(s3, record);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "allow s3:PutObject"));
    asked(s3);
    stub_free(&server);
    fs_remove(record, NULL);
    s3 = open_stub(portal, 4);
    seen = upload(s3, record);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "no S3 store"));
    asked(s3);
    stub_free(&server);
}

static void what_is_there_already_lets_go_of_its_parts(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {BEGUN("id"), PART("e"), PART("e"),
        {.status = 412, .body = FAULT("PreconditionFailed")}, {.status = 204}};
    struct s3 *s3 = open_stub(answers, 5);
    struct seen seen = upload(s3, record);
    assert_true(seen.exists);
    assert_string_equal(asked(s3), "POST PUT1 PUT2 POST DELETE");
    assert_true(says(4, "?uploadId=id\n"));
    stub_free(&server);
}

static void lost_parts_end_it_for_another_try(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {BEGUN("id"), PART("e"), PART("e"),
        {.status = 400, .body = FAULT("InvalidPart")}, {.status = 204}, BEGUN("two"), PART("e"),
        PART("e"), ENDED};
    struct s3 *s3 = open_stub(answers, 9);
    assert_int_equal(upload(s3, record).outcome, S3_RETRY);
    assert_int_equal(upload(s3, record).outcome, S3_OK);
    assert_string_equal(asked(s3), "POST PUT1 PUT2 POST DELETE POST PUT1 PUT2 POST");
    stub_free(&server);
}

static void without_a_record_it_is_aborted(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        BEGUN("id"), {.status = 403, .body = FAULT("AccessDenied")}, {.status = 204}};
    struct s3 *s3 = open_stub(answers, 3);
    struct seen seen = upload(s3, NULL);
    assert_int_equal(seen.outcome, S3_REFUSED);
    assert_non_null(strstr(seen.reason, "s3:PutObject"));
    assert_string_equal(asked(s3), "POST PUT1 DELETE");
    stub_free(&server);
}

static void a_cancelled_one_says_nothing_and_leaves_its_record(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        BEGUN("id"), PART("e"), {.status = 503, .headers = {"Retry-After", "100"}}};
    struct s3 *s3 = open_stub(answers, 3);
    struct seen seen;
    s3_upload_cancel(start(s3, record, &seen)); /* while the disk has it */
    struct s3_upload *upload = start(s3, record, &seen);
    const bool never = false;
    while (server.count < 3)
        loop_run_until(loop, &never, clock_mono_ms() + 5);
    s3_upload_cancel(upload);
    s3_upload_cancel(NULL);
    assert_false(seen.done);
    offload_close(disk);
    disk = offload_open(loop, "disk", NULL);
    assert_true(fs_exists(record));
    asked(s3);
    stub_free(&server);
}

static void a_record_is_enough_to_abort(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{.status = 204}};
    static const char text[] = "stakeout upload 1\nkey k\nsize 9\nchecked 0\nid x\n";
    struct s3 *s3 = open_stub(answers, 1);
    struct seen seen = {0};
    assert_null(s3_upload_abort(s3, "junk", 4, note, &seen));
    assert_non_null(s3_upload_abort(s3, text, sizeof text - 1, note, &seen));
    wait_seen(&seen);
    assert_int_equal(seen.outcome, S3_OK);
    assert_string_equal(asked(s3), "DELETE");
    assert_string_equal(server.requests[0].path, "/woogles/k");
    stub_free(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends_parts_and_puts_them_together),
        TEST(goes_on_where_it_was),
        TEST(what_has_changed_is_sent_again),
        TEST(begins_anew_once_where_the_store_forgot),
        TEST(what_was_begun_without_an_answer_is_looked_for),
        TEST(a_part_is_tried_again_on_its_own),
        TEST(an_error_in_a_good_status_is_one),
        TEST(what_is_there_already_lets_go_of_its_parts),
        TEST(lost_parts_end_it_for_another_try),
        TEST(without_a_record_it_is_aborted),
        TEST(a_cancelled_one_says_nothing_and_leaves_its_record),
        TEST(a_record_is_enough_to_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
