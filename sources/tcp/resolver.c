#include "sources/tcp/resolver.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_MS = 10 * 60 * 1000, /* an address that nobody needs */
    AGAIN_MS = 30 * 1000,     /* from one good look-up to the next */
    RETRY_MS = 1000,          /* after a failed one, doubled up to AGAIN_MS */
    HURRY_MS = 5 * 1000,      /* at least, from one look-up to one that is asked for */
    PATIENCE_MS = 10 * 1000,  /* a first look-up that takes longer is a failure so far */
    HOST_MAX = 253            /* RFC 1035, as text */
};

struct lookup;

struct resolver {
    struct offload *names;
    char *host;
    uint16_t port;
    struct address_book book;
    bool literal;
    struct loop_timer *timer;
    struct lookup *pending;
    int64_t first_asked_ms, asked_ms, next_ms;
    int64_t retry_ms;
    char failure[160]; /* of the last look-up; "" when it worked */
};

/* One look-up; `resolver` is only touched on the loop. */
struct lookup {
    struct resolver *resolver; /* NULL once it is closed */
    char *host;
    uint8_t addresses[ADDRESS_BOOK_MAX][SOCK_ADDRESS_SIZE];
    size_t count;
    char failure[160];
};

static void forget_unneeded(struct address_book *book, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->count; i++)
        if (now_ms - book->all[i].needed_ms < KEEP_MS)
            book->all[kept++] = book->all[i];
    book->count = kept;
}

static struct known_address *free_place(struct address_book *book)
{
    if (book->count < ADDRESS_BOOK_MAX)
        return &book->all[book->count++];
    struct known_address *oldest = &book->all[0];
    for (size_t i = 1; i < book->count; i++)
        if (book->all[i].needed_ms < oldest->needed_ms)
            oldest = &book->all[i];
    return oldest;
}

void address_book_learn(struct address_book *book, const uint8_t (*addresses)[SOCK_ADDRESS_SIZE],
    size_t count, int64_t now_ms)
{
    for (size_t i = 0; i < count; i++) {
        if (address_book_has(book, addresses[i], now_ms))
            continue;
        struct known_address *place = free_place(book);
        memcpy(place->bytes, addresses[i], SOCK_ADDRESS_SIZE);
        place->needed_ms = now_ms;
    }
    forget_unneeded(book, now_ms);
}

bool address_book_has(
    struct address_book *book, const uint8_t address[SOCK_ADDRESS_SIZE], int64_t now_ms)
{
    for (size_t i = 0; i < book->count; i++) {
        if (memcmp(book->all[i].bytes, address, SOCK_ADDRESS_SIZE) != 0)
            continue;
        book->all[i].needed_ms = now_ms;
        return true;
    }
    return false;
}

static int parse_port(const char *text, uint16_t *port)
{
    size_t length = strspn(text, "0123456789");
    if (length < 1 || length > 5 || text[length])
        return -1;
    unsigned long number = strtoul(text, NULL, 10);
    if (number < 1 || number > 65535)
        return -1;
    *port = (uint16_t)number;
    return 0;
}

int endpoint_parse(const char *endpoint, char **host, uint16_t *port, struct error *err)
{
    static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789.-_";
    bool bracketed = endpoint[0] == '[';
    const char *start = endpoint + bracketed;
    size_t length = bracketed ? strcspn(start, "]") : strspn(start, name_bytes);
    const char *rest = start + length;
    if (bracketed && *rest == ']')
        rest++;
    if (length < 1 || length > HOST_MAX || rest[0] != ':' || parse_port(rest + 1, port))
        return error_set(err,
            "the database endpoint %.100s is not HOST:PORT, ADDRESS:PORT or [IPv6]:PORT, with a "
            "port of 1 to 65535",
            endpoint);
    char *found = xstrndup(start, length);
    struct in6_addr ignored;
    if (bracketed && inet_pton(AF_INET6, found, &ignored) != 1) {
        free(found);
        return error_set(
            err, "the database endpoint %.100s has no IPv6 address in its brackets", endpoint);
    }
    *host = found;
    return 0;
}

static void mapped(uint8_t to[SOCK_ADDRESS_SIZE], const void *v4)
{
    memset(to, 0, 10);
    memset(to + 10, 0xff, 2);
    memcpy(to + 12, v4, 4);
}

static bool parse_literal(const char *host, uint8_t address[SOCK_ADDRESS_SIZE])
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, host, address) == 1)
        return true;
    if (inet_pton(AF_INET, host, &v4) != 1)
        return false;
    mapped(address, &v4);
    return true;
}

static void look_up(void *arg)
{
    struct lookup *lookup = arg;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *answers = NULL;
    int code = getaddrinfo(lookup->host, NULL, &hints, &answers);
    if (code) {
        const char *reason = code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code);
        strncat(lookup->failure, reason, sizeof lookup->failure - 1);
        return;
    }
    for (const struct addrinfo *at = answers; at && lookup->count < ADDRESS_BOOK_MAX;
         at = at->ai_next) {
        uint8_t *to = lookup->addresses[lookup->count];
        if (at->ai_family == AF_INET)
            mapped(to, &((const struct sockaddr_in *)(const void *)at->ai_addr)->sin_addr);
        else if (at->ai_family == AF_INET6)
            memcpy(to, &((const struct sockaddr_in6 *)(const void *)at->ai_addr)->sin6_addr,
                SOCK_ADDRESS_SIZE);
        else
            continue;
        lookup->count++;
    }
    freeaddrinfo(answers);
    if (!lookup->count)
        strcpy(lookup->failure, "the name has no IP address");
}

static void looked_up(void *arg)
{
    struct lookup *lookup = arg;
    struct resolver *resolver = lookup->resolver;
    if (resolver) {
        int64_t now_ms = clock_mono_ms();
        resolver->pending = NULL;
        memcpy(resolver->failure, lookup->failure, sizeof resolver->failure);
        /* Also without an answer, so that the old addresses are not kept for ever. */
        address_book_learn(&resolver->book, (const uint8_t(*)[SOCK_ADDRESS_SIZE])lookup->addresses,
            lookup->count, now_ms);
        bool failed = lookup->failure[0] != '\0';
        int64_t wait_ms = failed ? resolver->retry_ms : AGAIN_MS;
        resolver->retry_ms = failed ? resolver->retry_ms * 2 : RETRY_MS;
        if (resolver->retry_ms > AGAIN_MS)
            resolver->retry_ms = AGAIN_MS;
        resolver->next_ms = now_ms + wait_ms;
        loop_timer_set(resolver->timer, resolver->next_ms);
    }
    free(lookup->host);
    free(lookup);
}

static void start_lookup(void *arg)
{
    struct resolver *resolver = arg;
    if (resolver->pending)
        return;
    struct lookup *lookup = xcalloc(1, sizeof *lookup);
    lookup->resolver = resolver;
    lookup->host = xstrdup(resolver->host);
    resolver->pending = lookup;
    resolver->asked_ms = clock_mono_ms();
    offload_submit(resolver->names, look_up, looked_up, lookup);
}

struct resolver *resolver_open(
    struct loop *loop, struct offload *names, const char *endpoint, struct error *err)
{
    char *host;
    uint16_t port;
    if (endpoint_parse(endpoint, &host, &port, err))
        return NULL;
    struct resolver *resolver = xcalloc(1, sizeof *resolver);
    *resolver = (struct resolver){.names = names, .host = host, .port = port, .retry_ms = RETRY_MS};
    uint8_t address[1][SOCK_ADDRESS_SIZE];
    resolver->literal = parse_literal(host, address[0]);
    if (resolver->literal) {
        address_book_learn(
            &resolver->book, (const uint8_t(*)[SOCK_ADDRESS_SIZE])address, 1, clock_mono_ms());
        return resolver;
    }
    resolver->timer = loop_timer_new(loop, start_lookup, resolver);
    resolver->first_asked_ms = clock_mono_ms();
    start_lookup(resolver);
    return resolver;
}

void resolver_close(struct resolver *resolver)
{
    if (!resolver)
        return;
    if (resolver->pending)
        resolver->pending->resolver = NULL;
    loop_timer_free(resolver->timer);
    free(resolver->host);
    free(resolver);
}

uint16_t resolver_port(const struct resolver *resolver)
{
    return resolver->port;
}

bool resolver_has(struct resolver *resolver, const uint8_t address[SOCK_ADDRESS_SIZE])
{
    return address_book_has(&resolver->book, address, clock_mono_ms());
}

void resolver_hurry(struct resolver *resolver)
{
    if (resolver->literal || resolver->pending)
        return;
    int64_t at_ms = resolver->asked_ms + HURRY_MS;
    if (at_ms >= resolver->next_ms)
        return;
    resolver->next_ms = at_ms;
    loop_timer_set(resolver->timer, at_ms);
}

enum resolver_state resolver_state(const struct resolver *resolver, struct error *err)
{
    if (resolver->book.count)
        return RESOLVER_READY;
    if (!resolver->failure[0] && clock_mono_ms() - resolver->first_asked_ms < PATIENCE_MS)
        return RESOLVER_WAITING;
    error_set(err,
        "the database's name %.200s cannot be looked up (%s); check the database endpoint and the "
        "name servers in /etc/resolv.conf",
        resolver->host, resolver->failure[0] ? resolver->failure : "no answer so far");
    return RESOLVER_FAILED;
}
