/* AWS Signature Version 4 on libcrypto: what a request's headers or query must carry so that the
 * service believes who sent it. Pure: no clock, no environment, no I/O.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * libcurl's own signer (CURLOPT_AWS_SIGV4 in 7.88) neither sorts nor normalises queries and sorts
 * headers as whole lines, so it does not do for S3. */
#ifndef CORE_SIGV4_H
#define CORE_SIGV4_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

struct sigv4_credentials {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* NULL: none */
};

/* Who signs, for what, when. */
struct sigv4_scope {
    struct sigv4_credentials credentials;
    const char *region;
    const char *service;
    int64_t time_ms;     /* wall time */
    bool normalize_path; /* dots and double slashes are resolved; every service but S3 */
    bool hash_header;    /* adds x-amz-content-sha256, which S3 demands, to the headers */
    bool token_unsigned; /* the session token is added after signing, as a few services want */
};

struct sigv4_header {
    const char *name;
    const char *value;
};

struct sigv4_request {
    const char *method;
    const char *path;                   /* not percent-encoded, "/" at least */
    const char *query;                  /* as in the URL, without "?"; NULL or "": none */
    const struct sigv4_header *headers; /* all are signed; "Host" must be among them */
    size_t header_count;
    const char *payload_hash; /* sha256 in hex, or "UNSIGNED-PAYLOAD" */
};

/* The steps of a signature, so that a test or a debug log can see where two signers differ. */
struct sigv4_signature {
    struct buf canonical_request;
    struct buf string_to_sign;
    char signature[65];
    /* Headers to add, "Name: value" each, NULL-terminated; in the query form there are none. */
    char *headers[5];
    /* The query to send; in the header form the request's own. */
    struct buf query;
};

/* Signs in the headers. -1 and err when the request cannot be signed: no host, too many or too
 * large parts. The signature is to be freed in both cases. */
int sigv4_sign(const struct sigv4_scope *scope, const struct sigv4_request *request,
    struct sigv4_signature *signature, struct error *err);

/* Signs in the query (a presigned URL) for expires_s seconds (1 to 604,800). */
int sigv4_presign(const struct sigv4_scope *scope, const struct sigv4_request *request,
    int64_t expires_s, struct sigv4_signature *signature, struct error *err);

void sigv4_free(struct sigv4_signature *signature);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and, where keep_slash, "/". -1 when buf is full. */
int sigv4_encode(struct buf *buf, const char *text, size_t length, bool keep_slash);

/* Adds "name=value" to a query, both encoded, with "&" before it when it is not the first. */
int sigv4_add_query(struct buf *query, const char *name, const char *value);

#endif
