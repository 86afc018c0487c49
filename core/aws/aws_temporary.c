#include "core/aws/aws_temporary.h"

#include "core/alloc.h"
#include "core/aws/sigv4.h"
#include "core/clock.h"
#include "core/error.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { RENEW_BEFORE_MS = 5 * 60 * 1000 };

void aws_wipe(char *secret)
{
    if (secret)
        OPENSSL_cleanse(secret, strlen(secret));
    free(secret);
}

void aws_temporary_free(struct aws_temporary *temporary)
{
    free(temporary->access_key);
    aws_wipe(temporary->secret_key);
    aws_wipe(temporary->session_token);
    *temporary = (struct aws_temporary){0};
}

int64_t aws_renewal_ms(int64_t left_ms, unsigned chance)
{
    int64_t before_ms = left_ms / 4 < RENEW_BEFORE_MS ? left_ms / 4 : RENEW_BEFORE_MS;
    return left_ms - before_ms - before_ms * chance / 2000;
}

void aws_temporary_copy(
    struct aws_temporary *temporary, const struct sigv4_credentials *credentials)
{
    *temporary = (struct aws_temporary){xstrdup(credentials->access_key),
        xstrdup(credentials->secret_key),
        credentials->session_token ? xstrdup(credentials->session_token) : NULL, INT64_MAX};
}

/* Visible ASCII. */
char *aws_json_visible(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !*text || json_string_length(json_object_get(object, key)) != strlen(text))
        return NULL;
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~')
            return NULL;
    return xstrdup(text);
}

/* What is wrong is said as {"code": ..., "message": ...} or with capitals. */
static int provider_error(const json_t *answer, const char *wanted, struct error *err)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *message = json_string_value(json_object_get(answer, "message"));
    if (!code)
        code = json_string_value(json_object_get(answer, "Code"));
    if (!message)
        message = json_string_value(json_object_get(answer, "Message"));
    if ((code && strcmp(code, "Success") != 0) || message)
        return error_set(err, "it answered %.100s: %.200s", code ? code : "an error",
            message ? message : "no message");
    return error_set(err, "its answer has no %s", wanted);
}

static json_t *load(const char *json, size_t size, struct error *err)
{
    json_t *answer = json_loadb(json, size, 0, NULL);
    if (!answer)
        error_set(err, "its answer is no JSON");
    return answer;
}

/* Keys as different providers spell them. */
struct spelling {
    const char *access_key, *secret_key, *session_token;
};

static int take(const json_t *answer, const struct spelling *spelling,
    struct aws_temporary *temporary, struct error *err)
{
    *temporary = (struct aws_temporary){
        .access_key = aws_json_visible(answer, spelling->access_key),
        .secret_key = aws_json_visible(answer, spelling->secret_key),
        .session_token = aws_json_visible(answer, spelling->session_token),
        .expires_ms = INT64_MAX};
    if (temporary->access_key && temporary->secret_key)
        return 0;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%s and %s", spelling->access_key, spelling->secret_key);
    aws_temporary_free(temporary);
    return provider_error(answer, wanted, err);
}

static int take_expiration(const json_t *answer, struct aws_temporary *temporary, struct error *err)
{
    const char *expires = json_string_value(json_object_get(answer, "Expiration"));
    if (!expires || rfc3339_parse(expires, strlen(expires), &temporary->expires_ms) == 0)
        return 0;
    aws_temporary_free(temporary);
    return error_set(err, "its answer has an Expiration that is no time");
}

int aws_parse_metadata(
    const char *json, size_t size, struct aws_temporary *temporary, struct error *err)
{
    static const struct spelling spelling = {"AccessKeyId", "SecretAccessKey", "Token"};
    *temporary = (struct aws_temporary){0};
    json_t *answer = load(json, size, err);
    int status = answer ? take(answer, &spelling, temporary, err) : -1;
    if (status == 0)
        status = take_expiration(answer, temporary, err);
    json_decref(answer);
    return status;
}

int aws_parse_process(
    const char *json, size_t size, struct aws_temporary *temporary, struct error *err)
{
    static const struct spelling spelling = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
    *temporary = (struct aws_temporary){0};
    json_t *answer = load(json, size, err);
    if (!answer)
        return -1;
    int status = 0;
    if (json_integer_value(json_object_get(answer, "Version")) != 1)
        status = error_set(err, "its answer does not say \"Version\": 1");
    if (status == 0)
        status = take(answer, &spelling, temporary, err);
    if (status == 0)
        status = take_expiration(answer, temporary, err);
    json_decref(answer);
    return status;
}

int aws_parse_sso(const char *json, size_t size, struct aws_temporary *temporary, struct error *err)
{
    static const struct spelling spelling = {"accessKeyId", "secretAccessKey", "sessionToken"};
    *temporary = (struct aws_temporary){0};
    json_t *answer = load(json, size, err);
    if (!answer)
        return -1;
    json_t *credentials = json_object_get(answer, "roleCredentials");
    int status = take(credentials ? credentials : answer, &spelling, temporary, err);
    if (status == 0 && json_is_integer(json_object_get(credentials, "expiration")))
        temporary->expires_ms = json_integer_value(json_object_get(credentials, "expiration"));
    json_decref(answer);
    return status;
}
