/* The wire format of NETLINK_SOCK_DIAG, as far as counting TCP bytes needs it: requests and the
 * kernel-side filters are built, answers and destroy events are read. Pure functions over bytes. */
#ifndef SOURCES_TCP_SOCK_DIAG_H
#define SOURCES_TCP_SOCK_DIAG_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOCK_DIAG_PORTS_MAX = 32,
    SOCK_DIAG_REQUEST_MAX = 1024,                   /* bytes of the longest request */
    SOCK_DIAG_FILTER_MAX = SOCK_DIAG_PORTS_MAX + 4, /* instructions of the longest filter */
    SOCK_ADDRESS_SIZE = 16                          /* IPv6; IPv4 as ::ffff:a.b.c.d */
};

/* The kernel's states (net/tcp_states.h), those that matter here. */
enum sock_state {
    SOCK_ESTABLISHED = 1,
    SOCK_SYN_SENT = 2,
    SOCK_FIN_WAIT1 = 4,
    SOCK_FIN_WAIT2 = 5,
    SOCK_TIME_WAIT = 6,
    SOCK_CLOSE = 7,
    SOCK_CLOSE_WAIT = 8,
    SOCK_LAST_ACK = 9,
    SOCK_CLOSING = 11
};

/* How a socket is found: its ends. Ports in host byte order. */
struct sock_name {
    uint8_t local[SOCK_ADDRESS_SIZE], remote[SOCK_ADDRESS_SIZE];
    uint16_t local_port, remote_port;
    uint32_t interface; /* index of the one it is bound to; 0: none */
    uint8_t family;     /* AF_INET, AF_INET6 */
};

/* One socket as the kernel describes it. */
struct sock_diag_record {
    uint64_t cookie; /* tells it from all others as long as the machine runs */
    struct sock_name name;
    uint8_t state;     /* enum sock_state, or another of the kernel's */
    uint32_t unread;   /* bytes received and not read, a FIN among them */
    bool counted;      /* whether what follows is known: not of TIME_WAIT, not before Linux 4.19 */
    uint64_t received; /* bytes in order, one more when a FIN is among them */
    uint64_t sent;     /* payload bytes, each once however often it was sent */
    uint64_t acked;    /* of what was sent, the SYN and the FIN count one each */
    uint32_t rtt_us;   /* smoothed */
    uint32_t data_sent_ms; /* time since data was last sent */
    uint32_t data_received_ms;
};

/* Whether `received` has the peer's FIN in it. */
enum sock_fin { SOCK_FIN_NONE, SOCK_FIN_COUNTED, SOCK_FIN_UNKNOWN };

/* A request for every connected TCP socket to one of the ports (host byte order), with its
 * tcp_info; the choice is made in the kernel. AF_UNSPEC, for both families in one go, takes the
 * older form of request (TCPDIAG_GETSOCK): most of a dump's cost is the walk through the kernel's
 * table. Returns the request's size. */
size_t sock_diag_dump_request(uint8_t request[SOCK_DIAG_REQUEST_MAX], uint32_t sequence, int family,
    const uint16_t *ports, size_t port_count);

/* A request for the one socket with that name, and that cookie unless it is 0. */
size_t sock_diag_find_request(uint8_t request[SOCK_DIAG_REQUEST_MAX], uint32_t sequence,
    const struct sock_name *name, uint64_t cookie);

/* A classic BPF program for a socket that listens to the destroy groups: passes sockets to one of
 * the ports, and those that no longer show a port (aborted). Returns its length. */
size_t sock_diag_event_filter(
    struct sock_filter filter[SOCK_DIAG_FILTER_MAX], const uint16_t *ports, size_t port_count);

/* What a message was. */
enum sock_diag_item {
    SOCK_DIAG_RECORD,
    SOCK_DIAG_DONE,   /* the end of a dump */
    SOCK_DIAG_FAILED, /* the kernel refused: reader.code is the errno */
    SOCK_DIAG_END,    /* no more messages in these bytes */
    SOCK_DIAG_BROKEN  /* not in the format; nothing after it can be read */
};

/* Goes through the messages of one datagram. */
struct sock_diag_reader {
    const uint8_t *at;
    size_t left;
    uint32_t sequence; /* of the request; 0 for events. Messages of others are skipped */
    bool interrupted;  /* the kernel says that the dump may not be consistent */
    int code;
};

void sock_diag_reader_init(
    struct sock_diag_reader *reader, const void *data, size_t size, uint32_t sequence);
enum sock_diag_item sock_diag_next(
    struct sock_diag_reader *reader, struct sock_diag_record *record);

/* Tells from a record alone whether a FIN was counted. Linux counts a FIN in tcpi_bytes_received
 * when it is received by the full socket (net/ipv4/tcp_input.c, tcp_data_queue), and not when it
 * comes to a TIME_WAIT one. UNKNOWN: closed, and only the kernel's table can tell (see
 * sock_diag_fin_from_leftover). */
enum sock_fin sock_diag_fin(const struct sock_diag_record *record);

/* The answer to UNKNOWN from what is left of a closed socket under its addresses and ports;
 * NULL: nothing. Closing first leaves a TIME_WAIT socket, which took the FIN; closing after the
 * peer leaves nothing. */
enum sock_fin sock_diag_fin_from_leftover(const struct sock_diag_record *leftover);

#endif
