/* A debug endpoint in threads of the test, on loopback: takes one CPU profile at a time as Go does,
 * and answers as it is told. */
#ifndef TESTS_PROFILER_STUB_H
#define TESTS_PROFILER_STUB_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A whole profile: sample_type, a string; see test_profile_check.c. */
static const unsigned char stub_profile[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
    0xff, 0xe3, 0x62, 0x30, 0x62, 0x00, 0x00, 0x09, 0x6b, 0x89, 0xa3, 0x04, 0x00, 0x00, 0x00};

static const char stub_busy[] = "Could not enable CPU profiling: cpu profiling already in use\n";

static const char stub_too_long[] = "profile duration exceeds server's WriteTimeout\n";

enum { STUB_LENGTHS = 64 };

struct profiler_stub {
    struct MHD_Daemon *daemon;
    /* Is asked first, in the request's thread: whether it has answered. NULL: there is none. */
    int (*answers)(struct profiler_stub *stub, struct MHD_Connection *connection, const char *url);
    char url[64];
    atomic_int record_ms;               /* what a CPU profile takes, whatever its seconds */
    atomic_int hold;                    /* while it is set, no CPU profile ends */
    atomic_int status;                  /* of CPU profiles; 0: 200 */
    atomic_int cut, empty;              /* only a part of the profile is sent; nothing is */
    atomic_int write_timeout_s;         /* Go's server's; 0: none */
    atomic_int no_heap;                 /* that path is not served */
    atomic_int others;                  /* requests for other profiles than the CPU's */
    atomic_int running, taken, refused; /* CPU profiles: now, ever begun, while one was running */
    atomic_int lengths[STUB_LENGTHS];   /* their seconds */
};

static enum MHD_Result profiler_answer(
    struct MHD_Connection *connection, unsigned status, const void *body, size_t size)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        size, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "X-Go-Pprof", "1");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *profiler_query(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result profiler_refuse(
    struct MHD_Connection *connection, unsigned status, const char *text)
{
    return profiler_answer(connection, status, text, strlen(text));
}

static int profiler_exceeds(const struct profiler_stub *stub, int seconds)
{
    int limit = atomic_load(&stub->write_timeout_s);
    return limit && seconds >= limit;
}

/* As for Go, an end of the client's half ends the recording, and what there is is sent. */
static int profiler_client_is_gone(struct MHD_Connection *connection)
{
    char byte;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static enum MHD_Result profiler_cpu(struct profiler_stub *stub, struct MHD_Connection *connection)
{
    static const char no[] = "no\n";
    int status = atomic_load(&stub->status), none = 0;
    const char *seconds = profiler_query(connection, "seconds");
    if (status)
        return profiler_answer(connection, (unsigned)status, no, strlen(no));
    if (profiler_exceeds(stub, seconds ? atoi(seconds) : 30))
        return profiler_refuse(connection, 400, stub_too_long);
    if (!atomic_compare_exchange_strong(&stub->running, &none, 1)) {
        atomic_fetch_add(&stub->refused, 1);
        return profiler_answer(connection, 500, stub_busy, strlen(stub_busy));
    }
    int index = atomic_fetch_add(&stub->taken, 1) % STUB_LENGTHS;
    atomic_store(&stub->lengths[index], seconds ? atoi(seconds) : 30);
    for (int ms = 0; ms < atomic_load(&stub->record_ms) || atomic_load(&stub->hold); ms += 2) {
        if (profiler_client_is_gone(connection))
            break;
        usleep(2000);
    }
    atomic_store(&stub->running, 0);
    size_t size = sizeof stub_profile - (atomic_load(&stub->cut) ? 6 : 0);
    if (atomic_load(&stub->empty))
        size = 0;
    return profiler_answer(connection, 200, stub_profile, size);
}

/* As Go does, the length is looked at before `debug`. */
static enum MHD_Result profiler_other(
    struct profiler_stub *stub, struct MHD_Connection *connection, const char *url)
{
    const char *seconds = profiler_query(connection, "seconds");
    atomic_fetch_add(&stub->others, 1);
    if (strstr(url, "/heap") && atomic_load(&stub->no_heap))
        return profiler_refuse(connection, 404, "Unknown profile\n");
    if (seconds && atoi(seconds) <= 0)
        return profiler_refuse(connection, 400, "invalid value for \"seconds\"\n");
    if (seconds && profiler_exceeds(stub, atoi(seconds)))
        return profiler_refuse(connection, 400, stub_too_long);
    if (seconds && profiler_query(connection, "debug"))
        return profiler_refuse(connection, 400, "seconds and debug params are incompatible\n");
    return profiler_answer(connection, 200, stub_profile, sizeof stub_profile);
}

static enum MHD_Result profiler_serve(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size, void **state)
{
    static int begun;
    (void)method, (void)version, (void)data, (void)size;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    struct profiler_stub *stub = arg;
    if (stub->answers && stub->answers(stub, connection, url))
        return MHD_YES;
    if (strstr(url, "/profile"))
        return profiler_cpu(arg, connection);
    return profiler_other(arg, connection, url);
}

static inline void profiler_stub_start(struct profiler_stub *stub)
{
    memset(stub, 0, sizeof *stub);
    atomic_store(&stub->record_ms, 20);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    stub->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
        0, NULL, NULL, profiler_serve, stub, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (!stub->daemon)
        abort();
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(stub->daemon, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(stub->url, sizeof stub->url, "http://127.0.0.1:%u/debug/pprof", (unsigned)info->port);
}

static inline void profiler_stub_stop(struct profiler_stub *stub)
{
    atomic_store(&stub->hold, 0);
    MHD_stop_daemon(stub->daemon);
}

#endif
