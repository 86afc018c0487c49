#include "core/aws/aws.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/log.h"
#include "core/loop.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* AWS makes new ones available at least this long before the old expire:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
enum { RENEW_BEFORE_MS = 5 * 60 * 1000 };
enum { FETCH_TIMEOUT_MS = 5000, CONNECT_TIMEOUT_MS = 2000, MAX_ANSWER = 65536, MAX_TOKEN = 16384 };
/* While the kept ones work, the provider is not asked more often: it may fail, or give credentials
 * that live shorter than RENEW_BEFORE_MS. */
enum { PAUSE_MS = 30000 };

struct aws_request {
    struct aws_request *next;
    struct aws *aws;
    uint64_t number; /* counts up */
    void (*done)(void *arg, const struct aws_answer *answer);
    void *arg;
};

struct aws {
    struct loop *loop;
    struct aws_request *waiting; /* oldest first */
    uint64_t asked;
    struct loop_timer *timer; /* answers come from the loop, never from within aws_get */
    struct http_request *fetch;
    struct aws_temporary kept; /* of the container; access_key NULL: none */
    bool kept_refused;         /* the service says that they have expired */
    int64_t next_fetch_ms;     /* monotonic: not before, while the kept ones work */
};

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool from_environment(struct sigv4_credentials *credentials)
{
    *credentials = (struct sigv4_credentials){environment("AWS_ACCESS_KEY_ID"),
        environment("AWS_SECRET_ACCESS_KEY"), environment("AWS_SESSION_TOKEN")};
    return credentials->access_key && credentials->secret_key;
}

static void wipe(char *secret)
{
    if (secret)
        OPENSSL_cleanse(secret, strlen(secret));
    free(secret);
}

void aws_temporary_free(struct aws_temporary *temporary)
{
    free(temporary->access_key);
    wipe(temporary->secret_key);
    wipe(temporary->session_token);
    *temporary = (struct aws_temporary){0};
}

/* A string that can stand in a header: visible ASCII. */
static char *visible(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !*text || json_string_length(json_object_get(object, key)) != strlen(text))
        return NULL;
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~')
            return NULL;
    return xstrdup(text);
}

/* ECS and EKS say what is wrong as {"code": ..., "message": ...}. */
static int provider_error(const json_t *answer, struct error *err)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *message = json_string_value(json_object_get(answer, "message"));
    if (code || message)
        return error_set(err, "it answered %.100s: %.200s", code ? code : "an error",
            message ? message : "no message");
    return error_set(err, "its answer has no AccessKeyId and SecretAccessKey");
}

int aws_parse(const char *json, size_t size, struct aws_temporary *temporary, struct error *err)
{
    *temporary = (struct aws_temporary){.expires_ms = INT64_MAX};
    json_t *answer = json_loadb(json, size, 0, NULL);
    if (!answer)
        return error_set(err, "its answer is no JSON");
    temporary->access_key = visible(answer, "AccessKeyId");
    temporary->secret_key = visible(answer, "SecretAccessKey");
    temporary->session_token = visible(answer, "Token");
    const char *expires = json_string_value(json_object_get(answer, "Expiration"));
    int status = 0;
    if (!temporary->access_key || !temporary->secret_key)
        status = provider_error(answer, err);
    else if (expires && rfc3339_parse(expires, strlen(expires), &temporary->expires_ms) < 0)
        status = error_set(err, "its answer has an Expiration that is no time");
    if (status < 0)
        aws_temporary_free(temporary);
    json_decref(answer);
    return status;
}

static bool local_host(const char *host)
{
    static const char *const names[] = {
        "localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(host, names[i]) == 0)
            return true;
    struct in_addr address;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* libcurl's own parser judges: what it takes for the host is where it connects to. */
bool aws_uri_allowed(const char *uri)
{
    char *scheme = NULL, *host = NULL;
    CURLU *url = curl_url();
    bool allowed = url && curl_url_set(url, CURLUPART_URL, uri, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   (strcmp(scheme, "https") == 0 ||
                       (strcmp(scheme, "http") == 0 && local_host(host)));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return allowed;
}

/* Where the container's credentials are; NULL: nowhere. RELATIVE wins over FULL. */
static char *container_url(struct error *err)
{
    const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative && *relative == '/')
        return xasprintf("http://169.254.170.2%s", relative);
    if (relative)
        error_set(err, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
    else if (full && aws_uri_allowed(full))
        return xstrdup(full);
    else if (full)
        error_set(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of ECS, "
                       "EKS or this host");
    else
        error_set(err, "there are no AWS credentials: set AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY, or give the ECS task a task role (tried: the "
                       "environment, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI)");
    return NULL;
}

/* "Authorization: <token>", or NULL where none is wanted. The token file wins over the token and is
 * read each time: EKS replaces it. -1 when it is wanted and cannot be had. */
static int authorization(char **header, struct error *err)
{
    const char *path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct buf content;
    *header = NULL;
    buf_init(&content, MAX_TOKEN);
    int status = 0;
    if (path) {
        status = fs_read(path, MAX_TOKEN, &content, err);
        token = content.data;
    }
    size_t length = token ? strcspn(token, "\r\n") : 0;
    if (status == 0 && token && (length == 0 || token[length + strspn(token + length, "\r\n")]))
        status = error_set(err, "the container authorization token is empty or has line breaks");
    if (status == 0 && token)
        *header = xasprintf("Authorization: %.*s", (int)length, token);
    if (content.size > 0)
        OPENSSL_cleanse(content.data, content.size);
    buf_free(&content);
    return status;
}

/* Answers who waits now, the first first. A callback may ask again or cancel another. */
static void answer_all(struct aws *aws, const struct aws_answer *answer)
{
    uint64_t last = aws->asked;
    while (aws->waiting && aws->waiting->number <= last) {
        struct aws_request *request = aws->waiting;
        aws->waiting = request->next;
        request->done(request->arg, answer);
        free(request);
    }
}

static void answer_with(struct aws *aws, const struct sigv4_credentials *credentials)
{
    answer_all(aws, &(struct aws_answer){.credentials = credentials, .reason = ""});
}

static void answer_kept(struct aws *aws)
{
    answer_with(aws, &(struct sigv4_credentials){
                         aws->kept.access_key, aws->kept.secret_key, aws->kept.session_token});
}

static bool kept_work(const struct aws *aws)
{
    return aws->kept.access_key && !aws->kept_refused && clock_wall_ms() < aws->kept.expires_ms;
}

/* Old credentials that still work are better than none. */
static void answer_failure(struct aws *aws, bool may_recover, const struct error *err)
{
    if (kept_work(aws)) {
        log_warn("AWS credentials could not be renewed, the old ones still work: %s", err->text);
        answer_kept(aws);
    } else {
        answer_all(aws, &(struct aws_answer){.may_recover = may_recover, .reason = err->text});
    }
}

static void fetched(void *arg, const struct http_result *result)
{
    struct aws *aws = arg;
    struct aws_temporary temporary = {0};
    struct error err;
    aws->fetch = NULL;
    aws->next_fetch_ms = clock_mono_ms() + PAUSE_MS;
    int status = 0;
    if (result->outcome != HTTP_ANSWERED)
        status = error_set(&err, "%s", result->error->text);
    else
        status = aws_parse(result->body.data, result->body.size, &temporary, &err);
    if (status == 0) {
        aws_temporary_free(&aws->kept);
        aws->kept = temporary;
        aws->kept_refused = false;
        answer_kept(aws);
        return;
    }
    if (result->status)
        error_prefix(&err, "HTTP %d", result->status);
    error_prefix(&err, "the container's AWS credentials (the ECS task role) cannot be had");
    bool refused = result->status >= 400 && result->status < 500 && result->status != 429;
    answer_failure(aws, !refused, &err);
}

/* -1 and err when there is nowhere to fetch from. */
static int start_fetch(struct aws *aws, struct error *err)
{
    char *header = NULL, *url = container_url(err);
    int status = url ? authorization(&header, err) : -1;
    if (status == 0) {
        const char *headers[] = {header, NULL};
        aws->fetch = http_start(aws->loop, &(struct http_options){
                                               .url = url,
                                               .headers = headers,
                                               .upload_fd = -1,
                                               .connect_ms = CONNECT_TIMEOUT_MS,
                                               .timeout_ms = FETCH_TIMEOUT_MS,
                                               .max_answer_bytes = MAX_ANSWER,
                                               .done = fetched,
                                               .arg = aws,
                                           });
    }
    wipe(header);
    free(url);
    return status;
}

/* A further provider goes here, in its place in the chain. */
static void serve(void *arg)
{
    struct aws *aws = arg;
    struct sigv4_credentials credentials;
    struct error err;
    if (!aws->waiting || aws->fetch)
        return;
    bool fresh = aws->kept.expires_ms - RENEW_BEFORE_MS > clock_wall_ms() ||
                 clock_mono_ms() < aws->next_fetch_ms;
    if (from_environment(&credentials))
        answer_with(aws, &credentials);
    else if (kept_work(aws) && fresh)
        answer_kept(aws);
    else if (start_fetch(aws, &err) < 0)
        answer_failure(aws, false, &err);
}

struct aws *aws_open(struct loop *loop)
{
    struct aws *aws = xcalloc(1, sizeof *aws);
    aws->loop = loop;
    aws->timer = loop_timer_new(loop, serve, aws);
    return aws;
}

void aws_close(struct aws *aws)
{
    if (!aws)
        return;
    while (aws->waiting) {
        struct aws_request *request = aws->waiting;
        aws->waiting = request->next;
        free(request);
    }
    http_cancel(aws->fetch);
    loop_timer_free(aws->timer);
    aws_temporary_free(&aws->kept);
    free(aws);
}

struct aws_request *aws_get(
    struct aws *aws, void (*done)(void *arg, const struct aws_answer *answer), void *arg)
{
    struct aws_request *request = xcalloc(1, sizeof *request);
    *request = (struct aws_request){.aws = aws, .number = ++aws->asked, .done = done, .arg = arg};
    struct aws_request **last = &aws->waiting;
    while (*last)
        last = &(*last)->next;
    *last = request;
    loop_timer_set(aws->timer, clock_mono_ms());
    return request;
}

void aws_cancel(struct aws_request *request)
{
    if (!request)
        return;
    struct aws_request **at = &request->aws->waiting;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    free(request);
}

bool aws_renew(struct aws *aws)
{
    struct sigv4_credentials credentials;
    if (from_environment(&credentials) || !aws->kept.access_key)
        return false;
    aws->kept_refused = true;
    return true;
}
