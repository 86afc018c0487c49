/* A database whose statements are looked at, on a thread of its own, so that one that hangs holds
 * up no other: when, and what is kept of it. For agent/statements/statements.c. */
#ifndef AGENT_STATEMENTS_WATCHED_H
#define AGENT_STATEMENTS_WATCHED_H

#include "agent/statements/look.h"

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database_config;
struct incident_database;
struct loop;
struct offload;
struct own_ports;

/* Kept are: one from before the onset of what may fire now, one a minute younger, the newest. */
enum { WATCHED_SNAPSHOTS = 4, WATCHED_TEXTS = 64 };

struct watched {
    struct offload *thread;
    char *name; /* NULL: the only one */
    char *label, *url;
    struct snapshot snapshots[WATCHED_SNAPSHOTS]; /* oldest first */
    size_t count;
    struct activity activity; /* of the newest of these, if it was taken for an incident */
    struct look_text texts[WATCHED_TEXTS]; /* the last that were asked for, in a ring */
    size_t next_text;
    struct look *look; /* under way, or between looks with the connection */
    bool looking;
    bool again;              /* a look is to follow that one at once */
    int64_t due_ms, wait_ms; /* wait_ms: after one that failed; 0: it did not */
    int64_t begin_ms;        /* of the oldest incident; INT64_MAX: none */
    int64_t busy_since_ms;   /* when that was first heard of */
    char *database;
    struct error problem;                  /* why the last look has failed; "": it has not */
    int64_t since_wall_ms, looked_wall_ms; /* as in struct statements_status */
};

/* What it needs of the configuration is copied. NULL and err: no thread can be had. */
struct watched *watched_open(struct loop *loop, const struct database_config *database,
    struct own_ports *own, struct error *err);

/* No look follows the one that is under way. */
void watched_stop(struct watched *watched);

/* Frees it until deadline_ms (monotonic). False: a look hangs, and `own` is needed until it comes
 * back, which then frees all the rest. */
bool watched_close(struct watched *watched, int64_t deadline_ms);

/* The newest that was taken before begin_ms, else the oldest; NULL: there is none. */
const struct snapshot *watched_before(const struct watched *watched, int64_t begin_ms);
/* NULL: it is not known. */
const struct look_text *watched_text(const struct watched *watched, int64_t id);

/* As those of agent/statements/statements.h. */
void watched_tick(struct watched *watched, int64_t now_ms, int64_t begin_ms);
void watched_hurry(struct watched *watched);
bool watched_is_late(const struct watched *watched);
void watched_note(const struct watched *watched, struct incident_database *noted, int64_t begin_ms);

#endif
