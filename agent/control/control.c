#include "agent/control/control.h"

#include "agent/agent_parts.h"
#include "agent/control/progress.h"
#include "agent/control/server.h"
#include "agent/control/status.h"
#include "agent/incidents/admission.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/listen.h"
#include "core/log.h"
#include "core/loop.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const int64_t retry_ms = 10000;
enum { MAX_REASON = 500 };

struct control {
    struct agent *agent;
    struct server *socket, *port;
    struct loop_timer *retry;
    struct error said;
};

char *control_socket_path(const char *state)
{
    return xasprintf("%s/control.sock", state);
}

static void reply_json(struct server_reply *reply, int status, json_t *json)
{
    reply->status = status;
    reply->content_type = "application/json";
    char *text = json_dumps(json, JSON_COMPACT);
    buf_printf(&reply->body, "%s\n", text ? text : "{}");
    free(text);
    json_decref(json);
}

static void reply_error(struct server_reply *reply, int status, const char *text)
{
    reply_json(reply, status, json_pack("{s:o}", "error", json_text(text)));
}

static void get_health(
    struct agent *agent, const struct server_request *request, struct server_reply *reply)
{
    (void)agent;
    (void)request;
    buf_puts(&reply->body, "ok\n"); /* the loop that answers is the loop that samples */
}

static void get_status(
    struct agent *agent, const struct server_request *request, struct server_reply *reply)
{
    (void)request;
    reply_json(reply, 200, status_json(agent));
}

static void get_metrics(
    struct agent *agent, const struct server_request *request, struct server_reply *reply)
{
    (void)request;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    status_metrics(agent, &reply->body);
}

/* An argument of the request; NULL when it is empty, too. */
static const char *given(const struct server_request *request, const char *name)
{
    const char *text = server_argument(request, name);
    return text && *text ? text : NULL;
}

static void post_capture(
    struct agent *agent, const struct server_request *request, struct server_reply *reply)
{
    const char *reason = given(request, "reason"), *set = given(request, "set");
    const char *app = given(request, "app");
    struct error err = {0};
    if (request->from_page)
        reply_error(reply, 403, "a web page may not take captures");
    else if (reason && strlen(reason) > MAX_REASON)
        reply_error(reply, 400, "the reason is longer than 500 bytes");
    else if (admission_check(agent->config, app, set, &err) < 0)
        reply_error(reply, 400, err.text);
    else {
        const char *id = admission_take(agent, app, reason ? reason : "taken by hand", set, &err);
        if (id)
            reply_json(reply, 202, json_pack("{s:s}", "id", id));
        else {
            log_info("a capture by hand is refused: %s", err.text);
            reply_error(reply, 409, err.text);
        }
    }
}

static void get_capture(
    struct agent *agent, const struct server_request *request, struct server_reply *reply)
{
    static const char *const states[] = {[PROGRESS_CAPTURING] = "capturing",
        [PROGRESS_WAITING] = "waiting",
        [PROGRESS_FAILING] = "failing",
        [PROGRESS_STORED] = "stored"};
    const char *id = strrchr(request->path, '/') + 1, *reason = NULL;
    enum progress progress = progress_of(agent, id, &reason);
    if (progress == PROGRESS_UNKNOWN)
        reply_error(reply, 404, "this run knows no incident with that id");
    else
        reply_json(reply, 200,
            json_pack("{s:s, s:o*}", "state", states[progress], "error",
                reason ? json_text(reason) : NULL));
}

static const struct route {
    const char *method, *path;
    bool prefix;
    void (*handle)(
        struct agent *agent, const struct server_request *request, struct server_reply *reply);
} routes[] = {
    {"GET", "/healthz", false, get_health},
    {"GET", "/status", false, get_status},
    {"GET", "/metrics", false, get_metrics},
    {"GET", "/capture/", true, get_capture},
    {"POST", "/capture", false, post_capture},
};

static void handle(void *arg, const struct server_request *request, struct server_reply *reply)
{
    struct control *control = arg;
    /* The server leaves the body out; some health checks ask like that (wget --spider). */
    const char *method = !strcmp(request->method, "HEAD") ? "GET" : request->method;
    bool known = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *route = &routes[i];
        if (route->prefix ? strncmp(request->path, route->path, strlen(route->path)) != 0
                          : strcmp(request->path, route->path) != 0)
            continue;
        known = true;
        if (!strcmp(method, route->method)) {
            route->handle(control->agent, request, reply);
            return;
        }
    }
    if (known)
        reply_error(reply, 405, "this path does not know that method");
    else
        reply_error(reply, 404, "there are /healthz, /status, /metrics and POST /capture");
}

static void say_once(struct control *control, const struct error *err)
{
    if (strcmp(control->said.text, err->text) != 0)
        log_warn("%s; tried again every %lld s", err->text, (long long)retry_ms / 1000);
    control->said = *err;
}

static void say_listening(const char *listen)
{
    struct listen_address address;
    struct error err;
    bool local = listen_address_parse(listen, &address, &err) == 0 &&
                 listen_address_is_loopback(&address);
    log_info("listening on %s%s", listen,
        local ? "" : ": whoever reaches it may read the status and take captures");
    listen_address_free(&address);
}

static void listen_again(void *arg)
{
    struct control *control = arg;
    struct agent *agent = control->agent;
    struct error err;
    bool missing = false;
    if (!control->socket) {
        char *path = control_socket_path(agent->config->state);
        control->socket = server_open_unix(agent->loop, path, handle, control, &err);
        missing = !control->socket;
        free(path);
    }
    if (missing)
        say_once(control, &err);
    if (!control->port && agent->config->listen) {
        control->port = server_open_port(agent->loop, agent->config->listen, handle, control, &err);
        if (control->port)
            say_listening(agent->config->listen);
        else
            say_once(control, &err);
        missing = missing || !control->port;
    }
    if (missing)
        loop_timer_set(control->retry, clock_mono_ms() + retry_ms);
}

struct control *control_open(struct agent *agent)
{
    struct control *control = xcalloc(1, sizeof *control);
    control->agent = agent;
    control->retry = loop_timer_new(agent->loop, listen_again, control);
    listen_again(control);
    return control;
}

void control_close(struct control *control)
{
    if (!control)
        return;
    server_close(control->socket);
    server_close(control->port);
    loop_timer_free(control->retry);
    free(control);
}

void control_reload(struct control *control, const char *listen_before)
{
    const char *listen = control->agent->config->listen;
    if (listen && listen_before ? !strcmp(listen, listen_before) : listen == listen_before)
        return;
    if (control->port)
        log_info("no longer listening on %s", listen_before);
    server_close(control->port);
    control->port = NULL;
    control->said.text[0] = '\0';
    listen_again(control);
}
