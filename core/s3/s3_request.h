/* One request to a store, from the credentials to the verdict: what all of core/s3 is made of. Not
 * for the outside, which has core/s3/s3.h and the headers beside it. */
#ifndef CORE_S3_REQUEST_H
#define CORE_S3_REQUEST_H

#include "core/s3/s3.h"
#include "core/s3/s3_address.h"
#include "core/s3/s3_answer.h"
#include "core/s3/s3_dialect.h"
#include "core/s3/s3_extras.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws;
struct s3_ahead;

struct s3 {
    struct loop *loop;
    struct aws *aws;
    struct s3_address address;
    char *ca_file, *prefix;
    bool insecure;
    struct s3_extras extras;
    struct s3_dialect dialect; /* with what was learned */
    bool region_open;          /* nobody has said it yet */
    bool region_sure;          /* the store has answered what was signed for it */
    int64_t clock_offset_ms;   /* the store's clock minus ours, once it mattered */
    struct s3_ahead *ahead;    /* what core/s3/s3_ahead.h has begun */
    struct s3_count count;
};

/* What is asked; what is zero is not. Texts are copied, the body is not. */
struct s3_call {
    enum s3_action action;
    const char *key;   /* "" for the bucket */
    const char *query; /* encoded; NULL: none */
    const void *data;  /* the body, in memory */
    int fd;            /* or in an open file; 0 or -1: not there */
    uint64_t offset;   /* in the file */
    uint64_t size;
    const char *sha256; /* of the body, 64 hex digits; NULL: there is no body */
    const char *content_type;
    bool only_new;     /* If-None-Match: * */
    bool strict;       /* never without that */
    unsigned without;  /* of enum s3_optional: is not sent */
    bool checked;      /* S3_UPLOAD_PART: the upload was begun with checksums */
    size_t max_object; /* S3_GET_OBJECT, S3_LIST_BUCKET: the largest answer */
};

/* Sends it; `done` comes later, on the loop, exactly once unless cancelled. */
struct s3_request *s3_request_start(struct s3 *s3, const struct s3_call *call,
    void (*done)(void *arg, const struct s3_result *result), void *arg);

/* Takes the region that came with credentials (NULL: none), the first time and where none is
 * configured: before anything is signed or addressed. */
void s3_settle_region(struct s3 *s3, const char *region);

#endif
