#include "agent/baseline/choice.h"

#include "core/incident.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static const int64_t comparable_ms = 3 * HOUR_MS;
static const int64_t comparable_age_ms = 7 * DAY_MS;

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool choice_same_image(const struct incident_target *a, const struct incident_target *b)
{
    return same(a->image, b->image);
}

bool choice_same_deploy(
    const struct incident_target *target, const char *image, const char *revision)
{
    return same(target->image, image) && same(target->revision, revision);
}

bool choice_is_whole(const struct incident *baseline)
{
    for (size_t i = 0; i < baseline->profile_count; i++)
        if (baseline->profiles[i].status != PROFILE_OK)
            return false;
    return baseline->profile_count > 0;
}

static bool is_of_comparable_hour(const struct incident *baseline, const struct incident *incident)
{
    int64_t age_ms = incident->fired_ms - baseline->fired_ms;
    int64_t apart_ms = age_ms % DAY_MS;
    return age_ms <= comparable_age_ms &&
           (apart_ms <= comparable_ms || apart_ms >= DAY_MS - comparable_ms);
}

static bool is_candidate(const struct incident *baseline, const struct incident *incident)
{
    int64_t begin_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    return baseline->app && incident->app && !strcmp(baseline->app, incident->app) &&
           choice_same_image(&baseline->target, &incident->target) &&
           baseline->fired_ms < begin_ms && baseline->finished_ms <= begin_ms;
}

/* Whether a is better than b for the incident. */
static bool is_better(
    const struct incident *a, const struct incident *b, const struct incident *incident)
{
    if (choice_is_whole(a) != choice_is_whole(b))
        return choice_is_whole(a);
    bool a_comparable = is_of_comparable_hour(a, incident);
    if (a_comparable != is_of_comparable_hour(b, incident))
        return a_comparable;
    return a->fired_ms > b->fired_ms;
}

const struct incident *choice_make(
    const struct incident *const *baselines, size_t count, const struct incident *incident)
{
    const struct incident *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (is_candidate(baselines[i], incident) &&
            (!best || is_better(baselines[i], best, incident)))
            best = baselines[i];
    return best;
}
