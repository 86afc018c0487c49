#include "core/http.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Addresses of a host that are tried at the same time (happy eyeballs), with room to spare. */
enum { MAX_SOCKETS = 4 };
enum { MAX_REFUSAL = 64 * 1024 }; /* bytes kept of an error answer to a request that streams */

struct http_request {
    struct loop_transfer transfer; /* first: what the loop knows of us */
    struct loop *loop;
    CURL *easy;
    struct curl_slist *headers;
    struct http_options options;
    struct http_result result;
    struct error error;
    uint64_t uploaded;
    int sockets[MAX_SOCKETS]; /* of own_connection, while they are open; else -1 */
    bool plain;               /* no TLS: bytes on the socket are bytes of HTTP */
    bool too_large, refused;
    char detail[CURL_ERROR_SIZE];
};

static uint64_t max_answer(const struct http_request *request)
{
    return request->options.max_answer_bytes ? request->options.max_answer_bytes : 1 << 20;
}

static bool streams(const struct http_request *request)
{
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    return request->options.on_data && status >= 200 && status <= 299;
}

/* Of an answer that is no stream after all only the beginning is worth its memory. */
static void collect(struct http_request *request, const char *data, size_t bytes)
{
    struct buf *body = &request->result.body;
    size_t room = body->max - body->size;
    buf_append(body, data, bytes < room ? bytes : room);
}

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct http_request *request = arg;
    size_t bytes = size * count;
    if (bytes > max_answer(request) - request->result.received) {
        request->too_large = true;
        return 0;
    }
    request->result.received += bytes;
    if (!streams(request)) {
        collect(request, data, bytes);
        return bytes;
    }
    if (request->options.on_data(request->options.arg, data, bytes) != 0) {
        request->refused = true;
        return 0;
    }
    return bytes;
}

static size_t give_head(struct http_request *request, char *data, size_t room)
{
    const struct http_options *options = &request->options;
    uint64_t left = options->upload_head_bytes - request->uploaded;
    size_t bytes = room < left ? room : (size_t)left;
    memcpy(data, (const char *)options->upload_head + request->uploaded, bytes);
    request->uploaded += bytes;
    return bytes;
}

static size_t give(char *data, size_t size, size_t count, void *arg)
{
    struct http_request *request = arg;
    uint64_t head_bytes = request->options.upload_head_bytes;
    if (request->uploaded < head_bytes)
        return give_head(request, data, size * count);
    uint64_t left = head_bytes + request->options.upload_bytes - request->uploaded;
    size_t bytes = size * count < left ? size * count : (size_t)left;
    if (request->options.upload) {
        memcpy(data, (const char *)request->options.upload + request->uploaded, bytes);
    } else {
        uint64_t at = request->options.upload_offset + request->uploaded - head_bytes;
        ssize_t got = pread(request->options.upload_fd, data, bytes, (off_t)at);
        if (got < 0 || (got == 0 && left > 0)) {
            request->refused = true;
            return CURL_READFUNC_ABORT;
        }
        bytes = (size_t)got;
    }
    request->uploaded += bytes;
    return bytes;
}

/* libcurl starts over where it sends the body a second time, as after a stale connection. */
static int rewind_upload(void *arg, curl_off_t offset, int origin)
{
    struct http_request *request = arg;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    request->uploaded = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* CURLINFO_ACTIVESOCKET is not set in the middle of a transfer, so the descriptor is taken where it
 * is made. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http_request *request = arg;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    for (int i = 0; fd >= 0 && i < MAX_SOCKETS; i++) {
        if (request->sockets[i] < 0) {
            request->sockets[i] = fd;
            break;
        }
    }
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    struct http_request *request = arg;
    for (int i = 0; i < MAX_SOCKETS; i++)
        if (request->sockets[i] == fd)
            request->sockets[i] = -1;
    return close(fd);
}

static void set_own_connection(struct http_request *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, request);
}

static void set_upload(struct http_request *request)
{
    const struct http_options *options = &request->options;
    CURL *easy = request->easy;
    if (options->upload || options->upload_fd > 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
            (curl_off_t)(options->upload_head_bytes + options->upload_bytes));
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(easy, CURLOPT_READDATA, request);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_upload);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, request);
    }
    if (options->method && !strcmp(options->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (options->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, options->method);
}

static void set_headers(struct http_request *request)
{
    const char *const *headers = request->options.headers;
    for (; headers && *headers; headers++)
        request->headers = curl_slist_append(request->headers, *headers);
    /* Without this, uploads would wait a second for servers that do not know "100 Continue". */
    request->headers = curl_slist_append(request->headers, "Expect:");
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
}

static void set_options(struct http_request *request)
{
    const struct http_options *options = &request->options;
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_URL, options->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &request->transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->detail);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a silent name server must not hold us */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stakeout/" STAKEOUT_VERSION);
    curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(options->connect_ms ? options->connect_ms : 5000));
    curl_easy_setopt(
        easy, CURLOPT_TIMEOUT_MS, (long)(options->timeout_ms ? options->timeout_ms : 30000));
    if (options->stall_ms) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((options->stall_ms + 999) / 1000));
    }
    if (options->decodes)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");
    if (!options->proxy)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    if (options->unix_socket)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    if (options->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    if (options->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (options->own_connection)
        set_own_connection(request);
    set_upload(request);
    set_headers(request);
}

static enum http_outcome outcome_of(const struct http_request *request, CURLcode code)
{
    if (request->too_large)
        return HTTP_TOO_LARGE;
    if (request->refused)
        return HTTP_REFUSED;
    curl_off_t connected_us = 0;
    switch (code) {
    case CURLE_OK:
        return HTTP_ANSWERED;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_URL_MALFORMAT:
        return HTTP_UNREACHED;
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(request->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
        return connected_us > 0 ? HTTP_TIMEOUT : HTTP_UNREACHED;
    case CURLE_UNSUPPORTED_PROTOCOL: /* of the URL, or of the answer, which it takes for HTTP/0.9 */
        curl_easy_getinfo(request->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
        return connected_us > 0 ? HTTP_NOT_HTTP : HTTP_UNREACHED;
    case CURLE_WEIRD_SERVER_REPLY:
        return HTTP_NOT_HTTP;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_BAD_TLS;
    default:
        return HTTP_BROKEN;
    }
}

static void describe(struct http_request *request, CURLcode code)
{
    struct error *err = &request->error;
    curl_off_t total_us = 0;
    switch (request->result.outcome) {
    case HTTP_ANSWERED:
        break;
    case HTTP_TOO_LARGE:
        error_set(
            err, "the answer is larger than %llu bytes", (unsigned long long)max_answer(request));
        break;
    case HTTP_REFUSED:
        error_set(err, "the data could not be written or read on this side");
        break;
    case HTTP_TIMEOUT:
        curl_easy_getinfo(request->easy, CURLINFO_TOTAL_TIME_T, &total_us);
        error_set(err, "no whole answer within %.3g s", (double)total_us / 1e6);
        break;
    default:
        error_set(err, "%s", request->detail[0] ? request->detail : curl_easy_strerror(code));
    }
}

static void release(struct http_request *request)
{
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    buf_free(&request->result.body);
    free(request);
}

static void finished(struct loop_transfer *transfer, CURLcode code)
{
    struct http_request *request = (struct http_request *)transfer;
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    request->result.status = (int)status;
    request->result.outcome = outcome_of(request, code);
    describe(request, code);
    request->options.done(request->options.arg, &request->result);
    release(request);
}

struct http_request *http_start(struct loop *loop, const struct http_options *options)
{
    struct http_request *request = xcalloc(1, sizeof *request);
    request->transfer.done = finished;
    request->loop = loop;
    request->options = *options;
    request->plain = strncasecmp(options->url, "http:", 5) == 0;
    for (int i = 0; i < MAX_SOCKETS; i++)
        request->sockets[i] = -1;
    request->result.error = &request->error;
    request->result.request = request;
    request->easy = curl_easy_init();
    if (!request->easy)
        abort(); /* only for want of memory */
    buf_init(&request->result.body, options->on_data ? MAX_REFUSAL : (size_t)max_answer(request));
    set_options(request);
    curl_multi_add_handle(loop_multi(loop), request->easy);
    return request;
}

void http_cancel(struct http_request *request)
{
    if (!request)
        return;
    curl_multi_remove_handle(loop_multi(request->loop), request->easy);
    release(request);
}

bool http_was_sent(const struct http_request *request)
{
    long sent_bytes = 0;
    curl_easy_getinfo(request->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    return sent_bytes > 0;
}

bool http_can_half_close(const struct http_request *request)
{
    return request->plain;
}

int http_half_close(struct http_request *request)
{
    if (!http_can_half_close(request) || !http_was_sent(request))
        return -1;
    int status = -1;
    for (int i = 0; i < MAX_SOCKETS; i++)
        if (request->sockets[i] >= 0 && shutdown(request->sockets[i], SHUT_WR) == 0)
            status = 0;
    return status;
}

const char *http_header(const struct http_result *result, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(result->request->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

struct fetch {
    bool done;
    int *status;
    struct buf *body;
    struct error *err;
    int code;
};

static void fetched(void *arg, const struct http_result *result)
{
    struct fetch *fetch = arg;
    fetch->done = true;
    *fetch->status = result->status;
    buf_append(fetch->body, result->body.data, result->body.size);
    if (result->outcome != HTTP_ANSWERED)
        fetch->code = error_set(fetch->err, "%s", result->error->text);
}

int http_fetch(struct loop *loop, const struct http_options *options, int *status, struct buf *body,
    struct error *err)
{
    struct fetch fetch = {.status = status, .body = body, .err = err};
    struct http_options mine = *options;
    mine.done = fetched;
    mine.arg = &fetch;
    buf_init(body, (size_t)(options->max_answer_bytes ? options->max_answer_bytes : 1 << 20));
    http_start(loop, &mine);
    loop_run_until(loop, &fetch.done, INT64_MAX);
    return fetch.code;
}

char *http_host(const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *rest = scheme_end ? scheme_end + 3 : url;
    size_t length = strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', length);
    const char *host = at ? at + 1 : rest;
    length -= (size_t)(host - rest);
    const char *own_port = strncasecmp(url, "http:", 5) == 0 ? ":80" : ":443";
    size_t port_length = strlen(own_port);
    if (length > port_length && !memcmp(host + length - port_length, own_port, port_length))
        length -= port_length;
    return xstrndup(host, length);
}

char *http_public_url(const char *url)
{
    const char *rest = strstr(url, "://");
    rest = rest ? rest + 3 : url;
    size_t host_length = strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', host_length);
    const char *host = at ? at + 1 : rest;
    size_t length = strcspn(host, "?#");
    return xasprintf("%.*s%.*s", (int)(rest - url), url, (int)length, host);
}
