/* AWS's Security Token Service: what is asked, what it answers, and what its refusals mean.
 * https://docs.aws.amazon.com/STS/latest/APIReference/ */
#ifndef CORE_AWS_STS_H
#define CORE_AWS_STS_H

#include <stdbool.h>
#include <stddef.h>

struct aws_role;
struct aws_temporary;
struct error;

enum aws_sts_action { AWS_ASSUME_ROLE, AWS_ASSUME_WITH_WEB_IDENTITY, AWS_GET_CALLER_IDENTITY };

/* "https://sts.eu-west-1.amazonaws.com/", or $AWS_ENDPOINT_URL_STS; the caller frees. */
char *aws_sts_url(const char *region);

/* The form that is posted; `role` and token only where the action has one. The caller wipes it with
 * aws_wipe. */
char *aws_sts_form(enum aws_sts_action action, const struct aws_role *role, const char *token);

/* The credentials of an answer. -1 and err when it has none. */
int aws_sts_parse(const char *xml, size_t size, struct aws_temporary *temporary, struct error *err);

/* The caller's ARN of an answer to AWS_GET_CALLER_IDENTITY; the caller frees. NULL: it has none. */
char *aws_sts_identity(const char *xml, size_t size);

/* Makes a sentence with the remedy of an answer that is an error; role may be NULL, region is the
 * one that was asked. True: it may work later. */
bool aws_sts_explain(int status, const char *xml, size_t size, enum aws_sts_action action,
    const struct aws_role *role, const char *region, struct error *err);

#endif
