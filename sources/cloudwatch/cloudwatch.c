#include "sources/cloudwatch/cloudwatch.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_region.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t timeout_ms = 20000;
static const char form_type[] = "application/x-www-form-urlencoded; charset=utf-8";
static const char otherwise_region[] = "us-east-1";

struct cloudwatch {
    struct loop *loop;
    const struct cloudwatch_target *target;
    struct aws *aws;
    char *form; /* what is being asked; NULL: nothing */
    size_t metrics;
    char *region; /* of the question */
    struct aws_request *asking;
    struct http_request *sending;
    unsigned credentials; /* the number of those that were taken */
    bool token_renewed;
    void (*done)(void *arg, struct cloudwatch_result *result);
    void *arg;
};

struct cloudwatch *cloudwatch_open(
    struct loop *loop, const struct cloudwatch_target *target, const char *service, bool announce)
{
    struct cloudwatch *cloudwatch = xcalloc(1, sizeof *cloudwatch);
    cloudwatch->loop = loop;
    cloudwatch->target = target;
    char *session_name = xasprintf("stakeout-%s", service);
    cloudwatch->aws = aws_open(&(struct aws_setup){.loop = loop,
        .wishes = {target->role, target->external_id, session_name},
        .region = target->region,
        .find_region = true,
        .announce = announce});
    free(session_name);
    return cloudwatch;
}

void cloudwatch_close(struct cloudwatch *cloudwatch)
{
    if (!cloudwatch)
        return;
    aws_cancel(cloudwatch->asking);
    http_cancel(cloudwatch->sending);
    aws_close(cloudwatch->aws);
    free(cloudwatch->form);
    free(cloudwatch->region);
    free(cloudwatch);
}

bool cloudwatch_is_asking(const struct cloudwatch *cloudwatch)
{
    return cloudwatch->form != NULL;
}

char *cloudwatch_series(const struct cloudwatch_target *target, const char *metric)
{
    return target->name ? xasprintf("rds.%s.%s", target->name, metric)
                        : xasprintf("rds.%s", metric);
}

static void finish(struct cloudwatch *cloudwatch, struct cloudwatch_result *result)
{
    char *region = cloudwatch->region;
    free(cloudwatch->form);
    cloudwatch->form = NULL;
    cloudwatch->region = NULL;
    result->region = region ? region : otherwise_region;
    cloudwatch->done(cloudwatch->arg, result);
    free(region);
}

static void fail(struct cloudwatch *cloudwatch, enum cloudwatch_outcome outcome, const char *reason)
{
    struct cloudwatch_result result = {.verdict = {.outcome = outcome}};
    snprintf(result.verdict.reason, sizeof result.verdict.reason, "CloudWatch: %s", reason);
    finish(cloudwatch, &result);
}

static void got_credentials(void *arg, const struct aws_answer *answer);

static void answered(void *arg, const struct http_result *http)
{
    struct cloudwatch *cloudwatch = arg;
    struct cloudwatch_result result = {.region = cloudwatch->region};
    cloudwatch->sending = NULL;
    cloudwatch_lines_init(&result.lines, cloudwatch->metrics);
    cloudwatch_judge(cloudwatch->target, cloudwatch->region,
        &(struct cloudwatch_answer){.outcome = http->outcome,
            .status = http->status,
            .error = http->error->text,
            .body = http->body.data,
            .size = http->body.size},
        &result.lines, &result.verdict);
    if (result.verdict.token_expired && !cloudwatch->token_renewed &&
        aws_renew(cloudwatch->aws, cloudwatch->credentials)) {
        cloudwatch_lines_free(&result.lines);
        cloudwatch->token_renewed = true;
        cloudwatch->asking = aws_get(cloudwatch->aws, got_credentials, cloudwatch);
        return;
    }
    finish(cloudwatch, &result);
}

/* https://docs.aws.amazon.com/general/latest/gr/cw_region.html. The caller frees. */
static char *url_of(const struct cloudwatch *cloudwatch)
{
    char *amazon = xasprintf(
        "https://monitoring.%s.%s", cloudwatch->region, aws_region_domain(cloudwatch->region));
    const char *given = cloudwatch->target->endpoint;
    if (!given)
        given = aws_service_endpoint("AWS_ENDPOINT_URL_CLOUDWATCH", amazon);
    size_t length = strlen(given);
    while (length && given[length - 1] == '/')
        length--;
    char *url = xasprintf("%.*s/", (int)length, given);
    free(amazon);
    return url;
}

static int sign(const struct cloudwatch *cloudwatch, const struct sigv4_credentials *credentials,
    const char *host, struct sigv4_signature *signature, struct error *err)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(cloudwatch->form, strlen(cloudwatch->form), hash);
    const struct sigv4_header headers[] = {{"Host", host}, {"Content-Type", form_type}};
    return sigv4_sign(&(struct sigv4_scope){.credentials = *credentials,
                          .region = cloudwatch->region,
                          .service = "monitoring",
                          .time_ms = clock_wall_ms(),
                          .normalize_path = true},
        &(struct sigv4_request){.method = "POST",
            .path = "/",
            .headers = headers,
            .header_count = 2,
            .payload_hash = hash},
        signature, err);
}

static void send_signed(
    struct cloudwatch *cloudwatch, const char *url, const char *host, char *const *signature)
{
    char *host_header = xasprintf("Host: %s", host);
    char *type_header = xasprintf("Content-Type: %s", form_type);
    const char *headers[8] = {host_header, type_header};
    size_t count = 2;
    for (; *signature; signature++)
        headers[count++] = *signature;
    cloudwatch->sending = http_start(
        cloudwatch->loop, &(struct http_options){
                              .method = "POST",
                              .url = url,
                              .headers = headers,
                              .upload = cloudwatch->form,
                              .upload_bytes = strlen(cloudwatch->form),
                              .ca_file = cloudwatch->target->ca_file,
                              .proxy = true,
                              .timeout_ms = timeout_ms,
                              .max_answer_bytes = CLOUDWATCH_ANSWER_MAX,
                              .done = answered,
                              .arg = cloudwatch,
                          });
    free(host_header);
    free(type_header);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct cloudwatch *cloudwatch = arg;
    struct sigv4_signature signature;
    struct error err;
    cloudwatch->asking = NULL;
    cloudwatch->credentials = answer->number;
    if (!answer->credentials) {
        fail(cloudwatch, answer->may_recover ? CLOUDWATCH_RETRY : CLOUDWATCH_REFUSED,
            answer->reason);
        return;
    }
    free(cloudwatch->region);
    const char *region = cloudwatch->target->region ? cloudwatch->target->region : answer->region;
    cloudwatch->region = xstrdup(region ? region : otherwise_region);
    char *url = url_of(cloudwatch), *host = http_host(url);
    int status = sign(cloudwatch, answer->credentials, host, &signature, &err);
    if (status == 0)
        send_signed(cloudwatch, url, host, signature.headers);
    sigv4_free(&signature);
    free(host);
    free(url);
    if (status < 0)
        fail(cloudwatch, CLOUDWATCH_REFUSED, err.text);
}

void cloudwatch_ask(struct cloudwatch *cloudwatch, const struct cloudwatch_query *query,
    void (*done)(void *arg, struct cloudwatch_result *result), void *arg)
{
    cloudwatch->form = cloudwatch_form(cloudwatch->target, query);
    cloudwatch->metrics = query->count;
    cloudwatch->token_renewed = false;
    cloudwatch->done = done;
    cloudwatch->arg = arg;
    cloudwatch->asking = aws_get(cloudwatch->aws, got_credentials, cloudwatch);
}
