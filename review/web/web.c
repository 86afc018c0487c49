#include "review/web/web.h"

#include "core/alloc.h"
#include "core/crash.h"
#include "core/error.h"
#include "core/listen.h"
#include "review/store/store.h"
#include "review/web/web_analyst.h"
#include "review/web/web_cache.h"
#include "review/web/web_index.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    CONNECTION_MEMORY = 32 * 1024, /* bounds a request's line and headers */
    IDLE_S = 60,
    FORM_MAX = 24 * 1024, /* a note of 4 KiB, every byte of it escaped, and the rest of the form */
    URI_MAX = 8 * 1024,
    STACK_BYTES = 1024 * 1024,
    ANALYSED_IN_FOLDER = 1000,
    ANALYSED_IN_BUCKET = 50
};

/* How often a place is listed again. A request to a bucket costs money. */
static const struct web_index_pace folder_pace = {.recent_ms = 2000, .all_ms = 60000};
static const struct web_index_pace bucket_pace = {.recent_ms = 60000, .all_ms = 900000};

static const size_t reports_max = 32 << 20;

struct web {
    struct web_site site;
    struct MHD_Daemon *daemon;
    uint16_t port;
};

/* One request, from its first line to its answer. */
struct exchange {
    char *uri;
    struct buf upload;
    bool started;   /* the headers have been looked at */
    bool too_large; /* what is uploaded does not fit */
};

/* The first that is called on a connection's thread. */
static void *begin_exchange(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)arg;
    (void)connection;
    crash_guard_thread();
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->uri = xstrdup(uri);
    buf_init(&exchange->upload, FORM_MAX);
    return exchange;
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    struct exchange *exchange = *state;
    if (!exchange)
        return;
    free(exchange->uri);
    buf_free(&exchange->upload);
    free(exchange);
    *state = NULL;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static int check(const struct web_guard *guard, struct MHD_Connection *connection,
    const char *method, const char **why)
{
    const struct web_headers headers = {
        .method = method,
        .host = header(connection, "Host"),
        .origin = header(connection, "Origin"),
        .fetch_site = header(connection, "Sec-Fetch-Site"),
        .fetch_mode = header(connection, "Sec-Fetch-Mode"),
        .fetch_dest = header(connection, "Sec-Fetch-Dest"),
    };
    return web_guard_check(guard, &headers, why);
}

/* The address holds its path afterwards. */
static void dispatch(struct web_site *site, struct exchange *exchange, struct web_request *request,
    struct web_reply *reply)
{
    struct error err = {""};
    char *query = strchr(exchange->uri, '?');
    if (query)
        *query++ = '\0';
    request->path = exchange->uri;
    int status = web_form_parse(
        query ? query : "", query ? strlen(query) : 0, &request->query, &err);
    if (status == 0 && request->post)
        status = web_form_parse(exchange->upload.data, exchange->upload.size, &request->form, &err);
    if (status < 0)
        web_page_problem(site, reply, 400, err.text);
    else
        web_route(site, request, reply);
    web_form_free(&request->query);
    web_form_free(&request->form);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

/* Takes over what is sent. */
static struct MHD_Response *make_response(struct web_reply *reply)
{
    size_t size = reply->body.size;
    void (*release)(void *data) = reply->release;
    if (reply->file >= 0) {
        int file = reply->file;
        reply->file = -1;
        return MHD_create_response_from_fd64(reply->file_size, file);
    }
    reply->release = NULL;
    if (release)
        return MHD_create_response_from_buffer_with_free_callback(
            size, buf_take(&reply->body), release);
    return MHD_create_response_from_buffer(size, buf_take(&reply->body), MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct web_reply *reply)
{
    struct MHD_Response *response = make_response(reply);
    add_header(response, "Content-Type", reply->type);
    add_header(response, "Content-Security-Policy", reply->policy);
    add_header(response, "X-Content-Type-Options", "nosniff");
    /* Not no-referrer: a browser would hide the origin of our own forms, which is checked. */
    add_header(response, "Referrer-Policy", "same-origin");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    add_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Cache-Control", reply->keeps ? "no-cache" : "no-store");
    if (reply->gzip)
        add_header(response, "Content-Encoding", "gzip");
    if (reply->location)
        add_header(response, "Location", reply->location);
    if (reply->attachment) {
        char *value = xasprintf("attachment; filename=\"%s\"", reply->attachment);
        add_header(response, "Content-Disposition", value);
        free(value);
    }
    if (reply->status == 405)
        add_header(response, "Allow", "GET, HEAD, POST");
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)url;
    (void)version;
    struct web *web = arg;
    struct exchange *exchange = *state;
    if (!exchange->started) { /* the first call brings only the headers */
        exchange->started = true;
        return MHD_YES;
    }
    if (*upload_size) {
        if (buf_append(&exchange->upload, upload, *upload_size) < 0)
            exchange->too_large = true;
        *upload_size = 0;
        return MHD_YES;
    }
    const char *why = "";
    struct web_request request = {.post = !strcmp(method, "POST")};
    struct web_reply reply;
    web_reply_init(&reply);
    int refusal = check(&web->site.guard, connection, method, &why);
    if (refusal)
        web_page_problem(&web->site, &reply, (unsigned)refusal, why);
    else if (exchange->too_large || strlen(exchange->uri) > URI_MAX)
        web_page_problem(
            &web->site, &reply, 413, "The request is larger than any form here needs.");
    else
        dispatch(&web->site, exchange, &request, &reply);
    enum MHD_Result result = send_reply(connection, &reply);
    web_reply_free(&reply);
    return result;
}

/* Its threads take no signals but those of a crash: they are the program's. */
static struct MHD_Daemon *serve(struct web *web, int listening)
{
    sigset_t all, before;
    sigfillset(&all);
    crash_let_through(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
        NULL, answer, web, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_URI_LOG_CALLBACK,
        begin_exchange, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static int open_site(struct web_site *site, const struct web_options *options, struct error *err)
{
    site->reports = web_cache_new(reports_max);
    web_guard_init(&site->guard, options->listening, options->host);
    site->stores = web_stores_open(options->where, options->s3, err);
    if (!site->stores)
        return -1;
    bool bucket = !strncmp(options->where, "s3://", 5);
    site->index = web_index_open(
        site->stores, bucket ? &bucket_pace : &folder_pace, options->tell, err);
    if (!site->index)
        return -1;
    site->analyst = web_analyst_open(site, bucket ? ANALYSED_IN_BUCKET : ANALYSED_IN_FOLDER, err);
    return site->analyst ? 0 : -1;
}

static void close_site(struct web_site *site)
{
    if (site->index)
        web_index_wake(site->index);
    web_analyst_close(site->analyst);
    web_index_close(site->index);
    web_cache_free(site->reports);
    web_stores_close(site->stores);
    web_guard_free(&site->guard);
}

struct web *web_open(const struct web_options *options, struct error *err)
{
    int listening = listen_open(options->listening, err);
    if (listening < 0)
        return NULL;
    struct web *web = xcalloc(1, sizeof *web);
    web->port = listen_port(listening);
    int status = open_site(&web->site, options, err);
    if (status == 0) {
        web->daemon = serve(web, listening);
        status = web->daemon ? 0 : error_set(err, "libmicrohttpd does not start");
    }
    if (status == 0)
        return web;
    close(listening);
    close_site(&web->site);
    free(web);
    return NULL;
}

uint16_t web_port(const struct web *web)
{
    return web->port;
}

void web_close(struct web *web)
{
    if (!web)
        return;
    web_index_wake(web->site.index); /* and with it whoever waits for news */
    MHD_stop_daemon(web->daemon);
    close_site(&web->site);
    free(web);
}
