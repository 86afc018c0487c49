/* One container as its cgroup's files show it. */
#ifndef SOURCES_CGROUP_CGROUP_APP_H
#define SOURCES_CGROUP_CGROUP_APP_H

#include "sources/cgroup/cgroup_limits.h"
#include "sources/cgroup/cgroup_procs.h"
#include "sources/measure.h"
#include "sources/pressure.h"

#include <sys/types.h>

/* The files that are read every tick. */
enum cgroup_kept {
    KEPT_USAGE,    /* CPU time, and in v2 the cgroup's own throttling */
    KEPT_THROTTLE, /* cpu.stat of where the quota is; not opened when that is KEPT_USAGE */
    KEPT_MEMORY,
    KEPT_MEMORY_STAT,
    KEPT_OOM,
    KEPT_NET,
    KEPT_COUNT
};

struct cgroup_app {
    char *container; /* without slashes at its ends */
    struct cgroup_place places[CGROUP_CONTROLLERS];
    int fds[KEPT_COUNT]; /* -1: not open */
    struct cgroup_limits limits;
    int64_t refresh_ms; /* when limits and process are to be looked up again */
    int alert;          /* measurings that do so whatever the time, as the app may have ended */
    struct counter usage, received, sent;
    struct throttle throttle;
    struct pressure pressure;
    struct cgroup_procs procs;
    unsigned long pid;       /* one of its processes; 0: none seen */
    int64_t started_wall_ms; /* of that process */
    ino_t net_inode;         /* tells one network namespace's net/dev from another's */
    ino_t inodes[2];         /* of usage and memory: tell the cgroup from one made anew */
    uint64_t restarts, oom_kills, oom_kills_before;
};

/* `container` is the cgroup's path below the mount; copied. */
void cgroup_app_init(struct cgroup_app *app, const char *container);
void cgroup_app_free(struct cgroup_app *app);

/* Whether its files are open: it was found, and not lost since. */
bool cgroup_app_is_open(const struct cgroup_app *app);

/* Looks for it below the mounts. False when it is not there. A cgroup that was made anew since it
 * was last seen counts as a restart. */
bool cgroup_app_find(struct cgroup_app *app, const struct cgroup_mounts *mounts);

/* Reads what changes all the time, and now and then (now_ms is monotonic) what changes rarely;
 * `root` ("" live) is put before /proc and /sys. False when the cgroup is gone: it is then closed
 * and has to be found again. */
bool cgroup_app_measure(struct cgroup_app *app, const struct cgroup_mounts *mounts,
    const char *root, int64_t now_ms, struct measures *measures);

/* Limits and processes are looked up at each of the next measurings: an end takes its time. */
void cgroup_app_look_again(struct cgroup_app *app);

/* How many of its processes the kernel killed for want of memory. */
uint64_t cgroup_app_kills(const struct cgroup_app *app);

#endif
