/* AWS credentials: the first of a chain of providers that has some.
 *   1. environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   2. container: the ECS task role or EKS Pod Identity, over HTTP
 *      (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI)
 * The container's are fetched on the loop when somebody asks, kept, and fetched again before they
 * expire. Nothing here ever logs a secret. */
#ifndef CORE_AWS_H
#define CORE_AWS_H

#include "core/aws/sigv4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws;
struct aws_request;
struct error;
struct loop;

struct aws_answer {
    const struct sigv4_credentials *credentials; /* valid within `done`; NULL: none */
    bool may_recover;   /* without credentials: the provider did not answer, or not well */
    const char *reason; /* without credentials: a sentence with what was tried and the remedy */
};

struct aws *aws_open(struct loop *loop);
void aws_close(struct aws *aws); /* requests under way end without `done` */

/* Asks for credentials; `done` comes later, on the loop, exactly once unless cancelled. */
struct aws_request *aws_get(
    struct aws *aws, void (*done)(void *arg, const struct aws_answer *answer), void *arg);
void aws_cancel(struct aws_request *request); /* NULL is allowed */

/* The service said that the credentials have expired: the next aws_get fetches new ones. False when
 * there is nothing to fetch, as the environment's are what they are. */
bool aws_renew(struct aws *aws);

/* What a provider of temporary credentials answers. */
struct aws_temporary {
    char *access_key, *secret_key, *session_token; /* the last may be NULL */
    int64_t expires_ms;                            /* wall time; INT64_MAX: never */
};

/* Parses a container credentials answer (AccessKeyId, SecretAccessKey, Token, Expiration). -1 and
 * err when it is none: the sentence holds the provider's own code and message, if it gave some. */
int aws_parse(const char *json, size_t size, struct aws_temporary *temporary, struct error *err);
void aws_temporary_free(struct aws_temporary *temporary);

/* Whether AWS_CONTAINER_CREDENTIALS_FULL_URI may be this: https, or http to loopback and to the
 * addresses of ECS and EKS, so that a wrong variable cannot send the token across a network. */
bool aws_uri_allowed(const char *uri);

#endif
