/* The processes that /proc shows: which one is meant, and who descends from whom. */
#ifndef SOURCES_PROCESS_PROCESS_SCAN_H
#define SOURCES_PROCESS_PROCESS_SCAN_H

#include "sources/process/process_stat.h"

struct error;

struct process_seen {
    unsigned long pid, parent;
    uint64_t started_ticks;
    bool matches; /* it has the name that was asked for */
};

/* In rising order of pid. Free with process_list_free. */
struct process_list {
    struct process_seen *all;
    size_t count;
};

/* All of them that have not ended, but the agent itself; of very many the first 32,768. `name` may
 * be NULL. */
void process_list_read(struct process_list *list, const char *root, const char *name);
void process_list_free(struct process_list *list);

/* Finds the process called `wanted` (its program's name, that of the kernel or of its command line)
 * or with that pid. Of several the one from which all others of that name descend; never the agent,
 * nor what it started. err says why there is none, or which there are to choose from. */
enum process_choice { PROCESS_FOUND, PROCESS_NONE, PROCESS_SEVERAL };
enum process_choice process_find(
    struct process_seen *found, const char *root, const char *wanted, struct error *err);

#endif
