#include "core/aws/aws_sts_call.h"

#include "core/alloc.h"
#include "core/aws/aws_clock.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_query.h"
#include "core/aws/aws_temporary.h"
#include "core/clock.h"
#include "core/error.h"

#include <stdlib.h>

struct aws_sts_call {
    struct loop *loop;
    struct aws_temporary credentials; /* access_key NULL: none */
    char *form, *region;
    const char *ca_file;
    int64_t *clock_offset_ms;
    int64_t sent_ms;
    bool clock_mended; /* tried once */
    struct http_request *http;
    void (*done)(void *arg, const struct http_result *result);
    void *arg;
};

static void release(struct aws_sts_call *call)
{
    aws_temporary_free(&call->credentials);
    aws_wipe(call->form);
    free(call->region);
    free(call);
}

static void answered(void *arg, const struct http_result *result);

static void post(
    struct aws_sts_call *call, const char *url, const char *host, char *const *signature_headers)
{
    char *host_header = xasprintf("Host: %s", host);
    struct aws_http_question question = {.method = "POST",
        .url = url,
        .headers = {"Content-Type: " AWS_QUERY_TYPE, host_header},
        .body = call->form,
        .ca_file = call->ca_file};
    const size_t most = sizeof question.headers / sizeof *question.headers - 1;
    for (size_t i = 2; signature_headers && *signature_headers && i < most; i++)
        question.headers[i] = *signature_headers++;
    call->http = aws_http_ask(call->loop, &question, answered, call);
    free(host_header);
}

static int send_now(struct aws_sts_call *call, struct error *err)
{
    struct sigv4_signature signature;
    char *url = aws_sts_url(call->region), *host = http_host(url);
    int status = 0;
    call->sent_ms = clock_wall_ms() + *call->clock_offset_ms;
    if (!call->credentials.access_key) {
        post(call, url, host, NULL);
    } else {
        const struct sigv4_scope scope = {
            .credentials = {call->credentials.access_key, call->credentials.secret_key,
                call->credentials.session_token},
            .region = call->region,
            .service = "sts",
            .time_ms = call->sent_ms,
        };
        status = aws_query_sign(&scope, host, call->form, &signature, err);
        if (status == 0)
            post(call, url, host, signature.headers);
        sigv4_free(&signature);
    }
    free(host);
    free(url);
    return status;
}

/* Notes STS's clock where it is far from what was signed with; true when that is why STS refused.
 * Also with an unsigned question's answer: how long credentials live is judged by it. */
static bool mend_clock(struct aws_sts_call *call, const struct http_result *result)
{
    if (!aws_clock_learn(
            call->clock_offset_ms, call->sent_ms, http_header(result, "Date"), "AWS STS"))
        return false;
    bool refused = (result->status == 403 || result->status == 400) && !call->clock_mended &&
                   call->credentials.access_key;
    call->clock_mended = true;
    return refused;
}

static void answered(void *arg, const struct http_result *result)
{
    struct aws_sts_call *call = arg;
    call->http = NULL;
    if (mend_clock(call, result) && send_now(call, NULL) == 0)
        return;
    call->done(call->arg, result);
    release(call);
}

struct aws_sts_call *aws_sts_ask(struct loop *loop, const struct aws_sts_question *question,
    void (*done)(void *arg, const struct http_result *result), void *arg, struct error *err)
{
    struct aws_sts_call *call = xcalloc(1, sizeof *call);
    *call = (struct aws_sts_call){.loop = loop,
        .form = aws_sts_form(question->action, question->role, question->token),
        .region = xstrdup(question->region),
        .ca_file = question->ca_file,
        .clock_offset_ms = question->clock_offset_ms,
        .done = done,
        .arg = arg};
    if (question->credentials)
        aws_temporary_copy(&call->credentials, question->credentials);
    if (send_now(call, err) == 0)
        return call;
    release(call);
    return NULL;
}

void aws_sts_cancel(struct aws_sts_call *call)
{
    if (!call)
        return;
    http_cancel(call->http);
    release(call);
}
