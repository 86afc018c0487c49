#include "core/s3/s3_presign.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/s3/s3_request.h"

#include <stdlib.h>

enum { MAX_SECONDS = 604800 };

struct s3_presigning {
    struct s3 *s3;
    char *key;
    int64_t seconds;
    struct s3_request *proving; /* the region */
    struct aws_request *asking;
    void (*done)(void *arg, const struct s3_link *link);
    void *arg;
};

static void release(struct s3_presigning *presigning)
{
    free(presigning->key);
    free(presigning);
}

void s3_presign_cancel(struct s3_presigning *presigning)
{
    if (!presigning)
        return;
    s3_cancel(presigning->proving);
    aws_cancel(presigning->asking);
    release(presigning);
}

/* The URL; NULL and err when it cannot be signed. The caller frees. */
static char *sign(const struct s3_presigning *presigning,
    const struct sigv4_credentials *credentials, int64_t now_ms, struct error *err)
{
    const struct s3_address *address = &presigning->s3->address;
    const struct sigv4_scope scope = {
        .credentials = *credentials, .region = address->region, .service = "s3", .time_ms = now_ms};
    const struct sigv4_header host = {"Host", address->host};
    char *path = xasprintf("%s%s", address->path, presigning->key);
    struct sigv4_signature signature;
    int status = sigv4_presign(&scope,
        &(struct sigv4_request){.method = "GET",
            .path = path,
            .headers = &host,
            .header_count = 1,
            .payload_hash = "UNSIGNED-PAYLOAD"},
        presigning->seconds, &signature, err);
    char *url = status == 0 ? s3_address_url(address, presigning->key, signature.query.data) : NULL;
    sigv4_free(&signature);
    free(path);
    return url;
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct s3_presigning *presigning = arg;
    struct s3_link link = {.may_recover = answer->may_recover, .reason = answer->reason};
    struct error err = {0};
    char *url = NULL;
    if (answer->credentials) {
        int64_t now_ms = clock_wall_ms() + presigning->s3->clock_offset_ms;
        int64_t expires_ms = now_ms / 1000 * 1000 + presigning->seconds * 1000;
        s3_settle_region(presigning->s3, answer->region);
        url = sign(presigning, answer->credentials, now_ms, &err);
        link = (struct s3_link){.url = url, .reason = err.text};
        link.expires_ms = expires_ms < answer->expires_ms ? expires_ms : answer->expires_ms;
    }
    presigning->done(presigning->arg, &link);
    free(url);
    release(presigning);
}

static void proved(void *arg, const struct s3_result *result)
{
    struct s3_presigning *presigning = arg;
    (void)result;
    presigning->proving = NULL;
    presigning->asking = aws_get(presigning->s3->aws, got_credentials, presigning);
}

struct s3_presigning *s3_presign(struct s3 *s3, const char *key, int64_t seconds,
    void (*done)(void *arg, const struct s3_link *link), void *arg)
{
    struct s3_presigning *presigning = xcalloc(1, sizeof *presigning);
    *presigning = (struct s3_presigning){.s3 = s3, .key = xstrdup(key), .done = done, .arg = arg};
    presigning->seconds = seconds < 1 ? 1 : seconds > MAX_SECONDS ? MAX_SECONDS : seconds;
    if (s3->region_sure)
        presigning->asking = aws_get(s3->aws, got_credentials, presigning);
    else
        presigning->proving = s3_list_page(s3, presigning->key, 1, proved, presigning);
    return presigning;
}
