/* What a person should do about the errors that S3 and stores like it give: a table. */
#ifndef CORE_S3_REMEDY_H
#define CORE_S3_REMEDY_H

/* A sentence for an error code, or NULL for one that has none of its own.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what Ceph, MinIO, R2 and
 * Google add to it. */
const char *s3_remedy_of(const char *code);

#endif
