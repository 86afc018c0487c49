/* What the kernel says of one process. The parsers take bytes and are bounded by them. Formats:
 * proc(5). */
#ifndef SOURCES_PROCESS_PROCESS_STAT_H
#define SOURCES_PROCESS_PROCESS_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROCESS_NAME_SIZE = 16, /* the kernel keeps 15 bytes of a program's name */
    PROCESS_TEXT_MAX = 2048 /* all of stat, and of status what is wanted of it */
};

struct process_stat {
    char name[PROCESS_NAME_SIZE]; /* of kernel threads, which may have longer ones, the beginning */
    char state;                   /* 'R', 'S', ...; 'Z': ended, its parent has not asked yet */
    unsigned long parent;
    uint64_t own_ticks;    /* CPU time of all its threads, ended ones included */
    uint64_t reaped_ticks; /* of its children that it has waited for, and of theirs */
    uint64_t threads;
    uint64_t
        started_ticks; /* since boot: together with the pid it tells a process from any other */
};

/* /proc/<pid>/stat */
bool process_stat_parse(struct process_stat *stat, const char *text, size_t length);

/* Whether it has ended, also when its parent has not noticed. */
bool process_stat_ended(const struct process_stat *stat);

/* /proc/<pid>/statm: memory that is in RAM, anonymous and of files (shared memory included). */
bool process_memory_parse(
    const char *text, size_t length, uint64_t *anonymous_pages, uint64_t *file_pages);

/* The newest process or thread id of the PID namespace: the end of /proc/loadavg. */
bool process_newest_parse(const char *text, size_t length, unsigned long *pid);

/* A whole decimal number above 0 as a process id; 0 when it is none. */
unsigned long process_pid_parse(const char *text);

/* Reads <root>/proc/<pid>/stat. */
bool process_stat_read(struct process_stat *stat, const char *root, unsigned long pid);

/* Reads <root>/proc/<pid>/<name> into text, NUL-terminated. Its size; 0 when it cannot be read. */
size_t process_read(
    const char *root, unsigned long pid, const char *name, char text[PROCESS_TEXT_MAX]);

/* Wall time in ms of a started_ticks. */
int64_t process_started_wall_ms(uint64_t started_ticks);

/* The agent's own pid as that /proc shows it; 0: it does not. */
unsigned long process_own_pid(const char *root);

#endif
