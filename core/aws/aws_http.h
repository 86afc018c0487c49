/* One small request to a service of AWS or a provider of credentials, with bounds on all of it. */
#ifndef CORE_AWS_HTTP_H
#define CORE_AWS_HTTP_H

#include "core/http.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct aws_http_question {
    const char *method, *url; /* method NULL: GET */
    const char *headers[6];   /* NULL-terminated */
    const char *body;         /* not copied; NULL: none */
    bool neighbour;           /* the host's own: no proxy */
    int64_t patience_ms;      /* for all of it; 0: 5,000 */
    const char *ca_file;      /* NULL: $AWS_CA_BUNDLE, else the system's */
};

struct http_request *aws_http_ask(struct loop *loop, const struct aws_http_question *question,
    void (*done)(void *arg, const struct http_result *result), void *arg);

/* Whether another try may help. */
bool aws_http_may_recover(const struct http_result *result);

/* The first line of an answer, if it may stand in a URL or a header; the caller frees. */
char *aws_http_line(const struct http_result *result);

/* The address of what is at `path` ("/token") below an endpoint, which may end in a slash or not;
 * the caller frees. */
char *aws_http_url(const char *endpoint, const char *path);

#endif
