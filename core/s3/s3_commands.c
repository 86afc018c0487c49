#include "core/s3/s3.h"

#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/s3/s3_ahead.h"
#include "core/s3/s3_xml.h"
#include "core/sha256.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_QUERY = 65536,
    MAX_LISTING = 16 << 20
}; /* a page of 1,000 encoded keys can pass 3 MiB */

static struct s3_call call_for_object(const char *key, size_t max)
{
    return (struct s3_call){.action = S3_GET_OBJECT, .key = key, .max_object = max};
}

int s3_get_bytes(struct s3 *s3, const char *key, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    const struct s3_call call = call_for_object(key, max);
    if (s3_ahead_run(s3, &call, buf, err) == 0)
        return 0;
    return error_prefix(err, "cannot read s3://%s/%s", s3->address.bucket, key);
}

void s3_expect_object(struct s3 *s3, const char *key, size_t max)
{
    const struct s3_call call = call_for_object(key, max);
    s3_ahead_begin(s3, &call);
}

void s3_expect_nothing(struct s3 *s3)
{
    s3_ahead_end(s3);
}

/* token NULL: the first page. The query is initialised in any case. */
static int page_query(
    const struct s3_listing *listing, const char *token, struct buf *query, struct error *err)
{
    buf_init(query, MAX_QUERY);
    int status = sigv4_add_query(query, "list-type", "2");
    status |= sigv4_add_query(query, "encoding-type", "url");
    status |= sigv4_add_query(query, "prefix", listing->prefix);
    if (listing->delimiter)
        status |= sigv4_add_query(query, "delimiter", listing->delimiter);
    if (token)
        status |= sigv4_add_query(query, "continuation-token", token);
    else if (listing->after)
        status |= sigv4_add_query(query, "start-after", listing->after);
    return status < 0 ? error_set(err, "the prefix is too long") : 0;
}

static struct s3_call call_for_page(const struct buf *query)
{
    return (struct s3_call){
        .action = S3_LIST_BUCKET, .key = "", .query = query->data, .max_object = MAX_LISTING};
}

static int get_page(struct s3 *s3, const struct s3_listing *listing, const char *token,
    struct s3_page *page, struct error *err)
{
    struct buf query, body;
    buf_init(&body, MAX_LISTING);
    int status = page_query(listing, token, &query, err);
    if (status == 0) {
        const struct s3_call call = call_for_page(&query);
        status = s3_ahead_run(s3, &call, &body, err);
    }
    if (status == 0)
        status = s3_xml_page(body.data, body.size, page, err);
    buf_free(&query);
    buf_free(&body);
    return status;
}

void s3_expect_listing(struct s3 *s3, const struct s3_listing *listing)
{
    struct buf query;
    if (page_query(listing, NULL, &query, NULL) == 0) {
        const struct s3_call call = call_for_page(&query);
        s3_ahead_begin(s3, &call);
    }
    buf_free(&query);
}

int s3_list_entries(struct s3 *s3, const struct s3_listing *listing,
    int (*each)(void *arg, const struct s3_entry *entry), void *arg, struct error *err)
{
    char *token = NULL;
    int status = 0;
    for (bool more = true; more && status == 0;) {
        struct s3_page page = {0};
        status = get_page(s3, listing, token, &page, err);
        if (status == 0 && listing->whole && page.next) {
            s3_page_free(&page);
            return 1;
        }
        int stop = 0;
        for (size_t i = 0; i < page.count && !stop; i++)
            stop = each(arg, &page.entries[i]);
        more = page.next && !stop;
        if (more && token && strcmp(token, page.next) == 0)
            status = error_set(err, "the store gives the same page again and again");
        free(token);
        token = page.next;
        page.next = NULL;
        s3_page_free(&page);
    }
    free(token);
    if (status < 0)
        error_prefix(err, "cannot list s3://%s/%s", s3->address.bucket, listing->prefix);
    return status;
}

struct each_key {
    int (*each)(void *arg, const char *key);
    void *arg;
};

static int pass_key(void *arg, const struct s3_entry *entry)
{
    const struct each_key *keys = arg;
    return keys->each(keys->arg, entry->key);
}

int s3_list(struct s3 *s3, const char *prefix, const char *delimiter,
    int (*each)(void *arg, const char *key), void *arg, struct error *err)
{
    struct each_key keys = {each, arg};
    const struct s3_listing listing = {.prefix = prefix, .delimiter = delimiter};
    return s3_list_entries(s3, &listing, pass_key, &keys, err);
}

int s3_put_bytes(struct s3 *s3, const char *key, const void *data, size_t size,
    const char *content_type, struct error *err)
{
    char sha256[SHA256_HEX_SIZE];
    const struct s3_call call = {.action = S3_PUT_OBJECT,
        .key = key,
        .data = data ? data : "",
        .size = size,
        .sha256 = sha256,
        .content_type = content_type};
    sha256_hash(call.data, size, sha256);
    if (s3_ahead_run(s3, &call, NULL, err) == 0)
        return 0;
    return error_prefix(err, "cannot write s3://%s/%s", s3->address.bucket, key);
}
