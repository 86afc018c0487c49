/* What the files of the spool share: spool.c changes what is on the disk, spool_opening.c opens it,
 * spool_files.c says where an incident's files are. */
#ifndef AGENT_STORAGE_SPOOL_PARTS_H
#define AGENT_STORAGE_SPOOL_PARTS_H

#include "core/error.h"

#include <stdatomic.h>
#include <stdbool.h>

struct offload;
struct reserve;

struct spool {
    struct offload *disk;
    char *state, *path;
    int lock;
    char *late;          /* <state>/late */
    atomic_ullong bytes; /* the disk thread writes it, the loop reads it */
    bool refreshing;     /* a look at it is on its way */
    struct reserve *reserve;
    struct error trouble; /* why the disk takes no files; "": it does */
    bool probing;         /* the look is to find out whether it does again: */
    struct error found;   /* what it found; "": it does */
    struct error taken;   /* another agent has it by now; "": none */
};

/* The folder of an incident in the making; the caller frees. */
char *spool_open_folder(const struct spool *spool, const char *id);

/* Sets `bytes`. Blocks. */
void spool_count(struct spool *spool);

/* Locks the state folder against a second agent, unless it is locked. -1 and err. */
int spool_lock(struct spool *spool, struct error *err);

/* Whether the disk would take a small profile: spool->found. Blocks. */
void spool_probe(struct spool *spool);

/* The disk took no file. Told once, until it works again. On the loop. */
void spool_note_trouble(struct spool *spool, const char *why);

#endif
