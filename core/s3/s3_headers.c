#include "core/s3/s3_headers.h"

#include "core/alloc.h"
#include "core/s3/s3_request.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *s3_headers_checksum(const char *sha256, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = text;
    /* 32 bytes: ten groups of three, and two left over. */
    for (size_t i = 0; i < SHA256_SIZE; i += 3) {
        unsigned group = 0;
        for (size_t j = i; j < i + 3; j++) {
            unsigned byte = 0;
            if (j < SHA256_SIZE)
                sscanf(sha256 + 2 * j, "%2x", &byte);
            group = group << 8 | byte;
        }
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = digits[group >> shift & 63];
    }
    out[-1] = '=';
    *out = '\0';
    return text;
}

static void add(struct s3_headers *headers, const char *name, const char *value)
{
    if (!value)
        return;
    headers->items = xrealloc(headers->items, headers->count + 1, sizeof *headers->items);
    headers->items[headers->count++] = (struct sigv4_header){name, xstrdup(value)};
}

/* What an object gets when it is made, in one request or in parts. */
static void add_extras(struct s3_headers *headers, const struct s3 *s3, unsigned without)
{
    const struct s3_extras *extras = &s3->extras;
    add(headers, "x-amz-server-side-encryption", extras->encryption);
    add(headers, "x-amz-server-side-encryption-aws-kms-key-id", extras->kms_key);
    add(headers, "x-amz-storage-class", extras->storage_class);
    for (size_t i = 0; i < extras->count; i++)
        add(headers, extras->names[i], extras->values[i]);
    if (!extras->tagging || (without & S3_TAGGING))
        return;
    add(headers, "x-amz-tagging", extras->tagging);
    headers->parts |= S3_TAGGING;
}

static void add_checksum(
    struct s3_headers *headers, unsigned without, const char *name, const char *value)
{
    if (without & S3_CHECKSUM)
        return;
    add(headers, name, value);
    headers->parts |= S3_CHECKSUM;
}

void s3_headers_init(
    struct s3_headers *headers, const struct s3 *s3, const struct s3_call *call, const char *sha256)
{
    char checksum[45];
    unsigned without = s3->dialect.missing | call->without;
    *headers = (struct s3_headers){0};
    add(headers, "Host", s3->address.host);
    add(headers, "Content-Type", call->content_type);
    add(headers, "x-amz-expected-bucket-owner", s3->extras.owner);
    if (call->action == S3_PUT_OBJECT || call->action == S3_CREATE_UPLOAD)
        add_extras(headers, s3, without);
    if (call->action == S3_PUT_OBJECT || (call->action == S3_UPLOAD_PART && call->checked))
        add_checksum(
            headers, without, "x-amz-checksum-sha256", s3_headers_checksum(sha256, checksum));
    if (call->action == S3_CREATE_UPLOAD)
        add_checksum(headers, without, "x-amz-checksum-algorithm", "SHA256");
    if (call->only_new && !(without & S3_CONDITION)) {
        add(headers, "If-None-Match", "*");
        headers->parts |= S3_CONDITION;
    }
}

void s3_headers_free(struct s3_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        free((char *)headers->items[i].value);
    free(headers->items);
    *headers = (struct s3_headers){0};
}
