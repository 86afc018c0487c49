/* What runs at a database still (pg_stat_activity): rows of the server's, as far as an incident has
 * them. */
#ifndef AGENT_STATEMENTS_ACTIVITY_H
#define AGENT_STATEMENTS_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>

struct incident_database;
struct incident_ongoing;

enum { ACTIVITY_COLUMNS = 7 };

struct activity {
    int64_t time_ms; /* monotonic, when it was asked for; 0: it was not */
    struct incident_ongoing *rows;
    size_t count;  /* at most STATEMENTS_ONGOING_MAX */
    int64_t total; /* of those that the server has, these included */
};

/* The query for a server of this version (150018: 15.18); the caller frees. What is in it:
 * what has run for a second, without what is stakeout's own. */
char *activity_sql(int version);

/* Adds a row of its answer. -1: that is none, or one too many. */
int activity_add(struct activity *activity, const char *const *values, size_t count);

void activity_free(struct activity *activity); /* what it holds; it is empty then */

/* A copy of it, for an incident. */
void activity_note(const struct activity *activity, struct incident_database *noted);

#endif
