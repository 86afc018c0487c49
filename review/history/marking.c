#include "review/history/marking.h"

#include "core/buf.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/group.h"
#include "review/store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char known_file[] = "known.json";

int marking_read(
    struct store *store, const struct store_incident *stored, struct mark *mark, struct error *err)
{
    struct buf text;
    *mark = (struct mark){0};
    int status = store_find_file(store, stored, STORE_MARKS, MARK_TEXT_MAX, &text, err);
    if (status > 0) {
        status = mark_parse(text.data, text.size, mark, err) < 0;
        if (status)
            error_prefix(err, "%s/%s counts as empty and is replaced by the next note",
                stored->location, STORE_MARKS);
    }
    buf_free(&text);
    return status;
}

int marking_write(struct store *store, const struct store_incident *stored, const struct mark *mark,
    struct error *err)
{
    char *text = mark_text(mark);
    int status = store_write_file(store, stored, STORE_MARKS, text, strlen(text), err);
    free(text);
    return status;
}

int marking_read_known(
    struct store *store, const char *service, struct known *known, struct error *err)
{
    struct buf text;
    *known = (struct known){0};
    int status = store_read_state(store, service, known_file, KNOWN_TEXT_MAX, &text, err);
    if (status > 0) {
        status = known_parse(text.data, text.size, known, err);
        if (status < 0)
            error_prefix(err, "cannot use service=%s/_state/%s", service, known_file);
    }
    buf_free(&text);
    return status;
}

static int add(const struct incident *incident, double peak, int64_t now_ms, struct known *known,
    struct error *err)
{
    struct known_group group = {.app = incident->app,
        .trigger = incident->trigger.name,
        .metric = incident->trigger.metric,
        .peak = fmax(peak, incident_peak(incident)), /* NAN loses */
        .suspect = incident->analysis.suspect.function,
        .marked_ms = now_ms};
    group_as_stored(incident, group.group);
    return known_add(known, &group, err);
}

int marking_set_known(struct store *store, const struct store_incident *stored, bool is_known,
    double peak, int64_t now_ms, struct error *err)
{
    struct known known;
    char group[GROUP_SIZE];
    int status = marking_read_known(store, stored->service, &known, err);
    bool changed = status == 0 && is_known;
    if (changed)
        status = add(stored->incident, peak, now_ms, &known, err);
    else if (status == 0)
        changed = known_remove(&known, group_as_stored(stored->incident, group));
    if (status == 0 && changed) {
        char *text = known_text(&known);
        status = store_write_state(store, stored->service, known_file, text, strlen(text), err);
        free(text);
    }
    known_free(&known);
    return status;
}
