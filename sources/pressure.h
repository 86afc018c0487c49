/* Pressure stall information of a cgroup: the share of time in which some of its tasks stood still
 * for want of a CPU, of memory or of a disk. Format: the kernel's Documentation/accounting/psi.rst.
 */
#ifndef SOURCES_PRESSURE_H
#define SOURCES_PRESSURE_H

#include "sources/measure.h"

#include <stddef.h>

struct cgroup_mounts;

enum pressure_kind { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_KINDS };

/* The open files of one cgroup. */
struct pressure {
    int fds[PRESSURE_KINDS]; /* -1: not open */
    struct counter stalled[PRESSURE_KINDS];
};

void pressure_init(struct pressure *pressure);
void pressure_close(struct pressure *pressure);
bool pressure_is_open(const struct pressure *pressure);

/* Opens what there is in this folder, which is one of version 2. The kernel may have no such files,
 * or refuse to have them read. */
void pressure_open(struct pressure *pressure, const char *folder);

/* The folder whose files are about the cgroup `container`, to be freed: of version 2, also where
 * the controllers are version 1's, provided that its processes are in there. NULL: there is none.
 */
char *pressure_find(const struct cgroup_mounts *mounts, const char *container);

/* Sets what is known; the rest is left as it is. */
void pressure_measure(struct pressure *pressure, struct measures *measures);

/* The microseconds in the "some" line of a pressure file. False when there are none. */
bool pressure_parse(const char *text, size_t length, uint64_t *stalled_us);

/* Why a cgroup's pressure is not measured, and what to do about it. */
extern const char pressure_remedy[];

#endif
