/* Rows of pg_stat_statements as a server may write them: a difference never has a negative part. */
#include "agent/statements/activity.h"
#include "agent/statements/masking.h"
#include "agent/statements/snapshot.h"

#include "core/incident_statements.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of texts between blanks, "-" for null; after an empty line comes the other snapshot. */
static void take(struct snapshot *snapshot, char **text)
{
    for (char *line; (line = strsep(text, "\n")) && *line;) {
        const char *values[SNAPSHOT_COLUMNS + 2];
        size_t count = 0;
        for (char *value; count < SNAPSHOT_COLUMNS + 2 && (value = strsep(&line, " "));)
            values[count++] = strcmp(value, "-") != 0 ? value : NULL;
        snapshot_add(snapshot, values, count);
    }
    snapshot_sort(snapshot);
}

/* The whole, or most of it, as each of the texts, until no more are taken. */
static void take_activity(const char *text)
{
    const char *values[ACTIVITY_COLUMNS];
    struct activity activity = {.rows = NULL};
    struct incident_database noted = {.name = NULL};
    for (size_t i = 0; i < ACTIVITY_COLUMNS; i++)
        values[i] = text + (strlen(text) > i ? i : 0);
    while (activity_add(&activity, values, ACTIVITY_COLUMNS) == 0)
        continue;
    activity_note(&activity, &noted);
    if (noted.ongoing_count != STATEMENTS_ONGOING_MAX || !(noted.ongoing[0].time_ms >= 0) ||
        noted.ongoing_others < 0)
        abort();
    incident_ongoing_free(noted.ongoing, noted.ongoing_count);
    activity_free(&activity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1), *rest = text;
    struct snapshot before = {.rows = NULL}, after = {.rows = NULL};
    struct snapshot_difference difference;
    memcpy(text, data, size);
    free(incident_statement_text(text));
    char *masked = strdup(text);
    masking_hide_literals(masked);
    if (strlen(masked) > strlen(text))
        abort();
    masking_hide_constants(masked);
    if (strlen(masked) > strlen(text))
        abort();
    free(masked);
    take_activity(text);
    take(&before, &rest);
    take(&after, &rest);
    snapshot_subtract(&before, &after, &difference);
    for (size_t i = 0; i < difference.count; i++) {
        const struct snapshot_row *row = &difference.rows[i];
        if (row->calls < 0 || row->rows < 0 || row->time_ms < 0 || row->blocks_hit < 0 ||
            row->blocks_read < 0 || (i && row->time_ms > row[-1].time_ms))
            abort();
    }
    snapshot_difference_free(&difference);
    snapshot_free(&before);
    snapshot_free(&after);
    free(text);
    return 0;
}
