#include "agent/statements/snapshot.h"

#include "core/alloc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->rows);
    *snapshot = (struct snapshot){.rows = NULL};
}

static int read_amount(const char *text, double *amount)
{
    char *end = NULL;
    *amount = text ? strtod(text, &end) : NAN;
    return end && isfinite(*amount) && *amount >= 0 && end != text && !*end ? 0 : -1;
}

static int read_id(const char *text, int64_t *id)
{
    char *end = NULL;
    errno = 0;
    *id = text ? strtoll(text, &end, 10) : 0;
    return end && end != text && !*end && errno == 0 ? 0 : -1;
}

int snapshot_add(struct snapshot *snapshot, const char *const *texts, size_t count)
{
    struct snapshot_row row = {.id = 0};
    double *const amounts[] = {
        &row.calls, &row.rows, &row.time_ms, &row.blocks_hit, &row.blocks_read};
    if (count != SNAPSHOT_COLUMNS || snapshot->count == SNAPSHOT_MAX ||
        read_id(texts[0], &row.id) < 0)
        return -1;
    for (size_t i = 0; i + 1 < SNAPSHOT_COLUMNS; i++)
        if (read_amount(texts[i + 1], amounts[i]) < 0)
            return -1;
    if ((snapshot->count & (snapshot->count - 1)) == 0) /* full at each power of two */
        snapshot->rows = xrealloc(
            snapshot->rows, snapshot->count ? 2 * snapshot->count : 1, sizeof row);
    snapshot->rows[snapshot->count++] = row;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    int64_t one = ((const struct snapshot_row *)a)->id,
            other = ((const struct snapshot_row *)b)->id;
    return one < other ? -1 : one > other;
}

static int by_time(const void *a, const void *b)
{
    const struct snapshot_row *one = a, *other = b;
    if (one->time_ms != other->time_ms)
        return one->time_ms > other->time_ms ? -1 : 1;
    return by_id(a, b);
}

static void add_row(struct snapshot_row *to, const struct snapshot_row *row)
{
    to->calls += row->calls;
    to->rows += row->rows;
    to->time_ms += row->time_ms;
    to->blocks_hit += row->blocks_hit;
    to->blocks_read += row->blocks_read;
}

void snapshot_sort(struct snapshot *snapshot)
{
    size_t kept = 0;
    if (snapshot->count)
        qsort(snapshot->rows, snapshot->count, sizeof *snapshot->rows, by_id);
    for (size_t i = 0; i < snapshot->count; i++) {
        struct snapshot_row row = snapshot->rows[i];
        if (kept && snapshot->rows[kept - 1].id == row.id)
            add_row(&snapshot->rows[kept - 1], &row);
        else
            snapshot->rows[kept++] = row;
    }
    snapshot->count = kept;
}

static struct snapshot_row minus(
    const struct snapshot_row *after, const struct snapshot_row *before)
{
    return (struct snapshot_row){.id = after->id,
        .calls = after->calls - before->calls,
        .rows = fmax(after->rows - before->rows, 0),
        .time_ms = after->time_ms - before->time_ms,
        .blocks_hit = fmax(after->blocks_hit - before->blocks_hit, 0),
        .blocks_read = fmax(after->blocks_read - before->blocks_read, 0)};
}

/* What is new has run since; so has what started over, at least so much. */
void snapshot_subtract(const struct snapshot *before, const struct snapshot *after,
    struct snapshot_difference *difference)
{
    static const struct snapshot_row nothing;
    size_t at = 0;
    *difference = (struct snapshot_difference){
        .rows = xcalloc(after->count, sizeof *difference->rows)};
    for (size_t i = 0; i < after->count; i++) {
        const struct snapshot_row *row = &after->rows[i], *was = &nothing;
        for (; at < before->count && before->rows[at].id < row->id; at++)
            difference->gone++;
        if (at < before->count && before->rows[at].id == row->id)
            was = &before->rows[at++];
        if (row->calls < was->calls || row->time_ms < was->time_ms) {
            difference->started_over++;
            was = &nothing;
        }
        struct snapshot_row ran = minus(row, was);
        if (ran.calls <= 0)
            continue;
        difference->rows[difference->count++] = ran;
        difference->calls += ran.calls;
        difference->time_ms += ran.time_ms;
    }
    difference->gone += before->count - at;
    qsort(difference->rows, difference->count, sizeof *difference->rows, by_time);
}

void snapshot_difference_free(struct snapshot_difference *difference)
{
    free(difference->rows);
    *difference = (struct snapshot_difference){.rows = NULL};
}
