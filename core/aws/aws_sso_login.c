#include "core/aws/aws_sso_login.h"

#include "core/alloc.h"
#include "core/aws/aws_temporary.h"
#include "core/clock.h"
#include "core/error.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_S = 365 * 24 * 3600 };

/* Older versions of the AWS CLI write "UTC" where RFC 3339 has "Z". */
static int64_t time_of(const json_t *object, const char *key, int64_t otherwise_ms)
{
    const char *text = json_string_value(json_object_get(object, key));
    size_t length = text ? strlen(text) : 0;
    bool old = length > 3 && !strcmp(text + length - 3, "UTC");
    char *copy = old ? xasprintf("%.*sZ", (int)(length - 3), text) : xstrdup(text ? text : "");
    int64_t time_ms;
    if (rfc3339_parse(copy, strlen(copy), &time_ms) < 0)
        time_ms = otherwise_ms;
    free(copy);
    return time_ms;
}

int aws_sso_login_parse(
    const char *json, size_t size, struct aws_sso_login *login, struct error *err)
{
    json_t *cached = json_loadb(json, size, 0, NULL);
    *login = (struct aws_sso_login){.token = aws_json_visible(cached, "accessToken"),
        .expires_ms = time_of(cached, "expiresAt", INT64_MIN),
        .client_id = aws_json_visible(cached, "clientId"),
        .client_secret = aws_json_visible(cached, "clientSecret"),
        .refresh_token = aws_json_visible(cached, "refreshToken"),
        .client_expires_ms = time_of(cached, "registrationExpiresAt", INT64_MAX)};
    json_decref(cached);
    if (login->token && login->expires_ms != INT64_MIN)
        return 0;
    aws_sso_login_free(login);
    return error_set(err, "it has no accessToken and expiresAt");
}

void aws_sso_login_free(struct aws_sso_login *login)
{
    aws_wipe(login->token);
    aws_wipe(login->client_id);
    aws_wipe(login->client_secret);
    aws_wipe(login->refresh_token);
    *login = (struct aws_sso_login){0};
}

bool aws_sso_login_can_renew(const struct aws_sso_login *login, int64_t now_ms)
{
    return login->client_id && login->client_secret && login->refresh_token &&
           login->client_expires_ms > now_ms;
}

char *aws_sso_login_question(const struct aws_sso_login *login)
{
    json_t *question = json_pack("{s:s, s:s, s:s, s:s}", "clientId", login->client_id,
        "clientSecret", login->client_secret, "grantType", "refresh_token", "refreshToken",
        login->refresh_token);
    char *text = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    return text;
}

static int refuse(const json_t *answer, struct error *err)
{
    const char *code = json_string_value(json_object_get(answer, "error"));
    const char *text = json_string_value(json_object_get(answer, "error_description"));
    if (!code)
        return error_set(err, "the renewal's answer has no accessToken and expiresIn");
    return error_set(
        err, "it could not be renewed: %.60s%s%.200s", code, text ? ": " : "", text ? text : "");
}

/* What else the file says stays. */
static void update(json_t *cached, const json_t *answer, int64_t expires_ms)
{
    char expires[RFC3339_SIZE];
    rfc3339_format(expires_ms, expires);
    const json_t *refresh_token = json_object_get(answer, "refreshToken");
    json_object_set(cached, "accessToken", json_object_get(answer, "accessToken"));
    json_object_set_new(cached, "expiresAt", json_string(expires));
    if (json_is_string(refresh_token))
        json_object_set(cached, "refreshToken", json_object_get(answer, "refreshToken"));
}

char *aws_sso_login_renewed(const char *file, size_t file_size, const char *answer,
    size_t answer_size, int64_t now_ms, struct error *err)
{
    json_t *cached = json_loadb(file, file_size, 0, NULL);
    json_t *said = json_loadb(answer, answer_size, 0, NULL);
    json_int_t lives_s = json_integer_value(json_object_get(said, "expiresIn"));
    char *token = aws_json_visible(said, "accessToken"), *text = NULL;
    if (!json_is_object(cached) || !token || lives_s <= 0 || lives_s > LONGEST_S) {
        refuse(said, err);
    } else {
        update(cached, said, now_ms + lives_s * 1000);
        text = json_dumps(cached, 0);
    }
    aws_wipe(token);
    json_decref(said);
    json_decref(cached);
    return text;
}
