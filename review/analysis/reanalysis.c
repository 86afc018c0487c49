#include "review/analysis/reanalysis.h"

#include "core/incident.h"
#include "review/analysis/analysis.h"
#include "review/evidence/evidence.h"
#include "review/store/store.h"

#include <stddef.h>

struct place {
    struct store *store;
    const struct store_incident *stored;
};

static int read_file(void *arg, const char *name, size_t max, struct buf *buf, struct error *err)
{
    const struct place *place = arg;
    return store_read_file(place->store, place->stored, name, max, buf, err);
}

bool reanalysis_helps(const struct incident *incident)
{
    return !incident->analysis.headline || incident->analysis.skipped;
}

/* Somebody found that out already, and saw all that there is. */
static bool says_who(const struct incident_analysis *analysis)
{
    return (analysis->suspect.function || analysis->no_suspect) && !analysis->skipped;
}

struct evidence *reanalysis_read(struct store *store, const struct store_incident *stored,
    const struct reanalysis_wish *wish, bool *analysed, struct error *err)
{
    const char *baseline = wish->baseline ? stored->incident->baseline : NULL;
    struct store_incident *base = baseline ? store_find(store, baseline, NULL) : NULL;
    struct place own = {store, stored}, other = {store, base};
    const struct evidence_place place = {read_file, &own}, base_place = {read_file, &other};
    const struct evidence_limits limits = {.inflated_bytes = wish->inflated_bytes};
    struct evidence *evidence = evidence_read(&place, base ? &base_place : NULL, &limits, err);
    store_incident_free(base);
    *analysed = evidence && (wish->baseline ? reanalysis_helps(evidence->incident)
                                            : !evidence->incident->analysis.headline);
    if (*analysed && says_who(&evidence->incident->analysis))
        analysis_fill_in(evidence);
    else if (*analysed)
        analysis_run(evidence);
    return evidence;
}
