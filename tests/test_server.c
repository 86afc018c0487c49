/* The operators' HTTP server over a Unix socket and a port, asked by the agent's own client. */
#include "agent/control/server.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/http.h"
#include "core/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/stakeout-test-server-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/control.sock", folder);
    loop = loop_open(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_close(loop);
    return fs_remove(folder, NULL);
}

/* Says back what it was asked: "POST /capture reason=... page". */
static void echo(void *arg, const struct server_request *request, struct server_reply *reply)
{
    ++*(int *)arg;
    const char *reason = server_argument(request, "reason");
    buf_printf(&reply->body, "%s %s reason=%s%s", request->method, request->path,
        reason ? reason : "-", request->from_page ? " page" : "");
    if (!strcmp(request->path, "/missing"))
        reply->status = 404;
    if (!strcmp(request->path, "/json"))
        reply->content_type = "application/json";
}

struct answer {
    bool done;
    int status;
    char body[256], type[64], sniffing[64];
};

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "-");
}

static void answered(void *arg, const struct http_result *result)
{
    struct answer *answer = arg;
    assert_int_equal(result->outcome, HTTP_ANSWERED);
    answer->status = result->status;
    copy(answer->body, sizeof answer->body, result->body.data);
    copy(answer->type, sizeof answer->type, http_header(result, "Content-Type"));
    copy(answer->sniffing, sizeof answer->sniffing, http_header(result, "X-Content-Type-Options"));
    answer->done = true;
}

static struct answer ask(const struct http_options *options)
{
    struct answer answer = {0};
    struct http_options mine = *options;
    mine.done = answered;
    mine.arg = &answer;
    http_start(loop, &mine);
    assert_true(loop_run_until(loop, &answer.done, INT64_MAX));
    return answer;
}

static struct server *open_socket(int *asked)
{
    struct error err;
    struct server *server = server_open_unix(loop, path, echo, asked, &err);
    if (!server)
        fail_msg("%s", err.text);
    return server;
}

static void requests_reach_the_handler_and_its_replies_the_client(void **state)
{
    (void)state;
    static const char *const from_a_page[] = {"Origin: https://evil.example", NULL};
    static const struct {
        struct http_options options;
        int status;
        const char *body, *type;
    } cases[] = {
        {{.url = "http://stakeout/healthz"}, 200, "GET /healthz reason=-",
            "text/plain; charset=utf-8"},
        {{.url = "http://stakeout/json"}, 200, "GET /json reason=-", "application/json"},
        {{.url = "http://stakeout/missing"}, 404, "GET /missing reason=-",
            "text/plain; charset=utf-8"},
        {{.url = "http://stakeout/capture?reason=why%20not%3F&x=1", .method = "POST"}, 200,
            "POST /capture reason=why not?", "text/plain; charset=utf-8"},
        {{.url = "http://stakeout/capture", .method = "POST", .headers = from_a_page}, 200,
            "POST /capture reason=- page", "text/plain; charset=utf-8"},
        {{.url = "http://stakeout/capture",
             .method = "POST",
             .upload = "reason=body",
             .upload_bytes = 11},
            200, "POST /capture reason=-", "text/plain; charset=utf-8"},
    };
    int asked = 0, count = sizeof cases / sizeof *cases;
    struct server *server = open_socket(&asked);
    for (int i = 0; i < count; i++) {
        struct http_options options = cases[i].options;
        options.unix_socket = path;
        struct answer answer = ask(&options);
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(answer.body, cases[i].body);
        assert_string_equal(answer.type, cases[i].type);
        assert_string_equal(answer.sniffing, "nosniff");
    }
    assert_int_equal(asked, count);
    server_close(server);
}

static void the_socket_is_its_users_alone_whatever_the_umask(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 022, 0777};
    int asked = 0;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        mode_t before = umask(masks[i]);
        struct server *server = open_socket(&asked);
        assert_int_equal(umask(before), masks[i]); /* which is every thread's: left alone */
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        assert_true(S_ISSOCK(info.st_mode));
        assert_int_equal(info.st_mode & 07777, 0600);
        server_close(server);
    }
}

static void a_stale_socket_is_replaced_and_none_is_left(void **state)
{
    (void)state;
    int asked = 0;
    assert_int_equal(fs_write(path, "stale", 5, NULL), 0);
    struct server *server = open_socket(&asked);
    struct http_options options = {.url = "http://stakeout/healthz", .unix_socket = path};
    assert_int_equal(ask(&options).status, 200);
    server_close(server);
    assert_false(fs_exists(path));
    server_close(NULL);
}

static void what_cannot_listen_says_why(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const struct {
        const char *socket, *port, *wanted;
    } cases[] = {
        {.socket = longer, .wanted = "too long for a socket's path"},
        {.socket = "/nowhere/at/all.sock", .wanted = "cannot listen on /nowhere/at/all.sock"},
        {.port = "localhost:80", .wanted = "is no IP address"},
        {.port = "127.0.0.1:http", .wanted = "\"http\" is no port"},
        {.port = "192.0.2.1:8080", .wanted = "cannot listen on 192.0.2.1 port 8080"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_null(cases[i].socket ? server_open_unix(loop, cases[i].socket, echo, NULL, &err)
                                    : server_open_port(loop, cases[i].port, echo, NULL, &err));
        if (!strstr(err.text, cases[i].wanted))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].wanted);
    }
}

/* A port that is free and stays so: bound here without listening, open to whoever reuses it. */
static int reserve_port(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_port_answers_and_is_taken(void **state)
{
    (void)state;
    unsigned port;
    int asked = 0, reserved = reserve_port(&port);
    char address[32], url[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    snprintf(url, sizeof url, "http://%s/healthz", address);
    struct error err;
    struct server *server = server_open_port(loop, address, echo, &asked, &err);
    assert_non_null(server);
    struct http_options options = {.url = url};
    assert_string_equal(ask(&options).body, "GET /healthz reason=-");
    assert_null(server_open_port(loop, address, echo, &asked, &err));
    assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1"));
    server_close(server);
    close(reserved);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(requests_reach_the_handler_and_its_replies_the_client),
        WITH_LOOP(the_socket_is_its_users_alone_whatever_the_umask),
        WITH_LOOP(a_stale_socket_is_replaced_and_none_is_left),
        WITH_LOOP(what_cannot_listen_says_why),
        WITH_LOOP(a_port_answers_and_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
