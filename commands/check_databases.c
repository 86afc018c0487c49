#include "commands/check_databases.h"

#include "commands/check_cloudwatch.h"
#include "commands/check_statements.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int connect_patience_ms = 3000;

struct checks {
    struct loop *loop;
    const struct config *config;
    check_say *say;
    void *arg;
};

/* Blocks: a command has nothing else to do. */
static int try_address(const struct addrinfo *address, struct error *err)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, "no socket: %s", strerror(errno));
    int status = connect(fd, address->ai_addr, address->ai_addrlen), code = errno;
    if (status < 0 && code == EINPROGRESS) {
        struct pollfd polled = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof code;
        code = ETIMEDOUT;
        if (poll(&polled, 1, connect_patience_ms) == 1)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        status = code ? -1 : 0;
    }
    close(fd);
    return status < 0 ? error_set(err,
                            "cannot connect: %s; does it run, is it the right port, and do its "
                            "firewall or security groups let this task in?",
                            strerror(code))
                      : 0;
}

static int connect_to(const char *endpoint, struct error *err)
{
    const char *colon = strrchr(endpoint, ':');
    bool bracketed = endpoint[0] == '[';
    size_t length = (size_t)(colon - endpoint) - (bracketed ? 2 : 0);
    char *host = xstrndup(endpoint + bracketed, length);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int code = getaddrinfo(host, colon + 1, &hints, &found);
    int status = code ? error_set(err,
                            "%s is not found: %s; is database.endpoint right, and does "
                            "this machine ask the DNS that knows it?",
                            host, gai_strerror(code))
                      : -1;
    for (const struct addrinfo *at = found; at && status < 0; at = at->ai_next)
        status = try_address(at, err);
    if (found)
        freeaddrinfo(found);
    free(host);
    return status;
}

static void check_rds(const struct checks *checks, size_t database)
{
    struct error err;
    char came[CHECK_CLOUDWATCH_SIZE];
    if (!config_has_cloudwatch(&checks->config->databases[database]))
        return;
    char *part = check_cloudwatch_part(checks->config, database);
    if (check_cloudwatch(checks->loop, checks->config, database, came, &err) < 0)
        checks->say(checks->arg, part, &err);
    else
        printf("%s: ok, %s\n", part, came);
    free(part);
}

static void try_statements(const struct checks *checks, const struct database_config *database)
{
    struct error err;
    size_t count;
    char *part = xasprintf(
        "statements of %s", database->name ? database->name : database->endpoint);
    if (check_statements(database, &count, &err) < 0)
        checks->say(checks->arg, part, &err);
    else
        printf("%s: ok, %zu are counted by its server\n", part, count);
    free(part);
}

void check_databases(struct loop *loop, const struct config *config, check_say *say, void *arg)
{
    struct checks checks = {loop, config, say, arg};
    for (size_t i = 0; i < config->database_count; i++) {
        const struct database_config *database = &config->databases[i];
        struct error err;
        char *part = xasprintf("database %s", database->endpoint);
        int status = connect_to(database->endpoint, &err);
        say(arg, part, status < 0 ? &err : NULL);
        free(part);
        check_rds(&checks, i);
        if (database->statements)
            try_statements(&checks, database);
    }
}
