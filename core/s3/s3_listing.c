#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/s3/s3_request.h"

#include <stdio.h>

/* A key of 1,024 bytes, encoded, with what is said of it. */
enum { MAX_QUERY = 8192, BYTES_PER_KEY = 4096, LEAST_ANSWER = 65536 };

struct s3_request *s3_list_page(struct s3 *s3, const char *prefix, size_t most,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct buf query;
    char number[24];
    snprintf(number, sizeof number, "%zu", most);
    buf_init(&query, MAX_QUERY);
    /* A prefix that is too long for it is one that no key has. */
    sigv4_add_query(&query, "list-type", "2");
    sigv4_add_query(&query, "encoding-type", "url");
    sigv4_add_query(&query, "max-keys", number);
    sigv4_add_query(&query, "prefix", prefix);
    const struct s3_call call = {.action = S3_LIST_BUCKET,
        .key = "",
        .query = query.data,
        .max_object = LEAST_ANSWER + most * BYTES_PER_KEY};
    struct s3_request *request = s3_request_start(s3, &call, done, arg);
    buf_free(&query);
    return request;
}
