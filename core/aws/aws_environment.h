/* What AWS's variables say. */
#ifndef CORE_AWS_ENVIRONMENT_H
#define CORE_AWS_ENVIRONMENT_H

#include <stdbool.h>

struct aws_plan;
struct error;

/* NULL also for one that is empty, as AWS's own programs see it. */
const char *aws_environment(const char *name);

/* Takes AWS_ACCESS_KEY_ID and its companions, if they are there. */
bool aws_plan_keys_of_environment(struct aws_plan *plan);

/* Where the container's credentials are: RELATIVE wins over FULL. NULL and err when it may not be
 * there. The caller frees. */
char *aws_container_url(struct error *err);

/* "Authorization: <token>" for it, or NULL where none is wanted. The token file wins over the token
 * and is read each time: EKS replaces it. -1 and err when it is wanted and cannot be had. The
 * caller wipes it. */
int aws_container_authorization(char **header, struct error *err);

/* Where a service answers: $AWS_ENDPOINT_URL_<SERVICE>, else $AWS_ENDPOINT_URL (unless
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS), else `otherwise`, which may be NULL.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
const char *aws_service_endpoint(const char *variable, const char *otherwise);

/* The URL of a service's root: below the endpoint that is given, else as aws_service_endpoint says,
 * else AWS's of the region, whose host begins with `host` ("sns"). The caller frees. */
char *aws_service_url(
    const char *host, const char *region, const char *endpoint, const char *variable);

#define AWS_NO_CREDENTIALS                                                                         \
    "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the "  \
    "ECS task a task "                                                                             \
    "role (tried: the environment, web identity, the files in ~/.aws, "                            \
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI"

#endif
