/* The ids of the newest incidents that were opened in this run, for who asks what became of them.
 */
#ifndef AGENT_INCIDENTS_OPENED_H
#define AGENT_INCIDENTS_OPENED_H

#include <stdbool.h>
#include <stddef.h>

enum { OPENED_MAX = 32 };

/* Zeroes are none. */
struct opened {
    char *ids[OPENED_MAX]; /* the newest at [count - 1] modulo OPENED_MAX */
    size_t count;
};

void opened_add(struct opened *opened, const char *id);
void opened_drop(struct opened *opened, const char *id); /* the newest; another one stays */
bool opened_has(const struct opened *opened, const char *id);
const char *opened_last(const struct opened *opened); /* NULL: there was none */
void opened_free(struct opened *opened);              /* what it holds */

#endif
