/* One look at a database: connects if need be, and takes a snapshot or the texts of statements. For
 * a thread of its own (agent/statements/postgres.h). */
#ifndef AGENT_STATEMENTS_LOOK_H
#define AGENT_STATEMENTS_LOOK_H

#include "agent/statements/activity.h"
#include "agent/statements/snapshot.h"

#include "core/error.h"

#include <stdbool.h>

struct own_ports;
struct postgres;

enum { LOOK_TEXTS_MAX = 24 };

struct look_text {
    int64_t id;
    char *text; /* at most STATEMENT_TEXT_MAX bytes; NULL: it is not there any more */
};

struct look {
    const char *url;       /* outlives it */
    struct own_ports *own; /* outlives it; NULL: nobody asks */
    int64_t now_ms, wall_ms;
    struct postgres *postgres; /* of an earlier look, or NULL; afterwards of the next */
    char *schema;              /* of the extension, quoted; kept together with the connection */
    char *database;            /* as the server calls it; likewise */

    struct look_text texts[LOOK_TEXTS_MAX]; /* whose ids are given; count 0: a snapshot is taken */
    size_t text_count;
    struct snapshot snapshot;
    bool wants_activity; /* together with a snapshot, for what has not ended */
    struct activity activity;
    int status; /* -1: err says why */
    struct error err;
};

/* Works on it. What failed has no connection any more. */
void look_take(struct look *look);

/* Frees what it holds, but for what `url` and `own` point to. Closes the connection. */
void look_free(struct look *look);

/* Whether a text is that of one of our own queries. */
bool look_is_own(const char *text);

#endif
