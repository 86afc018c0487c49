/* What an answer of an S3 store means: done, worth another try, or a matter for a person, and then
 * what that person should do. A pure function, so that it can be tested by table. */
#ifndef CORE_S3_ANSWER_H
#define CORE_S3_ANSWER_H

#include "core/s3/s3.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum s3_action {
    S3_PUT_OBJECT,
    S3_GET_OBJECT,
    S3_LIST_BUCKET,
    S3_CREATE_UPLOAD,
    S3_UPLOAD_PART,
    S3_COMPLETE_UPLOAD,
    S3_ABORT_UPLOAD,
    S3_LIST_UPLOADS
};

/* What was asked. */
struct s3_question {
    enum s3_action action;
    const char *host; /* as the Host header says it; NULL: not known */
    const char *bucket;
    const char *prefix; /* NULL: all of the bucket */
    const char *region;
    const char *access_key;
    const char *ca_file;
    const char *kms_key;                    /* NULL: none */
    const char *encryption, *storage_class; /* NULL: none */
    bool tags;                              /* are sent */
    const char *owner;                      /* expected_bucket_owner; NULL: none */
    bool own_endpoint;                      /* AWS's of the region */
    unsigned parts;  /* of enum s3_optional: what was sent that may be left out */
    int64_t sent_ms; /* wall time that the request was signed with */
};

/* What came. Headers are NULL where there were none. */
struct s3_answer {
    enum http_outcome outcome;
    int status;
    const char *error; /* http's sentence, when there was no whole answer */
    const char *body;
    size_t size;
    const char *etag, *date, *retry_after, *bucket_region;
};

struct s3_verdict {
    enum s3_outcome outcome;
    int64_t retry_after_ms;
    bool clock_off;     /* the store's clock is at store_ms: sign with that and try again */
    int64_t store_ms;   /* wall time */
    bool token_expired; /* new credentials may help */
    char region[64];    /* the bucket's, when that is why it was refused; "": not said */
    unsigned unknown;   /* of enum s3_optional: the store does not know this part; 0: none */
    bool guessed;       /* it did not say so of that part, only of something */
    bool exists;        /* there is such an object already */
    bool gone;          /* there is no such upload (any more) */
    bool spoilt;        /* the upload cannot be ended any more, but a new one may */
    bool missing;       /* there is no such object */
    bool denied;        /* for want of a right */
    char reason[512];   /* "" when S3_OK */
};

void s3_answer_judge(
    const struct s3_question *question, const struct s3_answer *answer, struct s3_verdict *verdict);

#endif
