/* What the databases did while an incident lasted: looks at pg_stat_statements once a minute, and
 * every few seconds while an incident is captured, so that there is one from before its onset and
 * one from its end when it becomes complete. */
#ifndef AGENT_STATEMENTS_STATEMENTS_H
#define AGENT_STATEMENTS_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct incident;
struct loop;
struct own_ports;
struct statements;

/* NULL without an error when no database of the configuration has them; NULL and err when no thread
 * can be had. What it needs of the configuration is copied. */
struct statements *statements_open(
    struct loop *loop, const struct config *config, struct own_ports *own, struct error *err);

/* Ends it, and waits so long for looks that are under way. False: one is left to itself, so that
 * `own` is lost. NULL is allowed, as in all of these. */
bool statements_close(struct statements *statements, int64_t wait_ms);

/* Whether two configurations want the same of it. */
bool statements_are_same(const struct config *a, const struct config *b);

/* To be called at every tick. begin_ms: when the oldest incident that is being captured began
 * (monotonic); INT64_MAX: none is. */
void statements_tick(struct statements *statements, int64_t now_ms, int64_t begin_ms);

/* What is to be noted is over: looks once more, now. */
void statements_hurry(struct statements *statements);

/* Whether such a look is under way still, and is worth a moment of patience. */
bool statements_are_late(const struct statements *statements);

/* Fills in what ran since begin_ms (monotonic), as far as it is known now. */
void statements_note(
    const struct statements *statements, struct incident *incident, int64_t begin_ms);

/* How it stands with one of the databases; all of it belongs to `statements`. */
struct statements_status {
    const char *label;      /* its name, or where it is */
    const char *database;   /* as the server calls it; NULL: not known yet */
    const char *problem;    /* why the last look failed, in words to act on; NULL: it did not */
    int64_t since_wall_ms;  /* it has been so since, well or not; 0: no look has ended yet */
    int64_t looked_wall_ms; /* of the last look that was well; 0: none was */
};

size_t statements_databases(const struct statements *statements);
void statements_status(
    const struct statements *statements, size_t index, struct statements_status *status);

#endif
