#include "core/s3/s3.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/s3/s3_address.h"
#include "core/s3/s3_answer.h"
#include "core/s3/s3_xml.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store that moves nothing for STALL_MS is gone; a slow one gets time by size. */
enum { STALL_MS = 30000, BASE_TIMEOUT_MS = 60000, SLOWEST_BYTES_PER_MS = 16 };
/* Error answers are below 2 KiB; a page of 1,000 encoded keys can pass 3 MiB. */
enum { MAX_ERROR_ANSWER = 65536, MAX_LISTING = 16 << 20 };
/* How commands try: they have a person waiting. */
enum { ATTEMPTS = 4, FIRST_PAUSE_MS = 300, LONGEST_PAUSE_MS = 5000 };

struct s3 {
    struct loop *loop;
    struct aws *aws;
    struct s3_address address;
    char *ca_file, *prefix;
    bool insecure;
    int64_t clock_offset_ms; /* the store's clock minus ours, once it mattered */
};

struct s3_request {
    struct s3 *s3;
    enum s3_action action;
    char *key;
    char *query;        /* encoded; NULL: none */
    const void *upload; /* or fd */
    int fd;
    uint64_t size;
    char sha256[SHA256_HEX_SIZE];
    char *content_type;               /* NULL: none */
    size_t max_answer;                /* error answers included */
    size_t max_object;                /* S3_GET_OBJECT */
    bool clock_mended, token_renewed; /* each is tried once */
    int64_t sent_ms;
    char access_key[8]; /* as much of it as sentences name */
    struct aws_request *asking;
    struct http_request *sending;
    void (*done)(void *arg, const struct s3_result *result);
    void *arg;
};

struct s3 *s3_open(struct loop *loop, const struct s3_settings *settings, struct error *err)
{
    struct s3 *s3 = xcalloc(1, sizeof *s3);
    if (s3_address_init(&s3->address, settings, err) < 0) {
        free(s3);
        return NULL;
    }
    s3->loop = loop;
    s3->aws = aws_open(&(struct aws_setup){.loop = loop,
        .wishes = {settings->role, settings->external_id, settings->session_name},
        .region = settings->region});
    s3->ca_file = settings->ca_file ? xstrdup(settings->ca_file) : NULL;
    s3->prefix = settings->prefix ? xstrdup(settings->prefix) : NULL;
    s3->insecure = settings->insecure;
    return s3;
}

void s3_close(struct s3 *s3)
{
    if (!s3)
        return;
    aws_close(s3->aws);
    s3_address_free(&s3->address);
    free(s3->ca_file);
    free(s3->prefix);
    free(s3);
}

static void release(struct s3_request *request)
{
    free(request->key);
    free(request->query);
    free(request->content_type);
    free(request);
}

void s3_cancel(struct s3_request *request)
{
    if (!request)
        return;
    aws_cancel(request->asking);
    http_cancel(request->sending);
    release(request);
}

static void finish(struct s3_request *request, const struct s3_result *result)
{
    request->done(request->arg, result);
    release(request);
}

static void refuse(struct s3_request *request, enum s3_outcome outcome, const char *reason)
{
    struct buf nothing;
    buf_init(&nothing, 0);
    finish(request, &(struct s3_result){.outcome = outcome, .reason = reason, .body = &nothing});
}

static void ask(struct s3_request *request);

static void judge(
    const struct s3_request *request, const struct http_result *result, struct s3_verdict *verdict)
{
    const struct s3 *s3 = request->s3;
    const struct s3_question question = {
        .action = request->action,
        .bucket = s3->address.bucket,
        .prefix = s3->prefix,
        .region = s3->address.region,
        .access_key = request->access_key,
        .ca_file = s3->ca_file,
        .sent_ms = request->sent_ms,
    };
    const struct s3_answer answer = {
        .outcome = result->outcome,
        .status = result->status,
        .error = result->error->text,
        .body = result->body.data,
        .size = result->body.size,
        .etag = http_header(result, "ETag"),
        .date = http_header(result, "Date"),
        .retry_after = http_header(result, "Retry-After"),
        .bucket_region = http_header(result, "x-amz-bucket-region"),
    };
    s3_answer_judge(&question, &answer, verdict);
}

/* What can be mended here at once: our idea of the store's clock, and old credentials. */
static bool mend(struct s3_request *request, const struct s3_verdict *verdict)
{
    struct s3 *s3 = request->s3;
    if (verdict->clock_off && !request->clock_mended) {
        s3->clock_offset_ms = verdict->store_ms - clock_wall_ms();
        log_warn("the clock of the store of bucket %s is %+.0f s from this machine's: signing with "
                 "the store's; set this machine's clock right",
            s3->address.bucket, (double)s3->clock_offset_ms / 1000);
        return request->clock_mended = true;
    }
    if (verdict->token_expired && !request->token_renewed && aws_renew(s3->aws))
        return request->token_renewed = true;
    return false;
}

static void answered(void *arg, const struct http_result *result)
{
    struct s3_request *request = arg;
    struct s3_verdict verdict;
    request->sending = NULL;
    judge(request, result, &verdict);
    if (mend(request, &verdict)) {
        ask(request);
        return;
    }
    if (verdict.outcome == S3_OK && request->action == S3_GET_OBJECT &&
        result->body.size > request->max_object) {
        verdict.outcome = S3_REFUSED;
        snprintf(verdict.reason, sizeof verdict.reason, "it is larger than %zu bytes",
            request->max_object);
    }
    finish(request, &(struct s3_result){
                        .outcome = verdict.outcome,
                        .status = result->status,
                        .retry_after_ms = verdict.retry_after_ms,
                        .missing = verdict.missing,
                        .denied = verdict.denied,
                        .reason = verdict.reason,
                        .body = &result->body,
                    });
}

static int sign(struct s3_request *request, const struct sigv4_credentials *credentials,
    struct sigv4_signature *signature, struct error *err)
{
    const struct s3 *s3 = request->s3;
    request->sent_ms = clock_wall_ms() + s3->clock_offset_ms;
    const struct sigv4_scope scope = {
        .credentials = *credentials,
        .region = s3->address.region,
        .service = "s3",
        .time_ms = request->sent_ms,
        .hash_header = true,
    };
    const struct sigv4_header headers[] = {
        {"Host", s3->address.host}, {"Content-Type", request->content_type}};
    char *path = xasprintf("%s%s", s3->address.path, request->key);
    int status = sigv4_sign(&scope,
        &(struct sigv4_request){
            .method = request->action == S3_PUT_OBJECT ? "PUT" : "GET",
            .path = path,
            .query = request->query,
            .headers = headers,
            .header_count = request->content_type ? 2 : 1,
            .payload_hash = request->sha256,
        },
        signature, err);
    free(path);
    return status;
}

static void send_signed(struct s3_request *request, const struct sigv4_signature *signature)
{
    const struct s3 *s3 = request->s3;
    char *url = s3_address_url(&s3->address, request->key, request->query);
    char *host = xasprintf("Host: %s", s3->address.host);
    char *type = request->content_type ? xasprintf("Content-Type: %s", request->content_type)
                                       : NULL;
    const char *headers[8] = {host};
    size_t count = 1;
    for (char *const *header = signature->headers; *header; header++)
        headers[count++] = *header;
    headers[count] = type;
    bool put = request->action == S3_PUT_OBJECT;
    request->sending = http_start(s3->loop,
        &(struct http_options){
            .method = put ? "PUT" : NULL,
            .url = url,
            .headers = headers,
            .upload = request->upload,
            .upload_fd = request->fd,
            .upload_bytes = request->size,
            .ca_file = s3->ca_file,
            .insecure = s3->insecure,
            .proxy = true,
            .timeout_ms = BASE_TIMEOUT_MS + (int64_t)(request->size / SLOWEST_BYTES_PER_MS),
            .stall_ms = STALL_MS,
            .max_answer_bytes = request->max_answer,
            .done = answered,
            .arg = request,
        });
    free(url);
    free(host);
    free(type);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct s3_request *request = arg;
    request->asking = NULL;
    if (!answer->credentials) {
        refuse(request, answer->may_recover ? S3_RETRY : S3_REFUSED, answer->reason);
        return;
    }
    struct sigv4_signature signature;
    struct error err;
    int status = sign(request, answer->credentials, &signature, &err);
    strncpy(request->access_key, answer->credentials->access_key, sizeof request->access_key - 1);
    if (status == 0)
        send_signed(request, &signature);
    sigv4_free(&signature);
    if (status < 0)
        refuse(request, S3_REFUSED, err.text);
}

static void ask(struct s3_request *request)
{
    request->asking = aws_get(request->s3->aws, got_credentials, request);
}

static struct s3_request *new_request(struct s3 *s3, enum s3_action action, const char *key,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = xcalloc(1, sizeof *request);
    request->s3 = s3;
    request->action = action;
    request->key = xstrdup(key);
    request->fd = -1;
    request->max_answer = MAX_ERROR_ANSWER;
    request->done = done;
    request->arg = arg;
    memcpy(request->sha256, sha256_of_nothing, sizeof request->sha256);
    return request;
}

static struct s3_request *new_put(struct s3 *s3, const char *key, uint64_t size, const char *sha256,
    const char *content_type, void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = new_request(s3, S3_PUT_OBJECT, key, done, arg);
    request->size = size;
    request->content_type = content_type ? xstrdup(content_type) : NULL;
    memcpy(request->sha256, sha256, sizeof request->sha256 - 1);
    return request;
}

struct s3_request *s3_put(struct s3 *s3, const char *key, int fd, uint64_t size, const char *sha256,
    const char *content_type, void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = new_put(s3, key, size, sha256, content_type, done, arg);
    request->fd = fd;
    ask(request);
    return request;
}

static struct s3_request *new_get(struct s3 *s3, enum s3_action action, const char *key, size_t max,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = new_request(s3, action, key, done, arg);
    request->max_object = max;
    request->max_answer = max > MAX_ERROR_ANSWER ? max : MAX_ERROR_ANSWER;
    return request;
}

struct s3_request *s3_get(struct s3 *s3, const char *key, size_t max,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = new_get(s3, S3_GET_OBJECT, key, max, done, arg);
    ask(request);
    return request;
}

/* One request of a command, which may take several attempts. */
struct command {
    bool done;
    enum s3_outcome outcome;
    int64_t retry_after_ms;
    struct buf *body; /* NULL: not wanted */
    struct error *err;
};

static void command_done(void *arg, const struct s3_result *result)
{
    struct command *command = arg;
    command->done = true;
    command->outcome = result->outcome;
    command->retry_after_ms = result->retry_after_ms;
    if (result->outcome != S3_OK)
        error_set(command->err, "%s", result->reason);
    else if (command->body) /* which holds as much as was asked for */
        buf_append(command->body, result->body->data, result->body->size);
}

/* Waits before the next attempt: longer each time, at least what the store asked for. */
static void pause_before(struct s3 *s3, int attempt, int64_t retry_after_ms)
{
    const bool never = false;
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS << (2 * (attempt - 1));
    if (pause_ms < retry_after_ms)
        pause_ms = retry_after_ms;
    if (pause_ms > LONGEST_PAUSE_MS)
        pause_ms = LONGEST_PAUSE_MS;
    loop_run_until(s3->loop, &never, clock_mono_ms() + pause_ms);
}

/* Runs one kind of request until it is answered; `make` makes it anew for each attempt. */
static int run(struct s3 *s3, struct s3_request *(*make)(void *arg, struct command *command),
    void *arg, struct buf *body, struct error *err)
{
    struct command command = {.outcome = S3_RETRY};
    for (int attempt = 0; attempt < ATTEMPTS && command.outcome == S3_RETRY; attempt++) {
        if (attempt > 0)
            pause_before(s3, attempt, command.retry_after_ms);
        command = (struct command){.body = body, .err = err};
        ask(make(arg, &command));
        loop_run_until(s3->loop, &command.done, INT64_MAX);
    }
    return command.outcome == S3_OK ? 0 : -1;
}

struct get {
    struct s3 *s3;
    enum s3_action action;
    const char *key, *query;
    size_t max;
};

static struct s3_request *make_get(void *arg, struct command *command)
{
    const struct get *get = arg;
    struct s3_request *request = new_get(
        get->s3, get->action, get->key, get->max, command_done, command);
    request->query = get->query ? xstrdup(get->query) : NULL;
    return request;
}

int s3_get_bytes(struct s3 *s3, const char *key, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    struct get get = {.s3 = s3, .action = S3_GET_OBJECT, .key = key, .max = max};
    if (run(s3, make_get, &get, buf, err) == 0)
        return 0;
    return error_prefix(err, "cannot read s3://%s/%s", s3->address.bucket, key);
}

static int get_page(struct s3 *s3, const char *prefix, const char *delimiter, const char *token,
    struct s3_page *page, struct error *err)
{
    struct buf query, body;
    buf_init(&query, MAX_ERROR_ANSWER);
    buf_init(&body, MAX_LISTING);
    int status = sigv4_add_query(&query, "list-type", "2");
    status |= sigv4_add_query(&query, "encoding-type", "url");
    status |= sigv4_add_query(&query, "prefix", prefix);
    if (delimiter)
        status |= sigv4_add_query(&query, "delimiter", delimiter);
    if (token)
        status |= sigv4_add_query(&query, "continuation-token", token);
    struct get get = {
        .s3 = s3, .action = S3_LIST_BUCKET, .key = "", .query = query.data, .max = MAX_LISTING};
    if (status < 0)
        error_set(err, "the prefix is too long");
    if (status == 0)
        status = run(s3, make_get, &get, &body, err);
    if (status == 0)
        status = s3_xml_page(body.data, body.size, page, err);
    buf_free(&query);
    buf_free(&body);
    return status;
}

int s3_list(struct s3 *s3, const char *prefix, const char *delimiter,
    int (*each)(void *arg, const char *key), void *arg, struct error *err)
{
    char *token = NULL;
    int status = 0;
    for (bool more = true; more;) {
        struct s3_page page = {0};
        status = get_page(s3, prefix, delimiter, token, &page, err);
        if (status < 0)
            break;
        int stop = 0;
        for (size_t i = 0; i < page.count && !stop; i++)
            stop = each(arg, page.keys[i]);
        more = page.next && !stop;
        if (more && token && strcmp(token, page.next) == 0)
            status = error_set(err, "the store gives the same page again and again");
        free(token);
        token = page.next;
        page.next = NULL;
        s3_page_free(&page);
        if (status < 0)
            break;
    }
    free(token);
    return status < 0 ? error_prefix(err, "cannot list s3://%s/%s", s3->address.bucket, prefix) : 0;
}

struct put {
    struct s3 *s3;
    const char *key, *content_type;
    const void *data;
    size_t size;
    char sha256[SHA256_HEX_SIZE];
};

static struct s3_request *make_put(void *arg, struct command *command)
{
    const struct put *put = arg;
    struct s3_request *request = new_put(
        put->s3, put->key, put->size, put->sha256, put->content_type, command_done, command);
    request->upload = put->data;
    return request;
}

int s3_put_bytes(struct s3 *s3, const char *key, const void *data, size_t size,
    const char *content_type, struct error *err)
{
    struct put put = {s3, key, content_type, data ? data : "", size, ""};
    sha256_hash(put.data, size, put.sha256);
    if (run(s3, make_put, &put, NULL, err) == 0)
        return 0;
    return error_prefix(err, "cannot write s3://%s/%s", s3->address.bucket, key);
}
