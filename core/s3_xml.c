#include "core/s3_xml.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"

#include <expat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Listings are three levels deep; a page has 1,000 entries by S3's own limit, some stores' more;
 * keys have up to 1,024 bytes, three times that when encoded. */
enum { MAX_DEPTH = 8, MAX_NAME = 40, MAX_TEXT = 4096, MAX_KEYS = 10000, MAX_SIZE = 64 << 20 };

/* Where the parser is: the path of element names and the text of the innermost. */
struct reader {
    XML_Parser parser;
    char names[MAX_DEPTH][MAX_NAME];
    int depth;
    struct buf text;
    const char *refusal; /* why we stopped */
    /* An element of the second or third level ended. */
    void (*ended)(struct reader *reader, const char *parent, const char *name);
    void *result;
    bool encoded, truncated;
};

static void stop(struct reader *reader, const char *why)
{
    reader->refusal = why;
    XML_StopParser(reader->parser, XML_FALSE);
}

static void on_doctype(
    void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    stop(arg, "it has a document type");
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct reader *reader = arg;
    if (reader->depth == MAX_DEPTH || strlen(name) >= MAX_NAME) {
        stop(reader, "it is nested too deeply or has too long names");
        return;
    }
    strcpy(reader->names[reader->depth++], name);
    buf_clear(&reader->text);
}

static void on_text(void *arg, const XML_Char *text, int length)
{
    struct reader *reader = arg;
    if (buf_append(&reader->text, text, (size_t)length) < 0)
        stop(reader, "a text in it is too long");
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reader *reader = arg;
    reader->depth--;
    if (reader->depth > 0)
        reader->ended(reader, reader->names[reader->depth - 1], name);
    buf_clear(&reader->text);
}

/* *root is the outermost element's name, "" when there was none. */
static int read_xml(struct reader *reader, const char *xml, size_t size, struct error *err)
{
    if (size > MAX_SIZE)
        return error_set(err, "the answer is too large");
    buf_init(&reader->text, MAX_TEXT);
    reader->parser = XML_ParserCreate(NULL);
    if (!reader->parser)
        abort(); /* only for want of memory */
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    int status = 0;
    if (XML_Parse(reader->parser, xml, (int)size, XML_TRUE) != XML_STATUS_OK)
        status = error_set(err, "the answer is no XML that can be read: %s",
            reader->refusal ? reader->refusal : XML_ErrorString(XML_GetErrorCode(reader->parser)));
    XML_ParserFree(reader->parser);
    buf_free(&reader->text);
    return status;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void page_element(struct reader *reader, const char *parent, const char *name)
{
    struct s3_page *page = reader->result;
    const char *text = reader->text.data;
    if ((is(parent, "Contents") && is(name, "Key")) ||
        (is(parent, "CommonPrefixes") && is(name, "Prefix"))) {
        if (page->count == MAX_KEYS) {
            stop(reader, "a page has too many keys");
            return;
        }
        page->keys = xrealloc(page->keys, page->count + 1, sizeof *page->keys);
        page->keys[page->count++] = xstrdup(text);
    } else if (is(parent, "ListBucketResult") && is(name, "EncodingType")) {
        reader->encoded = is(text, "url");
    } else if (is(parent, "ListBucketResult") && is(name, "IsTruncated")) {
        reader->truncated = is(text, "true");
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
        if (decode(page->keys[i]))
            page->keys[kept++] = page->keys[i];
        else
            free(page->keys[i]);
    }
    page->count = kept;
}

int s3_xml_page(const char *xml, size_t size, struct s3_page *page, struct error *err)
{
    *page = (struct s3_page){0};
    struct reader reader = {.ended = page_element, .result = page};
    int status = read_xml(&reader, xml, size, err);
    if (status == 0 && !is(reader.names[0], "ListBucketResult"))
        status = error_set(err, "the answer is no listing but <%s>", reader.names[0]);
    if (status == 0 && reader.truncated && (!page->next || !*page->next))
        status = error_set(err, "the listing has more pages but does not say where");
    if (status < 0) {
        s3_page_free(page);
        return status;
    }
    if (!reader.truncated) {
        free(page->next);
        page->next = NULL;
    }
    if (reader.encoded)
        decode_keys(page);
    return 0;
}

void s3_page_free(struct s3_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->keys[i]);
    free(page->keys);
    free(page->next);
    *page = (struct s3_page){0};
}

/* Cut to what fits, without control characters: it ends up in logs. */
static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = 0;
    for (; from[length] && length + 1 < size; length++)
        to[length] = (unsigned char)from[length] < ' ' ? ' ' : from[length];
    while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
        length--; /* no half of a UTF-8 character */
    to[length] = '\0';
}

static void fault_element(struct reader *reader, const char *parent, const char *name)
{
    struct s3_fault *fault = reader->result;
    if (!is(parent, "Error"))
        return;
    if (is(name, "Code"))
        copy_text(fault->code, sizeof fault->code, reader->text.data);
    else if (is(name, "Message"))
        copy_text(fault->message, sizeof fault->message, reader->text.data);
    else if (is(name, "Region"))
        copy_text(fault->region, sizeof fault->region, reader->text.data);
    else if (is(name, "Endpoint"))
        copy_text(fault->endpoint, sizeof fault->endpoint, reader->text.data);
}

void s3_xml_fault(const char *xml, size_t size, struct s3_fault *fault)
{
    *fault = (struct s3_fault){0};
    struct reader reader = {.ended = fault_element, .result = fault};
    read_xml(&reader, xml, size, NULL);
}
