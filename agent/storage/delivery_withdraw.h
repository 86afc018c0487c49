/* Taking incidents back from delivery before an exporter has anything of them. */
#ifndef AGENT_STORAGE_DELIVERY_WITHDRAW_H
#define AGENT_STORAGE_DELIVERY_WITHDRAW_H

#include <stdbool.h>
#include <stddef.h>

struct delivery;

/* Incidents of which no exporter has anything yet and none is being sent or settled, in the order
 * in which the first exporter is to get them: those that come last, at most `most` ids, valid until
 * the next turn of the loop. Returns how many. */
size_t delivery_untouched(const struct delivery *delivery, const char **ids, size_t most);

/* Takes such an incident back: nobody sends it in this run. False: it is none. */
bool delivery_withdraw(struct delivery *delivery, const char *id);

/* The same for an incident that exporters may have something of, as it is to be removed from the
 * spool. False, with nothing changed: one is being sent a file of it, or is settling
 * that, or none waits for it. */
bool delivery_drop(struct delivery *delivery, const char *id);

#endif
