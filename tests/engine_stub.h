/* A Docker engine in threads of the test, on a socket of its own: answers about one container as it
 * is told to, with a new sample at every question, and a stream of events that the test writes. */
#ifndef TESTS_ENGINE_STUB_H
#define TESTS_ENGINE_STUB_H

#include "core/alloc.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct engine_stub {
    char folder[40], socket[64];
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* of what follows */
    char *container;      /* members of the answer but Id; NULL: there is none */
    char *id;
    const char *memory; /* of a sample */
    unsigned status;    /* of answers about the container; 0: 200 */
    bool podman, no_events;
    int events[2]; /* the pipe behind the stream */
    int sampled;   /* how often a sample was asked for */
    atomic_int streams;
};

static inline ssize_t engine_stub_read(void *arg, uint64_t at, char *to, size_t size)
{
    (void)at;
    struct engine_stub *stub = arg;
    ssize_t got = read(stub->events[0], to, size);
    return got > 0 ? got : MHD_CONTENT_READER_END_OF_STREAM;
}

/* Two thirds of a core by the engine's clock: a second and 0.5 s of CPU time a sample. */
static inline char *engine_stub_sample(struct engine_stub *stub)
{
    int count = ++stub->sampled;
    return xasprintf(
        "{\"read\":\"2026-01-02T00:%02d:%02dZ\",\"cpu_stats\":{\"cpu_usage\":"
        "{\"total_usage\":%d00000000},\"online_cpus\":4,\"throttling_data\":{\"periods\":"
        "%d,\"throttled_periods\":%d}},\"memory_stats\":{%s},\"networks\":{\"eth0\":"
        "{\"rx_bytes\":%d000,\"tx_bytes\":0}}}",
        count / 60 % 60, count % 60, count * 5, count * 10, count * 4, stub->memory, count);
}

static inline char *engine_stub_answer(struct engine_stub *stub, const char *url, unsigned *status)
{
    *status = stub->status ? stub->status : 200;
    if (!strcmp(url, "/containers/json"))
        return xstrdup("[{\"Names\":[\"/api\"]},{\"Names\":[\"/worker\"]}]");
    if (!stub->container)
        *status = 404;
    if (*status != 200)
        return xstrdup("{\"message\":\"no such container\"}");
    if (strstr(url, "/stats"))
        return engine_stub_sample(stub);
    return xasprintf("{\"Id\":\"%s\",\"Name\":\"/api\",%s}", stub->id, stub->container);
}

static inline enum MHD_Result engine_stub_serve(void *arg, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data, size_t *size,
    void **state)
{
    (void)method, (void)version, (void)data, (void)size, (void)state;
    struct engine_stub *stub = arg;
    struct MHD_Response *response;
    unsigned status = 200;
    pthread_mutex_lock(&stub->lock);
    if (!strcmp(url, "/events") && !stub->no_events) {
        stub->streams++;
        response = MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, 512, engine_stub_read, stub, NULL);
    } else {
        char *body = strcmp(url, "/events") ? engine_stub_answer(stub, url, &status)
                                            : xstrdup("{\"message\":\"forbidden\"}");
        status = strcmp(url, "/events") ? status : 403;
        response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
        free(body);
    }
    if (stub->podman)
        MHD_add_response_header(response, "Libpod-API-Version", "4.3.1");
    pthread_mutex_unlock(&stub->lock);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static inline void engine_stub_start(struct engine_stub *stub)
{
    *stub = (struct engine_stub){
        .memory = "\"usage\":300,\"stats\":{\"inactive_file\":100,\"anon\":50}"};
    strcpy(stub->folder, "/tmp/test_docker.XXXXXX");
    if (!mkdtemp(stub->folder) || pipe(stub->events) < 0)
        abort();
    snprintf(stub->socket, sizeof stub->socket, "%s/socket", stub->folder);
    pthread_mutex_init(&stub->lock, NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, stub->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
        abort();
    stub->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
        0, NULL, NULL, engine_stub_serve, stub, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_END);
    if (!stub->daemon)
        abort();
}

/* What there is from now on: id, and members of the answer. */
static inline void engine_stub_set(struct engine_stub *stub, const char *id, const char *container)
{
    pthread_mutex_lock(&stub->lock);
    free(stub->container);
    free(stub->id);
    stub->id = xstrdup(id);
    stub->container = container ? xstrdup(container) : NULL;
    pthread_mutex_unlock(&stub->lock);
}

static inline void engine_stub_event(struct engine_stub *stub, const char *line)
{
    if (write(stub->events[1], line, strlen(line)) != (ssize_t)strlen(line))
        abort();
}

static inline void engine_stub_stop(struct engine_stub *stub)
{
    close(stub->events[1]); /* ends the stream */
    MHD_stop_daemon(stub->daemon);
    close(stub->events[0]);
    unlink(stub->socket);
    rmdir(stub->folder);
    pthread_mutex_destroy(&stub->lock);
    free(stub->container);
    free(stub->id);
}

#endif
