/* Credentials of a role by a login of `aws sso login` (IAM Identity Center): the login is renewed
 * when it is due and can be, and the portal asked for the role's credentials.
 * https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html */
#ifndef CORE_AWS_SSO_H
#define CORE_AWS_SSO_H

#include <stdbool.h>

struct aws_plan;
struct aws_sso;
struct aws_temporary;
struct error;
struct loop;

/* `done` comes later, on the loop, once: with credentials, which it takes over, or with an error,
 * and whether another try may help. NULL and err when nobody is logged in. The plan lives as long
 * as it runs. */
struct aws_sso *aws_sso_start(struct loop *loop, const struct aws_plan *plan,
    void (*done)(void *arg, struct aws_temporary *temporary, bool may_recover, struct error *err),
    void *arg, struct error *err);
void aws_sso_cancel(struct aws_sso *sso); /* NULL is allowed */

#endif
