/* core/s3 on the command line, for tests/e2e/test_s3_core.py: settings and credentials come from
 * the environment (S3_ENDPOINT, S3_BUCKET, S3_CA_FILE, S3_PREFIX), results go to standard output,
 * reasons to standard error.
 *   s3_tool put KEY FILE | bytes KEY TEXT | get KEY | list PREFIX [DELIMITER]
 *           presign KEY SECONDS | new KEY FILE | upload KEY FILE RECORD | abort RECORD
 * "new" leaves alone what is there, "upload" sends in parts. S3_TAG (of the tag and metadata
 * "team"), S3_ENCRYPTION, S3_KMS_KEY,
 * S3_CLASS and S3_OWNER are what objects are stored with. */
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/s3/s3.h"
#include "core/s3/s3_presign.h"
#include "core/s3/s3_upload.h"
#include "core/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_RETRY = 3, EXIT_EXISTS = 4, MAX_OBJECT = 64 << 20 };

struct tool {
    struct s3 *s3;
    struct loop *loop;
    bool done;
    int status;
};

static int fail(const char *reason)
{
    fprintf(stderr, "%s\n", reason);
    return EXIT_FAILURE;
}

static void put_done(void *arg, const struct s3_result *result)
{
    static const int statuses[] = {
        [S3_OK] = EXIT_SUCCESS, [S3_RETRY] = EXIT_RETRY, [S3_REFUSED] = EXIT_FAILURE};
    struct tool *tool = arg;
    tool->done = true;
    tool->status = statuses[result->outcome];
    if (result->exists)
        tool->status = EXIT_EXISTS;
    if (result->outcome != S3_OK)
        fail(result->reason);
}

static int put(struct tool *tool, const char *key, const char *path, bool only_new)
{
    char sha256[SHA256_HEX_SIZE];
    uint64_t size;
    struct error err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("the file cannot be opened");
    if (sha256_file(fd, sha256, &size, &err) < 0)
        return fail(err.text);
    s3_put(tool->s3,
        &(struct s3_object){.key = key,
            .fd = fd,
            .size = size,
            .sha256 = sha256,
            .content_type = "application/octet-stream",
            .only_new = only_new},
        put_done, tool);
    loop_run_until(tool->loop, &tool->done, INT64_MAX);
    close(fd);
    return tool->status;
}

static int upload(struct tool *tool, const char *key, const char *path, const char *record)
{
    struct error err;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail("the file cannot be opened");
    struct offload *disk = offload_open(tool->loop, "disk", &err);
    s3_upload_start(&(struct s3_upload_setup){.s3 = tool->s3,
        .disk = disk,
        .key = key,
        .content_type = "application/octet-stream",
        .fd = fd,
        .size = (uint64_t)status.st_size,
        .only_new = true,
        .record = record,
        .done = put_done,
        .arg = tool});
    loop_run_until(tool->loop, &tool->done, INT64_MAX);
    offload_close(disk);
    return tool->status;
}

static int abort_upload(struct tool *tool, const char *record)
{
    struct buf text;
    fs_read(record, MAX_OBJECT, &text, NULL);
    if (s3_upload_abort(tool->s3, text.data, text.size, put_done, tool))
        loop_run_until(tool->loop, &tool->done, INT64_MAX);
    else
        tool->status = fail("this is no record");
    buf_free(&text);
    return tool->status;
}

static int get(struct tool *tool, const char *key)
{
    struct buf body;
    struct error err;
    int status = s3_get_bytes(tool->s3, key, MAX_OBJECT, &body, &err);
    if (status == 0)
        fwrite(body.data, 1, body.size, stdout);
    buf_free(&body);
    return status == 0 ? EXIT_SUCCESS : fail(err.text);
}

static int print_key(void *arg, const char *key)
{
    (void)arg;
    printf("%s%c", key, '\0');
    return 0;
}

static int list(struct tool *tool, const char *prefix, const char *delimiter)
{
    struct error err;
    int status = s3_list(tool->s3, prefix, delimiter, print_key, NULL, &err);
    return status == 0 ? EXIT_SUCCESS : fail(err.text);
}

static int put_text(struct tool *tool, const char *key, const char *text)
{
    struct error err;
    int status = s3_put_bytes(tool->s3, key, text, strlen(text), "text/plain", &err);
    return status == 0 ? EXIT_SUCCESS : fail(err.text);
}

static void print_link(void *arg, const struct s3_link *link)
{
    struct tool *tool = arg;
    tool->done = true;
    tool->status = link->url ? EXIT_SUCCESS : fail(link->reason);
    if (link->url)
        printf("%s %lld\n", link->url, (long long)link->expires_ms);
}

static int presign(struct tool *tool, const char *key, const char *seconds)
{
    s3_presign(tool->s3, key, atoll(seconds), print_link, tool);
    loop_run_until(tool->loop, &tool->done, INT64_MAX);
    return tool->status;
}

static int run(struct tool *tool, int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "put"))
        return put(tool, argv[2], argv[3], false);
    if (argc == 4 && !strcmp(argv[1], "new"))
        return put(tool, argv[2], argv[3], true);
    if (argc == 5 && !strcmp(argv[1], "upload"))
        return upload(tool, argv[2], argv[3], argv[4]);
    if (argc == 3 && !strcmp(argv[1], "abort"))
        return abort_upload(tool, argv[2]);
    if (argc == 4 && !strcmp(argv[1], "bytes"))
        return put_text(tool, argv[2], argv[3]);
    if (argc == 3 && !strcmp(argv[1], "get"))
        return get(tool, argv[2]);
    if (argc == 4 && !strcmp(argv[1], "presign"))
        return presign(tool, argv[2], argv[3]);
    if ((argc == 3 || argc == 4) && !strcmp(argv[1], "list"))
        return list(tool, argv[2], argc == 4 ? argv[3] : NULL);
    return fail(
        "usage: s3_tool put KEY FILE | bytes KEY TEXT | get KEY | list PREFIX [DELIMITER] | "
        "presign KEY SECONDS | new KEY FILE | upload KEY FILE RECORD | abort RECORD");
}

int main(int argc, char **argv)
{
    struct s3_settings settings = {
        .bucket = getenv("S3_BUCKET"),
        .endpoint = getenv("S3_ENDPOINT"),
        .path_style = getenv("S3_VIRTUAL_HOST") == NULL,
        .ca_file = getenv("S3_CA_FILE"),
        .insecure = getenv("S3_INSECURE") != NULL,
        .prefix = getenv("S3_PREFIX"),
        .encryption = getenv("S3_ENCRYPTION"),
        .kms_key = getenv("S3_KMS_KEY"),
        .storage_class = getenv("S3_CLASS"),
        .expected_bucket_owner = getenv("S3_OWNER"),
    };
    char name[] = "team", *names[] = {name}, *tag = getenv("S3_TAG");
    if (tag)
        settings.tags = settings.metadata = (struct s3_texts){names, &tag, 1};
    struct error err;
    struct tool tool = {.loop = loop_open(&err)};
    if (!tool.loop)
        return fail(err.text);
    tool.s3 = s3_open(tool.loop, &settings, &err);
    int status = tool.s3 ? run(&tool, argc, argv) : fail(err.text);
    s3_close(tool.s3);
    loop_close(tool.loop);
    return status;
}
