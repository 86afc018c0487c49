#include "core/listen.h"

#include "core/alloc.h"
#include "core/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, PORT_MAX = 65535 };

static bool is_port(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length &&
           strtol(text, NULL, 10) <= PORT_MAX;
}

static bool is_ip(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

int listen_address_parse(const char *text, struct listen_address *address, struct error *err)
{
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    const char *begin = bracketed ? text + 1 : text;
    size_t length = colon ? (size_t)(colon - begin) - bracketed : strlen(text);
    *address = (struct listen_address){
        .host = xstrndup(begin, length), .port = xstrdup(colon ? colon + 1 : "")};
    bool well_formed = bracketed || !strchr(address->host, ':');
    if (is_port(address->port) && well_formed && (!*address->host || is_ip(address->host)))
        return 0;
    static const char form[] = "write 127.0.0.1:8080 or [::1]:8080";
    if (!colon)
        return error_set(err, "\"%s\" has no port; %s", text, form);
    if (!is_port(address->port))
        return error_set(
            err, "\"%s\" is no port, which is 0 to %d; %s", address->port, PORT_MAX, form);
    return error_set(err, "\"%s\" is no IP address; %s", address->host, form);
}

void listen_address_free(struct listen_address *address)
{
    free(address->host);
    free(address->port);
    *address = (struct listen_address){0};
}

bool listen_address_is_loopback(const struct listen_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

int listen_open(const struct listen_address *address, struct error *err)
{
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const char *host = *address->host ? address->host : NULL;
    if (getaddrinfo(host, address->port, &hints, &found) != 0)
        return error_set(err, "\"%s\" port %s is no address", address->host, address->port);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        error_set(err, "cannot listen on %s port %s: %s", host ? host : "any address",
            address->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

uint16_t listen_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}
