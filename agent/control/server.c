#include "agent/control/server.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/listen.h"
#include "core/loop.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const size_t max_reply_bytes = 4 << 20;

struct server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct loop_watch *watch;
    struct loop_timer *timer;
    server_handler *handler;
    void *arg;
    char *unix_path;
};

const char *server_argument(const struct server_request *request, const char *name)
{
    return MHD_lookup_connection_value(
        (struct MHD_Connection *)(uintptr_t)request->handle, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    static int seen;
    struct server *server = arg;
    if (!*state) { /* the first call brings only the headers */
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size) { /* a body has no meaning here */
        *upload_size = 0;
        return MHD_YES;
    }
    struct server_request request = {.method = method, .path = url, .handle = connection};
    request.from_page = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin") != NULL;
    struct server_reply reply = {.status = 200, .content_type = "text/plain; charset=utf-8"};
    buf_init(&reply.body, max_reply_bytes);
    server->handler(server->arg, &request, &reply);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply.body.size, reply.body.data, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", reply.content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply.status, response);
    MHD_destroy_response(response);
    buf_free(&reply.body);
    return result;
}

/* libmicrohttpd's epoll descriptor does not tell when its own time-outs are due. */
static void turn(void *arg)
{
    struct server *server = arg;
    MHD_run(server->daemon);
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES)
        loop_timer_set(server->timer, clock_mono_ms() + (int64_t)wait_ms);
    else
        loop_timer_unset(server->timer);
}

static struct server *serve(
    struct loop *loop, int listening, server_handler *handler, void *arg, struct error *err)
{
    struct server *server = xcalloc(1, sizeof *server);
    *server = (struct server){.loop = loop, .handler = handler, .arg = arg};
    server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, server,
        MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT, 32U,
        MHD_OPTION_CONNECTION_TIMEOUT, 10U, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
        MHD_OPTION_END);
    if (!server->daemon) {
        error_set(err, "libmicrohttpd does not start");
        close(listening);
        free(server);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(
        server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->watch = loop_watch_readable(loop, info->epoll_fd, turn, server);
    server->timer = loop_timer_new(loop, turn, server);
    return server;
}

int server_check_unix(const char *path, struct error *err)
{
    struct sockaddr_un address;
    if (strlen(path) < sizeof address.sun_path)
        return 0;
    return error_set(err,
        "%s is too long for a socket's path (%zu bytes at most): use a shorter `state`", path,
        sizeof address.sun_path - 1);
}

struct server *server_open_unix(
    struct loop *loop, const char *path, server_handler *handler, void *arg, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (server_check_unix(path, err) < 0)
        return NULL;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path); /* the state folder is locked, so nobody listens on it */
    /* The mode comes before anybody can connect, and not from the umask, which is also that of the
     * threads that write files. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(path, 0600) < 0 || listen(fd, 16) < 0) {
        error_set(err, "cannot listen on %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct server *server = serve(loop, fd, handler, arg, err);
    if (server)
        server->unix_path = xstrdup(path);
    return server;
}

struct server *server_open_port(
    struct loop *loop, const char *text, server_handler *handler, void *arg, struct error *err)
{
    struct listen_address address;
    int fd = listen_address_parse(text, &address, err);
    if (fd == 0)
        fd = listen_open(&address, err);
    else
        error_prefix(err, "listen");
    listen_address_free(&address);
    return fd < 0 ? NULL : serve(loop, fd, handler, arg, err);
}

void server_close(struct server *server)
{
    if (!server)
        return;
    loop_unwatch(server->watch);
    loop_timer_free(server->timer);
    MHD_stop_daemon(server->daemon);
    if (server->unix_path)
        unlink(server->unix_path);
    free(server->unix_path);
    free(server);
}
