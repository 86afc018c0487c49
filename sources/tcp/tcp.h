/* Database traffic: the TCP payload between this network namespace and the databases' endpoints,
 * from the kernel's own counters. Exact to the byte, but for what the kernel does not tell: what a
 * connection carried between the last sample and an abort by the app (SO_LINGER 0), and whether a
 * FIN is among the bytes when the app shut its side down first and then waited for the other's end
 * (one byte too many). */
#ifndef SOURCES_TCP_TCP_H
#define SOURCES_TCP_TCP_H

#include <stddef.h>
#include <stdint.h>

enum { TCP_MAX_DATABASES = 32 };

struct own_ports;

struct tcp_database {
    const char *name;     /* of its series: db.<name>.received; NULL: db.received */
    const char *endpoint; /* HOST:PORT, ADDRESS:PORT or [IPv6]:PORT */
};

/* What source_tcp is opened with; it copies what it needs. */
struct tcp_options {
    const struct tcp_database *databases;
    size_t count;          /* at most TCP_MAX_DATABASES */
    struct own_ports *own; /* connections that do not count; outlives the source. NULL: none */
};

/* Payload bytes since the source was opened; they never go back. Connections that were open then
 * count from there. */
struct tcp_totals {
    uint64_t received, sent;
};

/* Of the database of that index, as of the last `sample` and the closes since. self is what
 * source_tcp.open returned. */
void tcp_totals(const void *self, size_t database, struct tcp_totals *totals);

#endif
