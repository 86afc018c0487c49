/* The limit of open files (RLIMIT_NOFILE): raised as far as it goes, kept an eye on by those who
 * would keep many open, and told with what to do. */
#ifndef CORE_DESCRIPTORS_H
#define CORE_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* Raises this process's limit towards what its user may have: 8192 are enough for everything. */
void descriptors_raise(void);

/* Whether whoever was given this descriptor should do without, so that requests and files of others
 * find some: they are given out from the lowest on, and it is one of the last 256 (of a low limit:
 * of its upper half). */
bool descriptors_are_scarce(int newest);

/* Whether none is left; err says what to do then. */
bool descriptors_are_out(struct error *err);

/* The limit as it is, and how it is raised, for messages. */
uint64_t descriptors_limit(void);
extern const char descriptors_remedy[];

#endif
