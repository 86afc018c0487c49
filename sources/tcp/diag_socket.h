/* The two netlink sockets that TCP sockets are observed with: one asks for dumps, the other listens
 * to the destroy groups, where the kernel tells of each socket that is freed. Needs no privilege;
 * sees its own network namespace. Nothing here blocks. */
#ifndef SOURCES_TCP_DIAG_SOCKET_H
#define SOURCES_TCP_DIAG_SOCKET_H

#include "sources/tcp/sock_diag.h"

struct error;

struct diag_socket {
    int ask_fd;
    int event_fd; /* readable when there are events; -1 while closed */
    uint32_t sequence;
    bool two_walks; /* the kernel refuses a dump of both families in one */
    uint16_t ports[SOCK_DIAG_PORTS_MAX];
    size_t port_count;
    uint8_t *buffer; /* for one datagram */
};

typedef void diag_socket_each(void *arg, const struct sock_diag_record *record);

/* Sees the sockets to these ports (host byte order, at most SOCK_DIAG_PORTS_MAX). err has the
 * remedy. */
int diag_socket_open(
    struct diag_socket *diag, const uint16_t *ports, size_t port_count, struct error *err);
void diag_socket_close(struct diag_socket *diag);

/* Calls `each` for every connected socket, IPv4 and IPv6; a socket may come twice. -1 when the
 * kernel did not tell all of them. */
int diag_socket_dump(
    struct diag_socket *diag, diag_socket_each *each, void *arg, struct error *err);

/* The socket of that name and cookie as it is now: 1 with *found, 0 when there is none (any more),
 * -1 when the kernel did not say. Cheaper than a dump for up to some hundred sockets. */
int diag_socket_find(struct diag_socket *diag, const struct sock_name *name, uint64_t cookie,
    struct sock_diag_record *found);

/* Calls `each` for the destroy events that wait, at most `max`. Sets *lost (never clears it) when
 * the kernel had to drop some. -1 when the socket is of no use any more. */
int diag_socket_events(struct diag_socket *diag, size_t max, diag_socket_each *each, void *arg,
    bool *lost, struct error *err);

/* Whether `received` of a closed socket has the peer's FIN in it; asks the kernel when the record
 * does not tell. */
bool diag_socket_counted_fin(struct diag_socket *diag, const struct sock_diag_record *record);

#endif
