/* S3 and what speaks like it: put, get, list, with SigV4 and credentials from
 * core/aws. */
#ifndef CORE_S3_H
#define CORE_S3_H

#include "core/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct loop;
struct s3;
struct s3_request;

/* Names and their values, which belong to somebody else. */
struct s3_texts {
    char *const *names, *const *values;
    size_t count;
};

struct s3_settings {
    const char *bucket;
    const char *region;   /* NULL: as core/aws/aws.h finds it, else us-east-1 */
    const char *endpoint; /* "https://host:port"; NULL: AWS's of the region */
    bool path_style;      /* https://host/bucket/key instead of https://bucket.host/key */
    const char *ca_file;  /* NULL: the system's */
    bool insecure;
    /* the part of the bucket that is used, for sentences on rights; NULL: all */
    const char *prefix;
    bool dualstack, fips;           /* AWS's endpoints of these kinds; without endpoint */
    const char *role, *external_id; /* assumed on top of the credentials; NULL: none */
    const char *session_name;       /* of that; NULL: "stakeout" */
    bool announce;                  /* logs which provider of credentials answered, once */
    /* What objects are stored with, checked by core/s3/s3_extras.h; NULL and none: nothing. */
    const char *expected_bucket_owner; /* 12 digits; goes with every request */
    const char *encryption;            /* "AES256", "aws:kms" */
    const char *kms_key;               /* implies aws:kms */
    const char *storage_class;
    struct s3_texts tags, metadata;
};

/* How a request ended. */
enum s3_outcome {
    S3_OK,
    S3_RETRY,  /* may work later: no answer, 5xx, 429, throttling */
    S3_REFUSED /* the store said no: needs somebody to change something */
};

struct s3_result {
    enum s3_outcome outcome;
    int status;             /* HTTP; 0: no answer */
    int64_t retry_after_ms; /* what the store asked for; 0: nothing */
    bool missing;           /* S3_REFUSED: there is no such object */
    bool exists;            /* S3_REFUSED: it is there already, and was to be new */
    bool denied;            /* S3_REFUSED: for want of a right, which reason names */
    bool gone;              /* S3_REFUSED: there is no such upload in parts */
    bool conditional;       /* S3_OK, only_new: it was asked for, and so it is new */
    bool unconditional;     /* S3_REFUSED, strict: the store does not know the condition */
    bool checked;           /* it was sent with its checksum, or with the algorithm of one */
    bool spoilt;            /* S3_RETRY: the upload in parts is to begin anew */
    const char *etag;       /* NULL: there is none; valid within `done` */
    const char *reason;     /* a sentence with the remedy; "" when S3_OK */
    const struct buf *body; /* what the store sent; valid within `done` */
};

/* Copies the settings. NULL and err when they cannot work (endpoint, bucket name). */
struct s3 *s3_open(struct loop *loop, const struct s3_settings *settings, struct error *err);
/* The same store with the same credentials on another loop. */
struct s3 *s3_open_again(const struct s3 *s3, struct loop *loop);
void s3_close(struct s3 *s3); /* once its requests are done or cancelled; not from a `done` */

/* What is put: from memory or an open file, which stay as they are until `done`. */
struct s3_object {
    const char *key;
    const void *data; /* or fd */
    int fd;           /* read from its start; 0 or -1: none */
    uint64_t size;
    const char *sha256; /* of the content, 64 hex digits: it is signed */
    const char *content_type;
    /* Only where nothing is stored under this key (If-None-Match: *). A store that has no such
     * condition, which it says once, overwrites all the same; the result tells. */
    bool only_new;
    bool strict; /* it is relied on: a store that has no such condition is not sent the object */
};

/* Puts one object. One attempt, apart from what can be mended at once: a clock that is off is
 * corrected from the store's Date, an expired token is renewed, a wrong region is corrected, what
 * the store does not know is left out, and the request sent again. */
struct s3_request *s3_put(struct s3 *s3, const struct s3_object *object,
    void (*done)(void *arg, const struct s3_result *result), void *arg);

/* Gets a whole object of at most max bytes, in one attempt like that of s3_put. A larger one is
 * S3_REFUSED. */
struct s3_request *s3_get(struct s3 *s3, const char *key, size_t max,
    void (*done)(void *arg, const struct s3_result *result), void *arg);

/* Asks for the keys below a prefix, a page with at most `most` of them (1,000 at most): the body is
 * what s3_xml_page reads. One attempt like that of s3_put. */
struct s3_request *s3_list_page(struct s3 *s3, const char *prefix, size_t most,
    void (*done)(void *arg, const struct s3_result *result), void *arg);

void s3_cancel(struct s3_request *request); /* `done` is not called */

/* For commands: these run the loop until the answer is there, and try a few times. */

/* A whole object of at most max bytes into buf (initialised here, freed by the caller, also after
 * an error). */
int s3_get_bytes(struct s3 *s3, const char *key, size_t max, struct buf *buf, struct error *err);

/* Every key below prefix, or, with delimiter "/", every "folder" (ending in "/") and key of that
 * level, in the store's order, page after page, until `each` returns non-zero. */
int s3_list(struct s3 *s3, const char *prefix, const char *delimiter,
    int (*each)(void *arg, const char *key), void *arg, struct error *err);

/* What is listed. A page has 1,000 keys. */
struct s3_listing {
    const char *prefix;
    const char *delimiter; /* "/", or NULL */
    const char *after;     /* only what comes after this key; NULL: all */
    bool whole;            /* only if one page holds it all */
};

struct s3_entry {
    char *key;
    uint64_t stamp; /* another one when the object has been written again; 0: not known, a folder */
};

/* s3_list with more to say; 1 when it was to be of one page and is not: nothing is told then. */
int s3_list_entries(struct s3 *s3, const struct s3_listing *listing,
    int (*each)(void *arg, const struct s3_entry *entry), void *arg, struct error *err);

/* Says what one of these functions will be asked for soon, so that it is under way by then: an
 * object, the first page of a listing. s3_expect_nothing ends what is under way and was not asked
 * for. */
void s3_expect_object(struct s3 *s3, const char *key, size_t max);
void s3_expect_listing(struct s3 *s3, const struct s3_listing *listing);
void s3_expect_nothing(struct s3 *s3);

/* How many requests have been sent, which the store wants to be paid for. */
struct s3_count {
    uint64_t lists, gets, others;
};
struct s3_count s3_count(const struct s3 *s3);

/* Writes a small object from memory. */
int s3_put_bytes(struct s3 *s3, const char *key, const void *data, size_t size,
    const char *content_type, struct error *err);

#endif
