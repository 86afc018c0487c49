/* A process and all that descend from it, and what they use together. Files that are kept open
 * belong to a process and never to a later one with its pid. */
#ifndef SOURCES_PROCESS_PROCESS_TREE_H
#define SOURCES_PROCESS_PROCESS_TREE_H

#include "sources/process/process_scan.h"

#include <time.h>

enum { PROCESS_TREE_MAX = 128 };

struct process_member {
    unsigned long pid;
    int stat_fd, statm_fd;
    bool precise; /* clock tells its CPU time to the nanosecond; else ticks of stat do */
    clockid_t clock;
    uint64_t own_ns, reaped_ns;
    uint64_t anonymous_bytes, file_bytes;
};

/* Zeroed: not open. */
struct process_tree {
    struct process_member members[PROCESS_TREE_MAX]; /* the first is the process itself */
    size_t count;
    const char *root; /* the caller's */
    unsigned long own;
    unsigned long newest; /* process id of the namespace when it was looked at last; 0: unknown */
    bool look_all;        /* some may have been missed */
    bool full;            /* there were more than PROCESS_TREE_MAX */
    bool scarce;          /* or more than the limit of open files allows */
    int64_t looked_ms, look_ms;
    uint64_t read_ticks; /* when it was read last, since boot; 0: not yet */
    uint64_t cpu_ns;     /* at the last reading */
    uint64_t before_ns;  /* of members before they were known: never counted */
};

/* What they use: CPU time so far, in ns, without what members used before they were found; memory
 * of programs and files in RAM once, as most of it is the same, and anonymous memory of each. */
struct process_usage {
    uint64_t cpu_ns, memory_bytes, anonymous_bytes;
};

/* False when that process has ended meanwhile. `root` ("" live) is put before /proc. */
bool process_tree_open(
    struct process_tree *tree, const char *root, const struct process_seen *process);
void process_tree_close(struct process_tree *tree);
bool process_tree_is_open(const struct process_tree *tree);

/* Finds new members and reads all. False when the process itself has ended: close it then. */
bool process_tree_read(struct process_tree *tree, int64_t now_ms, struct process_usage *usage);

#endif
