/* What the files of agent/late share: late.c has all incidents, late_ask.c asks for one,
 * late_finish.c brings what came to where it belongs. */
#ifndef AGENT_LATE_LATE_PARTS_H
#define AGENT_LATE_LATE_PARTS_H

#include "agent/late/late.h"
#include "agent/late/late_files.h"
#include "sources/cloudwatch/cloudwatch.h"

enum { LATE_NAME_SIZE = 17 };

enum late_state {
    LATE_OPENING, /* its files are being linked or read */
    LATE_WAITING, /* for the next try */
    LATE_FETCHED, /* what came is to be added */
    LATE_ADDING,  /* it is in the hands of the disk thread or of a child */
    LATE_READY,   /* it is to be stored once all have the first version */
    LATE_SENDING
};

struct late_one {
    struct late *late;
    char *id, *folder;
    enum late_state state;
    int64_t began_ms; /* wall: since when this run has it */
    struct late_window window;
    unsigned tries;
    size_t database;                /* that is asked, or is asked next */
    struct cloudwatch_lines *lines; /* what came, by database */
    char (*stored)[LATE_NAME_SIZE]; /* the exporters that have it */
    size_t stored_count;
    bool linked;  /* to be linked first */
    bool dropped; /* it is to go when the disk thread or the child has let go of it */
    int error_status;
    char error[CLOUDWATCH_REASON_SIZE]; /* why nothing came; "": it did */
};

struct late_database {
    bool wanted;
    struct cloudwatch_target target;
    char **names, **series; /* of what is fetched */
    size_t count;
    struct cloudwatch *client; /* NULL: nothing was asked lately */
};

struct late {
    struct late_setup setup;
    char *folder;
    struct late_one **all;
    size_t count;
    struct late_database *databases; /* by that of the configuration */
    size_t database_count;
    struct late_one *asked;  /* NULL: none; one at a time */
    struct late_one *adding; /* the same */
    struct loop_timer *timer;
    int64_t gave_way_ms; /* monotonic; 0: never */
    bool stopped;
    char error[CLOUDWATCH_REASON_SIZE];
};

/* Asks CloudWatch for the databases that are not whole yet; late_look follows. */
void late_ask(struct late *late, struct late_one *one);

/* Closes what is asked with, and forgets what came. */
void late_close_clients(struct late *late);

/* Whether anything came, and whether nothing more is to come. */
bool late_has_any(const struct late_one *one);
bool late_has_all(const struct late_one *one);

/* Adds what came and has the report made anew; late_look follows. */
void late_add(struct late *late, struct late_one *one);

/* Has it sent to all that have it, where there is nobody left who lacks its first version. */
void late_send(struct late *late, struct late_one *one);

/* Takes it off the list, with its folder. */
void late_drop(struct late *late, struct late_one *one);

/* Looks at all of them soon. */
void late_look(struct late *late);

/* What an exporter is called in a mark. */
void late_exporter_name(const struct late *late, size_t exporter, char name[LATE_NAME_SIZE]);

#endif
