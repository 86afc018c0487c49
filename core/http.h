/* One HTTP request on the loop: upload from memory or a file, answer collected or streamed, always
 * with a size limit and a deadline. */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct http_request;
struct loop;

/* How a request ended. Everything but HTTP_ANSWERED may be worth another try. */
enum http_outcome {
    HTTP_ANSWERED,  /* a whole answer, whatever its status */
    HTTP_UNREACHED, /* name not found, connection refused or timed out: nothing was sent */
    HTTP_TIMEOUT,   /* connected, but no whole answer within timeout_ms */
    HTTP_BROKEN,    /* the connection ended in the middle of the request or answer */
    HTTP_TOO_LARGE, /* the answer is larger than max_answer_bytes */
    HTTP_REFUSED,   /* on_data said no, or an upload file could not be read */
    HTTP_BAD_TLS,   /* no trust: certificate or handshake */
    HTTP_NOT_HTTP   /* who answers speaks another protocol */
};

struct http_result {
    enum http_outcome outcome;
    int status;          /* 0 when no status line came */
    struct buf body;     /* what was not given to on_data; "" then. Freed after `done` returns */
    uint64_t received;   /* body bytes, streamed ones included */
    struct error *error; /* a sentence without the URL; set unless HTTP_ANSWERED */
    const struct http_request *request; /* for http_header */
};

struct http_options {
    const char *method;         /* NULL: GET */
    const char *url;            /* http or https; copied */
    const char *unix_socket;    /* connect to this socket instead of the URL's host; NULL: no */
    const char *const *headers; /* "Name: value", NULL-terminated; copied. NULL: none */
    const void *upload;         /* request body in memory, not copied; NULL: none */
    int upload_fd;              /* or an open file, not closed; 0 or -1: none */
    uint64_t upload_offset;     /* in the file, where the body begins */
    uint64_t upload_bytes;
    const void *upload_head; /* sent before what is in the file, not copied; NULL: nothing */
    uint64_t upload_head_bytes;
    const char *ca_file; /* trust only this PEM file; NULL: the system's */
    bool insecure;       /* no TLS verification */
    bool proxy;          /* honours HTTPS_PROXY, HTTP_PROXY and NO_PROXY; never for neighbours */
    bool decodes;        /* asks for no Content-Encoding, and undoes one that comes all the same */
    bool own_connection; /* opens a connection for this request only: needed by half-closing */
    int64_t connect_ms;  /* 0: 5,000 */
    int64_t timeout_ms;  /* for all of it; 0: 30,000 */
    int64_t stall_ms;    /* ends a transfer in which nothing moves for so long; 0: never */
    uint64_t max_answer_bytes; /* 0: 1 MiB */
    /* Takes the body of answers with status 200 to 299 as it comes; non-zero ends the request with
     * HTTP_REFUSED. NULL: the body is collected. Of other answers the first 64 KiB are collected.
     */
    int (*on_data)(void *arg, const void *data, size_t size);
    void (*done)(void *arg, const struct http_result *result); /* exactly once unless cancelled */
    void *arg;
};

/* Starts a request; never fails itself: what is wrong comes to `done`, on the loop, later. */
struct http_request *http_start(struct loop *loop, const struct http_options *options);

/* Ends the request now; `done` is not called. NULL is allowed. */
void http_cancel(struct http_request *request);

/* Whether any of the request has left for the server. */
bool http_was_sent(const struct http_request *request);

/* Ends the sending half of the connection (needs own_connection and plain HTTP): Go's pprof then
 * stops a running CPU profile and sends what it has. -1 when there is no such connection. */
int http_half_close(struct http_request *request);

/* Whether there can be, once the request has left. */
bool http_can_half_close(const struct http_request *request);

/* A header of the answer, NULL when there is none. Valid within `done`. */
const char *http_header(const struct http_result *result, const char *name);

/* Runs the loop until the answer is there, for commands. `options->done` and `arg` are ignored.
 * Body and error go to the caller: 0 with *status and body (initialised here, freed by the caller),
 * or -1 with err when there is no whole answer. */
int http_fetch(struct loop *loop, const struct http_options *options, int *status, struct buf *body,
    struct error *err);

/* What the Host header says for a URL: without user information, path and the scheme's own port.
 * The caller frees. */
char *http_host(const char *url);

/* A copy of the URL without user information, query and fragment: fit for logs and files. */
char *http_public_url(const char *url);

#endif
