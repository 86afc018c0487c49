/* The local ports of connections of our own to a database, so that they do not count as the app's.
 * Any thread. */
#ifndef CORE_OWN_PORTS_H
#define CORE_OWN_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct own_ports;

struct own_ports *own_ports_new(void);
void own_ports_free(struct own_ports *ports); /* NULL is allowed */

/* The connection that has this local port is ours; it is closed, so that soon another may have it.
 */
void own_ports_add(struct own_ports *ports, uint16_t port);
void own_ports_closed(struct own_ports *ports, uint16_t port);

/* Whether it is one of ours; never of NULL. */
bool own_ports_has(struct own_ports *ports, uint16_t port);

#endif
