/* Where a database is: its endpoint, and the addresses that the endpoint's name has and had. Names
 * are looked up on a thread, again and again, as they change at a failover. */
#ifndef SOURCES_TCP_RESOLVER_H
#define SOURCES_TCP_RESOLVER_H

#include "sources/tcp/sock_diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct loop;
struct offload;
struct resolver;

enum { ADDRESS_BOOK_MAX = 64 };

/* The addresses of a name. One that is no longer in the answers is kept as long as sockets to it
 * are seen and ten minutes beyond: an app may hold on to the old one, and a name with many
 * addresses may answer with a few at a time. */
struct address_book {
    struct known_address {
        uint8_t bytes[SOCK_ADDRESS_SIZE];
        int64_t needed_ms; /* when it was last in an answer, or a socket to it was last seen */
    } all[ADDRESS_BOOK_MAX];
    size_t count;
};

/* Takes in an answer. What has not been needed for ten minutes goes, and the longest unneeded when
 * there are too many. */
void address_book_learn(struct address_book *book, const uint8_t (*addresses)[SOCK_ADDRESS_SIZE],
    size_t count, int64_t now_ms);

/* Whether the address is one of them; it is then needed. */
bool address_book_has(
    struct address_book *book, const uint8_t address[SOCK_ADDRESS_SIZE], int64_t now_ms);

/* Takes "host:port" or "[v6]:port" apart: *host is the caller's to free, port 1 to 65535. */
int endpoint_parse(const char *endpoint, char **host, uint16_t *port, struct error *err);

/* NULL and err when the endpoint cannot be parsed. An address needs no look-up and no thread; for
 * a name the first look-up starts at once. */
struct resolver *resolver_open(
    struct loop *loop, struct offload *names, const char *endpoint, struct error *err);
void resolver_close(struct resolver *resolver);

uint16_t resolver_port(const struct resolver *resolver);

/* Whether the address is or was one of the endpoint's. */
bool resolver_has(struct resolver *resolver, const uint8_t address[SOCK_ADDRESS_SIZE]);

/* Asks for a look-up soon: somebody connects to the port at an address that is not known. */
void resolver_hurry(struct resolver *resolver);

enum resolver_state {
    RESOLVER_READY,   /* there are addresses */
    RESOLVER_WAITING, /* the first look-up is under way */
    RESOLVER_FAILED   /* there are none; err says why and what to do */
};
enum resolver_state resolver_state(const struct resolver *resolver, struct error *err);

#endif
