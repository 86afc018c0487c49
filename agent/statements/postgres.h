/* A connection to PostgreSQL by libpq, which is loaded when it is first needed. Everything here
 * blocks, if only until a deadline, and is for a thread of its own: libpq looks up names and reads
 * files where it connects. */
#ifndef AGENT_STATEMENTS_POSTGRES_H
#define AGENT_STATEMENTS_POSTGRES_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct own_ports;
struct postgres;

/* Whether it can be had at all: -1 and err where libpq is not there. */
int postgres_present(struct error *err);

/* Connects as "stakeout". The local port is put among `own` (NULL: nobody asks) until it is closed.
 * NULL and err, with a remedy, which never has a password in it. */
struct postgres *postgres_connect(
    const char *url, struct own_ports *own, int64_t deadline_ms, struct error *err);
void postgres_close(struct postgres *postgres); /* NULL is allowed */

const char *postgres_database(const struct postgres *postgres); /* as the server calls it */
const char *postgres_user(const struct postgres *postgres);
int postgres_version(const struct postgres *postgres); /* 150018: 15.18 */

/* A transaction that only reads, and in which the server ends what takes longer than 5 s. Nothing
 * of it outlives it, so that a pooler may sit in between. */
int postgres_begin(struct postgres *postgres, int64_t deadline_ms, struct error *err);
int postgres_end(struct postgres *postgres, int64_t deadline_ms, struct error *err);

/* One row: `count` texts, NULL for what is null. Non-zero ends the query. */
typedef int postgres_row(void *arg, const char *const *values, size_t count);

/* One statement, with its parameters ($1, ...) as texts, NULL-terminated (NULL: none). Rows come
 * one at a time and are never held here. -1 and err, also where `row` has ended it; after that the
 * connection is only good to be closed. */
int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters,
    postgres_row *row, void *arg, int64_t deadline_ms, struct error *err);

#endif
