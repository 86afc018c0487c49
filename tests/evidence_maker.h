/* Makes what an incident's folder has, for tests of the analysis. */
#ifndef TESTS_EVIDENCE_MAKER_H
#define TESTS_EVIDENCE_MAKER_H

#include "core/alloc.h"
#include "core/incident.h"
#include "core/series.h"
#include "review/evidence/evidence.h"
#include "stacks.h"

#include <stdlib.h>

/* Evidence of an incident of that metric without profiles; free_made frees it. */
static inline struct evidence *make_evidence(const char *metric)
{
    struct evidence *evidence = xcalloc(1, sizeof *evidence);
    evidence->incident = incident_new();
    evidence->incident->kind = xstrdup("spike");
    evidence->incident->trigger.metric = metric ? xstrdup(metric) : NULL;
    evidence->profiles = xcalloc(8, sizeof *evidence->profiles);
    series_set_init(&evidence->metrics, 1000);
    return evidence;
}

/* Adds a profile and that of the baseline (NULL: none), which it takes over. */
static inline struct incident_profile *add_made(
    struct evidence *evidence, const char *name, struct profile *profile, struct profile *base)
{
    struct incident_profile *listed = incident_add_profile(evidence->incident, name);
    struct evidence_profile *added = &evidence->profiles[evidence->profile_count];
    *added = (struct evidence_profile){
        .name = name, .profile = profile, .base = base, .listed = evidence->profile_count++};
    return listed;
}

static inline void free_made(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->profile_count; i++) {
        profile_free(evidence->profiles[i].profile);
        profile_free(evidence->profiles[i].base);
    }
    free(evidence->profiles);
    series_set_free(&evidence->metrics);
    incident_free(evidence->incident);
    free(evidence);
}

#endif
