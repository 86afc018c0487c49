/* Where AWS credentials will come from: decided from the environment and the AWS CLI's files in the
 * order of AWS's standard chain, without asking anybody. The files are small, local and regular
 * ones (core/fs.h), so they are read on the loop; a home on a network mount that hangs holds it up.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html */
#ifndef CORE_AWS_PLAN_H
#define CORE_AWS_PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* 1 environment, 2 web identity, 3 the profile in the shared files, 4 container, 5 instance
 * metadata. */
enum aws_source {
    AWS_KEYS,         /* of the environment or a profile */
    AWS_WEB_IDENTITY, /* a token in a file, for which STS gives credentials (EKS IRSA) */
    AWS_PROCESS,      /* what a program prints */
    AWS_SSO,          /* a login of `aws sso login` */
    AWS_CONTAINER,    /* the ECS task role, EKS Pod Identity */
    AWS_INSTANCE      /* EC2's instance metadata, when nothing else is there */
};

enum { AWS_ROLES_MAX = 8 };

/* A role to assume. */
struct aws_role {
    char *arn;
    char *external_id;  /* NULL: none */
    char *session_name; /* 2 to 64 of letters, digits and =,.@- */
};

/* All strings are owned; those that the source does not need are NULL. */
struct aws_plan {
    enum aws_source source;
    char *origin; /* "the profile dev in /root/.aws/config", for sentences */
    char *access_key, *secret_key, *session_token;
    bool of_environment; /* the keys: what cannot change while this runs */
    struct aws_role web; /* AWS_WEB_IDENTITY */
    char *token_file;
    char *command; /* AWS_PROCESS */
    char *sso_region, *sso_account, *sso_role, *sso_cache, *sso_login;
    char *region; /* the environment's or the profile's; NULL: neither says */
    /* Assumed one after the other on top of the source, the last one's credentials are used. */
    struct aws_role roles[AWS_ROLES_MAX];
    size_t role_count;
};

/* What the caller wants of the chain. */
struct aws_wishes {
    const char *role, *external_id; /* assumed on top of all; NULL: none */
    const char
        *session_name; /* of the roles that name none; what does not fit is replaced by "-" */
};

/* -1 and err when it is no role's ARN; NULL is one. */
int aws_plan_check_role(const char *arn, struct error *err);
/* -1 and err when there is an external id without a role. */
int aws_plan_check_external_id(const char *external_id, const char *role, struct error *err);

/* Whether it is an ARN as documentation cuts it off, "arn:..." or "arn:aws:sns:...". Validating a
 * configuration takes it, so that an example is valid as it stands; who opens it warns. */
bool aws_plan_is_example(const char *arn);

/* -1 and err when something is there and wrong: a profile that is named and missing, half a
 * setting, a file that cannot be read. The plan is to be freed in both cases. */
int aws_plan_make(struct aws_plan *plan, const struct aws_wishes *wishes, struct error *err);
void aws_plan_free(struct aws_plan *plan);

/* Whether AWS_CONTAINER_CREDENTIALS_FULL_URI may be this: https, or http to loopback and to the
 * addresses of ECS and EKS, so that a wrong variable cannot send the token across a network. */
bool aws_uri_allowed(const char *uri);

#endif
