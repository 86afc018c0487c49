/* From an incident that was stored to the files that say that it is to be told. */
#ifndef AGENT_NOTICES_NOTICE_WRITING_H
#define AGENT_NOTICES_NOTICE_WRITING_H

#include <stdbool.h>

struct offload;
struct spool;

/* What came of it. */
struct notice_written {
    const char *id;
    const char *group;    /* as notice_group; NULL: nobody is to be told */
    const char *group_id; /* of the analysis; NULL: it has none */
    const char *text;     /* it could not be written: this would be in the files; else NULL */
    char *const *folders;
};

struct notice_writing {
    const char *id;
    /* All of these are taken over. */
    char *incident; /* its folder in the spool, for the mark; NULL: it is in memory */
    char *file;     /* incident.json */
    char *content;  /* what is in it; NULL: it is still to be read */
    char *stored;   /* where it is stored */
    char *tally;    /* path of tally.json */
    char **folders; /* of notifiers, NULL-ended */
    bool report;    /* it has a report; found out where it is in the spool */
    void (*written)(void *arg, const struct notice_written *written);
    void *arg;
};

/* Has the disk thread write <id>.json into every folder, and then the mark. An
 * incident that has the mark, or that nobody is told of, is left alone. While the disk takes no
 * files it is told all the same, if the agent lives that long. */
void notice_write(struct offload *disk, const struct notice_writing *writing);

/* Has it remove what was written. */
void notice_withdraw(struct offload *disk, const struct notice_written *written);

/* Before there are notifiers: what a kill interrupted is finished. Blocks. */
void notice_recover(struct spool *spool, const char *notices);

#endif
