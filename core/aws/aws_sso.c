#include "core/aws/aws_sso.h"

#include "core/alloc.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_http.h"
#include "core/aws/aws_plan.h"
#include "core/aws/aws_region.h"
#include "core/aws/aws_sso_login.h"
#include "core/aws/aws_temporary.h"
#include "core/aws/sigv4.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 65536, RENEW_BEFORE_MS = 5 * 60 * 1000 };

struct aws_sso {
    struct loop *loop;
    const struct aws_plan *plan;
    char *file; /* the login's, as it was read */
    struct aws_sso_login login;
    char *question; /* that is being posted */
    struct http_request *http;
    void (*done)(void *arg, struct aws_temporary *temporary, bool may_recover, struct error *err);
    void *arg;
};

static void release(struct aws_sso *sso)
{
    aws_sso_login_free(&sso->login);
    aws_wipe(sso->file);
    aws_wipe(sso->question);
    free(sso);
}

void aws_sso_cancel(struct aws_sso *sso)
{
    if (!sso)
        return;
    http_cancel(sso->http);
    release(sso);
}

static void fail(struct aws_sso *sso, bool may_recover, struct error *err)
{
    sso->done(sso->arg, NULL, may_recover, err);
    release(sso);
}

static void portal_answered(void *arg, const struct http_result *result)
{
    struct aws_sso *sso = arg;
    const struct aws_plan *plan = sso->plan;
    struct aws_temporary temporary;
    struct error err;
    int status = -1;
    bool refused = result->outcome == HTTP_ANSWERED &&
                   (result->status == 401 || result->status == 403);
    if (refused)
        error_set(&err, "%s; if that is no help, the role %.60s of account %.20s is not yours",
            plan->sso_login, plan->sso_role, plan->sso_account);
    else if (result->outcome != HTTP_ANSWERED)
        error_set(&err, "%s", result->error->text);
    else
        status = aws_parse_sso(result->body.data, result->body.size, &temporary, &err);
    if (status < 0) {
        if (result->status)
            error_prefix(&err, "HTTP %d", result->status);
        fail(sso, aws_http_may_recover(result), &err);
        return;
    }
    sso->done(sso->arg, &temporary, false, NULL);
    release(sso);
}

/* "https://oidc.eu-west-1.amazonaws.com/token", or where the variable says; the caller frees. */
static char *url_of(const char *variable, const char *service, const char *region, const char *path)
{
    char *own = xasprintf("https://%s.%s.%s", service, region, aws_region_domain(region));
    char *url = aws_http_url(aws_service_endpoint(variable, own), path);
    free(own);
    return url;
}

static void ask_portal(struct aws_sso *sso)
{
    struct buf query;
    buf_init(&query, MAX_FILE);
    sigv4_add_query(&query, "account_id", sso->plan->sso_account);
    sigv4_add_query(&query, "role_name", sso->plan->sso_role);
    char *path = xasprintf("/federation/credentials?%s", query.data);
    char *url = url_of("AWS_ENDPOINT_URL_SSO", "portal.sso", sso->plan->sso_region, path);
    char *header = xasprintf("x-amz-sso_bearer_token: %s", sso->login.token);
    sso->http = aws_http_ask(sso->loop,
        &(struct aws_http_question){.url = url, .headers = {header}}, portal_answered, sso);
    aws_wipe(header);
    free(url);
    free(path);
    buf_free(&query);
}

/* Whole or not at all, for nobody else's eyes. Without it the next command renews the login once
 * more. */
static int save(const char *path, const char *text)
{
    char *temporary = xasprintf("%s.XXXXXX", path);
    int fd = mkstemp(temporary); /* mode 0600 */
    int status = fd < 0 ? -1 : fs_write_all(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    if (status == 0)
        status = rename(temporary, path);
    if (status < 0) {
        log_warn("the renewed AWS login cannot be kept in %s: %s", path, strerror(errno));
        if (fd >= 0)
            unlink(temporary);
    }
    free(temporary);
    return status;
}

static void take_renewed(struct aws_sso *sso, char *file)
{
    struct aws_sso_login login;
    if (aws_sso_login_parse(file, strlen(file), &login, NULL) == 0) {
        aws_sso_login_free(&sso->login);
        sso->login = login;
        save(sso->plan->sso_cache, file);
    }
    aws_wipe(file);
}

/* The old login still works for a while, or there is none. */
static void renewed(void *arg, const struct http_result *result)
{
    struct aws_sso *sso = arg;
    struct error err = {0};
    char *file = NULL;
    sso->http = NULL;
    if (result->outcome != HTTP_ANSWERED)
        error_set(&err, "the login could not be renewed: %s", result->error->text);
    else
        file = aws_sso_login_renewed(sso->file, strlen(sso->file), result->body.data,
            result->body.size, clock_wall_ms(), &err);
    if (file)
        take_renewed(sso, file);
    if (sso->login.expires_ms > clock_wall_ms())
        ask_portal(sso);
    else {
        error_prefix(&err, "run `%s`", sso->plan->sso_login);
        fail(sso, aws_http_may_recover(result), &err);
    }
}

static void renew(struct aws_sso *sso)
{
    char *url = url_of("AWS_ENDPOINT_URL_SSO_OIDC", "oidc", sso->plan->sso_region, "/token");
    sso->question = aws_sso_login_question(&sso->login);
    sso->http = aws_http_ask(sso->loop,
        &(struct aws_http_question){.method = "POST",
            .url = url,
            .headers = {"Content-Type: application/json"},
            .body = sso->question},
        renewed, sso);
    free(url);
}

static int read_login(struct aws_sso *sso, struct error *err)
{
    struct buf text;
    const char *path = sso->plan->sso_cache;
    if (!fs_exists(path))
        return error_set(err, "nobody has logged in");
    int status = fs_read_regular(path, MAX_FILE, &text, err);
    if (status == 0) {
        sso->file = buf_take(&text);
        status = aws_sso_login_parse(sso->file, strlen(sso->file), &sso->login, err);
    }
    buf_free(&text);
    return status;
}

struct aws_sso *aws_sso_start(struct loop *loop, const struct aws_plan *plan,
    void (*done)(void *arg, struct aws_temporary *temporary, bool may_recover, struct error *err),
    void *arg, struct error *err)
{
    struct aws_sso *sso = xcalloc(1, sizeof *sso);
    *sso = (struct aws_sso){.loop = loop, .plan = plan, .done = done, .arg = arg};
    int64_t now_ms = clock_wall_ms();
    int status = read_login(sso, err);
    bool renewable = aws_sso_login_can_renew(&sso->login, now_ms);
    if (status == 0 && sso->login.expires_ms <= now_ms && !renewable)
        status = error_set(err, "the login has expired");
    if (status < 0) {
        error_prefix(err, "run `%s`", plan->sso_login);
        release(sso);
        return NULL;
    }
    if (renewable && sso->login.expires_ms - now_ms <= RENEW_BEFORE_MS)
        renew(sso);
    else
        ask_portal(sso);
    return sso;
}
