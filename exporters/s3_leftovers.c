#include "exporters/s3_leftovers.h"

#include "core/alloc.h"
#include "core/buf.h"
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

struct s3_leftovers {
    struct s3 *s3; /* ours once it is left */
    char *begin;   /* of the names of our notes: ".upload-0123456789abcdef-" */
    struct ending *endings;
    bool left; /* the exporter is closed */
    struct loop *loop;
    struct loop_lingering lingering;
    struct loop_timer *over; /* left, and nothing is under way any more */
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

struct s3_leftovers *s3_leftovers_open(struct s3 *s3, struct loop *loop, const char *identity)
{
    struct s3_leftovers *leftovers = xcalloc(1, sizeof *leftovers);
    *leftovers = (struct s3_leftovers){.s3 = s3, .begin = begin_of(identity), .loop = loop};
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
    release(ending);
    if (leftovers->left && !leftovers->endings)
        loop_timer_set(leftovers->over, 0); /* a store is not closed from one of its answers */
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

static void free_all(void *arg)
{
    struct s3_leftovers *leftovers = arg;
    for (struct ending *ending = leftovers->endings, *next; ending; ending = next) {
        next = ending->next;
        s3_cancel(ending->request);
        release(ending);
    }
    s3_close(leftovers->s3);
    loop_timer_free(leftovers->over);
    free(leftovers->begin);
    free(leftovers);
}

static void over(void *arg)
{
    struct s3_leftovers *leftovers = arg;
    loop_linger_over(leftovers->loop, &leftovers->lingering);
    free_all(leftovers);
}

static void move(void *arg, struct loop *to)
{
    struct s3_leftovers *leftovers = arg;
    struct s3 *s3 = s3_open_again(leftovers->s3, to);
    for (struct ending *ending = leftovers->endings; ending; ending = ending->next) {
        s3_cancel(ending->request);
        ending->request = s3_upload_abort(
            s3, ending->record.data, ending->record.size, ended, ending);
    }
    s3_close(leftovers->s3);
    loop_timer_free(leftovers->over);
    leftovers->s3 = s3;
    leftovers->over = loop_timer_new(to, over, leftovers);
    if (!leftovers->endings)
        loop_timer_set(leftovers->over, 0);
}

void s3_leftovers_leave(struct s3_leftovers *leftovers)
{
    if (!leftovers->endings) {
        free_all(leftovers);
        return;
    }
    leftovers->left = true;
    leftovers->over = loop_timer_new(leftovers->loop, over, leftovers);
    leftovers->lingering = (struct loop_lingering){.move = move, .end = free_all, .arg = leftovers};
    loop_linger(leftovers->loop, &leftovers->lingering);
}
