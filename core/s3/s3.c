#include "core/s3/s3.h"

#include "core/alloc.h"
#include "core/aws/aws.h"
#include "core/aws/aws_environment.h"
#include "core/aws/aws_region.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/s3/s3_ahead.h"
#include "core/s3/s3_headers.h"
#include "core/s3/s3_request.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store that moves nothing for STALL_MS is gone; a slow one gets time by size. */
enum { STALL_MS = 30000, BASE_TIMEOUT_MS = 60000, SLOWEST_BYTES_PER_MS = 16 };
/* Error answers are below 2 KiB. */
enum { MAX_ERROR_ANSWER = 65536 };

struct s3_request {
    struct s3 *s3;
    struct s3_call call; /* its texts are owned */
    char sha256[SHA256_HEX_SIZE];
    bool clock_mended, token_renewed, region_mended; /* each is tried once */
    unsigned parts;                                  /* of enum s3_optional: what was sent */
    unsigned guessed; /* of call.without: what the store did not name */
    int64_t sent_ms;
    unsigned credentials; /* the number of those it was signed with */
    char access_key[8];   /* as much of it as sentences name */
    struct aws_request *asking;
    struct http_request *sending;
    void (*done)(void *arg, const struct s3_result *result);
    void *arg;
};

static const char *method_of(enum s3_action action)
{
    static const char *const methods[] = {
        [S3_PUT_OBJECT] = "PUT",
        [S3_GET_OBJECT] = "GET",
        [S3_LIST_BUCKET] = "GET",
        [S3_CREATE_UPLOAD] = "POST",
        [S3_UPLOAD_PART] = "PUT",
        [S3_COMPLETE_UPLOAD] = "POST",
        [S3_ABORT_UPLOAD] = "DELETE",
        [S3_LIST_UPLOADS] = "GET",
    };
    return methods[action];
}

/* As AWS's own programs do, AWS_ENDPOINT_URL_S3 is heeded where nothing else names an endpoint. */
static int place(struct s3 *s3, const struct s3_settings *settings, struct error *err)
{
    const char *endpoint = settings->endpoint ? NULL
                                              : aws_service_endpoint("AWS_ENDPOINT_URL_S3", NULL);
    struct s3_settings complete = *settings;
    if (endpoint) {
        complete.endpoint = endpoint;
        complete.path_style = settings->path_style || !aws_region_owns(endpoint);
    }
    int status = s3_address_init(&s3->address, &complete, err);
    if (status < 0 && endpoint)
        error_prefix(err, "AWS_ENDPOINT_URL_S3");
    return status;
}

struct s3 *s3_open(struct loop *loop, const struct s3_settings *settings, struct error *err)
{
    struct s3 *s3 = xcalloc(1, sizeof *s3);
    if (place(s3, settings, err) < 0) {
        free(s3);
        return NULL;
    }
    /* A store of somebody else's may call its region anything: STS is in none of these. */
    bool own = aws_region_owns(s3->address.origin);
    s3->loop = loop;
    s3->aws = aws_open(&(struct aws_setup){.loop = loop,
        .wishes = {settings->role, settings->external_id, settings->session_name},
        .region = own ? settings->region : NULL,
        .find_region = own,
        .announce = settings->announce});
    s3->ca_file = xstrdup_or_null(
        settings->ca_file ? settings->ca_file : aws_environment("AWS_CA_BUNDLE"));
    s3->prefix = xstrdup_or_null(settings->prefix);
    s3->insecure = settings->insecure;
    s3->dialect = s3_dialect_of(s3->address.host);
    s3->region_open = !settings->region && !s3->dialect.region;
    s3_extras_init(&s3->extras, settings);
    if (s3->extras.tagging && (s3->dialect.missing & S3_TAGGING))
        log_warn(
            "%s has no tags for objects: they are stored without; take tags out", s3->address.host);
    return s3;
}

struct s3 *s3_open_again(const struct s3 *s3, struct loop *loop)
{
    struct s3 *again = xcalloc(1, sizeof *again);
    *again = (struct s3){.loop = loop,
        .aws = aws_open_again(s3->aws, loop),
        .ca_file = xstrdup_or_null(s3->ca_file),
        .prefix = xstrdup_or_null(s3->prefix),
        .insecure = s3->insecure,
        .dialect = s3->dialect,
        .region_open = s3->region_open,
        .region_sure = s3->region_sure,
        .clock_offset_ms = s3->clock_offset_ms};
    s3_address_copy(&again->address, &s3->address);
    s3_extras_copy(&again->extras, &s3->extras);
    return again;
}

void s3_settle_region(struct s3 *s3, const char *region)
{
    if (s3->region_open && region && strcmp(region, s3->address.region) != 0)
        s3_address_move(&s3->address, region, NULL);
    s3->region_open = false;
}

void s3_close(struct s3 *s3)
{
    if (!s3)
        return;
    s3_ahead_end(s3);
    aws_close(s3->aws);
    s3_address_free(&s3->address);
    s3_extras_free(&s3->extras);
    free(s3->ca_file);
    free(s3->prefix);
    free(s3);
}

static void release(struct s3_request *request)
{
    free((char *)request->call.key);
    free((char *)request->call.query);
    free((char *)request->call.content_type);
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
        .action = request->call.action,
        .host = s3->address.host,
        .bucket = s3->address.bucket,
        .prefix = s3->prefix,
        .region = s3->address.region,
        .access_key = request->access_key,
        .ca_file = s3->ca_file,
        .kms_key = s3->extras.kms_key,
        .encryption = s3->extras.encryption,
        .storage_class = s3->extras.storage_class,
        .tags = s3->extras.tagging != NULL,
        .owner = s3->extras.owner,
        .own_endpoint = s3->address.own,
        .parts = request->parts,
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

static void mend_clock(struct s3 *s3, int64_t store_ms)
{
    s3->clock_offset_ms = store_ms - clock_wall_ms();
    log_warn("the clock of the store of bucket %s is %+.0f s from this machine's: signing with "
             "the store's; set this machine's clock right",
        s3->address.bucket, (double)s3->clock_offset_ms / 1000);
}

/* Another request may have learned it meanwhile. */
static bool mend_region(struct s3_request *request, const char *region)
{
    struct s3_address *address = &request->s3->address;
    char *old = xstrdup(address->region);
    request->region_mended = true;
    bool known = strcmp(old, region) == 0;
    bool moved = known || s3_address_move(address, region, NULL) == 0;
    if (moved && !known)
        log_warn("the bucket %s is in the region %s, not %s: asking there from now on; set region: "
                 "%s",
            address->bucket, region, old, region);
    free(old);
    return moved;
}

/* What was left out was the reason if the request worked without it. */
static void settle_left_out(const struct s3_request *request)
{
    struct s3 *s3 = request->s3;
    unsigned missing = s3_dialect_settle(
        &s3->dialect, request->parts, request->call.without, request->guessed);
    for (unsigned part = 1; part <= missing; part <<= 1)
        if (missing & part)
            log_warn("the store of bucket %s does not know %s: going on without",
                s3->address.bucket, s3_dialect_name(part));
}

/* What can be mended here at once: our idea of the store's clock, old credentials, the region, and
 * what the store does not know, each part of which can be left out once. */
static bool mend(struct s3_request *request, const struct s3_verdict *verdict)
{
    struct s3 *s3 = request->s3;
    if (verdict->clock_off && !request->clock_mended) {
        mend_clock(s3, verdict->store_ms);
        return request->clock_mended = true;
    }
    if (verdict->token_expired && !request->token_renewed &&
        aws_renew(s3->aws, request->credentials))
        return request->token_renewed = true;
    if (*verdict->region && !request->region_mended)
        return mend_region(request, verdict->region);
    bool relied_on = request->call.strict && verdict->unknown == S3_CONDITION;
    if (verdict->unknown && !relied_on) {
        request->call.without |= verdict->unknown;
        request->guessed |= verdict->guessed ? verdict->unknown : 0;
        return true;
    }
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
    if (verdict.outcome == S3_OK)
        settle_left_out(request);
    if (result->status >= 200 && result->status < 500 && !*verdict.region)
        request->s3->region_sure = true;
    if (verdict.outcome == S3_OK && request->call.action == S3_GET_OBJECT &&
        result->body.size > request->call.max_object) {
        verdict.outcome = S3_REFUSED;
        snprintf(verdict.reason, sizeof verdict.reason, "it is larger than %zu bytes",
            request->call.max_object);
    }
    finish(request, &(struct s3_result){
                        .outcome = verdict.outcome,
                        .status = result->status,
                        .retry_after_ms = verdict.retry_after_ms,
                        .missing = verdict.missing,
                        .exists = verdict.exists,
                        .gone = verdict.gone,
                        .conditional = (request->parts & S3_CONDITION) != 0,
                        .unconditional = request->call.strict && !verdict.guessed &&
                                         verdict.unknown == S3_CONDITION,
                        .checked = (request->parts & S3_CHECKSUM) != 0,
                        .spoilt = verdict.spoilt,
                        .etag = http_header(result, "ETag"),
                        .denied = verdict.denied,
                        .reason = verdict.reason,
                        .body = &result->body,
                    });
}

static int sign(struct s3_request *request, const struct sigv4_credentials *credentials,
    const struct s3_headers *headers, struct sigv4_signature *signature, struct error *err)
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
    char *path = xasprintf("%s%s", s3->address.path, request->call.key);
    int status = sigv4_sign(&scope,
        &(struct sigv4_request){
            .method = method_of(request->call.action),
            .path = path,
            .query = request->call.query,
            .headers = headers->items,
            .header_count = headers->count,
            .payload_hash = request->sha256,
        },
        signature, err);
    free(path);
    return status;
}

/* "Name: value" of all that is sent, NULL-terminated; the first `made` are the caller's to free. */
static const char **header_lines(
    const struct s3_headers *headers, const struct sigv4_signature *signature, size_t *made)
{
    size_t count = 0, signed_count = sizeof signature->headers / sizeof signature->headers[0];
    const char **lines = xcalloc(headers->count + signed_count + 1, sizeof *lines);
    for (; count < headers->count; count++)
        lines[count] = xasprintf("%s: %s", headers->items[count].name, headers->items[count].value);
    *made = count;
    for (char *const *header = signature->headers; *header; header++)
        lines[count++] = *header;
    return lines;
}

static void count(struct s3 *s3, enum s3_action action)
{
    if (action == S3_LIST_BUCKET || action == S3_LIST_UPLOADS)
        s3->count.lists++;
    else if (action == S3_GET_OBJECT)
        s3->count.gets++;
    else
        s3->count.others++;
}

struct s3_count s3_count(const struct s3 *s3)
{
    return s3->count;
}

static void send_signed(struct s3_request *request, const struct s3_headers *headers,
    const struct sigv4_signature *signature)
{
    struct s3 *s3 = request->s3;
    const struct s3_call *call = &request->call;
    size_t made, max_object = call->max_object;
    char *url = s3_address_url(&s3->address, call->key, call->query);
    const char **lines = header_lines(headers, signature, &made);
    bool posts = call->action == S3_CREATE_UPLOAD; /* nothing, which is to be said */
    count(s3, call->action);
    request->sending = http_start(s3->loop,
        &(struct http_options){
            .method = method_of(call->action),
            .url = url,
            .headers = lines,
            .upload = posts ? "" : call->data,
            .upload_fd = call->fd,
            .upload_offset = call->offset,
            .upload_bytes = call->size,
            .ca_file = s3->ca_file,
            .insecure = s3->insecure,
            .proxy = true,
            .timeout_ms = BASE_TIMEOUT_MS + (int64_t)(call->size / SLOWEST_BYTES_PER_MS),
            .stall_ms = STALL_MS,
            .max_answer_bytes = max_object > MAX_ERROR_ANSWER ? max_object : MAX_ERROR_ANSWER,
            .done = answered,
            .arg = request,
        });
    for (size_t i = 0; i < made; i++)
        free((char *)lines[i]);
    free(lines);
    free(url);
}

static void got_credentials(void *arg, const struct aws_answer *answer)
{
    struct s3_request *request = arg;
    request->asking = NULL;
    if (!answer->credentials) {
        refuse(request, answer->may_recover ? S3_RETRY : S3_REFUSED, answer->reason);
        return;
    }
    if (request->call.strict && (request->s3->dialect.missing & S3_CONDITION)) {
        struct buf nothing;
        buf_init(&nothing, 0);
        finish(request, &(struct s3_result){.outcome = S3_REFUSED,
                            .unconditional = true,
                            .reason = "the store does not know conditional writes (If-None-Match)",
                            .body = &nothing});
        return;
    }
    struct s3_headers headers;
    struct sigv4_signature signature;
    struct error err;
    s3_settle_region(request->s3, answer->region);
    s3_headers_init(&headers, request->s3, &request->call, request->sha256);
    request->parts = headers.parts;
    int status = sign(request, answer->credentials, &headers, &signature, &err);
    request->credentials = answer->number;
    strncpy(request->access_key, answer->credentials->access_key, sizeof request->access_key - 1);
    if (status == 0)
        send_signed(request, &headers, &signature);
    s3_headers_free(&headers);
    sigv4_free(&signature);
    if (status < 0)
        refuse(request, S3_REFUSED, err.text);
}

static void ask(struct s3_request *request)
{
    request->asking = aws_get(request->s3->aws, got_credentials, request);
}

struct s3_request *s3_request_start(struct s3 *s3, const struct s3_call *call,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    struct s3_request *request = xcalloc(1, sizeof *request);
    *request = (struct s3_request){.s3 = s3, .call = *call, .done = done, .arg = arg};
    request->call.key = xstrdup_or_null(call->key);
    request->call.query = xstrdup_or_null(call->query);
    request->call.content_type = xstrdup_or_null(call->content_type);
    memcpy(request->sha256, call->sha256 ? call->sha256 : sha256_of_nothing,
        sizeof request->sha256 - 1);
    ask(request);
    return request;
}

struct s3_request *s3_put(struct s3 *s3, const struct s3_object *object,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    const struct s3_call call = {.action = S3_PUT_OBJECT,
        .key = object->key,
        .data = object->data,
        .fd = object->fd,
        .size = object->size,
        .sha256 = object->sha256,
        .content_type = object->content_type,
        .only_new = object->only_new,
        .strict = object->strict};
    return s3_request_start(s3, &call, done, arg);
}

struct s3_request *s3_get(struct s3 *s3, const char *key, size_t max,
    void (*done)(void *arg, const struct s3_result *result), void *arg)
{
    const struct s3_call call = {.action = S3_GET_OBJECT, .key = key, .max_object = max};
    return s3_request_start(s3, &call, done, arg);
}
