#include "commands/show_evidence.h"

#include "commands/list_rows.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/group.h"
#include "review/history/marking.h"
#include "review/store/store.h"

#include <stdint.h>
#include <string.h>

/* The incidents of a service, as far as they are read. */
static int collect(void *arg, const struct store_incident *stored)
{
    struct list_rows *rows = arg;
    if (stored->incident)
        list_rows_add(rows, stored, NULL);
    return 0;
}

void show_evidence_history(struct store *store, const struct store_incident *stored,
    const char *group, struct history *history)
{
    const struct store_filter filter = {.service = stored->service,
        .since_ms = INT64_MIN,
        .limit = store_is_bucket(store) ? SHOW_HISTORY_MAX : 0};
    struct list_rows *rows = list_rows_new(LIST_HISTORY);
    store_list(store, &filter, collect, rows, NULL);
    struct known known;
    marking_read_known(store, stored->service, &known, NULL);
    if (list_rows_service(rows, 0))
        list_rows_set_known(rows, 0, &known);
    int64_t now_ms = clock_wall_ms();
    char as_stored[GROUP_SIZE];
    list_rows_history(rows, stored->service, stored->id, group, now_ms, history);
    /* Where nothing is analysed before it is stored, its like are of the group that has no suspect.
     */
    if (history->count <= 1 && strcmp(group_as_stored(stored->incident, as_stored), group) != 0) {
        history_free(history);
        list_rows_history(rows, stored->service, stored->id, as_stored, now_ms, history);
    }
    list_rows_free(rows);
    known_free(&known);
}
