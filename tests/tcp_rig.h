/* A tcp source on a loop, and databases on loopback whose both ends are ours: for test_tcp.c and
 * test_traffic.c. Bytes are exact, so they are asserted; nothing waits but for a condition. */
#ifndef TESTS_TCP_RIG_H
#define TESTS_TCP_RIG_H

#include "sources/tcp/tcp.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/series.h"
#include "sources/source.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20 * 1000, QUERY = 10, ANSWER = 1000 };

struct rig {
    struct loop *loop;
    struct offload *names;
    struct series_set series;
    void *source;
    int64_t now_ms; /* what samples are timed with */
};

static inline int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rig->loop = loop_open(NULL);
    rig->names = offload_open(rig->loop, "names", NULL);
    series_set_init(&rig->series, 8);
    rig->now_ms = clock_mono_ms();
    log_setup(LOG_ERROR, LOG_LOGFMT);
    *state = rig;
    return rig->names ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct rig *rig = *state;
    if (rig->source)
        source_tcp.close(rig->source);
    offload_close(rig->names);
    series_set_free(&rig->series);
    loop_close(rig->loop);
    free(rig);
    return 0;
}

static inline void watch_databases(
    struct rig *rig, const struct tcp_database *databases, size_t count)
{
    struct error err = {""};
    struct tcp_options options = {.databases = databases, .count = count};
    struct source_setup setup = {.loop = rig->loop,
        .names = rig->names,
        .series = &rig->series,
        .root = "/",
        .interval_ms = 1000,
        .options = &options};
    rig->source = source_tcp.open(&setup, &err);
    if (!rig->source)
        fail_msg("%s", err.text);
}

static inline void watch(struct rig *rig, const char *address, uint16_t port)
{
    char endpoint[100];
    snprintf(endpoint, sizeof endpoint, "%s:%u", address, (unsigned)port);
    watch_databases(rig, &(struct tcp_database){.endpoint = endpoint}, 1);
}

static inline void serve(struct rig *rig, int64_t for_ms)
{
    bool never = false;
    loop_run_until(rig->loop, &never, clock_mono_ms() + for_ms);
}

static inline void sample(struct rig *rig)
{
    struct error err = {""};
    if (source_tcp.sample(rig->source, rig->now_ms += 1000, &err))
        fail_msg("%s", err.text);
}

static inline double latest(struct rig *rig, const char *name)
{
    const struct sample *sample = series_at(series_set_find(&rig->series, name), 0);
    assert_non_null(sample);
    assert_int_equal(sample->time_ms, rig->now_ms);
    return sample->value;
}

static inline bool gap(struct rig *rig, const char *name)
{
    const struct sample *sample = series_at(series_set_find(&rig->series, name), 0);
    return !sample || sample->time_ms != rig->now_ms;
}

static inline struct tcp_totals totals(struct rig *rig, size_t database)
{
    struct tcp_totals found;
    tcp_totals(rig->source, database, &found);
    return found;
}

/* Serves the loop, and takes samples if so wanted, until that much was counted; a little longer,
 * so that what would count twice shows. */
static inline void expect_totals(
    struct rig *rig, size_t database, uint64_t received, uint64_t sent, bool sampling)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    struct tcp_totals found = totals(rig, database);
    while ((found.received < received || found.sent < sent) && clock_mono_ms() < deadline_ms) {
        serve(rig, 5);
        if (sampling)
            sample(rig);
        found = totals(rig, database);
    }
    serve(rig, 20);
    if (sampling)
        sample(rig);
    found = totals(rig, database);
    assert_int_equal(found.received, received);
    assert_int_equal(found.sent, sent);
}

static inline socklen_t loopback(struct sockaddr_storage *address, int family, uint16_t port)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        struct sockaddr_in v4 = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        memcpy(address, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    memcpy(address, &v6, sizeof v6);
    return sizeof v6;
}

static inline int listen_on(int family, uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, family, 0);
    *port = 0;
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 128)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    return fd;
}

/* A new listener, which is watched. */
static inline int watch_listener(struct rig *rig, uint16_t *port)
{
    int listener = listen_on(AF_INET, port);
    watch(rig, "127.0.0.1", *port);
    return listener;
}

/* A connection: both of its ends are ours. */
struct pair {
    int client, server;
};

static inline struct pair connect_address(
    int listener, const struct sockaddr *address, socklen_t size)
{
    struct pair pair = {.client = socket(address->sa_family, SOCK_STREAM, 0)};
    assert_int_equal(connect(pair.client, address, size), 0);
    pair.server = accept(listener, NULL, NULL);
    assert_true(pair.server >= 0);
    return pair;
}

static inline struct pair connect_pair(int listener, int family, uint16_t port)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, family, port);
    return connect_address(listener, (struct sockaddr *)&address, size);
}

static inline void carry(int from, int to, size_t bytes)
{
    char data[4096] = {0};
    while (bytes > 0) {
        size_t part = bytes < sizeof data ? bytes : sizeof data;
        assert_int_equal(write(from, data, part), part);
        assert_int_equal(recv(to, data, part, MSG_WAITALL), part);
        bytes -= part;
    }
}

static inline void query(struct pair pair)
{
    carry(pair.client, pair.server, QUERY);
    carry(pair.server, pair.client, ANSWER);
}

static inline void close_pair(struct pair pair)
{
    close(pair.client);
    close(pair.server);
}

static inline void expect_end(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
}

static inline void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
