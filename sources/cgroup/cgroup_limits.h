/* What a cgroup may use: its own limits, else its ancestors', else the machine's. */
#ifndef SOURCES_CGROUP_CGROUP_LIMITS_H
#define SOURCES_CGROUP_CGROUP_LIMITS_H

#include "sources/cgroup/cgroup_files.h"

enum { CGROUP_FILE_MAX = 16384 }; /* the largest, memory.stat of v2, has less than 4 KB */

/* Zeroed: not read yet. */
struct cgroup_limits {
    double cores;
    char *quota_folder;  /* of the cgroup whose quota that is; NULL: cores are the online CPUs */
    double memory_bytes; /* NAN when not even the machine's can be read */
    char *memory_folder; /* of the cgroup whose limit that is; NULL: it is the machine's memory */
};

/* Reads them. A cgroup without a limit has the nearest ancestor's that has one (in ECS the task's),
 * up to the mount; a limit beyond what the machine has limits nothing. `root` is put before /proc
 * and /sys. True when the quota is another cgroup's than before. */
bool cgroup_limits_read(struct cgroup_limits *limits, const char *root,
    const struct cgroup_place *cpu, const struct cgroup_place *memory);
void cgroup_limits_free(struct cgroup_limits *limits);

/* The online CPUs, and the memory in bytes (NAN: unknown). */
double cgroup_machine_cpus(const char *root);
double cgroup_machine_memory_bytes(const char *root);

/* Reads the small file folder/name into text, NUL-terminated. Its size; 0 when it cannot be read.
 */
size_t cgroup_read_file(const char *folder, const char *name, char text[CGROUP_FILE_MAX]);

#endif
