#include "review/analysis/analysis.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/incident_json.h"
#include "review/analysis/headline.h"
#include "review/analysis/sparkline.h"
#include "review/evidence/evidence.h"
#include "review/history/group.h"
#include "review/suspect/suspect.h"

#include <jansson.h>
#include <stdlib.h>

/* What was too large to be looked at, one sentence a profile. */
static char *skipped_of(const struct evidence *evidence)
{
    char *all = NULL;
    for (size_t i = 0; i < evidence->profile_count; i++) {
        const struct evidence_profile *profile = &evidence->profiles[i];
        if (!profile->too_large)
            continue;
        char *longer = all ? xasprintf("%s; %s", all, profile->problem.text)
                           : xstrdup(profile->problem.text);
        free(all);
        all = longer;
    }
    return all;
}

void analysis_fill_in(struct evidence *evidence)
{
    struct incident *incident = evidence->incident;
    struct incident_analysis *analysis = &incident->analysis;
    char group[GROUP_SIZE];
    if (!analysis->sparkline.metric)
        sparkline_of(evidence, &analysis->sparkline);
    if (!analysis->headline)
        analysis->headline = headline_of(evidence);
    if (!analysis->group)
        analysis->group = xstrdup(group_of(incident, group));
}

void analysis_run(struct evidence *evidence)
{
    struct incident_analysis *analysis = &evidence->incident->analysis;
    incident_clear_analysis(evidence->incident);
    analysis->skipped = skipped_of(evidence);
    suspect_find(evidence, analysis);
    analysis_fill_in(evidence);
}

char *analysis_rewrite(const struct buf *text, const struct evidence *evidence, struct error *err)
{
    static const char *const fields[] = {"headline", "group", "suspect", "no_suspect", "runners_up",
        "explained", "sparkline", "analysis_skipped"};
    json_error_t problem;
    json_t *json = json_loadb(text->data, text->size, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(json)) {
        json_decref(json);
        error_set(err, "incident.json is no JSON object: %s", problem.text);
        return NULL;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_object_del(json, fields[i]);
    incident_analysis_to_json(&evidence->incident->analysis, json);
    char *rewritten = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(json);
    return rewritten;
}
