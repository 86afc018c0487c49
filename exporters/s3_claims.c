#include "exporters/s3_claims.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/s3/s3.h"
#include "core/s3/s3_xml.h"
#include "core/sha256.h"
#include "exporters/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ConditionalRequestConflict: another write of the same key is under way.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
enum { CONFLICT = 409 };

/* One request: a claim or a count. */
struct asking {
    struct s3_claims *claims;
    struct asking *next;
    struct s3_request *request;
    char *text; /* is sent */
    void (*claimed)(void *arg, const struct claim_result *result);
    void (*counted)(void *arg, const struct count_result *result);
    void *arg;
};

struct s3_claims {
    struct s3 *s3;
    struct asking *first;
};

struct s3_claims *s3_claims_open(struct s3 *s3)
{
    struct s3_claims *claims = xcalloc(1, sizeof *claims);
    claims->s3 = s3;
    return claims;
}

static void asking_free(struct asking *asking)
{
    free(asking->text);
    free(asking);
}

void s3_claims_close(struct s3_claims *claims)
{
    while (claims->first) {
        struct asking *asking = claims->first;
        claims->first = asking->next;
        s3_cancel(asking->request);
        asking_free(asking);
    }
    free(claims);
}

static struct asking *begin(struct s3_claims *claims, void *arg)
{
    struct asking *asking = xcalloc(1, sizeof *asking);
    *asking = (struct asking){.claims = claims, .next = claims->first, .arg = arg};
    claims->first = asking;
    return asking;
}

static void unlink_it(struct asking *asking)
{
    struct asking **at = &asking->claims->first;
    while (*at != asking)
        at = &(*at)->next;
    *at = asking->next;
}

static enum claim_outcome outcome_of(const struct s3_result *result)
{
    if (result->outcome == S3_OK)
        return CLAIM_TAKEN;
    if (result->unconditional)
        return CLAIM_UNABLE;
    return result->exists ? CLAIM_EXISTS : CLAIM_FAILED;
}

static void claim_done(void *arg, const struct s3_result *s3_result)
{
    struct asking *asking = arg;
    struct claim_result result = {.outcome = outcome_of(s3_result),
        .refused = s3_result->outcome == S3_REFUSED,
        .busy = s3_result->status == CONFLICT,
        .retry_after_ms = s3_result->retry_after_ms};
    if (result.outcome == CLAIM_UNABLE)
        snprintf(result.reason, sizeof result.reason, "%s",
            "the store does not know conditional writes (If-None-Match)");
    else if (result.outcome == CLAIM_FAILED)
        snprintf(result.reason, sizeof result.reason, "%s", s3_result->reason);
    unlink_it(asking);
    asking->claimed(asking->arg, &result);
    asking_free(asking);
}

void s3_claims_claim(struct s3_claims *claims, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct asking *asking = begin(claims, arg);
    char sha256[SHA256_HEX_SIZE];
    asking->text = xstrdup(text);
    asking->claimed = done;
    sha256_hash(text, strlen(text), sha256);
    asking->request = s3_put(claims->s3,
        &(struct s3_object){.key = key,
            .data = asking->text,
            .size = strlen(text),
            .sha256 = sha256,
            .content_type = "application/json",
            .only_new = true,
            .strict = true},
        claim_done, asking);
}

static void count_done(void *arg, const struct s3_result *s3_result)
{
    struct asking *asking = arg;
    struct count_result result = {.count = -1};
    struct s3_page page = {0};
    struct error err = {0};
    if (s3_result->outcome != S3_OK)
        error_set(&err, "%s", s3_result->reason);
    else if (s3_xml_page(s3_result->body->data, s3_result->body->size, &page, &err) == 0)
        result.count = (int64_t)page.count;
    s3_page_free(&page);
    snprintf(result.reason, sizeof result.reason, "%s", err.text);
    unlink_it(asking);
    asking->counted(asking->arg, &result);
    asking_free(asking);
}

void s3_claims_count(struct s3_claims *claims, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    struct asking *asking = begin(claims, arg);
    asking->counted = done;
    asking->request = s3_list_page(claims->s3, key, EXPORTER_COUNT_MAX, count_done, asking);
}
