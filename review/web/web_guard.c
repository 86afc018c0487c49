#include "review/web/web_guard.h"

#include "core/alloc.h"
#include "core/listen.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HOST_MAX = 255 };

static bool is_ip(const char *name)
{
    struct in6_addr address;
    char plain[INET6_ADDRSTRLEN];
    size_t length = strlen(name);
    if (name[0] != '[')
        return inet_pton(AF_INET, name, &address) == 1;
    if (length < 2 || length - 2 >= sizeof plain || name[length - 1] != ']')
        return false;
    memcpy(plain, name + 1, length - 2);
    plain[length - 2] = '\0';
    return inet_pton(AF_INET6, plain, &address) == 1;
}

static void add_name(struct web_guard *guard, const char *name)
{
    char *copy = xstrdup(name);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    guard->names[guard->count++] = copy;
}

bool web_guard_name_valid(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-";
    size_t length = strlen(name);
    return length > 0 && length <= HOST_MAX && (strspn(name, plain) == length || is_ip(name));
}

void web_guard_secret(char *hex, size_t size)
{
    unsigned char byte;
    for (size_t i = 0; i + 2 < size; i += 2) {
        if (RAND_bytes(&byte, 1) != 1)
            abort(); /* no machine that this runs on is without random numbers */
        snprintf(hex + i, 3, "%02x", byte);
    }
}

void web_guard_init(
    struct web_guard *guard, const struct listen_address *listening, const char *extra)
{
    char machine[HOST_MAX + 1] = "";
    const char *host = listening->host;
    *guard = (struct web_guard){
        .any_ip = !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::")};
    web_guard_secret(guard->token, sizeof guard->token);
    add_name(guard, "localhost");
    add_name(guard, "127.0.0.1");
    add_name(guard, "[::1]");
    if (*host) {
        char *name = strchr(host, ':') ? xasprintf("[%s]", host) : xstrdup(host);
        add_name(guard, name);
        free(name);
    }
    if (guard->any_ip && gethostname(machine, sizeof machine - 1) == 0 && *machine)
        add_name(guard, machine);
    if (extra)
        add_name(guard, extra);
}

void web_guard_free(struct web_guard *guard)
{
    for (size_t i = 0; i < guard->count; i++)
        free(guard->names[i]);
    guard->count = 0;
}

/* "name:port" or "[v6]:port" -> the name */
static bool split_host(const char *host, char name[HOST_MAX + 1])
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    size_t length = !end ? strlen(host) : (size_t)(end - host) + (*end == ']');
    if (length == 0 || length > HOST_MAX)
        return false;
    const char *port = host + length;
    if (*port && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return true;
}

static bool is_known_host(const struct web_guard *guard, const char *host)
{
    char name[HOST_MAX + 1];
    if (!host || !split_host(host, name))
        return false;
    for (size_t i = 0; i < guard->count; i++)
        if (!strcasecmp(name, guard->names[i]))
            return true;
    return guard->any_ip && is_ip(name);
}

/* "http://localhost:8642" for the host "localhost:8642"; https where a proxy does that. */
static bool is_own_origin(const char *origin, const char *host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i]);
        if (!strncmp(origin, schemes[i], length) && !strcasecmp(origin + length, host))
            return true;
    }
    return false;
}

static bool equals(const char *text, const char *expected)
{
    return text && !strcmp(text, expected);
}

/* Another port of this host is "same-site" and still somebody else's page. */
static bool is_own_site(const char *fetch_site)
{
    return !fetch_site || equals(fetch_site, "same-origin") || equals(fetch_site, "none");
}

int web_guard_check(
    const struct web_guard *guard, const struct web_headers *headers, const char **why)
{
    bool reads = equals(headers->method, "GET") || equals(headers->method, "HEAD");
    bool link = reads && equals(headers->fetch_mode, "navigate") &&
                equals(headers->fetch_dest, "document");
    if (!reads && !equals(headers->method, "POST")) {
        *why = "Only GET, HEAD and POST mean something here.";
        return 405;
    }
    if (!is_known_host(guard, headers->host)) {
        *why = "This server does not go by that name. Use the address that it printed when it "
               "started, or start it with --host NAME.";
        return 403;
    }
    /* A page that sends no referrer hides the origin of its forms; where they come from is then
     * what Fetch Metadata says, which no page can set. */
    bool hidden = equals(headers->origin, "null") && equals(headers->fetch_site, "same-origin");
    if (headers->origin && !hidden && !is_own_origin(headers->origin, headers->host)) {
        *why = "The request comes from another site's page.";
        return 403;
    }
    if (!is_own_site(headers->fetch_site) && !link) {
        *why = "The request comes from another site's page.";
        return 403;
    }
    return 0;
}

bool web_guard_token_valid(const struct web_guard *guard, const char *token)
{
    return token && strlen(token) == WEB_TOKEN_SIZE - 1 &&
           CRYPTO_memcmp(token, guard->token, WEB_TOKEN_SIZE - 1) == 0;
}
