#include "sources/tcp/diag_socket.h"

#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DATAGRAM_SIZE = 32 * 1024,           /* the kernel fills at most this much of it at a time */
    EVENT_BUFFER_SIZE = 4 * 1024 * 1024, /* about 6,000 closes; the kernel may allow less */
    MAX_DATAGRAMS = 16 * 1024,           /* of one dump: a million sockets */
    MAX_LEFTOVERS = 8,
    MAX_TRIES = 3 /* of a dump that the kernel calls inconsistent */
};

static int open_netlink(struct error *err)
{
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (fd < 0)
        error_set(err,
            "database traffic cannot be measured: the kernel refuses socket diagnostics (%s); "
            "allow "
            "socket(AF_NETLINK) in the container's seccomp profile",
            strerror(errno));
    return fd;
}

/* The filter comes before the groups, so that nothing gets past it. */
static int listen_to_closes(struct diag_socket *diag, struct error *err)
{
    struct sock_filter code[SOCK_DIAG_FILTER_MAX];
    struct sock_fprog program = {.filter = code};
    program.len = (unsigned short)sock_diag_event_filter(code, diag->ports, diag->port_count);
    int size = EVENT_BUFFER_SIZE;
    if (setsockopt(diag->event_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(diag->event_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
        .nl_groups = 1U << (SKNLGRP_INET_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET6_TCP_DESTROY - 1)};
    if (setsockopt(diag->event_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ||
        bind(diag->event_fd, (const struct sockaddr *)&address, sizeof address))
        return error_set(err,
            "database traffic cannot be measured: the kernel does not tell of closed connections "
            "(%s); it takes Linux 4.19 or newer, and not gVisor",
            strerror(errno));
    return 0;
}

int diag_socket_open(
    struct diag_socket *diag, const uint16_t *ports, size_t port_count, struct error *err)
{
    *diag = (struct diag_socket){.ask_fd = -1, .event_fd = -1, .port_count = port_count};
    memcpy(diag->ports, ports, port_count * sizeof *ports);
    diag->buffer = xcalloc(1, DATAGRAM_SIZE);
    diag->ask_fd = open_netlink(err);
    if (diag->ask_fd < 0)
        goto failed;
    diag->event_fd = open_netlink(err);
    if (diag->event_fd < 0 || listen_to_closes(diag, err))
        goto failed;
    return 0;
failed:
    diag_socket_close(diag);
    return -1;
}

void diag_socket_close(struct diag_socket *diag)
{
    if (diag->ask_fd >= 0)
        close(diag->ask_fd);
    if (diag->event_fd >= 0)
        close(diag->event_fd);
    free(diag->buffer);
    *diag = (struct diag_socket){.ask_fd = -1, .event_fd = -1};
}

static int ask(struct diag_socket *diag, const uint8_t *request, size_t size, struct error *err)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;
    do {
        sent = sendto(
            diag->ask_fd, request, size, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return error_set(
            err, "database traffic cannot be measured: asking the kernel: %s", strerror(errno));
    return 0;
}

/* One datagram into the buffer. Only the kernel may write to us; what is not from it is empty.
 * Returns its size, or -1 with errno. */
static ssize_t receive(struct diag_socket *diag, int fd)
{
    struct sockaddr_nl from = {0};
    socklen_t from_size = sizeof from;
    ssize_t size;
    do {
        size = recvfrom(
            fd, diag->buffer, DATAGRAM_SIZE, MSG_TRUNC, (struct sockaddr *)&from, &from_size);
    } while (size < 0 && errno == EINTR);
    if (size > DATAGRAM_SIZE) {
        errno = EMSGSIZE;
        return -1;
    }
    return size > 0 && from.nl_pid != 0 ? 0 : size;
}

static int refused(int code, struct error *err)
{
    if (code == ENOENT)
        return error_set(err,
            "database traffic cannot be measured: the kernel has no TCP diagnostics; load the "
            "module tcp_diag on the host (modprobe tcp_diag)");
    return error_set(err,
        "database traffic cannot be measured: the kernel says: %s; allow socket "
        "diagnostics (NETLINK_SOCK_DIAG) in the container",
        strerror(code));
}

/* Reads answers until the dump ends. 1: the kernel says that it changed meanwhile. */
static int read_dump(struct diag_socket *diag, diag_socket_each *each, void *arg, struct error *err)
{
    bool interrupted = false;
    for (int i = 0; i < MAX_DATAGRAMS; i++) {
        ssize_t size = receive(diag, diag->ask_fd);
        if (size < 0)
            return error_set(err,
                "database traffic cannot be measured: reading from the kernel: %s",
                strerror(errno));
        struct sock_diag_reader reader;
        sock_diag_reader_init(&reader, diag->buffer, (size_t)size, diag->sequence);
        struct sock_diag_record record;
        enum sock_diag_item item;
        while ((item = sock_diag_next(&reader, &record)) == SOCK_DIAG_RECORD)
            each(arg, &record);
        interrupted = interrupted || reader.interrupted;
        if (item == SOCK_DIAG_DONE)
            return interrupted;
        if (item == SOCK_DIAG_FAILED)
            return refused(reader.code, err);
        if (item == SOCK_DIAG_BROKEN)
            return refused(EPROTO, err);
    }
    return error_set(err, "database traffic cannot be measured: the kernel's list of sockets to "
                          "the database does not end");
}

static int dump_family(
    struct diag_socket *diag, int family, diag_socket_each *each, void *arg, struct error *err)
{
    uint8_t request[SOCK_DIAG_REQUEST_MAX];
    for (int i = 0; i < MAX_TRIES; i++) {
        diag->sequence++;
        size_t size = sock_diag_dump_request(
            request, diag->sequence, family, diag->ports, diag->port_count);
        if (ask(diag, request, size, err))
            return -1;
        int result = read_dump(diag, each, arg, err);
        if (result <= 0)
            return result;
    }
    return 0; /* each socket's counters are right all the same; one may be missing this time */
}

int diag_socket_dump(struct diag_socket *diag, diag_socket_each *each, void *arg, struct error *err)
{
    if (!diag->two_walks && dump_family(diag, AF_UNSPEC, each, arg, err) == 0)
        return 0;
    if (dump_family(diag, AF_INET, each, arg, err) || dump_family(diag, AF_INET6, each, arg, err))
        return -1;
    diag->two_walks = true;
    return 0;
}

int diag_socket_find(struct diag_socket *diag, const struct sock_name *name, uint64_t cookie,
    struct sock_diag_record *found)
{
    uint8_t request[SOCK_DIAG_REQUEST_MAX];
    diag->sequence++;
    size_t size = sock_diag_find_request(request, diag->sequence, name, cookie);
    if (ask(diag, request, size, NULL))
        return -1;
    /* More than one: what an earlier request has left behind is passed over. */
    for (int i = 0; i < MAX_LEFTOVERS; i++) {
        ssize_t received = receive(diag, diag->ask_fd);
        if (received < 0)
            return -1;
        struct sock_diag_reader reader;
        sock_diag_reader_init(&reader, diag->buffer, (size_t)received, diag->sequence);
        enum sock_diag_item item = sock_diag_next(&reader, found);
        if (item == SOCK_DIAG_RECORD)
            return 1;
        if (item == SOCK_DIAG_FAILED)
            return reader.code == ENOENT || reader.code == ESTALE ? 0 : -1;
    }
    return -1;
}

int diag_socket_events(struct diag_socket *diag, size_t max, diag_socket_each *each, void *arg,
    bool *lost, struct error *err)
{
    /* `each` may ask the kernel something, which uses the same buffer: one event a datagram, and
     * the record is a copy, so that nothing is read after it. */
    for (size_t i = 0; i < max; i++) {
        ssize_t size = receive(diag, diag->event_fd);
        if (size < 0 && errno == ENOBUFS) {
            *lost = true;
            continue;
        }
        if (size < 0 && errno == EAGAIN)
            return 0;
        if (size < 0)
            return error_set(err,
                "database traffic cannot be measured: reading the kernel's events: %s",
                strerror(errno));
        struct sock_diag_reader reader;
        sock_diag_reader_init(&reader, diag->buffer, (size_t)size, 0);
        struct sock_diag_record record;
        if (sock_diag_next(&reader, &record) == SOCK_DIAG_RECORD)
            each(arg, &record);
    }
    return 0;
}

bool diag_socket_counted_fin(struct diag_socket *diag, const struct sock_diag_record *record)
{
    enum sock_fin fin = sock_diag_fin(record);
    if (fin != SOCK_FIN_UNKNOWN)
        return fin == SOCK_FIN_COUNTED;
    struct sock_diag_record leftover;
    bool found = diag_socket_find(diag, &record->name, 0, &leftover) == 1;
    return sock_diag_fin_from_leftover(found ? &leftover : NULL) == SOCK_FIN_COUNTED;
}
