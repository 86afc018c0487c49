/* Which processes a cgroup has had from look to look: whether the app runs, and whether it is still
 * the same. Pure: no clock, no files. */
#ifndef SOURCES_CGROUP_CGROUP_PROCS_H
#define SOURCES_CGROUP_CGROUP_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_PROCS_MAX = 64 };

/* Zeroed: nothing seen yet. */
struct cgroup_procs {
    unsigned long pids[CGROUP_PROCS_MAX]; /* the first of the last list that had any */
    size_t count;
    bool populated;
    uint64_t starts; /* how often there were processes after there were none, or all were others */
};

/* Takes over the text of cgroup.procs: a process id a line, 0 for one of a PID namespace that the
 * agent cannot see. */
void cgroup_procs_update(struct cgroup_procs *procs, const char *text);

/* There are none, as their cgroup is gone. */
void cgroup_procs_clear(struct cgroup_procs *procs);

/* One of them that can be seen; 0: there is none. */
unsigned long cgroup_procs_first(const struct cgroup_procs *procs);

#endif
