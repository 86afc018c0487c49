/* What is known of a database, for an incident. */
#include "agent/statements/watched.h"

#include "core/alloc.h"
#include "core/incident_statements.h"

#include <inttypes.h>
#include <math.h>

static void note_statement(
    const struct watched *watched, struct incident_database *noted, const struct snapshot_row *row)
{
    const struct look_text *text = watched_text(watched, row->id);
    if (text && look_is_own(text->text)) {
        noted->calls -= row->calls;
        noted->time_ms = fmax(0, noted->time_ms - row->time_ms); /* as sums of fractions go */
        noted->others--;
        return;
    }
    if (noted->count == STATEMENTS_MAX)
        return;
    noted->others--;
    noted->statements[noted->count++] = (struct incident_statement){
        .query_id = xasprintf("%" PRId64, row->id),
        .text = text ? xstrdup(text->text) : NULL,
        .calls = row->calls,
        .rows = row->rows,
        .time_ms = row->time_ms,
        .blocks_read = row->blocks_read,
        .blocks_hit = row->blocks_hit};
}

static void note_difference(const struct watched *watched, struct incident_database *noted,
    const struct snapshot *was, const struct snapshot *is)
{
    struct snapshot_difference difference;
    snapshot_subtract(was, is, &difference);
    noted->from_ms = was->wall_ms;
    noted->to_ms = is->wall_ms;
    noted->calls = difference.calls;
    noted->time_ms = difference.time_ms;
    noted->started_over = (int64_t)difference.started_over;
    noted->gone = (int64_t)difference.gone;
    noted->others = (int64_t)difference.count;
    noted->statements = xcalloc(STATEMENTS_MAX, sizeof *noted->statements);
    for (size_t i = 0; i < difference.count; i++)
        note_statement(watched, noted, &difference.rows[i]);
    for (size_t i = 0; i < noted->count; i++)
        if (noted->time_ms > 0)
            noted->statements[i].percent = 100 * noted->statements[i].time_ms / noted->time_ms;
    snapshot_difference_free(&difference);
}

static const char *why_nothing(const struct watched *watched)
{
    if (watched->problem.text[0])
        return watched->problem.text;
    if (watched->looking)
        return "the last look at it was still under way when the incident was complete: the "
               "database answers slowly, or not any more";
    return "there was no look at it both before and after the onset: the agent had only started, "
           "or the incident was over at once";
}

void watched_note(const struct watched *watched, struct incident_database *noted, int64_t begin_ms)
{
    const struct snapshot *was = watched_before(watched, begin_ms);
    const struct snapshot *is = watched->count ? &watched->snapshots[watched->count - 1] : NULL;
    noted->name = xstrdup_or_null(watched->name);
    noted->database = xstrdup_or_null(watched->database);
    if (was && is && is != was && is->time_ms > begin_ms)
        note_difference(watched, noted, was, is);
    else
        noted->problem = xstrdup(why_nothing(watched));
    if (watched->activity.time_ms <= begin_ms)
        return;
    noted->to_ms = is ? is->wall_ms : 0; /* it is of the same look */
    activity_note(&watched->activity, noted);
}
