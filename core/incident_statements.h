/* What a database did while an incident lasted, by its own word (PostgreSQL's pg_stat_statements):
 * data, and its form in incident.json. */
#ifndef CORE_INCIDENT_STATEMENTS_H
#define CORE_INCIDENT_STATEMENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* An incident.json is read for every row of a list, so it holds few of them. */
enum {
    STATEMENTS_DATABASES_MAX = 16,
    STATEMENTS_MAX = 10,
    STATEMENTS_ONGOING_MAX = 10,
    STATEMENT_TEXT_MAX = 1000 /* bytes; what is cut ends in an ellipsis */
};

struct incident_statement {
    char *query_id; /* pg_stat_statements' queryid, in decimal */
    char *text;     /* normalised: constants are $1, $2; NULL: not known */
    double calls, rows, time_ms, blocks_read, blocks_hit; /* in the window; blocks of 8 KiB */
    double percent;                                       /* of the database's time_ms */
};

/* What had not ended when the database was looked at last. */
struct incident_ongoing {
    char *query_id;  /* as above; NULL: not known, before PostgreSQL 14 */
    char *text;      /* with ? for constants */
    char *state;     /* "active", "idle in transaction" */
    char *waits_for; /* "Lock: transactionid"; NULL: for nothing */
    double time_ms;  /* since it began */
};

/* The difference between two looks at one database. */
struct incident_database {
    char *name;             /* as configured; NULL: the only one */
    char *database;         /* as the server calls it; NULL: not known */
    char *problem;          /* why there is nothing, in words to act on; NULL: there is something */
    int64_t from_ms, to_ms; /* wall time of the two looks; 0: there was none */
    double calls, time_ms;  /* of all statements */
    struct incident_statement *statements; /* by time, the longest first */
    size_t count;
    int64_t others;       /* statements that ran and are not among these */
    int64_t started_over; /* reset or evicted in between, of which only a part is known */
    int64_t gone;         /* evicted in between, of which nothing is known */
    struct incident_ongoing *ongoing; /* what is active first, and of that the longest */
    size_t ongoing_count;
    int64_t ongoing_others; /* that are not among these */
};

struct incident_statements {
    struct incident_database *databases;
    size_t count;
};

/* A new one, empty; it may move when the next is added. */
struct incident_database *incident_add_database(struct incident_statements *statements);
void incident_ongoing_free(struct incident_ongoing *ongoing, size_t count); /* the array, too */
void incident_statements_free(struct incident_statements *statements);

/* Makes room for the text of a statement: valid UTF-8, at most STATEMENT_TEXT_MAX bytes. The caller
 * frees. */
char *incident_statement_text(const char *text);

/* The array "statements"; empty when there is none. The caller decrefs. And back, with what is
 * hostile or too many left out. */
json_t *incident_statements_to_json(const struct incident_statements *statements);
void incident_statements_from_json(const json_t *json, struct incident_statements *statements);

#endif
