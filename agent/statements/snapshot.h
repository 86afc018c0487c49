/* What pg_stat_statements counts, at one moment: a row a statement, and the difference of two. */
#ifndef AGENT_STATEMENTS_SNAPSHOT_H
#define AGENT_STATEMENTS_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* The extension holds 5,000 if nobody says otherwise (pg_stat_statements.max). */
enum { SNAPSHOT_MAX = 20000, SNAPSHOT_COLUMNS = 6 };

struct snapshot_row {
    int64_t id; /* queryid */
    double calls, rows, time_ms, blocks_hit, blocks_read;
};

struct snapshot {
    int64_t time_ms; /* monotonic, when it was asked for */
    int64_t wall_ms;
    struct snapshot_row *rows;
    size_t count;
};

void snapshot_free(struct snapshot *snapshot); /* what it holds; it is empty then */

/* Adds a row of SNAPSHOT_COLUMNS texts as the server writes them: queryid, calls, rows, ms, blocks
 * hit, blocks read. -1: that is none, or one too many. */
int snapshot_add(struct snapshot *snapshot, const char *const *texts, size_t count);

/* After the last row, and before a difference. Adds up rows of the same id. */
void snapshot_sort(struct snapshot *snapshot);

/* What ran between the two. */
struct snapshot_difference {
    struct snapshot_row *rows; /* by time, the longest first; only of what ran */
    size_t count;
    double calls, time_ms; /* of all of them */
    size_t started_over;   /* counters that fell: reset or evicted, and counted from 0 again */
    size_t gone;           /* not there any more */
};

void snapshot_subtract(const struct snapshot *before, const struct snapshot *after,
    struct snapshot_difference *difference);
void snapshot_difference_free(struct snapshot_difference *difference);

#endif
