#include "core/aws/aws_run.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_instance.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_process.h"
#include "core/aws/aws_sso.h"
#include "core/aws/aws_sts_call.h"
#include "core/aws/aws_temporary.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"

#include <stdlib.h>
#include <string.h>

/* https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
enum { MAX_WEB_TOKEN = 20000 };

struct aws_run {
    struct aws_run_setup setup;
    struct loop_timer *timer; /* the beginning, on the loop */
    struct http_request *http;
    struct aws_instance *instance;
    struct aws_process *process;
    struct aws_sso *sso;
    struct aws_sts_call *sts;
    struct aws_temporary now; /* what is there so far */
    size_t roles_done;
};

static void release(struct aws_run *run)
{
    loop_timer_free(run->timer);
    aws_temporary_free(&run->now);
    free(run);
}

void aws_run_cancel(struct aws_run *run)
{
    if (!run)
        return;
    http_cancel(run->http);
    aws_instance_cancel(run->instance);
    aws_process_cancel(run->process);
    aws_sso_cancel(run->sso);
    aws_sts_cancel(run->sts);
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
    fail_source(run, aws_http_may_recover(result), &err);
}

static void container_answered(void *arg, const struct http_result *result)
{
    struct aws_run *run = arg;
    run->http = NULL;
    take_answer(run, result, aws_parse_metadata);
}

static void ask_container(struct aws_run *run)
{
    struct error err;
    char *header = NULL, *url = aws_container_url(&err);
    int status = url ? aws_container_authorization(&header, &err) : -1;
    if (status == 0)
        run->http = aws_http_ask(run->setup.loop,
            &(struct aws_http_question){.url = url, .headers = {header}, .neighbour = true},
            container_answered, run);
    aws_wipe(header);
    free(url);
    if (status < 0)
        fail_source(run, false, &err);
}

static void instance_answered(void *arg, const struct http_result *result, const char *problem)
{
    struct aws_run *run = arg;
    run->instance = NULL;
    if (result) {
        take_answer(run, result, aws_parse_metadata);
        return;
    }
    struct error err;
    error_set(&err, "it %s", problem);
    fail_source(run, true, &err);
}

/* Neither a role, nor anything before it in the chain. */
static void fail_instance(
    struct aws_run *run, const struct http_result *result, const char *problem)
{
    struct error err;
    if (result)
        error_set(&err,
            AWS_NO_CREDENTIALS
            " and EC2's instance metadata, which has no role (HTTP %d): give the instance an "
            "instance profile)",
            result->status);
    else
        error_set(&err, AWS_NO_CREDENTIALS " and EC2's instance metadata, which %s)", problem);
    fail(run, result && aws_http_may_recover(result), &err);
}

static void instance_roles_answered(
    void *arg, const struct http_result *result, const char *problem)
{
    struct aws_run *run = arg;
    bool good = result && result->outcome == HTTP_ANSWERED && result->status == 200;
    char *role = good ? aws_http_line(result) : NULL;
    run->instance = NULL;
    if (!role) {
        fail_instance(run, result, problem);
        return;
    }
    char *path = xasprintf("/latest/meta-data/iam/security-credentials/%s", role);
    run->instance = aws_instance_get(run->setup.loop, path, instance_answered, run);
    free(path);
    free(role);
}

static void ask_instance(struct aws_run *run)
{
    run->instance = aws_instance_get(run->setup.loop, "/latest/meta-data/iam/security-credentials/",
        instance_roles_answered, run);
}

static void process_done(void *arg, const char *output, size_t size, const struct error *problem)
{
    struct aws_run *run = arg;
    struct error err;
    run->process = NULL;
    int status = problem ? error_set(&err, "%s", problem->text)
                         : aws_parse_process(output, size, &run->now, &err);
    if (status == 0 && run->now.expires_ms <= clock_wall_ms()) {
        char ended[RFC3339_SIZE];
        rfc3339_format(run->now.expires_ms, ended);
        aws_temporary_free(&run->now);
        status = error_set(&err,
            "printed credentials that ended at %s: log in again, or mend what it caches", ended);
    }
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

static void sso_done(
    void *arg, struct aws_temporary *temporary, bool may_recover, struct error *err)
{
    struct aws_run *run = arg;
    run->sso = NULL;
    if (!temporary) {
        fail_source(run, may_recover, err);
        return;
    }
    run->now = *temporary;
    assume_next(run);
}

static void ask_sso(struct aws_run *run)
{
    struct error err;
    run->sso = aws_sso_start(run->setup.loop, run->setup.plan, sso_done, run, &err);
    if (!run->sso)
        fail_source(run, false, &err);
}

/* What STS answered about a role; the web identity's is the source. */
static void take_role(struct aws_run *run, const struct http_result *result,
    enum aws_sts_action action, const struct aws_role *role)
{
    struct error err;
    struct aws_temporary assumed;
    bool recovers = aws_http_may_recover(result);
    int status = -1;
    if (result->outcome != HTTP_ANSWERED)
        error_set(&err, "the role %.150s cannot be assumed, as STS was not reached: %.200s",
            role->arn, result->error->text);
    else if (result->status != 200)
        recovers = aws_sts_explain(result->status, result->body.data, result->body.size, action,
            role, run->setup.region, &err);
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

static void ask_sts(struct aws_run *run, const struct aws_sts_question *asked,
    void (*answered)(void *arg, const struct http_result *result))
{
    struct error err;
    struct aws_sts_question question = *asked;
    question.region = run->setup.region;
    question.clock_offset_ms = run->setup.clock_offset_ms;
    run->sts = aws_sts_ask(run->setup.loop, &question, answered, run, &err);
    if (!run->sts)
        fail(run, false, &err);
}

static void web_identity_answered(void *arg, const struct http_result *result)
{
    struct aws_run *run = arg;
    run->sts = NULL;
    take_role(run, result, AWS_ASSUME_WITH_WEB_IDENTITY, &run->setup.plan->web);
}

/* The token is read each time: it is replaced in its file. */
static void ask_web_identity(struct aws_run *run)
{
    const struct aws_plan *plan = run->setup.plan;
    struct buf file;
    struct error err;
    int status = fs_read_regular(plan->token_file, MAX_WEB_TOKEN, &file, &err);
    char *token = buf_take(&file);
    buf_free(&file);
    token[strcspn(token, "\r\n")] = '\0';
    if (status == 0 && !*token)
        status = error_set(&err, "%s is empty", plan->token_file);
    if (status == 0)
        ask_sts(run,
            &(struct aws_sts_question){
                .action = AWS_ASSUME_WITH_WEB_IDENTITY, .role = &plan->web, .token = token},
            web_identity_answered);
    aws_wipe(token);
    if (status < 0)
        fail_source(run, false, &err);
}

static void role_answered(void *arg, const struct http_result *result)
{
    struct aws_run *run = arg;
    run->sts = NULL;
    take_role(run, result, AWS_ASSUME_ROLE, &run->setup.plan->roles[run->roles_done++]);
}

static void assume_next(struct aws_run *run)
{
    const struct aws_plan *plan = run->setup.plan;
    if (run->roles_done < plan->role_count) {
        const struct sigv4_credentials credentials = {
            run->now.access_key, run->now.secret_key, run->now.session_token};
        ask_sts(run,
            &(struct aws_sts_question){.action = AWS_ASSUME_ROLE,
                .role = &plan->roles[run->roles_done],
                .credentials = &credentials},
            role_answered);
        return;
    }
    struct aws_temporary made = run->now;
    run->now = (struct aws_temporary){0};
    run->setup.done(run->setup.arg, &made, false, NULL);
    release(run);
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
        [AWS_INSTANCE] = ask_instance,
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
