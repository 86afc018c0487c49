#include "core/aws/aws_query.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_clock.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_fault.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/sha256.h"

#include <stdlib.h>
#include <string.h>

static const char otherwise_region[] = "us-east-1";

struct aws_query {
    struct loop *loop;
    struct aws_query_question question;
    char *region; /* NULL: not known yet */
    struct aws_request *asking;
    struct http_request *sending;
    unsigned credentials; /* the number of those that were taken */
    int64_t sent_ms;
    bool clock_mended, token_renewed; /* each is tried once */
    void (*done)(void *arg, const struct aws_query_answer *answer);
    void *arg;
};

static void release(struct aws_query *query)
{
    free(query->region);
    free(query);
}

static void finish(struct aws_query *query, struct aws_query_answer *answer)
{
    answer->region = query->region ? query->region : otherwise_region;
    query->done(query->arg, answer);
    release(query);
}

static void got_credentials(void *arg, const struct aws_answer *answer);

static bool mend_clock(struct aws_query *query, const struct http_result *http)
{
    bool refused = http->status == 400 || http->status == 403;
    if (!refused || query->clock_mended)
        return false;
    return query->clock_mended = aws_clock_learn(aws_clock_offset_ms(query->question.aws),
               query->sent_ms, http_header(http, "Date"), query->question.title);
}

static bool renew_token(struct aws_query *query, const struct http_result *http)
{
    struct aws_fault fault;
    if (http->status == 200 || query->token_renewed)
        return false;
    aws_fault_read(&fault, http->body.data, http->body.size);
    const struct aws_remedy *remedy = aws_fault_remedy(fault.code);
    return query->token_renewed = remedy && remedy->end == AWS_FAULT_EXPIRED &&
                                  aws_renew(query->question.aws, query->credentials);
}

static void answered(void *arg, const struct http_result *http)
{
    struct aws_query *query = arg;
    query->sending = NULL;
    if (http->outcome == HTTP_ANSWERED && (mend_clock(query, http) || renew_token(query, http)))
        query->asking = aws_get(query->question.aws, got_credentials, query);
    else
        finish(query, &(struct aws_query_answer){.http = http});
}

int aws_query_sign(const struct sigv4_scope *scope, const char *host, const char *form,
    struct sigv4_signature *signature, struct error *err)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(form, strlen(form), hash);
    const struct sigv4_header headers[] = {{"Host", host}, {"Content-Type", AWS_QUERY_TYPE}};
    return sigv4_sign(scope,
        &(struct sigv4_request){.method = "POST",
            .path = "/",
            .headers = headers,
            .header_count = 2,
            .payload_hash = hash},
        signature, err);
}

static void post(struct aws_query *query, const char *url, const char *host, char *const *signature)
{
    const struct aws_query_question *question = &query->question;
    char *host_header = xasprintf("Host: %s", host);
    const char *headers[8] = {"Content-Type: " AWS_QUERY_TYPE, host_header};
    for (size_t count = 2; *signature; signature++)
        headers[count++] = *signature;
    query->sending = http_start(query->loop, &(struct http_options){
                                                 .method = "POST",
                                                 .url = url,
                                                 .headers = headers,
                                                 .upload = question->form,
                                                 .upload_bytes = strlen(question->form),
                                                 .ca_file = question->ca_file,
                                                 .proxy = true,
                                                 .timeout_ms = question->timeout_ms,
                                                 .max_answer_bytes = question->max_answer_bytes,
                                                 .done = answered,
                                                 .arg = query,
                                             });
    free(host_header);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct aws_query *query = arg;
    const struct aws_query_question *question = &query->question;
    struct sigv4_signature signature;
    struct error err;
    query->asking = NULL;
    query->credentials = answer->number;
    if (!answer->credentials) {
        finish(query, &(struct aws_query_answer){
                          .reason = answer->reason, .may_recover = answer->may_recover});
        return;
    }
    if (!query->region)
        query->region = xstrdup(answer->region ? answer->region : otherwise_region);
    query->sent_ms = clock_wall_ms() + *aws_clock_offset_ms(question->aws);
    char *url = aws_service_url(
        question->service, query->region, question->endpoint, question->variable);
    char *host = http_host(url);
    int status = aws_query_sign(&(struct sigv4_scope){.credentials = *answer->credentials,
                                    .region = query->region,
                                    .service = question->service,
                                    .time_ms = query->sent_ms,
                                    .normalize_path = true},
        host, question->form, &signature, &err);
    if (status == 0)
        post(query, url, host, signature.headers);
    sigv4_free(&signature);
    free(host);
    free(url);
    if (status < 0)
        finish(query, &(struct aws_query_answer){.reason = err.text});
}

struct aws_query *aws_query_ask(struct loop *loop, const struct aws_query_question *question,
    void (*done)(void *arg, const struct aws_query_answer *answer), void *arg)
{
    struct aws_query *query = xcalloc(1, sizeof *query);
    *query = (struct aws_query){.loop = loop, .question = *question, .done = done, .arg = arg};
    query->region = xstrdup_or_null(question->region);
    query->asking = aws_get(question->aws, got_credentials, query);
    return query;
}

void aws_query_cancel(struct aws_query *query)
{
    if (!query)
        return;
    aws_cancel(query->asking);
    http_cancel(query->sending);
    release(query);
}
