/* Retention of the directory exporter: keeps the incidents of its service below an age and a size.
 * It looks after each incident that is stored, and once an hour, in small steps on the exporter's
 * own thread, between which files are stored. */
#ifndef EXPORTERS_DIRECTORY_RETENTION_H
#define EXPORTERS_DIRECTORY_RETENTION_H

#include <stdint.h>

struct directory_retention;
struct exporter_holdings;
struct loop;
struct offload;

struct directory_retention_setup {
    struct loop *loop;
    struct offload *thread;
    const char *path, *service, *label; /* copied */
    int64_t keep_ms;                    /* 0: of any age */
    uint64_t size_bytes;                /* 0: any number */
};

struct directory_retention *directory_retention_open(const struct directory_retention_setup *setup);

/* Before the thread is closed. What is being removed is removed to its end. */
void directory_retention_close(struct directory_retention *retention);

/* An incident has been stored. */
void directory_retention_stored(struct directory_retention *retention);

void directory_retention_status(
    const struct directory_retention *retention, struct exporter_holdings *holdings);

#endif
