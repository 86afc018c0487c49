/* The cgroups of a process: what it may use, and whether it is held back. */
#ifndef SOURCES_PROCESS_PROCESS_CGROUP_H
#define SOURCES_PROCESS_PROCESS_CGROUP_H

#include "sources/cgroup/cgroup_limits.h"
#include "sources/pressure.h"

#include <sys/types.h>

/* Zeroed by process_cgroup_init: nothing known. */
struct process_cgroup {
    unsigned long pid; /* whose these are */
    char *text;        /* of its /proc/<pid>/cgroup; NULL: not looked at yet */
    struct cgroup_place places[CGROUP_CONTROLLERS];
    bool through_process; /* by what the process itself sees, not by what the agent does */
    struct cgroup_limits limits;
    int throttle_fd, oom_fd; /* -1: not open */
    ino_t oom_inode;         /* tells the cgroup from one made anew */
    struct throttle throttle;
    struct pressure pressure;
    uint64_t kills, kills_before; /* of this cgroup; of those that the app was in before */
};

void process_cgroup_init(struct process_cgroup *cgroup);
void process_cgroup_free(struct process_cgroup *cgroup);

/* Finds the process's cgroups below its own mounts, which takes the right to trace it, else below
 * the agent's, unless they are known, and reads the limits, the machine's where there are none.
 * `root` ("" live) is put before /proc. To be called at once and now and then, for it may be moved,
 * and its limits may be changed. */
void process_cgroup_look(struct process_cgroup *cgroup, const char *root, unsigned long pid);

/* Sets throttling, pressure and kills as far as they are known. */
void process_cgroup_measure(struct process_cgroup *cgroup, struct measures *measures);

/* How many processes of its cgroups were killed for want of memory; 0 while that is unknown. */
uint64_t process_cgroup_kills(const struct process_cgroup *cgroup);

/* Where a cgroup is below a mount: "/a/b" below a mount of "/a" is "/b", and "" the mount itself.
 * NULL when it is not below it. */
const char *process_cgroup_below(const char *cgroup, const char *top);

#endif
