/* A login of `aws sso login`, as the AWS CLI keeps it in ~/.aws/sso/cache, and its renewal. Logins
 * of an sso-session can be renewed without a person for as long as IAM Identity Center allows.
 * https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html */
#ifndef CORE_AWS_SSO_LOGIN_H
#define CORE_AWS_SSO_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Owned; secrets are wiped when it is freed. */
struct aws_sso_login {
    char *token;
    int64_t expires_ms;                              /* wall time */
    char *client_id, *client_secret, *refresh_token; /* NULL: it cannot be renewed */
    int64_t client_expires_ms;                       /* wall time; INT64_MAX: not said */
};

/* -1 and err for what is no login. */
int aws_sso_login_parse(
    const char *json, size_t size, struct aws_sso_login *login, struct error *err);
void aws_sso_login_free(struct aws_sso_login *login);

bool aws_sso_login_can_renew(const struct aws_sso_login *login, int64_t now_ms);

/* What is posted to have it renewed, in JSON. The caller wipes it with aws_wipe. */
char *aws_sso_login_question(const struct aws_sso_login *login);

/* The file's new content, from its old and the answer to that; the caller wipes it. NULL and err
 * for what is no such answer, with what the service said. */
char *aws_sso_login_renewed(const char *file, size_t file_size, const char *answer,
    size_t answer_size, int64_t now_ms, struct error *err);

#endif
