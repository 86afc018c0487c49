#include "core/aws/sigv4.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/sha256.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Requests of ours have some ten headers and parameters; the bound only keeps the sizes sane. */
enum { MAX_PAIRS = 200, MAX_TEXT = 256 * 1024 };

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* Headers or query parameters on their way into canonical order. */
struct pair {
    char *name;
    char *value;
    size_t position; /* in the request: headers of one name keep their order */
};

struct pairs {
    struct pair items[MAX_PAIRS];
    size_t count;
};

struct signing {
    const struct sigv4_scope *scope;
    const struct sigv4_request *request;
    struct sigv4_signature *signature;
    char time[sizeof "20150830T123600Z"];
    struct buf credential_scope; /* 20150830/us-east-1/s3/aws4_request */
    struct buf signed_headers;   /* host;x-amz-date */
    struct pairs headers;
    struct pairs parameters;
};

int sigv4_encode(struct buf *buf, const char *text, size_t length, bool keep_slash)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (size_t i = 0; i < length; i++) {
        bool plain = memchr(unreserved, text[i], sizeof unreserved - 1) ||
                     (keep_slash && text[i] == '/');
        int status = plain ? buf_append(buf, text + i, 1)
                           : buf_printf(buf, "%%%02X", (unsigned)(unsigned char)text[i]);
        if (status < 0)
            return -1;
    }
    return 0;
}

int sigv4_add_query(struct buf *query, const char *name, const char *value)
{
    if (query->size > 0 && buf_puts(query, "&") < 0)
        return -1;
    if (sigv4_encode(query, name, strlen(name), false) < 0 || buf_puts(query, "=") < 0)
        return -1;
    return sigv4_encode(query, value, strlen(value), false);
}

/* Takes ownership of both texts. */
static int add_pair(struct pairs *pairs, char *name, char *value)
{
    if (pairs->count == MAX_PAIRS) {
        free(name);
        free(value);
        return -1;
    }
    pairs->items[pairs->count] = (struct pair){name, value, pairs->count};
    pairs->count++;
    return 0;
}

static void free_pairs(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
}

static int by_name_and_position(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : (left->position > right->position) - (left->position < right->position);
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->value, right->value);
}

/* Lower-cases the name; in the value, every run of white space (line breaks of folded headers
 * included) becomes one space and none is left at the ends. */
static int add_header(struct pairs *headers, const char *name, const char *value)
{
    char *lower = xstrdup(name);
    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    char *trimmed = xcalloc(strlen(value) + 1, 1), *end = trimmed;
    for (; *value; value++) {
        bool space = isspace((unsigned char)*value);
        if (!space)
            *end++ = *value;
        else if (end > trimmed && end[-1] != ' ')
            *end++ = ' ';
    }
    if (end > trimmed && end[-1] == ' ')
        *--end = '\0';
    return add_pair(headers, lower, trimmed);
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes and encodes again: however the sender wrote it, there is one canonical form. */
static char *canonical_component(const char *text, size_t length)
{
    struct buf decoded, encoded;
    buf_init(&decoded, length);
    buf_init(&encoded, 3 * length);
    for (size_t i = 0; i < length; i++) {
        int high = i + 2 < length && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        char byte = low >= 0 ? (char)(high << 4 | low) : text[i];
        buf_append(&decoded, &byte, 1);
        if (low >= 0)
            i += 2;
    }
    sigv4_encode(&encoded, decoded.data, decoded.size, false);
    buf_free(&decoded);
    return buf_take(&encoded);
}

static int add_parameters(struct pairs *parameters, const char *query)
{
    while (query && *query) {
        size_t length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);
        size_t name_length = equals ? (size_t)(equals - query) : length;
        const char *value = equals ? equals + 1 : "";
        size_t value_length = equals ? length - name_length - 1 : 0;
        if (length > 0 && add_pair(parameters, canonical_component(query, name_length),
                              canonical_component(value, value_length)) < 0)
            return -1;
        query += length + (query[length] == '&');
    }
    return 0;
}

/* Resolves "." and ".." and drops empty segments. A slash at the end stays; "/a/b/.." becomes "/a",
 * as AWS's own signers have it. */
static char *normalize_path(const char *path)
{
    size_t length = strlen(path);
    struct buf out;
    buf_init(&out, length + 1);
    for (const char *at = path; *at;) {
        size_t segment = strcspn(at, "/");
        if (segment == 2 && !strncmp(at, "..", 2)) {
            const char *slash = strrchr(out.data, '/');
            size_t kept = slash ? (size_t)(slash - out.data) : 0;
            if (out.size > 0) {
                out.size = kept;
                out.data[kept] = '\0';
            }
        } else if (segment > 0 && !(segment == 1 && *at == '.')) {
            buf_puts(&out, "/");
            buf_append(&out, at, segment);
        }
        at += segment + (at[segment] == '/');
    }
    if (out.size == 0 || (length > 0 && path[length - 1] == '/'))
        buf_puts(&out, "/");
    return buf_take(&out);
}

static int append_path(struct signing *signing)
{
    struct buf *out = &signing->signature->canonical_request;
    const char *given = signing->request->path;
    if (!signing->scope->normalize_path && *given)
        return sigv4_encode(out, given, strlen(given), true);
    char *path = normalize_path(given); /* "/" when there is none */
    int status = sigv4_encode(out, path, strlen(path), true);
    free(path);
    return status;
}

static int append_parameters(struct signing *signing)
{
    struct buf *out = &signing->signature->canonical_request;
    struct pairs *parameters = &signing->parameters;
    qsort(parameters->items, parameters->count, sizeof parameters->items[0], by_name_and_value);
    int status = 0;
    for (size_t i = 0; i < parameters->count; i++)
        status |= buf_printf(
            out, "%s%s=%s", i ? "&" : "", parameters->items[i].name, parameters->items[i].value);
    return status;
}

static int append_headers(struct signing *signing)
{
    struct buf *out = &signing->signature->canonical_request;
    const struct pairs *headers = &signing->headers;
    int status = 0;
    for (size_t i = 0; i < headers->count; i++) {
        const struct pair *header = &headers->items[i];
        bool again = i > 0 && strcmp(header->name, header[-1].name) == 0;
        bool last = i + 1 == headers->count || strcmp(header->name, header[1].name) != 0;
        status |= buf_printf(out, "%s%s%s%s", again ? "" : header->name, again ? "," : ":",
            header->value, last ? "\n" : "");
    }
    return status;
}

/* Sorts the headers and lists their names: in the query form the list is itself a parameter. */
static int list_headers(struct signing *signing)
{
    struct pairs *headers = &signing->headers;
    qsort(headers->items, headers->count, sizeof headers->items[0], by_name_and_position);
    int status = 0;
    bool host = false;
    for (size_t i = 0; i < headers->count; i++) {
        const struct pair *header = &headers->items[i];
        host |= strcmp(header->name, "host") == 0;
        if (i == 0 || strcmp(header->name, header[-1].name) != 0)
            status |= buf_printf(&signing->signed_headers, "%s%s", i ? ";" : "", header->name);
    }
    return host ? status : -1;
}

static int build_canonical_request(struct signing *signing)
{
    const struct sigv4_request *request = signing->request;
    struct buf *out = &signing->signature->canonical_request;
    int status = buf_printf(out, "%s\n", request->method);
    status |= append_path(signing);
    status |= buf_puts(out, "\n");
    status |= append_parameters(signing);
    status |= buf_puts(out, "\n");
    status |= append_headers(signing);
    status |= buf_printf(out, "\n%s\n%s", signing->signed_headers.data, request->payload_hash);
    return status;
}

static void hmac(const unsigned char *key, size_t key_size, const char *text, size_t size,
    unsigned char out[SHA256_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    if (!HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, size, digest, NULL))
        abort(); /* only for want of memory */
    memcpy(out, digest, SHA256_SIZE);
    OPENSSL_cleanse(digest, sizeof digest);
}

static int compute_signature(struct signing *signing)
{
    const struct sigv4_scope *scope = signing->scope;
    struct sigv4_signature *signature = signing->signature;
    char hash[SHA256_HEX_SIZE];
    sha256_hash(signature->canonical_request.data, signature->canonical_request.size, hash);
    if (buf_printf(&signature->string_to_sign, "%s\n%s\n%s\n%s", algorithm, signing->time,
            signing->credential_scope.data, hash) < 0)
        return -1;

    char *secret = xasprintf("AWS4%s", scope->credentials.secret_key);
    unsigned char key[SHA256_SIZE];
    hmac((unsigned char *)secret, strlen(secret), signing->time, strlen("20150830"), key);
    OPENSSL_cleanse(secret, strlen(secret));
    free(secret);
    hmac(key, sizeof key, scope->region, strlen(scope->region), key);
    hmac(key, sizeof key, scope->service, strlen(scope->service), key);
    hmac(key, sizeof key, "aws4_request", strlen("aws4_request"), key);
    hmac(key, sizeof key, signature->string_to_sign.data, signature->string_to_sign.size, key);
    sha256_to_hex(key, sizeof key, signature->signature);
    return 0;
}

static int start(struct signing *signing)
{
    const struct sigv4_scope *scope = signing->scope;
    const struct sigv4_request *request = signing->request;
    struct sigv4_signature *signature = signing->signature;
    *signature = (struct sigv4_signature){0};
    buf_init(&signature->canonical_request, MAX_TEXT);
    buf_init(&signature->string_to_sign, MAX_TEXT);
    buf_init(&signature->query, MAX_TEXT);
    buf_init(&signing->credential_scope, MAX_TEXT);
    buf_init(&signing->signed_headers, MAX_TEXT);

    time_t seconds = (time_t)(scope->time_ms / 1000);
    struct tm utc;
    if (!gmtime_r(&seconds, &utc) ||
        !strftime(signing->time, sizeof signing->time, "%Y%m%dT%H%M%SZ", &utc))
        return -1;
    int status = buf_printf(&signing->credential_scope, "%.8s/%s/%s/aws4_request", signing->time,
        scope->region, scope->service);
    for (size_t i = 0; i < request->header_count; i++)
        status |= add_header(
            &signing->headers, request->headers[i].name, request->headers[i].value);
    status |= add_parameters(&signing->parameters, request->query);
    if (request->query)
        status |= buf_puts(&signature->query, request->query);
    return status;
}

static int finish(struct signing *signing, int status, struct error *err)
{
    free_pairs(&signing->headers);
    free_pairs(&signing->parameters);
    buf_free(&signing->credential_scope);
    buf_free(&signing->signed_headers);
    return status ? error_set(err,
                        "the request to %s cannot be signed: it has no Host header, or "
                        "its headers or query are too large",
                        signing->scope->service)
                  : 0;
}

/* Adds a header to send, and signs it unless it is to stay unsigned. */
static int put_header(struct signing *signing, const char *name, const char *value, bool sign)
{
    char **at = signing->signature->headers;
    while (*at)
        at++;
    *at = xasprintf("%s: %s", name, value);
    return sign ? add_header(&signing->headers, name, value) : 0;
}

int sigv4_sign(const struct sigv4_scope *scope, const struct sigv4_request *request,
    struct sigv4_signature *signature, struct error *err)
{
    struct signing signing = {.scope = scope, .request = request, .signature = signature};
    const char *token = scope->credentials.session_token;
    int status = start(&signing);
    if (token)
        status |= put_header(&signing, "X-Amz-Security-Token", token, !scope->token_unsigned);
    status |= put_header(&signing, "X-Amz-Date", signing.time, true);
    if (scope->hash_header)
        status |= put_header(&signing, "x-amz-content-sha256", request->payload_hash, true);
    status |= list_headers(&signing);
    status |= build_canonical_request(&signing);
    status |= compute_signature(&signing);
    char *authorization = xasprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
        algorithm, scope->credentials.access_key, signing.credential_scope.data,
        signing.signed_headers.data, signature->signature);
    put_header(&signing, "Authorization", authorization, false);
    free(authorization);
    return finish(&signing, status, err);
}

int sigv4_presign(const struct sigv4_scope *scope, const struct sigv4_request *request,
    int64_t expires_s, struct sigv4_signature *signature, struct error *err)
{
    struct signing signing = {.scope = scope, .request = request, .signature = signature};
    const char *token = scope->credentials.session_token;
    int status = start(&signing);
    status |= list_headers(&signing);

    struct buf added;
    buf_init(&added, MAX_TEXT);
    char *credential = xasprintf(
        "%s/%s", scope->credentials.access_key, signing.credential_scope.data);
    char *expires = xasprintf("%lld", (long long)expires_s);
    status |= sigv4_add_query(&added, "X-Amz-Algorithm", algorithm);
    status |= sigv4_add_query(&added, "X-Amz-Credential", credential);
    status |= sigv4_add_query(&added, "X-Amz-Date", signing.time);
    status |= sigv4_add_query(&added, "X-Amz-SignedHeaders", signing.signed_headers.data);
    status |= sigv4_add_query(&added, "X-Amz-Expires", expires);
    if (token && !scope->token_unsigned)
        status |= sigv4_add_query(&added, "X-Amz-Security-Token", token);
    free(credential);
    free(expires);

    status |= add_parameters(&signing.parameters, added.data);
    status |= build_canonical_request(&signing);
    status |= compute_signature(&signing);
    status |= buf_printf(&signature->query, "%s%s", signature->query.size ? "&" : "", added.data);
    buf_free(&added);
    if (token && scope->token_unsigned)
        status |= sigv4_add_query(&signature->query, "X-Amz-Security-Token", token);
    status |= sigv4_add_query(&signature->query, "X-Amz-Signature", signature->signature);
    return finish(&signing, status, err);
}

void sigv4_free(struct sigv4_signature *signature)
{
    buf_free(&signature->canonical_request);
    buf_free(&signature->string_to_sign);
    buf_free(&signature->query);
    for (char **header = signature->headers; *header; header++)
        free(*header);
    *signature = (struct sigv4_signature){0};
}
