/* An HTTP server in a thread of the test, on loopback: gives prepared answers one after the other
 * (the last again and again) and remembers what it was asked. */
#ifndef TESTS_STUB_SERVER_H
#define TESTS_STUB_SERVER_H

#include "core/alloc.h"
#include "core/buf.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STUB_MAX_REQUESTS = 16 };

struct stub_answer {
    unsigned status;
    const char *body;
    const char *headers[5]; /* name, value, ..., NULL */
};

struct stub_request {
    char method[8], path[256], authorization[512], date[32], token[64], hash[80];
    char continuation[64]; /* the query's continuation-token */
    struct buf head; /* "Name: value" of every header, "?name=value" of every parameter, in lines */
    char tenant[64], content_type[64];
    struct buf body;
};

struct stub_server {
    struct MHD_Daemon *daemon;
    char url[64];
    const struct stub_answer *answers;
    size_t answer_count;
    struct stub_request requests[STUB_MAX_REQUESTS];
    size_t count;
};

static void stub_copy_header(
    struct MHD_Connection *connection, const char *name, char *to, size_t size)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    snprintf(to, size, "%s", value ? value : "");
}

static enum MHD_Result stub_note(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    buf_printf(arg, "%s%s%s%s\n", kind == MHD_GET_ARGUMENT_KIND ? "?" : "", name,
        kind == MHD_GET_ARGUMENT_KIND ? "=" : ": ", value ? value : "");
    return MHD_YES;
}

static enum MHD_Result stub_reply(
    const struct stub_server *server, size_t index, struct MHD_Connection *connection)
{
    const struct stub_answer *answer =
        &server->answers[index < server->answer_count ? index : server->answer_count - 1];
    const char *body = answer->body ? answer->body : "";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    for (const char *const *header = answer->headers; header[0]; header += 2)
        MHD_add_response_header(response, header[0], header[1]);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result stub_serve(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size, void **state)
{
    (void)version;
    struct stub_server *server = arg;
    struct stub_request *request = *state;
    if (!request) {
        if (server->count == STUB_MAX_REQUESTS)
            return MHD_NO;
        request = *state = &server->requests[server->count++];
        snprintf(request->method, sizeof request->method, "%s", method);
        snprintf(request->path, sizeof request->path, "%s", url);
        stub_copy_header(
            connection, "Authorization", request->authorization, sizeof request->authorization);
        stub_copy_header(connection, "X-Amz-Date", request->date, sizeof request->date);
        stub_copy_header(connection, "X-Amz-Security-Token", request->token, sizeof request->token);
        stub_copy_header(connection, "x-amz-content-sha256", request->hash, sizeof request->hash);
        stub_copy_header(connection, "X-Scope-OrgID", request->tenant, sizeof request->tenant);
        stub_copy_header(
            connection, "Content-Type", request->content_type, sizeof request->content_type);
        const char *continuation = MHD_lookup_connection_value(
            connection, MHD_GET_ARGUMENT_KIND, "continuation-token");
        snprintf(request->continuation, sizeof request->continuation, "%s",
            continuation ? continuation : "");
        buf_init(&request->head, 1 << 16);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, stub_note, &request->head);
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, stub_note, &request->head);
        buf_init(&request->body, 1 << 20);
        return MHD_YES;
    }
    if (*size > 0) {
        buf_append(&request->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return stub_reply(server, (size_t)(request - server->requests), connection);
}

static inline void stub_start(
    struct stub_server *server, const struct stub_answer *answers, size_t count)
{
    *server = (struct stub_server){.answers = answers, .answer_count = count};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL, stub_serve,
        server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (!server->daemon)
        abort();
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(
        server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", (unsigned)info->port);
}

/* Afterwards the requests can be looked at; stub_free forgets them. */
static inline void stub_stop(struct stub_server *server)
{
    MHD_stop_daemon(server->daemon);
}

static inline void stub_free(struct stub_server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        buf_free(&server->requests[i].head);
        buf_free(&server->requests[i].body);
    }
}

#endif
