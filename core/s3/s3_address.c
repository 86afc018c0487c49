#include "core/s3/s3_address.h"

#include "core/alloc.h"
#include "core/aws/aws_region.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/http.h"
#include "core/s3/s3.h"
#include "core/s3/s3_dialect.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; a key has 1024
 * bytes, of which the names below the prefix need some. */
enum { MIN_NAME = 3, MAX_NAME = 63, MAX_PREFIX = 512 };

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static bool is_ip(const char *host)
{
    struct in_addr address;
    return host && (*host == '[' || inet_pton(AF_INET, host, &address) == 1);
}

/* A part of a host's name: what a wildcard of a certificate covers. */
static bool is_label(const char *text, size_t length)
{
    return length >= 1 && length <= MAX_NAME && strspn(text, lower) >= length && text[0] != '-' &&
           text[length - 1] != '-';
}

static bool is_bucket(const char *name)
{
    size_t length = strlen(name);
    if (length < MIN_NAME || length > MAX_NAME || is_ip(name))
        return false;
    for (const char *label = name;; label++) {
        size_t part = strcspn(label, ".");
        if (!is_label(label, part))
            return false;
        label += part;
        if (!*label)
            return true;
    }
}

int s3_address_check_bucket(const char *bucket, struct error *err)
{
    if (bucket && is_bucket(bucket))
        return 0;
    /* What people paste here may have a password in it. */
    bool quoted = bucket && !strchr(bucket, '@');
    return error_set(err,
        "%s%.80s%s is no bucket name: give the bare name, 3 to 63 lower-case letters, digits, "
        "- and ., without s3://, an ARN or a path (a path goes into prefix)",
        quoted ? "\"" : "", quoted ? bucket : "this", quoted ? "\"" : "");
}

int s3_address_check_region(const char *region, struct error *err)
{
    if (is_label(region, strlen(region)))
        return 0;
    return error_set(err, "\"%.80s\" is no region: an example is us-east-1", region);
}

int s3_address_check_prefix(const char *prefix, struct error *err)
{
    if (strlen(prefix) > MAX_PREFIX)
        return error_set(err, "the prefix is longer than %d bytes", MAX_PREFIX);
    for (const unsigned char *c = (const unsigned char *)prefix; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            return error_set(err, "the prefix holds a control character");
    for (const char *folder = prefix; *folder; folder += strspn(folder, "/")) {
        size_t length = strcspn(folder, "/");
        if (length <= 2 && length > 0 && strspn(folder, ".") >= length)
            return error_set(err, "the prefix may not hold the folders . and ..: they mean "
                                  "nothing in a bucket, and other tools take them out");
        folder += length;
    }
    return 0;
}

static char *region_of(const struct s3_settings *settings)
{
    char *host = settings->endpoint ? http_host(settings->endpoint) : NULL;
    const char *dictated = host ? s3_dialect_of(host).region : NULL;
    free(host);
    const char *candidates[] = {settings->region, dictated, getenv("AWS_REGION"),
        getenv("AWS_DEFAULT_REGION"), "us-east-1"};
    size_t i = 0;
    while (!candidates[i] || !*candidates[i])
        i++;
    return xstrdup(candidates[i]);
}

/* https://docs.aws.amazon.com/general/latest/gr/s3.html */
static char *aws_endpoint(const char *region, bool dualstack, bool fips)
{
    return xasprintf("https://s3%s%s.%s.%s", fips ? "-fips" : "", dualstack ? ".dualstack" : "",
        region, aws_region_domain(region));
}

/* What is left of an endpoint after it was taken apart; NULL where it has none. */
struct parts {
    char *scheme, *host, *port, *path, *user, *query;
};

static void get_parts(const char *endpoint, struct parts *parts)
{
    CURLU *url = curl_url();
    *parts = (struct parts){0};
    if (url && curl_url_set(url, CURLUPART_URL, endpoint, 0) == CURLUE_OK) {
        curl_url_get(url, CURLUPART_SCHEME, &parts->scheme, 0);
        curl_url_get(url, CURLUPART_HOST, &parts->host, 0);
        curl_url_get(url, CURLUPART_PORT, &parts->port, CURLU_NO_DEFAULT_PORT);
        curl_url_get(url, CURLUPART_PATH, &parts->path, 0);
        curl_url_get(url, CURLUPART_USER, &parts->user, 0);
        curl_url_get(url, CURLUPART_QUERY, &parts->query, 0);
    }
    curl_url_cleanup(url);
}

static void free_parts(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->path);
    curl_free(parts->user);
    curl_free(parts->query);
}

static int check_endpoint(const struct parts *parts, struct error *err)
{
    bool http = parts->scheme &&
                (!strcmp(parts->scheme, "http") || !strcmp(parts->scheme, "https"));
    if (parts->user)
        return error_set(err, "the S3 endpoint may not hold a user name or password: credentials "
                              "come from the environment or the task role");
    if (!http || !parts->host)
        return error_set(err, "the S3 endpoint is no http:// or https:// address");
    if (parts->query || (parts->path && strcmp(parts->path, "/") != 0))
        return error_set(err,
            "the S3 endpoint has a path, %.200s: give only scheme, host and port (the bucket goes "
            "into bucket)",
            parts->path);
    return 0;
}

int s3_address_check_endpoint(const char *endpoint, struct error *err)
{
    struct parts parts;
    get_parts(endpoint, &parts);
    int status = check_endpoint(&parts, err);
    free_parts(&parts);
    return status;
}

/* Host, origin and path. */
static int place(
    struct s3_address *address, const char *endpoint, bool path_style, struct error *err)
{
    struct parts parts;
    const char *bucket = address->bucket;
    get_parts(endpoint, &parts);
    int status = check_endpoint(&parts, err);
    if (status == 0) {
        bool in_path = path_style || strchr(bucket, '.') || is_ip(parts.host);
        address->host = xasprintf("%s%s%s%s%s", in_path ? "" : bucket, in_path ? "" : ".",
            parts.host, parts.port ? ":" : "", parts.port ? parts.port : "");
        address->origin = xasprintf("%s://%s", parts.scheme, address->host);
        address->path = in_path ? xasprintf("/%s/", bucket) : xstrdup("/");
    }
    free_parts(&parts);
    return status;
}

int s3_address_init(
    struct s3_address *address, const struct s3_settings *settings, struct error *err)
{
    *address = (struct s3_address){.own = settings->endpoint == NULL,
        .dualstack = settings->dualstack,
        .fips = settings->fips};
    if (s3_address_check_bucket(settings->bucket, err) < 0)
        return -1;
    address->bucket = xstrdup(settings->bucket);
    address->region = region_of(settings);
    char *endpoint = settings->endpoint
                         ? xstrdup(settings->endpoint)
                         : aws_endpoint(address->region, address->dualstack, address->fips);
    int status = s3_address_check_region(address->region, err);
    if (status == 0)
        status = place(address, endpoint, settings->path_style, err);
    if (status < 0)
        s3_address_free(address);
    free(endpoint);
    return status;
}

int s3_address_move(struct s3_address *address, const char *region, struct error *err)
{
    if (s3_address_check_region(region, err) < 0)
        return -1;
    struct s3_address old = *address;
    address->region = xstrdup(region);
    if (address->own) {
        char *endpoint = aws_endpoint(region, address->dualstack, address->fips);
        place(address, endpoint, strcmp(old.path, "/") != 0, NULL);
        free(endpoint);
        free(old.host);
        free(old.origin);
        free(old.path);
    }
    free(old.region);
    return 0;
}

void s3_address_copy(struct s3_address *to, const struct s3_address *from)
{
    *to = *from;
    to->bucket = xstrdup(from->bucket);
    to->region = xstrdup(from->region);
    to->origin = xstrdup(from->origin);
    to->host = xstrdup(from->host);
    to->path = xstrdup(from->path);
}

void s3_address_free(struct s3_address *address)
{
    free(address->bucket);
    free(address->region);
    free(address->origin);
    free(address->host);
    free(address->path);
    *address = (struct s3_address){0};
}

char *s3_address_url(const struct s3_address *address, const char *key, const char *query)
{
    struct buf url;
    buf_init(&url, SIZE_MAX / 4);
    buf_puts(&url, address->origin);
    sigv4_encode(&url, address->path, strlen(address->path), true);
    sigv4_encode(&url, key, strlen(key), true);
    if (query && *query)
        buf_printf(&url, "?%s", query);
    return buf_take(&url);
}
