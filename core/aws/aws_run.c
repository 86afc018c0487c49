#include "core/aws/aws_run.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_process.h"
#include "core/aws/aws_sts.h"
#include "core/aws/aws_temporary.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/loop.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FETCH_TIMEOUT_MS = 5000, CONNECT_TIMEOUT_MS = 2000, MAX_ANSWER = 65536, MAX_TOKEN = 65536 };
/* Where there is no instance metadata nobody answers, and somebody waits for that. */
enum { INSTANCE_TIMEOUT_MS = 1000 };

struct aws_run {
    struct aws_run_setup setup;
    struct loop_timer *timer; /* the beginning, on the loop */
    struct http_request *http;
    struct aws_process *process;
    struct aws_temporary now; /* what is there so far */
    size_t roles_done;
    char *instance_token; /* of the instance metadata */
    char *form;           /* that is being posted to STS */
    void (*answered)(struct aws_run *run, const struct http_result *result);
};

static void release(struct aws_run *run)
{
    loop_timer_free(run->timer);
    aws_temporary_free(&run->now);
    aws_wipe(run->instance_token);
    aws_wipe(run->form);
    free(run);
}

void aws_run_cancel(struct aws_run *run)
{
    if (!run)
        return;
    http_cancel(run->http);
    aws_process_cancel(run->process);
    release(run);
}

static void fail(struct aws_run *run, bool may_recover, const struct error *err)
{
    run->setup.done(run->setup.arg, NULL, may_recover, err);
    release(run);
}

/* The source's own failure: which it was, and why. */
static void fail_source(struct aws_run *run, bool may_recover, struct error *err)
{
    error_prefix(err, "the AWS credentials of %s cannot be had", run->setup.plan->origin);
    fail(run, may_recover, err);
}

static void on_answer(void *arg, const struct http_result *result)
{
    struct aws_run *run = arg;
    run->http = NULL;
    run->answered(run, result);
}

struct question {
    const char *method, *url;
    const char *headers[6]; /* NULL-terminated */
    const char *form;
    bool proxy;
    int64_t timeout_ms;
};

static void ask(struct aws_run *run, const struct question *question,
    void (*answered)(struct aws_run *run, const struct http_result *result))
{
    run->answered = answered;
    run->http = http_start(run->setup.loop,
        &(struct http_options){
            .method = question->method,
            .url = question->url,
            .headers = question->headers,
            .upload = question->form,
            .upload_fd = -1,
            .upload_bytes = question->form ? strlen(question->form) : 0,
            .proxy = question->proxy,
            .ca_file = question->proxy ? run->setup.ca_file : NULL,
            .connect_ms = question->timeout_ms ? question->timeout_ms : CONNECT_TIMEOUT_MS,
            .timeout_ms = question->timeout_ms ? question->timeout_ms : FETCH_TIMEOUT_MS,
            .max_answer_bytes = MAX_ANSWER,
            .done = on_answer,
            .arg = run,
        });
}

static bool may_recover(const struct http_result *result)
{
    return result->outcome != HTTP_ANSWERED || result->status >= 500 || result->status == 429;
}

static void assume_next(struct aws_run *run);

/* What a provider answered in JSON. */
static void take_answer(struct aws_run *run, const struct http_result *result,
    int (*parse)(const char *json, size_t size, struct aws_temporary *temporary, struct error *err))
{
    struct error err;
    int status = 0;
    if (result->outcome != HTTP_ANSWERED)
        status = error_set(&err, "%s", result->error->text);
    else
        status = parse(result->body.data, result->body.size, &run->now, &err);
    if (status == 0) {
        assume_next(run);
        return;
    }
    if (result->status)
        error_prefix(&err, "HTTP %d", result->status);
    fail_source(run, may_recover(result), &err);
}

static void container_answered(struct aws_run *run, const struct http_result *result)
{
    take_answer(run, result, aws_parse_metadata);
}

static void ask_container(struct aws_run *run)
{
    struct error err;
    char *header = NULL, *url = aws_container_url(&err);
    int status = url ? aws_container_authorization(&header, &err) : -1;
    if (status == 0)
        ask(run, &(struct question){.url = url, .headers = {header}}, container_answered);
    aws_wipe(header);
    free(url);
    if (status < 0)
        fail_source(run, false, &err);
}

/* The instance metadata, version 2 (with a token), whose answers go one hop only unless the
 * instance says otherwise.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
static char *instance_url(const char *path)
{
    const char *base = aws_service_endpoint(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254");
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    return xasprintf("%.*s/latest/%s", (int)length, base, path);
}

static void instance_answered(struct aws_run *run, const struct http_result *result)
{
    take_answer(run, result, aws_parse_metadata);
}

static void ask_instance(struct aws_run *run, const char *path,
    void (*answered)(struct aws_run *run, const struct http_result *result))
{
    char *url = instance_url(path),
         *header = xasprintf("X-aws-ec2-metadata-token: %s", run->instance_token);
    ask(run, &(struct question){.url = url, .headers = {header}, .timeout_ms = INSTANCE_TIMEOUT_MS},
        answered);
    aws_wipe(header);
    free(url);
}

/* A line of an answer that may stand in a URL or a header; the caller frees. NULL: it is none. */
static char *line_of(const struct http_result *result)
{
    size_t length = strcspn(result->body.data, "\r\n");
    for (size_t i = 0; i < length; i++)
        if (result->body.data[i] <= ' ' || result->body.data[i] > '~')
            return NULL;
    return length > 0 && length < 1024 ? xstrndup(result->body.data, length) : NULL;
}

static void instance_roles_answered(struct aws_run *run, const struct http_result *result)
{
    struct error err;
    char *role = result->outcome == HTTP_ANSWERED && result->status == 200 ? line_of(result) : NULL;
    if (!role) {
        error_set(&err,
            AWS_NO_CREDENTIALS
            " and EC2's instance metadata, which has no role (HTTP %d): give the "
            "instance an instance profile)",
            result->status);
        fail(run, may_recover(result), &err);
        return;
    }
    char *path = xasprintf("meta-data/iam/security-credentials/%s", role);
    ask_instance(run, path, instance_answered);
    free(path);
    free(role);
}

static void instance_token_answered(struct aws_run *run, const struct http_result *result)
{
    struct error err;
    bool timed_out = result->outcome == HTTP_TIMEOUT;
    if (result->outcome == HTTP_ANSWERED && result->status == 200)
        run->instance_token = line_of(result);
    if (!run->instance_token) {
        error_set(&err, AWS_NO_CREDENTIALS " and EC2's instance metadata, which %s)",
            timed_out
                ? "took the connection and did not answer: in a container raise the instance's "
                  "HttpPutResponseHopLimit to 2"
                : "is not there");
        fail(run, false, &err);
        return;
    }
    ask_instance(run, "meta-data/iam/security-credentials/", instance_roles_answered);
}

static void ask_instance_token(struct aws_run *run)
{
    char *url = instance_url("api/token");
    ask(run,
        &(struct question){.method = "PUT",
            .url = url,
            .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 21600"},
            .form = "",
            .timeout_ms = INSTANCE_TIMEOUT_MS},
        instance_token_answered);
    free(url);
}

static void process_done(void *arg, const char *output, size_t size, const struct error *problem)
{
    struct aws_run *run = arg;
    struct error err;
    run->process = NULL;
    int status = problem ? error_set(&err, "%s", problem->text)
                         : aws_parse_process(output, size, &run->now, &err);
    if (status == 0) {
        assume_next(run);
        return;
    }
    error_prefix(&err, "its credential_process");
    fail_source(run, true, &err);
}

static void run_process(struct aws_run *run)
{
    struct error err;
    run->process = aws_process_start(
        run->setup.loop, run->setup.plan->command, process_done, run, &err);
    if (!run->process)
        fail_source(run, true, &err);
}

static void sso_answered(struct aws_run *run, const struct http_result *result)
{
    if (result->outcome == HTTP_ANSWERED && (result->status == 401 || result->status == 403)) {
        struct error err;
        error_set(&err,
            "HTTP %d: %s; if that is no help, the role %.60s of account %.20s is not yours",
            result->status, run->setup.plan->sso_login, run->setup.plan->sso_role,
            run->setup.plan->sso_account);
        fail_source(run, false, &err);
        return;
    }
    take_answer(run, result, aws_parse_sso);
}

/* The token of the login; the caller wipes it. */
static char *sso_token(const struct aws_plan *plan, struct error *err)
{
    struct buf text;
    char *token = NULL;
    if (!fs_exists(plan->sso_cache))
        error_set(err, "nobody has logged in: run `%s`", plan->sso_login);
    else if (fs_read(plan->sso_cache, MAX_TOKEN, &text, err) == 0) {
        token = aws_parse_sso_token(text.data, text.size, clock_wall_ms(), err);
        if (!token)
            error_prefix(err, "run `%s`", plan->sso_login);
        aws_wipe(buf_take(&text));
        buf_free(&text);
    }
    return token;
}

static void ask_sso(struct aws_run *run)
{
    const struct aws_plan *plan = run->setup.plan;
    struct error err;
    struct buf query;
    char *token = sso_token(plan, &err);
    if (!token) {
        fail_source(run, false, &err);
        return;
    }
    buf_init(&query, MAX_TOKEN);
    sigv4_add_query(&query, "account_id", plan->sso_account);
    sigv4_add_query(&query, "role_name", plan->sso_role);
    char *portal = xasprintf("https://portal.sso.%s.amazonaws.com", plan->sso_region);
    char *url = xasprintf("%s/federation/credentials?%s",
        aws_service_endpoint("AWS_ENDPOINT_URL_SSO", portal), query.data);
    char *header = xasprintf("x-amz-sso_bearer_token: %s", token);
    ask(run, &(struct question){.url = url, .headers = {header}, .proxy = true}, sso_answered);
    aws_wipe(header);
    aws_wipe(token);
    free(url);
    free(portal);
    buf_free(&query);
}

/* What STS answered about a role; the web identity's is the source. */
static void take_role(struct aws_run *run, const struct http_result *result,
    enum aws_sts_action action, const struct aws_role *role)
{
    struct error err;
    struct aws_temporary assumed;
    bool recovers = may_recover(result);
    int status = -1;
    if (result->outcome != HTTP_ANSWERED)
        error_set(&err, "the role %.150s cannot be assumed, as STS was not reached: %.200s",
            role->arn, result->error->text);
    else if (result->status != 200)
        recovers = aws_sts_explain(
            result->status, result->body.data, result->body.size, action, role, &err);
    else if ((status = aws_sts_parse(result->body.data, result->body.size, &assumed, &err)) < 0)
        error_prefix(&err, "the role %.150s cannot be assumed: STS", role->arn);
    if (status < 0) {
        fail(run, recovers, &err);
        return;
    }
    aws_temporary_free(&run->now);
    run->now = assumed;
    assume_next(run);
}

static void web_identity_answered(struct aws_run *run, const struct http_result *result)
{
    take_role(run, result, AWS_ASSUME_WITH_WEB_IDENTITY, &run->setup.plan->web);
}

static void post_form(struct aws_run *run, const char *form, const char *const *headers,
    void (*answered)(struct aws_run *run, const struct http_result *result))
{
    char *endpoint = aws_sts_endpoint(run->setup.region);
    char *url = xasprintf("%s/", endpoint);
    struct question question = {.method = "POST", .url = url, .form = form, .proxy = true};
    for (size_t i = 0; headers[i] && i + 1 < sizeof question.headers / sizeof *question.headers;
         i++)
        question.headers[i] = headers[i];
    ask(run, &question, answered);
    free(url);
    free(endpoint);
}

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

static void ask_web_identity(struct aws_run *run)
{
    static const char *const headers[] = {"Content-Type: " FORM_TYPE, NULL};
    const struct aws_plan *plan = run->setup.plan;
    struct buf token;
    struct error err;
    int status = fs_read(
        plan->token_file, MAX_TOKEN, &token, &err); /* each time: it is replaced there */
    if (status == 0) {
        token.data[strcspn(token.data, "\r\n")] = '\0';
        run->form = aws_sts_form(AWS_ASSUME_WITH_WEB_IDENTITY, &plan->web, token.data);
        post_form(run, run->form, headers, web_identity_answered);
        aws_wipe(buf_take(&token));
    }
    buf_free(&token);
    if (status < 0)
        fail_source(run, false, &err);
}

static void role_answered(struct aws_run *run, const struct http_result *result)
{
    take_role(run, result, AWS_ASSUME_ROLE, &run->setup.plan->roles[run->roles_done++]);
}

/* Signs the form for STS. 0, or -1 and err. */
static int sign_form(
    struct aws_run *run, const char *host, struct sigv4_signature *signature, struct error *err)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hash(run->form, strlen(run->form), hash);
    const struct sigv4_scope scope = {
        .credentials = {run->now.access_key, run->now.secret_key, run->now.session_token},
        .region = run->setup.region,
        .service = "sts",
        .time_ms = clock_wall_ms(),
    };
    const struct sigv4_header headers[] = {{"Host", host}, {"Content-Type", FORM_TYPE}};
    return sigv4_sign(&scope,
        &(struct sigv4_request){.method = "POST",
            .path = "/",
            .headers = headers,
            .header_count = 2,
            .payload_hash = hash},
        signature, err);
}

static void assume_next(struct aws_run *run)
{
    const struct aws_plan *plan = run->setup.plan;
    if (run->roles_done == plan->role_count) {
        struct aws_temporary made = run->now;
        run->now = (struct aws_temporary){0};
        run->setup.done(run->setup.arg, &made, false, NULL);
        release(run);
        return;
    }
    struct sigv4_signature signature;
    struct error err;
    char *endpoint = aws_sts_endpoint(run->setup.region);
    char *host = http_host(endpoint);
    aws_wipe(run->form);
    run->form = aws_sts_form(AWS_ASSUME_ROLE, &plan->roles[run->roles_done], NULL);
    int status = sign_form(run, host, &signature, &err);
    if (status == 0) {
        char *host_header = xasprintf("Host: %s", host);
        const char *headers[] = {"Content-Type: " FORM_TYPE, host_header, signature.headers[0],
            signature.headers[1], signature.headers[2], NULL};
        post_form(run, run->form, headers, role_answered);
        free(host_header);
    }
    sigv4_free(&signature);
    free(host);
    free(endpoint);
    if (status < 0)
        fail(run, false, &err);
}

static void take_keys(struct aws_run *run)
{
    const struct aws_plan *plan = run->setup.plan;
    run->now = (struct aws_temporary){xstrdup(plan->access_key), xstrdup(plan->secret_key),
        plan->session_token ? xstrdup(plan->session_token) : NULL, INT64_MAX};
    assume_next(run);
}

static void begin(void *arg)
{
    static void (*const sources[])(struct aws_run * run) = {
        [AWS_KEYS] = take_keys,
        [AWS_WEB_IDENTITY] = ask_web_identity,
        [AWS_PROCESS] = run_process,
        [AWS_SSO] = ask_sso,
        [AWS_CONTAINER] = ask_container,
        [AWS_INSTANCE] = ask_instance_token,
    };
    struct aws_run *run = arg;
    sources[run->setup.plan->source](run);
}

struct aws_run *aws_run_start(const struct aws_run_setup *setup)
{
    struct aws_run *run = xcalloc(1, sizeof *run);
    run->setup = *setup;
    run->timer = loop_timer_new(setup->loop, begin, run);
    loop_timer_set(run->timer, 0);
    return run;
}
