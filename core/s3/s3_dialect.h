/* What a store does not take although S3 does: known from its host where its documentation says
 * so, else learned from its refusals. Pure. */
#ifndef CORE_S3_DIALECT_H
#define CORE_S3_DIALECT_H

#include <stdbool.h>

struct s3_fault;

/* The parts of a request that can be left out when the store does not know them. What somebody
 * relies on is not among them: encryption, storage class, metadata, the bucket's owner. */
enum s3_optional {
    S3_CONDITION = 1, /* If-None-Match: * */
    S3_CHECKSUM = 2,  /* x-amz-checksum-... */
    S3_TAGGING = 4    /* x-amz-tagging */
};

struct s3_dialect {
    unsigned missing;   /* of enum s3_optional: what is not to be sent */
    unsigned suspected; /* of the same: what the last request that was refused went without */
    const char *region; /* that the store signs for, whatever is configured; NULL: any */
};

/* Cloudflare R2: no tags, region auto (https://developers.cloudflare.com/r2/api/s3/api/). Google's
 * XML API: conditions have headers of its own, which it refuses beside those of AWS's signature,
 * and there are neither tags nor these checksums
 * (https://cloud.google.com/storage/docs/xml-api/reference-headers). */
struct s3_dialect s3_dialect_of(const char *host);

/* Which of the parts that were sent a refusal with this status is about: 0 when it is about
 * something else, or about all that we know. One that it does not name is guessed where the store
 * says that it does not implement something, which any proxy may say for a moment; the condition is
 * guessed last. */
unsigned s3_dialect_learn(unsigned sent, int status, const struct s3_fault *fault, bool *guessed);

/* A request was taken that had these parts, and went without others, some of which (`guessed`) the
 * store had not named. Returns those that are missing from now on: what was named, and what was
 * guessed of the request before as well, with none in between that was taken with it. */
unsigned s3_dialect_settle(
    struct s3_dialect *dialect, unsigned sent, unsigned left_out, unsigned guessed);

/* "conditional writes (If-None-Match)", for a sentence. */
const char *s3_dialect_name(unsigned part);

#endif
