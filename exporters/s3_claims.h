/* Claims and counts in a bucket, for exporters/s3.c: objects that are put only where none is. */
#ifndef EXPORTERS_S3_CLAIMS_H
#define EXPORTERS_S3_CLAIMS_H

struct claim_result;
struct count_result;
struct s3;
struct s3_claims;

struct s3_claims *s3_claims_open(struct s3 *s3);
void s3_claims_close(struct s3_claims *claims); /* ends what runs, without `done` */

/* As exporter_kind.claim and count do; keys are the bucket's. */
void s3_claims_claim(struct s3_claims *claims, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg);
void s3_claims_count(struct s3_claims *claims, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg);

#endif
