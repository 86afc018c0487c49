/* Puts a large file in parts: each is hashed on the disk's thread, read from the file as it is
 * sent, and tried a few times on its own. At no time is more than one in flight, and none in
 * memory. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 *
 * What was sent is noted in a file beside it (core/s3/s3_record.h), by which the next try, also of
 * another process, goes on. The store is not asked what it has: that would take
 * s3:ListMultipartUploadParts, and each part's own hash says whether the file still is what was
 * sent. An upload that the store has forgotten begins anew. When the answer is lost to the request
 * that begins one, the store is asked whether it has: who may not ask begins another, and leaves it
 * to the bucket's own rules to end the first. */
#ifndef CORE_S3_UPLOAD_H
#define CORE_S3_UPLOAD_H

#include "core/s3/s3.h"

#include <stdbool.h>
#include <stdint.h>

struct offload;
struct s3_upload;

struct s3_upload_setup {
    struct s3 *s3;
    struct offload *disk;
    const char *key, *content_type; /* copied */
    int fd;                         /* taken over */
    uint64_t size;
    bool only_new;      /* as of struct s3_object */
    const char *record; /* the file to note it in, copied; NULL: none, it ends with the process */
    void (*done)(void *arg, const struct s3_result *result);
    void *arg;
};

/* `done` comes later, on the loop, exactly once unless cancelled. When it is not stored, the upload
 * goes on at the next start with the same record; without one it is aborted. */
struct s3_upload *s3_upload_start(const struct s3_upload_setup *setup);

/* Ends it without `done`; what was noted stays. NULL is allowed. */
void s3_upload_cancel(struct s3_upload *upload);

/* Ends what a record's text tells of, for good. One attempt; `done` as with s3_get. NULL for what
 * is no record: `done` does not come then. */
struct s3_request *s3_upload_abort(struct s3 *s3, const char *text, size_t size,
    void (*done)(void *arg, const struct s3_result *result), void *arg);

#endif
