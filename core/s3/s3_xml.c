#include "core/s3/s3_xml.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/s3/s3.h"
#include "core/xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A page has 1,000 entries by S3's own limit, some stores' more. */
enum { MAX_KEYS = 10000 };

struct listing {
    struct s3_page *page;
    bool encoded, truncated;
    bool keyed;     /* the object that is being told of has its key */
    uint64_t stamp; /* of that; its ETag may come before its key */
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Of the ETag, whatever a store makes it of. */
static uint64_t stamp_of(const char *etag)
{
    uint64_t stamp = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *etag; etag++)
        stamp = (stamp ^ (unsigned char)*etag) * UINT64_C(0x100000001b3);
    return stamp ? stamp : 1;
}

static void page_object_element(struct listing *listing, const char *name, const char *text)
{
    if (is(name, "ETag") && *text)
        listing->stamp = stamp_of(text);
    listing->keyed = listing->keyed || is(name, "Key");
}

static void page_object_ends(struct listing *listing)
{
    struct s3_page *page = listing->page;
    if (listing->keyed)
        page->entries[page->count - 1].stamp = listing->stamp;
    listing->keyed = false;
    listing->stamp = 0;
}

static void page_element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    struct listing *listing = arg;
    struct s3_page *page = listing->page;
    if (is(parent, "Contents"))
        page_object_element(listing, name, text);
    if ((is(parent, "Contents") && is(name, "Key")) ||
        (is(parent, "CommonPrefixes") && is(name, "Prefix"))) {
        if (page->count == MAX_KEYS) {
            xml_refuse(xml, "a page has too many keys");
            return;
        }
        page->entries = xrealloc(page->entries, page->count + 1, sizeof *page->entries);
        page->entries[page->count++] = (struct s3_entry){.key = xstrdup(text)};
    } else if (is(parent, "ListBucketResult") && is(name, "Contents")) {
        page_object_ends(listing);
    } else if (is(parent, "ListBucketResult") && is(name, "EncodingType")) {
        listing->encoded = is(text, "url");
    } else if (is(parent, "ListBucketResult") && is(name, "IsTruncated")) {
        listing->truncated = is(text, "true");
    } else if (is(parent, "ListBucketResult") && is(name, "NextContinuationToken")) {
        free(page->next);
        page->next = xstrdup(text);
    }
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* In place; "+" is a space. False when it holds a NUL, which no key of ours does. */
static bool decode(char *text)
{
    char *out = text;
    for (const char *at = text; *at; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;
        *out = *at == '+' ? ' ' : *at;
        if (low >= 0) {
            *out = (char)(high << 4 | low);
            at += 2;
        }
        if (*out++ == '\0')
            return false;
    }
    *out = '\0';
    return true;
}

/* The type of encoding may stand after the keys, so they are decoded when all are there. */
static void decode_keys(struct s3_page *page)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->count; i++) {
        if (decode(page->entries[i].key))
            page->entries[kept++] = page->entries[i];
        else
            free(page->entries[i].key);
    }
    page->count = kept;
}

int s3_xml_page(const char *xml, size_t size, struct s3_page *page, struct error *err)
{
    *page = (struct s3_page){0};
    struct listing listing = {.page = page};
    char root[XML_NAME_SIZE];
    int status = xml_read(xml, size, root, page_element, &listing, err);
    if (status == 0 && !is(root, "ListBucketResult"))
        status = error_set(err, "the answer is no listing but <%s>", root);
    if (status == 0 && listing.truncated && (!page->next || !*page->next))
        status = error_set(err, "the listing has more pages but does not say where");
    if (status < 0) {
        s3_page_free(page);
        return status;
    }
    if (!listing.truncated) {
        free(page->next);
        page->next = NULL;
    }
    if (listing.encoded)
        decode_keys(page);
    return 0;
}

void s3_page_free(struct s3_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->entries[i].key);
    free(page->entries);
    free(page->next);
    *page = (struct s3_page){0};
}

static void fault_element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml;
    struct s3_fault *fault = arg;
    if (!is(parent, "Error"))
        return;
    if (is(name, "Code"))
        xml_copy_text(fault->code, sizeof fault->code, text);
    else if (is(name, "Message"))
        xml_copy_text(fault->message, sizeof fault->message, text);
    else if (is(name, "Region"))
        xml_copy_text(fault->region, sizeof fault->region, text);
    else if (is(name, "Endpoint"))
        xml_copy_text(fault->endpoint, sizeof fault->endpoint, text);
    else if (is(name, "ArgumentName") || is(name, "Header"))
        xml_copy_text(fault->argument, sizeof fault->argument, text);
}

void s3_xml_fault(const char *xml, size_t size, struct s3_fault *fault)
{
    *fault = (struct s3_fault){0};
    char root[XML_NAME_SIZE];
    xml_read(xml, size, root, fault_element, fault, NULL);
}

static void ignore(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)arg, (void)xml, (void)parent, (void)name, (void)text;
}

void s3_xml_root(const char *xml, size_t size, char *root, size_t root_size)
{
    char name[XML_NAME_SIZE];
    xml_read(xml, size, name, ignore, NULL, NULL);
    xml_copy_text(root, root_size, name);
}

struct wanted {
    const char *name;
    char *text;
};

static void take_text(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml, (void)parent;
    struct wanted *wanted = arg;
    if (!wanted->text && is(name, wanted->name))
        wanted->text = xstrdup(text);
}

char *s3_xml_text(const char *xml, size_t size, const char *name)
{
    struct wanted wanted = {.name = name};
    char root[XML_NAME_SIZE];
    if (xml_read(xml, size, root, take_text, &wanted, NULL) < 0) {
        free(wanted.text);
        return NULL;
    }
    return wanted.text;
}

struct uploads {
    const char *key;
    bool of_key; /* the upload that is being told of */
    char *id;    /* of that */
    char *found;
};

static void uploads_element(
    void *arg, struct xml *xml, const char *parent, const char *name, const char *text)
{
    (void)xml;
    struct uploads *uploads = arg;
    if (is(parent, "Upload") && is(name, "Key")) {
        uploads->of_key = is(text, uploads->key);
    } else if (is(parent, "Upload") && is(name, "UploadId")) {
        free(uploads->id);
        uploads->id = xstrdup(text);
    } else if (is(parent, "ListMultipartUploadsResult") && is(name, "Upload")) {
        if (uploads->of_key && !uploads->found) {
            uploads->found = uploads->id;
            uploads->id = NULL;
        }
        uploads->of_key = false;
        free(uploads->id);
        uploads->id = NULL;
    }
}

char *s3_xml_upload(const char *xml, size_t size, const char *key)
{
    struct uploads uploads = {.key = key};
    char root[XML_NAME_SIZE];
    int status = xml_read(xml, size, root, uploads_element, &uploads, NULL);
    free(uploads.id);
    if (status == 0)
        return uploads.found;
    free(uploads.found);
    return NULL;
}
