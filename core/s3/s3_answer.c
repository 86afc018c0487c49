#include "core/s3/s3_answer.h"

#include "core/aws/aws_region.h"
#include "core/http_remedy.h"
#include "core/retry_after.h"
#include "core/s3/s3_dialect.h"
#include "core/s3/s3_remedy.h"
#include "core/s3/s3_xml.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* S3 refuses what was signed more than 15 minutes from its own time; a 403 with a Date that is off
 * by less has another cause.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html */
enum { CLOCK_TOLERANCE_MS = 5 * 60 * 1000 };

/* Codes whose status alone would say the wrong thing. S3's are listed in
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
static const char *const retried_codes[] = {"SlowDown", "Throttling", "ThrottlingException",
    "RequestLimitExceeded", "RequestTimeout", "InternalError", "ServiceUnavailable",
    "OperationAborted", "ConditionalRequestConflict", "IncompleteBody", "BadDigest",
    "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "XMinioServerNotInitialized",
    "TooManyRequests", "KMS.ThrottlingException", "KMS.InternalException",
    "KMS.DependencyTimeoutException", NULL};
static const char *const expired_codes[] = {
    "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", NULL};
static const char *const clock_codes[] = {"RequestTimeTooSkewed", "RequestExpired",
    "RequestInTheFuture", "XMinioRequestTimeTooSkewed", NULL};
static const char *const region_codes[] = {"PermanentRedirect", "TemporaryRedirect", "Redirect",
    "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", NULL};

/* A conflict while parts are put together ends the upload.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
static const char *const spoilt_codes[] = {
    "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "ConditionalRequestConflict", NULL};

static bool among(const char *code, const char *const *codes)
{
    while (*codes && strcmp(*codes, code) != 0)
        codes++;
    return *codes != NULL;
}

static void refuse(struct s3_verdict *verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(struct s3_verdict *verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(verdict->reason, sizeof verdict->reason, format, args);
    va_end(args);
    verdict->outcome = S3_REFUSED;
}

/* AWS names the right that it missed: "... is not authorized to perform: s3:PutObject on ...".
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html */
static bool find_action(const char *message, char *action, size_t size)
{
    static const char before[] = "to perform: ";
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:";
    const char *at = strstr(message, before);
    size_t length = at ? strspn(at + strlen(before), letters) : 0;
    if (length == 0 || length >= size || !memchr(at + strlen(before), ':', length))
        return false;
    snprintf(action, size, "%.*s", (int)length, at + strlen(before));
    return true;
}

/* What may be missing besides, where the store does not say. */
static void hint(const struct s3_question *question, struct s3_verdict *verdict)
{
    size_t used = strlen(verdict->reason);
    bool makes = question->action == S3_PUT_OBJECT || question->action == S3_CREATE_UPLOAD;
    snprintf(verdict->reason + used, sizeof verdict->reason - used, "%s%s%s%s%s",
        makes && question->tags ? ", s3:PutObjectTagging as well" : "",
        makes && question->kms_key ? ", kms:GenerateDataKey on the key" : "",
        question->owner ? "; is the account " : "", question->owner ? question->owner : "",
        question->owner ? " the bucket's owner?" : "");
}

static void denied(
    const struct s3_question *question, const struct s3_fault *fault, struct s3_verdict *verdict)
{
    static const char *const rights[] = {
        [S3_PUT_OBJECT] = "s3:PutObject",
        [S3_GET_OBJECT] = "s3:GetObject",
        [S3_LIST_BUCKET] = "s3:ListBucket",
        [S3_CREATE_UPLOAD] = "s3:PutObject",
        [S3_UPLOAD_PART] = "s3:PutObject",
        [S3_COMPLETE_UPLOAD] = "s3:PutObject",
        [S3_ABORT_UPLOAD] = "s3:AbortMultipartUpload",
        [S3_LIST_UPLOADS] = "s3:ListBucketMultipartUploads",
    };
    const char *arn = aws_region_partition(question->region), *prefix = question->prefix;
    const char *right = rights[question->action];
    char action[64];
    bool below = prefix && *prefix, forbidden = strstr(fault->message, "explicit deny") != NULL;
    const char *verb = forbidden ? "access denied: a policy forbids" : "access denied: allow";
    verdict->denied = true;
    bool named = find_action(fault->message, action, sizeof action);
    if (named && strncmp(action, "s3:", 3) != 0)
        refuse(verdict, "%s %s on the key%s%s", verb, action, question->kms_key ? " " : "",
            question->kms_key ? question->kms_key : "");
    else if (question->action == S3_LIST_BUCKET || question->action == S3_LIST_UPLOADS)
        refuse(verdict, "%s %s on arn:%s:s3:::%s", verb, right, arn, question->bucket);
    else
        refuse(verdict, "%s %s on arn:%s:s3:::%s/%s%s*%s", verb, named ? action : right, arn,
            question->bucket, below ? prefix : "", below ? "/" : "",
            question->action == S3_GET_OBJECT
                ? " (without s3:ListBucket this is also the answer for what is not there)"
                : "");
    if (!named)
        hint(question, verdict);
}

/* Out of an address of AWS: "woogles.s3.eu-west-1.amazonaws.com", "woogles.s3-eu-west-1....". */
static void region_of_endpoint(const char *endpoint, char *region, size_t size)
{
    const char *end = strstr(endpoint, ".amazonaws.com");
    const char *begin = end;
    while (begin > endpoint && begin[-1] != '.')
        begin--;
    if (end && !strncmp(begin, "s3-", 3))
        begin += 3;
    if (end && begin < end && strncmp(begin, "s3.", 3) != 0 && (size_t)(end - begin) < size)
        snprintf(region, size, "%.*s", (int)(end - begin), begin);
}

static void wrong_region(const struct s3_question *question, const struct s3_answer *answer,
    const struct s3_fault *fault, struct s3_verdict *verdict)
{
    char region[sizeof verdict->region] = "";
    if (answer->bucket_region || *fault->region)
        snprintf(region, sizeof region, "%s",
            answer->bucket_region ? answer->bucket_region : fault->region);
    else
        region_of_endpoint(fault->endpoint, region, sizeof region);
    bool other = *region && strcmp(region, question->region) != 0;
    /* An endpoint that was given is not left for another one; what is signed may change. */
    if (other &&
        (question->own_endpoint || strcmp(fault->code, "AuthorizationHeaderMalformed") == 0))
        memcpy(verdict->region, region, sizeof region);
    if (other)
        refuse(verdict, "the bucket %s is in the region %.60s, not %s: set region: %.60s",
            question->bucket, region, question->region, region);
    else if (*fault->endpoint)
        refuse(verdict, "the bucket %s is to be addressed at %s: set region and endpoint for that",
            question->bucket, fault->endpoint);
    else
        refuse(verdict, "%s is not the region of the bucket %s (%s): set region", question->region,
            question->bucket, fault->message);
}

/* Which of what was configured may be the argument that is refused. */
static void bad_argument(
    const struct s3_question *question, const struct s3_fault *fault, struct s3_verdict *verdict)
{
    const char *class = question->storage_class, *encryption = question->encryption;
    bool makes = question->action == S3_PUT_OBJECT || question->action == S3_CREATE_UPLOAD;
    bool any = makes && (class || encryption || question->tags);
    refuse(verdict, "the store refuses a part of the request%s%s%s%s%s: %s%s%.200s",
        any ? ", likely one of" : "",
        any && encryption ? " encryption (which some stores take over https:// only)" : "",
        any && class ? " storage_class" : "", any && question->tags ? " tags" : "",
        *fault->argument ? ", " : "", fault->argument, *fault->argument ? ": " : "",
        *fault->message ? fault->message : "it does not say why");
}

/* The store said something that the table knows, or nothing that anybody does. */
static void explain_code(
    const struct s3_answer *answer, const struct s3_fault *fault, struct s3_verdict *verdict)
{
    const char *remedy = s3_remedy_of(fault->code);
    if (remedy && *fault->message)
        refuse(verdict, "%s; it says: %.200s", remedy, fault->message);
    else if (remedy)
        refuse(verdict, "%s", remedy);
    else if (*fault->code)
        refuse(verdict, "the store answered HTTP %d, %s: %s", answer->status, fault->code,
            *fault->message ? fault->message : "no message");
    else if (answer->status == 412)
        refuse(verdict, "%s", s3_remedy_of("PreconditionFailed"));
    else if (answer->status == 413)
        refuse(verdict, "%s", s3_remedy_of("EntityTooLarge"));
    else if (answer->status == 401)
        refuse(verdict, "%s", s3_remedy_of("Unauthorized"));
    else if (answer->status == 407)
        refuse(verdict, "the proxy wants a user: put it into HTTPS_PROXY");
    else
        refuse(verdict,
            "the store answered HTTP %d without saying why: does the endpoint speak S3?",
            answer->status);
}

/* A refusal, in words that lead somewhere. */
static void explain(const struct s3_question *question, const struct s3_answer *answer,
    const struct s3_fault *fault, struct s3_verdict *verdict)
{
    const char *code = fault->code;
    if (strcmp(code, "AccessDenied") == 0 || (!*code && answer->status == 403))
        denied(question, fault, verdict);
    else if (strcmp(code, "NoSuchBucket") == 0)
        refuse(verdict, "there is no bucket %s: create it or mend bucket", question->bucket);
    else if (strcmp(code, "NoSuchKey") == 0)
        refuse(verdict, "there is no such object");
    else if (strcmp(code, "SignatureDoesNotMatch") == 0)
        refuse(verdict,
            "the store computes another signature: the secret key does not belong to the access "
            "key %.4s..., or something on the way changes requests",
            question->access_key);
    else if (strcmp(code, "InvalidAccessKeyId") == 0)
        refuse(verdict,
            "the store does not know the access key %.4s...: take credentials of this store",
            question->access_key);
    else if (among(code, region_codes) || answer->status == 301 || answer->status == 307)
        wrong_region(question, answer, fault, verdict);
    else if (among(code, clock_codes))
        refuse(verdict, "this machine's clock is too far from the store's: set it right");
    else if (among(code, expired_codes))
        refuse(verdict,
            "the credentials have expired or their session token is not valid (%s): "
            "replace AWS_SESSION_TOKEN, or use the task role",
            code);
    else if (strcmp(code, "InvalidArgument") == 0 || strcmp(code, "InvalidRequest") == 0)
        bad_argument(question, fault, verdict);
    else
        explain_code(answer, fault, verdict);
}

/* The store's own word for it, for searching. */
static void name_code(const char *code, struct s3_verdict *verdict)
{
    size_t used = strlen(verdict->reason);
    if (*code && !strstr(verdict->reason, code))
        snprintf(verdict->reason + used, sizeof verdict->reason - used, " (%s)", code);
}

/* As the virtual-hosted style has it. */
static bool has_bucket(const char *host, const char *bucket)
{
    size_t length = strlen(bucket);
    return host && !strncmp(host, bucket, length) && host[length] == '.';
}

/* No whole answer came. */
static void judge_silence(
    const struct s3_question *question, const struct s3_answer *answer, struct s3_verdict *verdict)
{
    const char *remedy = http_remedy(
        answer->outcome, answer->error, question->host, question->ca_file);
    if (has_bucket(question->host, question->bucket) && strstr(answer->error, "target host name"))
        remedy = "its certificate is for the host without the bucket's name: path_style: true";
    const char *colon = *remedy ? ": " : "";
    if (answer->outcome == HTTP_BAD_TLS) {
        refuse(verdict, "no trusted TLS connection to the store (%.200s)%s%s", answer->error, colon,
            remedy);
    } else if (answer->outcome == HTTP_TOO_LARGE) {
        refuse(verdict, "the store's answer is refused: %.300s", answer->error);
    } else if (answer->outcome == HTTP_REFUSED) {
        refuse(verdict, "the file could not be read while it was being sent");
    } else {
        refuse(verdict, "the store does not answer: %.300s%s%s", answer->error, colon, remedy);
        verdict->outcome = S3_RETRY;
    }
}

static bool status_recovers(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

static void judge_error(
    const struct s3_question *question, const struct s3_answer *answer, struct s3_verdict *verdict)
{
    struct s3_fault fault;
    s3_xml_fault(answer->body, answer->size, &fault);
    time_t date = answer->date ? curl_getdate(answer->date, NULL) : -1;
    verdict->store_ms = (int64_t)date * 1000;
    verdict->spoilt = question->action == S3_COMPLETE_UPLOAD && among(fault.code, spoilt_codes);
    if (status_recovers(answer->status) || among(fault.code, retried_codes)) {
        if (s3_remedy_of(fault.code))
            explain_code(answer, &fault, verdict);
        else
            refuse(verdict, "the store is in trouble: HTTP %d%s%s%s%s", answer->status,
                *fault.code ? ", " : "", fault.code, *fault.message ? ": " : "", fault.message);
        name_code(fault.code, verdict);
        verdict->outcome = S3_RETRY;
        int64_t now_ms = date >= 0 ? verdict->store_ms : question->sent_ms;
        verdict->retry_after_ms = retry_after_ms(answer->retry_after, now_ms);
        return;
    }
    explain(question, answer, &fault, verdict);
    name_code(fault.code, verdict);
    verdict->missing = strcmp(fault.code, "NoSuchKey") == 0;
    verdict->gone = strcmp(fault.code, "NoSuchUpload") == 0;
    /* MinIO's releases before May 2024 say 304, as they would to a GET. */
    bool unmet = answer->status == 412 || answer->status == 304;
    verdict->exists = unmet && (question->parts & S3_CONDITION);
    verdict->unknown = s3_dialect_learn(question->parts, answer->status, &fault, &verdict->guessed);
    if (verdict->spoilt)
        verdict->outcome = S3_RETRY;
    verdict->token_expired = among(fault.code, expired_codes);
    bool off = date >= 0 && llabs(verdict->store_ms - question->sent_ms) > CLOCK_TOLERANCE_MS;
    verdict->clock_off = off && (answer->status == 403 || among(fault.code, clock_codes));
}

/* Of a status that says that all is well. */
static void judge_success(
    const struct s3_question *question, const struct s3_answer *answer, struct s3_verdict *verdict)
{
    struct s3_fault fault;
    bool puts = question->action == S3_PUT_OBJECT || question->action == S3_UPLOAD_PART;
    bool posts = question->action == S3_COMPLETE_UPLOAD || question->action == S3_CREATE_UPLOAD;
    if (puts && !answer->etag) {
        /* A captive portal or a web server that says 200 to anything must not pass for storage. */
        refuse(verdict, "the answer has no ETag, so it is no S3 store's: check endpoint and proxy");
    } else if (posts) {
        /* The status is sent before the parts are put together, and then an error may come.
         * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
        const char *root = question->action == S3_CREATE_UPLOAD ? "InitiateMultipartUploadResult"
                                                                : "CompleteMultipartUploadResult";
        char seen[64];
        s3_xml_root(answer->body, answer->size, seen, sizeof seen);
        s3_xml_fault(answer->body, answer->size, &fault);
        if (*fault.code)
            judge_error(question, answer, verdict);
        else if (strcmp(seen, root) != 0)
            refuse(verdict, "the answer is no S3 store's: check endpoint and proxy");
    }
}

void s3_answer_judge(
    const struct s3_question *question, const struct s3_answer *answer, struct s3_verdict *verdict)
{
    *verdict = (struct s3_verdict){.outcome = S3_OK};
    bool good = answer->status >= 200 && answer->status <= 299;
    /* A refusal may end the connection before all is sent or read: its status still tells most. */
    bool judged = answer->outcome == HTTP_ANSWERED || answer->status >= 300;
    if (!judged)
        judge_silence(question, answer, verdict);
    else if (!good)
        judge_error(question, answer, verdict);
    else
        judge_success(question, answer, verdict);
}
