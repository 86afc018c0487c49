/* The headers that a request is signed and sent with, apart from those of the signature. */
#ifndef CORE_S3_HEADERS_H
#define CORE_S3_HEADERS_H

#include "core/aws/sigv4.h"

#include <stddef.h>

struct s3;
struct s3_call;

struct s3_headers {
    struct sigv4_header *items; /* names are constants or the store's; values are owned */
    size_t count;
    unsigned parts; /* of enum s3_optional: those that are among them */
};

/* sha256: of the body, 64 hex digits. */
void s3_headers_init(struct s3_headers *headers, const struct s3 *s3, const struct s3_call *call,
    const char *sha256);
void s3_headers_free(struct s3_headers *headers);

/* The SHA-256 in base64, as checksum headers have it; text has room for 45. */
char *s3_headers_checksum(const char *sha256, char *text);

#endif
