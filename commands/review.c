#include "commands/command.h"
#include "commands/terminal.h"
#include "commands/where.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/listen.h"
#include "review/web/web.h"
#include "review/web/web_guard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char default_address[] = "127.0.0.1:8642";

/* What a page that is still being made is given at the end, such as one that waits for a bucket. */
enum { CLOSING_S = 3 };

/* Names are not looked up: what they mean may change. This one may not. */
static int read_address(const char *text, struct listen_address *address, struct error *err)
{
    static const char local[] = "localhost:";
    const size_t length = sizeof local - 1;
    if (strncmp(text, local, length) != 0)
        return listen_address_parse(text, address, err);
    char *numeric = xasprintf("127.0.0.1:%s", text + length);
    int status = listen_address_parse(numeric, address, err);
    free(numeric);
    return status;
}

static void end_now(int signal)
{
    (void)signal;
    _exit(EXIT_DONE);
}

static void print_address(const struct listen_address *listening, uint16_t port)
{
    const char *host = *listening->host ? listening->host : "localhost";
    if (!strcmp(host, "0.0.0.0") || !strcmp(host, "::"))
        host = "localhost";
    printf(strchr(host, ':') ? "stakeout review: http://[%s]:%u/\n"
                             : "stakeout review: http://%s:%u/\n",
        host, (unsigned)port);
    fflush(stdout);
}

static void warn(const char *problem)
{
    char *safe = terminal_safe(problem);
    fprintf(stderr,
        "stakeout review: warning: the incidents cannot be read: %s; it is tried again\n", safe);
    free(safe);
}

static int serve(
    const struct where *where, const struct listen_address *listening, const char *host)
{
    struct error err;
    const struct web_options options = {.where = where->place,
        .s3 = &where->s3,
        .listening = listening,
        .host = host,
        .tell = warn};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* before there are threads, so that sigwait gets them */
    struct web *web = web_open(&options, &err);
    if (!web)
        return command_failed(
            &command_review, "%s; --listen 127.0.0.1:0 takes any free port", err.text);
    if (!listen_address_is_loopback(listening))
        fprintf(stderr, "stakeout review: warning: everybody who can reach this address can read "
                        "and mark the incidents: there is no password\n");
    print_address(listening, web_port(web));
    int got;
    sigwait(&ends, &got);
    sigprocmask(SIG_UNBLOCK, &ends, NULL); /* a second one ends it at once */
    signal(SIGALRM, end_now);
    alarm(CLOSING_S);
    web_close(web);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct where where = {.config_path = NULL};
    struct listen_address listening = {0};
    const char *address = default_address, *host = NULL;
    char *place;
    struct error err;
    const struct command_option options[] = {WHERE_OPTIONS(&where),
        {.name = "listen", .text = &address}, {.name = "host", .text = &host}, {.name = NULL}};
    int status = options_read(&command_review, argc, argv, options, &place);
    if (status == EXIT_DONE && read_address(address, &listening, &err) < 0)
        status = command_misused(&command_review, "--listen: %s", err.text);
    if (status == EXIT_DONE && host && !web_guard_name_valid(host))
        status = command_misused(
            &command_review, "--host: this is no name; write it as in an address, without a port");
    if (status == EXIT_DONE)
        status = where_open(&where, &command_review, place);
    if (status == EXIT_DONE)
        status = serve(&where, &listening, host);
    listen_address_free(&listening);
    where_close(&where);
    return status;
}

const struct command command_review = {
    .name = "review",
    .usage = "[-c FILE] [--listen ADDRESS:PORT] [--host NAME] [WHERE]",
    .summary = "Shows incidents as web pages",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration. Prints the address to open, and serves until Ctrl-C.\n\n"
        "  --listen ADDRESS:PORT\n"
        "                     where it can be reached (default: 127.0.0.1:8642, this machine\n"
        "                     only; port 0: any free one). There is no password\n"
        "  --host NAME        answers to this name as well, for a proxy in front of "
        "it\n" WHERE_HELP,
    .run = run,
};
