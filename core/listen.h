/* A listening TCP socket on an address that somebody wrote down. */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

struct error;

struct listen_address {
    char *host; /* an IP address; "": every address of the machine */
    char *port;
};

/* "ADDRESS:PORT", "[V6]:PORT" or ":PORT". -1 and err when it is none of these. listen_address_free
 * in any case. */
int listen_address_parse(const char *text, struct listen_address *address, struct error *err);
void listen_address_free(struct listen_address *address);

/* Whether only this machine can reach it. */
bool listen_address_is_loopback(const struct listen_address *address);

/* The open socket, non-blocking and closed on exec; -1 and err when the address cannot be had. */
int listen_open(const struct listen_address *address, struct error *err);

/* The port that the socket was given: port 0 asks for any that is free. */
uint16_t listen_port(int fd);

#endif
