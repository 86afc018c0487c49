#include "agent/baseline/rehearsal.h"

#include "agent/capture/slice.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/incident.h"

#include <stdlib.h>
#include <string.h>

/* What a busy machine costs a profile is less. */
static const double enough = 0.8;

/* How long the set wants it; 0: it is of a moment. */
static double wanted_s(const struct config *config, const char *profile)
{
    const struct capture_set *set = config_capture(config, "spike");
    for (size_t i = 0; set && i < set->count; i++)
        if (!strcmp(config_entry_name(&set->entries[i]), profile))
            return (double)set->entries[i].seconds;
    return 0;
}

/* A recorder's slices that are not in the CPU profile make it the shorter. */
static bool has_slices(const struct incident *baseline)
{
    for (size_t i = 0; i < baseline->profile_count; i++)
        if (slice_is_profile(baseline->profiles[i].name))
            return true;
    return false;
}

static char *problem_of(const struct config *config, const struct incident *baseline,
    const struct incident_profile *profile)
{
    double seconds = wanted_s(config, profile->name);
    if (profile->status == PROFILE_LEFT_OUT)
        return NULL;
    if (profile->status != PROFILE_OK)
        return xasprintf(
            "profile %s: %s", profile->name, profile->error ? profile->error : "it was not whole");
    if (profile->seconds < enough * seconds && !has_slices(baseline))
        return xasprintf("profile %s: only %.3g s of %.3g s could be recorded: the app's "
                         "WriteTimeout is probably shorter; raise it, or want fewer seconds",
            profile->name, profile->seconds, seconds);
    return NULL;
}

char **rehearsal_problems(
    const struct config *config, const struct incident *baseline, size_t *count)
{
    char **problems = xcalloc(baseline->profile_count + 1, sizeof *problems);
    *count = 0;
    for (size_t i = 0; i < baseline->profile_count; i++) {
        char *problem = problem_of(config, baseline, &baseline->profiles[i]);
        if (problem)
            problems[(*count)++] = problem;
    }
    return problems;
}

void rehearsal_free(char **problems, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(problems[i]);
    free(problems);
}
