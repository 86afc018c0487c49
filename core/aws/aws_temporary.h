/* Credentials that somebody hands out, and the JSON of those who do. */
#ifndef CORE_AWS_TEMPORARY_H
#define CORE_AWS_TEMPORARY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct sigv4_credentials;

/* Owned; secrets are wiped when they are freed. */
struct aws_temporary {
    char *access_key, *secret_key, *session_token; /* the last may be NULL */
    int64_t expires_ms;                            /* wall time; INT64_MAX: never */
};

void aws_temporary_free(struct aws_temporary *temporary);

/* Those that sign, copied; they never expire. */
void aws_temporary_copy(
    struct aws_temporary *temporary, const struct sigv4_credentials *credentials);

/* After how long credentials that live for left_ms are renewed: five minutes before they end, as
 * AWS has new ones by then, or when a quarter of their life is left, where that is later. Up to
 * half as much again before that by chance (0 to 1,000), so that those who began together do not
 * ask together.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
int64_t aws_renewal_ms(int64_t left_ms, unsigned chance);

/* Zeroes and frees a secret; NULL is allowed. */
void aws_wipe(char *secret);

/* Each -1 and err for what is no such answer: the sentence holds the provider's own code and
 * message, if it gave some. */

/* Of a container's provider (AccessKeyId, SecretAccessKey, Token, Expiration) and of the instance
 * metadata, which says Code besides. */
int aws_parse_metadata(
    const char *json, size_t size, struct aws_temporary *temporary, struct error *err);

/* Of a credential_process (Version 1, SessionToken).
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
int aws_parse_process(
    const char *json, size_t size, struct aws_temporary *temporary, struct error *err);

/* Of IAM Identity Center's portal.
 * https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html */
int aws_parse_sso(
    const char *json, size_t size, struct aws_temporary *temporary, struct error *err);

/* A string of an object that may stand in a header; the caller wipes it. NULL: there is none. */
char *aws_json_visible(const json_t *object, const char *key);

#endif
