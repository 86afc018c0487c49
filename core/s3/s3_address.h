/* Where a bucket is: host and path of its objects, path style or virtual-hosted style. */
#ifndef CORE_S3_ADDRESS_H
#define CORE_S3_ADDRESS_H

#include <stdbool.h>

struct error;
struct s3_settings;

/* All strings are owned. */
struct s3_address {
    char *bucket;
    char *region;
    char *origin; /* "https://woogles.s3.us-east-1.amazonaws.com", "http://127.0.0.1:7480" */
    char *host;   /* what the Host header says: without the scheme's own port */
    char *path;   /* of the bucket, not encoded: "/" or "/bucket/" */
    bool own;     /* the endpoint is AWS's of the region, not a given one */
    bool dualstack, fips;
};

/* -1 and err when it cannot work: a bucket's name by the rules for new buckets (NULL: none), a
 * region, an endpoint (only scheme, host and port, without credentials), a prefix of keys. */
int s3_address_check_bucket(const char *bucket, struct error *err);
int s3_address_check_region(const char *region, struct error *err);
int s3_address_check_endpoint(const char *endpoint, struct error *err);
int s3_address_check_prefix(const char *prefix, struct error *err);

/* -1 and err when bucket, region or endpoint cannot work. A bucket with a dot in its name, which no
 * certificate's wildcard covers as part of a host's, is addressed in path style. */
int s3_address_init(
    struct s3_address *address, const struct s3_settings *settings, struct error *err);

/* Makes it the address of the same bucket in another region: the host changes where it is AWS's
 * own, else only what is signed. -1 and err for what is no region. */
int s3_address_move(struct s3_address *address, const char *region, struct error *err);
void s3_address_copy(struct s3_address *to, const struct s3_address *from);
void s3_address_free(struct s3_address *address);

/* The URL of a key ("" for the bucket itself), encoded as it is signed, with a query that is
 * encoded already ("" or NULL: none). The caller frees. */
char *s3_address_url(const struct s3_address *address, const char *key, const char *query);

#endif
