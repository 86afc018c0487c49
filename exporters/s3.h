/* Options of the S3 exporter, public because whoever reads a bucket back needs the same. */
#ifndef EXPORTERS_S3_H
#define EXPORTERS_S3_H

#include "config/fields.h"
#include "core/s3/s3.h"

#include <stdbool.h>

enum s3_path_style { S3_PATH_STYLE_AUTO, S3_PATH_STYLE_ON, S3_PATH_STYLE_OFF };

struct s3_exporter_options {
    char *bucket;
    char *prefix; /* as written: slashes at its ends mean nothing */
    char *region;
    char *endpoint;
    int path_style; /* enum s3_path_style */
    char *ca_file;
    bool dualstack, fips;
    char *role, *external_id;
    char *expected_bucket_owner;
    struct {
        char *algorithm; /* "AES256", "aws:kms" */
        char *kms_key;
    } encryption;
    char *storage_class;
    struct string_map tags, metadata;
    bool verify;
};

/* The settings for core/s3. They point into the options, but for the prefix, which the caller gives
 * from s3_exporter_prefix. */
struct s3_settings s3_exporter_settings(
    const struct s3_exporter_options *options, const char *prefix);

/* The prefix without slashes at its ends; "" when there is none. The caller frees. */
char *s3_exporter_prefix(const struct s3_exporter_options *options);

#endif
