/* One question to STS: the form, signed where credentials are given, and the answer. */
#ifndef CORE_AWS_STS_CALL_H
#define CORE_AWS_STS_CALL_H

#include "core/aws/aws_sts.h"
#include "core/aws/sigv4.h"
#include "core/http.h"

#include <stdint.h>

struct aws_sts_call;
struct loop;

struct aws_sts_question {
    enum aws_sts_action action;
    const struct aws_role *role; /* lives as long as the call; NULL: the action has none */
    const char *token;           /* of the web identity; NULL: none */
    const struct sigv4_credentials *credentials; /* copied; NULL: not signed */
    const char *region;                          /* copied */
    const char *ca_file; /* lives as long as the call; NULL: as core/aws/aws_http.h says */
    /* STS's clock minus ours: taken for the signature, and set from STS's Date where that is what
     * the refusal is about; the question is asked once more then. */
    int64_t *clock_offset_ms;
};

/* `done` comes later, on the loop, once. NULL and err when it cannot be signed. */
struct aws_sts_call *aws_sts_ask(struct loop *loop, const struct aws_sts_question *question,
    void (*done)(void *arg, const struct http_result *result), void *arg, struct error *err);
void aws_sts_cancel(struct aws_sts_call *call); /* NULL is allowed */

#endif
