#include "agent/statements/activity.h"

#include "agent/statements/masking.h"
#include "core/alloc.h"
#include "core/incident_statements.h"

#include <math.h>
#include <stdlib.h>

/* A transaction that is open and idle may hold what others wait for; what is active comes first.
 * Parallel workers do what their leader does, and a replica's stream runs for ever. */
char *activity_sql(int version)
{
    return xasprintf(
        "/* stakeout */ SELECT %s, state, wait_event_type, wait_event, "
        "(extract(epoch FROM clock_timestamp() - query_start) * 1000)::bigint, left(query, %d), "
        "count(*) OVER () FROM pg_stat_activity WHERE datname = current_database() AND "
        "pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker') AND "
        "state NOT IN ('idle', 'disabled') AND query_start < clock_timestamp() - interval '1 s' "
        "AND query NOT LIKE '/* stakeout */%%' "
        "ORDER BY state IN ('active', 'fastpath function call') DESC, query_start LIMIT %d",
        version >= 140000 ? "query_id" : "NULL", STATEMENT_TEXT_MAX + 1, STATEMENTS_ONGOING_MAX);
}

static double amount(const char *text)
{
    double value = text ? strtod(text, NULL) : 0;
    return isfinite(value) && value > 0 ? value : 0;
}

static char *copy_of(const char *text)
{
    return text && *text ? incident_statement_text(text) : NULL;
}

int activity_add(struct activity *activity, const char *const *values, size_t count)
{
    if (count != ACTIVITY_COLUMNS || activity->count == STATEMENTS_ONGOING_MAX)
        return -1;
    char *wait = values[2] && values[3] ? xasprintf("%s: %s", values[2], values[3]) : NULL;
    if (!activity->rows)
        activity->rows = xcalloc(STATEMENTS_ONGOING_MAX, sizeof *activity->rows);
    activity->rows[activity->count++] = (struct incident_ongoing){.query_id = copy_of(values[0]),
        .state = copy_of(values[1]),
        .waits_for = copy_of(wait),
        .time_ms = amount(values[4]),
        .text = values[5] && *values[5] ? masking_copy(values[5], masking_hide_constants) : NULL};
    activity->total = (int64_t)fmin(amount(values[6]), 1e6);
    free(wait);
    return 0;
}

void activity_free(struct activity *activity)
{
    incident_ongoing_free(activity->rows, activity->count);
    *activity = (struct activity){.rows = NULL};
}

void activity_note(const struct activity *activity, struct incident_database *noted)
{
    noted->ongoing = xcalloc(activity->count, sizeof *noted->ongoing);
    for (size_t i = 0; i < activity->count; i++) {
        const struct incident_ongoing *row = &activity->rows[i];
        noted->ongoing[noted->ongoing_count++] = (struct incident_ongoing){
            .query_id = xstrdup_or_null(row->query_id),
            .text = xstrdup_or_null(row->text),
            .state = xstrdup_or_null(row->state),
            .waits_for = xstrdup_or_null(row->waits_for),
            .time_ms = row->time_ms};
    }
    int64_t shown = (int64_t)activity->count;
    noted->ongoing_others = activity->total > shown ? activity->total - shown : 0;
}
