/* What every object is stored with besides its content: encryption, storage class, tags, metadata.
 * Checked when the configuration is read, kept as what their headers say. */
#ifndef CORE_S3_EXTRAS_H
#define CORE_S3_EXTRAS_H

#include "core/s3/s3.h"

#include <stddef.h>

struct error;

/* All strings are owned; NULL: not given. */
struct s3_extras {
    char *owner;      /* x-amz-expected-bucket-owner, of every request */
    char *encryption; /* "AES256", "aws:kms" */
    char *kms_key;
    char *storage_class;
    char *tagging; /* "team=games&of=woogles", encoded */
    char **names;  /* "x-amz-meta-team" */
    char **values;
    size_t count;
};

void s3_extras_init(struct s3_extras *extras, const struct s3_settings *settings);
void s3_extras_copy(struct s3_extras *to, const struct s3_extras *from);
void s3_extras_free(struct s3_extras *extras);

/* -1 and err for what S3 would refuse.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
int s3_extras_check_tags(const struct s3_texts *tags, struct error *err);
int s3_extras_check_metadata(const struct s3_texts *metadata, struct error *err);
int s3_extras_check_encryption(const char *encryption, struct error *err);
int s3_extras_check_kms_key(const char *key, struct error *err);
int s3_extras_check_storage_class(const char *name, struct error *err);
int s3_extras_check_owner(const char *account, struct error *err);

#endif
