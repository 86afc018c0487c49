#include "exporters/s3_options.h"

#include "core/aws/aws_plan.h"
#include "core/error.h"
#include "core/s3/s3_address.h"
#include "core/s3/s3_extras.h"
#include "exporters/exporter.h"
#include "exporters/s3.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct s3_texts s3_options_texts(const struct string_map *map)
{
    return (struct s3_texts){map->names, map->values, map->count};
}

static int check_tags(const void *tags, struct error *err)
{
    const struct s3_texts texts = s3_options_texts(tags);
    return s3_extras_check_tags(&texts, err);
}

static int check_metadata(const void *metadata, struct error *err)
{
    const struct s3_texts texts = s3_options_texts(metadata);
    return s3_extras_check_metadata(&texts, err);
}

static int check_encryption(const struct s3_exporter_options *options, struct error *err)
{
    const char *algorithm = options->encryption.algorithm, *key = options->encryption.kms_key;
    if (algorithm && s3_extras_check_encryption(algorithm, err) < 0)
        return -1;
    if (key && s3_extras_check_kms_key(key, err) < 0)
        return -1;
    if (key && algorithm && strcmp(algorithm, "aws:kms") != 0)
        return error_set(err, "a KMS key goes with aws:kms, not with %s: leave one out", algorithm);
    return 0;
}

/* AWS's other endpoints have names of their own, which a given endpoint can be. */
static int check_kinds(
    const struct s3_exporter_options *options, const char *key, struct error *err)
{
    bool given = !strcmp(key, "fips") ? options->fips : options->dualstack;
    if (!given || !options->endpoint)
        return 0;
    return error_set(
        err, "%s picks one of AWS's endpoints, and endpoint is given: leave one out", key);
}

static int check_text(const char *key, const char *text, struct error *err)
{
    static const struct {
        const char *key;
        int (*check)(const char *text, struct error *err);
    } checks[] = {
        {"bucket", s3_address_check_bucket},
        {"prefix", s3_address_check_prefix},
        {"region", s3_address_check_region},
        {"endpoint", s3_address_check_endpoint},
        {"role", aws_plan_check_role},
        {"expected_bucket_owner", s3_extras_check_owner},
        {"storage_class", s3_extras_check_storage_class},
    };
    for (size_t i = 0; text && i < sizeof checks / sizeof *checks; i++)
        if (!strcmp(checks[i].key, key))
            return checks[i].check(text, err);
    return 0;
}

static int check(
    const struct s3_exporter_options *options, const struct field *field, struct error *err)
{
    const void *value = (const char *)options + field->offset;
    if (!strcmp(field->key, "encryption"))
        return check_encryption(options, err);
    if (!strcmp(field->key, "tags"))
        return check_tags(value, err);
    if (!strcmp(field->key, "metadata"))
        return check_metadata(value, err);
    if (!strcmp(field->key, "external_id"))
        return aws_plan_check_external_id(options->external_id, options->role, err);
    if (!strcmp(field->key, "fips") || !strcmp(field->key, "dualstack"))
        return check_kinds(options, field->key, err);
    if (field->type == FIELD_STRING || field->type == FIELD_URL)
        return check_text(field->key, *(char *const *)value, err);
    return 0;
}

/* In the order of enum s3_path_style. */
static const char *const path_styles[] = {"auto", "true", "false", NULL};

#define AT(member) offsetof(struct s3_exporter_options, member)
static const struct field encryption_fields[] = {
    {.key = "algorithm",
        .type = FIELD_STRING,
        .offset = AT(encryption.algorithm) - AT(encryption),
        .help = "AES256 (keys of S3's own) or aws:kms (the account's key for S3)"},
    {.key = "kms_key",
        .type = FIELD_STRING,
        .offset = AT(encryption.kms_key) - AT(encryption),
        .help = "ARN of a KMS key; implies aws:kms"},
    {.key = NULL},
};

const struct field s3_options_fields[] = {
    {.key = "bucket",
        .type = FIELD_STRING,
        .offset = AT(bucket),
        .required = 1,
        .help = "the bucket's name"},
    {.key = "prefix",
        .type = FIELD_STRING,
        .offset = AT(prefix),
        .help = "the folder in the bucket"},
    {.key = "region",
        .type = FIELD_STRING,
        .offset = AT(region),
        .help =
            "the bucket's region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's, where this "
            "runs, us-east-1"},
    {.key = "endpoint",
        .type = FIELD_URL,
        .offset = AT(endpoint),
        .help = "an S3-compatible store; else AWS"},
    {.key = "path_style",
        .type = FIELD_CHOICE,
        .offset = AT(path_style),
        .otherwise = "auto",
        .choices = path_styles,
        .help = "https://host/bucket instead of https://bucket.host; auto: true for a given "
                "endpoint"},
    FIELDS_CA_FILE(AT(ca_file)),
    FIELDS_ROLE(AT(role)),
    FIELDS_EXTERNAL_ID(AT(external_id)),
    {.key = "expected_bucket_owner",
        .type = FIELD_STRING,
        .offset = AT(expected_bucket_owner),
        .help = "AWS account that has to own the bucket, else nothing is stored: 12 digits in "
                "quotes"},
    {.key = "encryption",
        .type = FIELD_STRUCT,
        .offset = AT(encryption),
        .fields = encryption_fields,
        .short_key = "algorithm",
        .help = "how the store encrypts objects; else as the bucket says"},
    {.key = "storage_class",
        .type = FIELD_STRING,
        .offset = AT(storage_class),
        .help = "of the objects, such as STANDARD_IA; else the bucket's"},
    {.key = "tags",
        .type = FIELD_TEXTS,
        .offset = AT(tags),
        .help = "tags of the objects, at most 10; takes s3:PutObjectTagging"},
    {.key = "metadata",
        .type = FIELD_TEXTS,
        .offset = AT(metadata),
        .help = "metadata of the objects, at most 2 KB"},
    {.key = "dualstack",
        .type = FIELD_BOOL,
        .offset = AT(dualstack),
        .otherwise = "off",
        .help = "AWS's endpoint for IPv4 and IPv6; not together with endpoint"},
    {.key = "fips",
        .type = FIELD_BOOL,
        .offset = AT(fips),
        .otherwise = "off",
        .help = "AWS's endpoint with FIPS 140 cryptography; not together with endpoint"},
    {.key = "verify",
        .type = FIELD_BOOL,
        .offset = AT(verify),
        .otherwise = "on",
        .help = "verify the store's TLS certificate; off is unsafe"},
    {.key = NULL},
};
#undef AT

/* What is wrong with the first of the fields after the one that was blamed last. */
int s3_options_validate(const void *data, const char **key, struct error *err)
{
    const struct field *field = s3_options_fields;
    while (*key && field->key && strcmp(field->key, *key) != 0)
        field++;
    for (field += *key && field->key; field->key; field++) {
        if (check(data, field, err) < 0) {
            *key = field->key;
            return -1;
        }
    }
    return 0;
}

void s3_options_complete(void *data)
{
    struct s3_exporter_options *options = data;
    if (options->path_style == S3_PATH_STYLE_AUTO)
        options->path_style = options->endpoint ? S3_PATH_STYLE_ON : S3_PATH_STYLE_OFF;
}
