/* What TCP connections to some ports carry, counted per owner: bytes to the last one, connections,
 * round trips. Dumps tell of the sockets that are open, destroy events of those that were. */
#ifndef SOURCES_TCP_TRAFFIC_H
#define SOURCES_TCP_TRAFFIC_H

#include "sources/tcp/sock_diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct loop;
struct traffic;

enum { TRAFFIC_OWNERS_MAX = 32 };

/* Payload bytes of one direction. A FIN can be counted for a byte until it is known for what it
 * is, which takes it back: `sum` is right then, and `shown` waits for it. */
struct tally {
    int64_t sum;
    uint64_t shown; /* never goes back */
};

struct traffic_flow {
    struct tally received, sent;
    bool seen;                        /* there was a connection, ever */
    uint64_t connections, rtt_sum_us; /* established ones, at the last survey */
};

struct traffic_setup {
    struct loop *loop;
    const char *root;
    const uint16_t *ports; /* host byte order */
    size_t port_count;     /* at most SOCK_DIAG_PORTS_MAX */
    /* The owners of a socket as bits; `fresh`: it is seen for the first time. */
    uint32_t (*owners)(void *arg, const struct sock_name *name, bool fresh);
    void *arg;
};

/* Begins to count at once where the kernel allows it; else traffic_survey tries again. What is open
 * then is a baseline, and so is what a socket carried before it had an owner. */
struct traffic *traffic_open(const struct traffic_setup *setup);
void traffic_close(struct traffic *traffic);

/* Brings the flows up to date. *lost: some closes since the last survey are missing, and with them
 * bytes. -1 and err while nothing can be counted. */
int traffic_survey(struct traffic *traffic, bool *lost, struct error *err);

const struct traffic_flow *traffic_of(const struct traffic *traffic, size_t owner);

/* How many TCP connections were ever opened from here, from the text of /proc/net/snmp. -1 when it
 * does not say. */
int traffic_parse_opens(const char *text, size_t size, uint64_t *opens);

#endif
