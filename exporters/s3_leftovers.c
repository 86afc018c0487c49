#include "exporters/s3_leftovers.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/s3/s3_record.h"
#include "core/s3/s3_upload.h"
#include "core/sha256.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t closing_ms = 2000;

struct s3_leftovers {
    struct s3 *s3;
    char *begin; /* of the names of our notes: ".upload-0123456789abcdef-" */
    struct ending *endings;
    bool done; /* there are none (any more) */
};

struct ending {
    struct ending *next;
    struct s3_leftovers *leftovers;
    struct buf record;
    struct s3_request *request;
};

static char *begin_of(const char *identity)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(identity, strlen(identity), hash);
    return xasprintf(".upload-%.16s-", hash);
}

char *s3_leftovers_record(const char *identity, const char *path)
{
    char *begin = begin_of(identity);
    char *folder = xstrdup(path), *file = xstrdup(path);
    char *record = xasprintf("%s/%s%s", dirname(folder), begin, basename(file));
    free(begin);
    free(folder);
    free(file);
    return record;
}

struct s3_leftovers *s3_leftovers_open(struct s3 *s3, const char *identity)
{
    struct s3_leftovers *leftovers = xcalloc(1, sizeof *leftovers);
    *leftovers = (struct s3_leftovers){.s3 = s3, .begin = begin_of(identity), .done = true};
    return leftovers;
}

static void release(struct ending *ending)
{
    buf_free(&ending->record);
    free(ending);
}

static void take_out(struct ending *ending)
{
    struct s3_leftovers *leftovers = ending->leftovers;
    struct ending **at = &leftovers->endings;
    while (*at != ending)
        at = &(*at)->next;
    *at = ending->next;
    leftovers->done = leftovers->endings == NULL;
    release(ending);
}

static void ended(void *arg, const struct s3_result *result)
{
    if (result->outcome != S3_OK && !result->gone)
        log_warn("parts of an upload that was given up stay in the bucket: %s; a lifecycle rule "
                 "(AbortIncompleteMultipartUpload) removes them",
            result->reason);
    take_out(arg);
}

struct search {
    struct s3_leftovers *leftovers;
    const char *folder;
};

static int end_one(void *arg, const char *name)
{
    const struct search *search = arg;
    struct s3_leftovers *leftovers = search->leftovers;
    if (strncmp(name, leftovers->begin, strlen(leftovers->begin)) != 0)
        return 0;
    char *path = xasprintf("%s/%s", search->folder, name);
    struct ending *ending = xcalloc(1, sizeof *ending);
    *ending = (struct ending){.next = leftovers->endings, .leftovers = leftovers};
    leftovers->endings = ending;
    fs_read(path, S3_RECORD_MAX, &ending->record, NULL);
    unlink(path);
    free(path);
    leftovers->done = false;
    ending->request = s3_upload_abort(
        leftovers->s3, ending->record.data, ending->record.size, ended, ending);
    if (!ending->request)
        take_out(ending);
    return 0;
}

void s3_leftovers_end(struct s3_leftovers *leftovers, const char *folder)
{
    struct search search = {leftovers, folder};
    fs_each(folder, end_one, &search, NULL);
}

/* On a loop of their own, as the agent's cannot be run from within. */
static void end_all_now(struct s3_leftovers *leftovers)
{
    struct loop *loop = loop_open(NULL);
    if (!loop)
        return;
    struct s3 *s3 = s3_open_again(leftovers->s3, loop);
    for (struct ending *ending = leftovers->endings; ending; ending = ending->next) {
        s3_cancel(ending->request);
        ending->request = s3_upload_abort(
            s3, ending->record.data, ending->record.size, ended, ending);
    }
    loop_run_until(loop, &leftovers->done, clock_mono_ms() + closing_ms);
    for (struct ending *ending = leftovers->endings; ending; ending = ending->next) {
        s3_cancel(ending->request);
        ending->request = NULL;
    }
    s3_close(s3);
    loop_close(loop);
}

void s3_leftovers_close(struct s3_leftovers *leftovers)
{
    if (leftovers->endings)
        end_all_now(leftovers);
    for (struct ending *ending = leftovers->endings, *next; ending; ending = next) {
        next = ending->next;
        s3_cancel(ending->request);
        release(ending);
    }
    free(leftovers->begin);
    free(leftovers);
}
