/* One question to a service by AWS's query protocol: a form that is posted, signed with credentials
 * of the chain. Where it is refused for the clock, or for credentials that have expired, it is
 * asked again, once for each. */
#ifndef CORE_AWS_QUERY_H
#define CORE_AWS_QUERY_H

#include "core/aws/sigv4.h"
#include "core/http.h"

#include <stdbool.h>
#include <stdint.h>

struct aws;
struct aws_query;
struct error;
struct loop;

/* All of it outlives the question. */
struct aws_query_question {
    struct aws *aws;
    const char *service;  /* in signatures and host names: "sns" */
    const char *title;    /* in the log: "AWS SNS" */
    const char *region;   /* NULL: the one that comes with the credentials, else us-east-1 */
    const char *endpoint; /* NULL: as `variable` says, else AWS's of the region */
    const char *variable; /* "AWS_ENDPOINT_URL_SNS"; not looked at with an endpoint */
    const char *ca_file;  /* NULL: the system's */
    const char *form;
    int64_t timeout_ms;        /* of each try */
    uint64_t max_answer_bytes; /* 0: as core/http.h has it */
};

/* All of it is valid within `done`. */
struct aws_query_answer {
    const struct http_result *http; /* NULL: it was not sent */
    const char *region;             /* that was asked */
    const char *reason;             /* not sent: a sentence with the remedy */
    bool may_recover;               /* not sent: it may be another time */
};

/* `done` comes later, on the loop, once. */
struct aws_query *aws_query_ask(struct loop *loop, const struct aws_query_question *question,
    void (*done)(void *arg, const struct aws_query_answer *answer), void *arg);
void aws_query_cancel(struct aws_query *query); /* NULL is allowed */

/* The parts of it that are signed: the form's type, and a POST of it to "/". -1 and err when it
 * cannot be signed. */
#define AWS_QUERY_TYPE "application/x-www-form-urlencoded; charset=utf-8"
int aws_query_sign(const struct sigv4_scope *scope, const char *host, const char *form,
    struct sigv4_signature *signature, struct error *err);

#endif
