#include "commands/show_evidence.h"

#include "commands/list_rows.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/analysis/analysis.h"
#include "review/evidence/evidence.h"
#include "review/history/group.h"
#include "review/history/marking.h"
#include "review/store/store.h"

#include <stdint.h>
#include <string.h>

/* What all profiles may have when they are inflated. */
static const size_t inflated_max_bytes = (size_t)256 << 20;

struct place {
    struct store *store;
    const struct store_incident *stored;
};

static int read_file(void *arg, const char *name, size_t max, struct buf *buf, struct error *err)
{
    const struct place *place = arg;
    return store_read_file(place->store, place->stored, name, max, buf, err);
}

struct evidence *show_evidence_read(
    struct store *store, const struct store_incident *stored, bool *analysed, struct error *err)
{
    const char *baseline = stored->incident->baseline;
    struct store_incident *base = baseline ? store_find(store, baseline, NULL) : NULL;
    struct place own = {store, stored}, other = {store, base};
    const struct evidence_place place = {read_file, &own}, base_place = {read_file, &other};
    const struct evidence_limits limits = {.inflated_bytes = inflated_max_bytes};
    struct evidence *evidence = evidence_read(&place, base ? &base_place : NULL, &limits, err);
    *analysed = evidence && !evidence->incident->analysis.headline;
    if (*analysed)
        analysis_run(evidence);
    store_incident_free(base);
    return evidence;
}

/* The incidents of a service, as far as they are read. */
struct collection {
    struct list_rows *rows;
    size_t left;
};

static int collect(void *arg, const struct store_incident *stored)
{
    struct collection *collection = arg;
    if (stored->incident)
        list_rows_add(collection->rows, stored, false);
    return --collection->left == 0;
}

void show_evidence_history(struct store *store, const struct store_incident *stored,
    const char *group, struct history *history)
{
    const struct store_filter filter = {.service = stored->service, .since_ms = INT64_MIN};
    struct collection collection = {
        .rows = list_rows_new(), .left = store_is_bucket(store) ? SHOW_HISTORY_MAX : SIZE_MAX};
    store_list(store, &filter, collect, &collection, NULL);
    struct known known;
    marking_read_known(store, stored->service, &known, NULL);
    if (list_rows_service(collection.rows, 0))
        list_rows_set_known(collection.rows, 0, &known);
    int64_t now_ms = clock_wall_ms();
    char as_stored[GROUP_SIZE];
    list_rows_history(collection.rows, stored->service, stored->id, group, now_ms, history);
    /* Where nothing is analysed before it is stored, its like are of the group that has no suspect.
     */
    if (history->count <= 1 && strcmp(group_as_stored(stored->incident, as_stored), group) != 0) {
        history_free(history);
        list_rows_history(collection.rows, stored->service, stored->id, as_stored, now_ms, history);
    }
    list_rows_free(collection.rows);
    known_free(&known);
}
