/* The kernel's files about cgroups, version 1 and 2: where they are and what they say. The parsers
 * take bytes and are bounded by them. Formats: the kernel's Documentation/admin-guide/cgroup-v1
 * and cgroup-v2.rst, proc(5). */
#ifndef SOURCES_CGROUP_CGROUP_FILES_H
#define SOURCES_CGROUP_CGROUP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum cgroup_controller {
    CGROUP_CPU,     /* quota and throttling */
    CGROUP_CPUACCT, /* CPU time; in v2 a part of cpu */
    CGROUP_MEMORY,
    CGROUP_CONTROLLERS
};

enum { CGROUP_MAX_MOUNTS = 32 };

struct cgroup_mount {
    char *path;
    char *top; /* the cgroup that is mounted there: "/", or that of a container */
    bool v2;
    unsigned controllers; /* v1: bit 1 << enum cgroup_controller; v2: none */
};

struct cgroup_mounts {
    struct cgroup_mount all[CGROUP_MAX_MOUNTS];
    size_t count;
};

/* The cgroup mounts in the text of /proc/<pid>/mountinfo; lines that it cannot make sense of and
 * mounts beyond CGROUP_MAX_MOUNTS are left out. Free with cgroup_mounts_free. */
void cgroup_mounts_parse(struct cgroup_mounts *mounts, const char *text, size_t length);

/* The same from <root>/proc/self/mountinfo, "<root>" put before every path; none when it cannot be
 * read. */
void cgroup_mounts_read(struct cgroup_mounts *mounts, const char *root);

/* The mounts that another process sees, by way of its own root: they can be listed by everybody and
 * entered by who might trace it. */
void cgroup_mounts_read_of(struct cgroup_mounts *mounts, const char *root, unsigned long pid);
void cgroup_mounts_free(struct cgroup_mounts *mounts);

/* Whether the controller of that mount is to be used: v2 only where v1 has not got it. */
bool cgroup_mount_has(
    const struct cgroup_mounts *mounts, size_t index, enum cgroup_controller controller);

/* The cgroup of the hierarchy that the mount is of, out of the text of /proc/<pid>/cgroup: a path
 * that begins with a slash, to be freed. NULL: there is none. */
char *cgroup_parse_path(const char *text, size_t length, const struct cgroup_mount *mount);

/* A cgroup's folder as one controller has it. */
struct cgroup_place {
    char *folder;        /* owned; NULL: there is none */
    size_t mount_length; /* how much of folder is the mount: ancestors end there */
    bool v2;
};

/* Finds the folder of the cgroup `container` below the first mount of the controller that has it.
 * v2 counts only where no v1 mount has the controller (hybrid systems mount an empty v2 tree).
 * False when there is none; free the folder otherwise. */
bool cgroup_find(struct cgroup_place *place, const struct cgroup_mounts *mounts,
    enum cgroup_controller controller, const char *container);

/* Appends up to 8 names of cgroups that have processes, but the agent's own, as
 * "a, b, c" to names: what `container` may be. */
void cgroup_list(const struct cgroup_mounts *mounts, const char *root, struct buf *names);

/* One number alone in a file; "max" is UINT64_MAX. False when it is none (a quota of "-1", too). */
bool cgroup_parse_number(const char *text, size_t length, uint64_t *value);

/* The number after `key` at the beginning of a line ("oom_kill 3", "MemTotal:  16 kB"). */
bool cgroup_parse_key(const char *text, size_t length, const char *key, uint64_t *value);

/* cpu.max of v2: "max 100000" (false) or "50000 100000" (half a core). */
bool cgroup_parse_cpu_max(const char *text, size_t length, double *cores);

/* How many CPUs a list like "0-3,8" names; 0 when it is none. */
unsigned cgroup_parse_cpu_list(const char *text, size_t length);

/* Bytes received and sent by all interfaces but lo in the text of /proc/<pid>/net/dev. False when
 * it has none. */
bool cgroup_parse_net_dev(
    const char *text, size_t length, uint64_t *received_bytes, uint64_t *sent_bytes);

#endif
