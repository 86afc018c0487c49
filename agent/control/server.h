/* HTTP for operators, on the loop (libmicrohttpd with its epoll descriptor): a Unix socket in the
 * state folder, and a port where the configuration wants one. */
#ifndef AGENT_CONTROL_SERVER_H
#define AGENT_CONTROL_SERVER_H

#include "core/buf.h"

#include <stdbool.h>

struct error;
struct loop;
struct server;

struct server_request {
    const char *method, *path;
    bool from_page; /* it has an Origin header: a web page sent it */
    const void *handle;
};

struct server_reply {
    int status;
    const char *content_type;
    struct buf body; /* initialised, freed by the server */
};

/* A query argument of the request, or NULL. Valid while the request is handled. */
const char *server_argument(const struct server_request *request, const char *name);

/* Answers one request at once. */
typedef void server_handler(
    void *arg, const struct server_request *request, struct server_reply *reply);

/* Whether a Unix socket can have this path: 0, or -1 and err when it is too long. */
int server_check_unix(const char *path, struct error *err);

/* On a Unix socket at path (a stale one is replaced; mode 0600), or on "ADDRESS:PORT" or
 * "[V6]:PORT". NULL and err when it cannot be had. */
struct server *server_open_unix(
    struct loop *loop, const char *path, server_handler *handler, void *arg, struct error *err);
struct server *server_open_port(
    struct loop *loop, const char *address, server_handler *handler, void *arg, struct error *err);
void server_close(struct server *server);

#endif
