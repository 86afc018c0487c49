#include "core/own_ports.h"

#include "core/alloc.h"
#include "core/clock.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* A socket's end is told of some time after it was closed. */
enum { PORTS_MAX = 32, CLOSED_MS = 30000 };

struct own_port {
    uint16_t port;    /* 0: none */
    int64_t until_ms; /* INT64_MAX while it is open */
};

struct own_ports {
    pthread_mutex_t lock;
    struct own_port ports[PORTS_MAX];
};

struct own_ports *own_ports_new(void)
{
    struct own_ports *ports = xcalloc(1, sizeof *ports);
    pthread_mutex_init(&ports->lock, NULL);
    return ports;
}

void own_ports_free(struct own_ports *ports)
{
    if (ports)
        pthread_mutex_destroy(&ports->lock);
    free(ports);
}

/* In place of the one that ends first; those that are over have ended long ago. */
void own_ports_add(struct own_ports *ports, uint16_t port)
{
    pthread_mutex_lock(&ports->lock);
    struct own_port *place = ports->ports;
    for (size_t i = 0; i < PORTS_MAX; i++)
        if (ports->ports[i].port == port || ports->ports[i].until_ms < place->until_ms)
            place = &ports->ports[i];
    *place = (struct own_port){port, INT64_MAX};
    pthread_mutex_unlock(&ports->lock);
}

void own_ports_closed(struct own_ports *ports, uint16_t port)
{
    pthread_mutex_lock(&ports->lock);
    for (size_t i = 0; i < PORTS_MAX; i++)
        if (ports->ports[i].port == port)
            ports->ports[i].until_ms = clock_mono_ms() + CLOSED_MS;
    pthread_mutex_unlock(&ports->lock);
}

bool own_ports_has(struct own_ports *ports, uint16_t port)
{
    bool has = false;
    if (!ports)
        return false;
    pthread_mutex_lock(&ports->lock);
    for (size_t i = 0; i < PORTS_MAX; i++)
        has = has || (ports->ports[i].port == port && ports->ports[i].until_ms >= clock_mono_ms());
    pthread_mutex_unlock(&ports->lock);
    return has;
}
