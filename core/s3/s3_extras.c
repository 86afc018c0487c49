#include "core/s3/s3_extras.h"

#include "core/alloc.h"
#include "core/aws/aws_plan.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/error.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* S3's limits: characters of a tag, bytes of all metadata. */
enum { MAX_TAGS = 10, MAX_TAG_NAME = 128, MAX_TAG_VALUE = 256, MAX_METADATA = 2048 };
enum { MAX_TAGGING = 64 * 1024, ACCOUNT_DIGITS = 12 };

static char *encode_tags(const struct s3_texts *tags)
{
    struct buf query;
    if (tags->count == 0)
        return NULL;
    buf_init(&query, MAX_TAGGING);
    for (size_t i = 0; i < tags->count; i++)
        sigv4_add_query(&query, tags->names[i], tags->values[i]);
    return buf_take(&query);
}

/* S3 gives the names back in lower case, and so they are sent. */
static char *metadata_header(const char *name)
{
    char *header = xasprintf("x-amz-meta-%s", name);
    for (char *c = header; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return header;
}

void s3_extras_init(struct s3_extras *extras, const struct s3_settings *settings)
{
    const struct s3_texts *metadata = &settings->metadata;
    const char *encryption = settings->kms_key ? "aws:kms" : settings->encryption;
    *extras = (struct s3_extras){.owner = xstrdup_or_null(settings->expected_bucket_owner),
        .encryption = xstrdup_or_null(encryption),
        .kms_key = xstrdup_or_null(settings->kms_key),
        .storage_class = xstrdup_or_null(settings->storage_class),
        .tagging = encode_tags(&settings->tags)};
    if (metadata->count == 0)
        return;
    extras->names = xcalloc(metadata->count, sizeof *extras->names);
    extras->values = xcalloc(metadata->count, sizeof *extras->values);
    for (; extras->count < metadata->count; extras->count++) {
        extras->names[extras->count] = metadata_header(metadata->names[extras->count]);
        extras->values[extras->count] = xstrdup(metadata->values[extras->count]);
    }
}

void s3_extras_copy(struct s3_extras *to, const struct s3_extras *from)
{
    *to = (struct s3_extras){.owner = xstrdup_or_null(from->owner),
        .encryption = xstrdup_or_null(from->encryption),
        .kms_key = xstrdup_or_null(from->kms_key),
        .storage_class = xstrdup_or_null(from->storage_class),
        .tagging = xstrdup_or_null(from->tagging),
        .names = xcalloc(from->count, sizeof *to->names),
        .values = xcalloc(from->count, sizeof *to->values)};
    for (; to->count < from->count; to->count++) {
        to->names[to->count] = xstrdup(from->names[to->count]);
        to->values[to->count] = xstrdup(from->values[to->count]);
    }
}

void s3_extras_free(struct s3_extras *extras)
{
    for (size_t i = 0; i < extras->count; i++) {
        free(extras->names[i]);
        free(extras->values[i]);
    }
    free(extras->names);
    free(extras->values);
    free(extras->owner);
    free(extras->encryption);
    free(extras->kms_key);
    free(extras->storage_class);
    free(extras->tagging);
    *extras = (struct s3_extras){0};
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* Letters and digits of any language, spaces and a few signs; which letters there are beyond ASCII
 * is the store's to say. */
static bool is_tag_text(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x80 && !isalnum((unsigned char)*c) && !strchr(" +-=._:/@", *c))
            return false;
    return true;
}

static int check_tag(const char *name, const char *value, struct error *err)
{
    size_t length = characters(name);
    if (length < 1 || length > MAX_TAG_NAME)
        return error_set(err, "the tag %.40s has a name of %zu characters: 1 to %d are allowed",
            name, length, MAX_TAG_NAME);
    if (characters(value) > MAX_TAG_VALUE)
        return error_set(err, "the value of the tag %.40s has %zu characters: %d are allowed", name,
            characters(value), MAX_TAG_VALUE);
    if (!is_tag_text(name) || !is_tag_text(value))
        return error_set(err,
            "the tag %.40s holds a sign that S3 does not take: letters, digits, spaces and "
            "+ - = . _ : / @ are allowed",
            name);
    if (!strncasecmp(name, "aws:", 4))
        return error_set(err, "the tag %.40s begins with aws:, which is AWS's own", name);
    return 0;
}

int s3_extras_check_tags(const struct s3_texts *tags, struct error *err)
{
    if (tags->count > MAX_TAGS)
        return error_set(err, "an object has at most %d tags, not %zu", MAX_TAGS, tags->count);
    for (size_t i = 0; i < tags->count; i++)
        if (check_tag(tags->names[i], tags->values[i], err) < 0)
            return -1;
    return 0;
}

static bool is_token(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return *text != '\0';
}

static bool is_printable(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return true;
}

int s3_extras_check_metadata(const struct s3_texts *metadata, struct error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < metadata->count; i++) {
        const char *name = metadata->names[i], *value = metadata->values[i];
        if (!is_token(name))
            return error_set(err,
                "\"%.40s\" cannot be the name of metadata, as it is part of a header's: take "
                "letters, digits and -",
                name);
        for (size_t j = 0; j < i; j++)
            if (!strcasecmp(name, metadata->names[j]))
                return error_set(err, "the name %.40s is there twice: case does not count", name);
        if (!is_printable(value))
            return error_set(
                err, "the metadata %.40s holds more than ASCII, which headers do not carry", name);
        bytes += strlen(name) + strlen(value);
    }
    if (bytes > MAX_METADATA)
        return error_set(
            err, "names and values have %zu bytes together: S3 takes %d", bytes, (int)MAX_METADATA);
    return 0;
}

int s3_extras_check_encryption(const char *encryption, struct error *err)
{
    if (!strcmp(encryption, "AES256") || !strcmp(encryption, "aws:kms"))
        return 0;
    return error_set(err,
        "\"%.80s\" is no encryption of S3: write AES256, aws:kms (the key of the account) or "
        "{kms_key: \"arn:aws:kms:...\"}",
        encryption);
}

int s3_extras_check_kms_key(const char *key, struct error *err)
{
    bool arn = !strncmp(key, "arn:", 4);
    if (is_printable(key) && !strchr(key, ' ') &&
        (!arn || strstr(key, ":kms:") || aws_plan_is_example(key)))
        return 0;
    return error_set(err,
        "\"%.80s\" is no KMS key: write its ARN, arn:aws:kms:<region>:<account>:key/<id>", key);
}

int s3_extras_check_storage_class(const char *name, struct error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (!*name || name[strspn(name, letters)] != '\0')
        return error_set(err,
            "\"%.80s\" is no storage class: STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING "
            "and GLACIER_IR are S3's",
            name);
    if (!strcmp(name, "GLACIER") || !strcmp(name, "DEEP_ARCHIVE"))
        return error_set(err,
            "%s cannot be read without being restored first, so no incident could be listed or "
            "reviewed: take GLACIER_IR, or a lifecycle rule that archives old ones",
            name);
    return 0;
}

int s3_extras_check_owner(const char *account, struct error *err)
{
    if (strlen(account) == ACCOUNT_DIGITS && strspn(account, "0123456789") == ACCOUNT_DIGITS)
        return 0;
    return error_set(
        err, "\"%.80s\" is no AWS account: it is a number of 12 digits, in quotes", account);
}
