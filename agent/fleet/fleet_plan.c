#include "agent/fleet/fleet_plan.h"

#include "core/alloc.h"
#include "core/incident.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The less simple share of the golden section: no simple part of a window's length. */
static const int64_t phase_thousandths = 382;
enum { ID_DIGITS = 6 };

int64_t fleet_plan_window_ms(int64_t wall_ms, int64_t per_ms)
{
    int64_t phase_ms = per_ms * phase_thousandths / 1000;
    int64_t since_ms = (wall_ms - phase_ms) % per_ms;
    return wall_ms - (since_ms < 0 ? since_ms + per_ms : since_ms);
}

size_t fleet_plan_first(const char *id, size_t count)
{
    size_t length = strlen(id);
    const char *digits = length > ID_DIGITS ? id + length - ID_DIGITS : id;
    return (size_t)strtoul(digits, NULL, 16) % count;
}

char *fleet_plan_key(const char *service, const char *trigger, int64_t window_ms, const char *rest)
{
    char start[32];
    time_t second = (time_t)(window_ms / 1000);
    struct tm tm;
    strftime(start, sizeof start, "%Y%m%dT%H%M%SZ", gmtime_r(&second, &tm));
    return xasprintf("service=%s/_state/fleet/%s/%s/%s", service, trigger, start, rest);
}

static bool by_hand(const struct incident *incident)
{
    for (size_t i = 0; i < incident->joined_count; i++)
        if (!strcmp(incident->joined[i].name, "manual"))
            return true;
    return false;
}

bool fleet_plan_captured(const struct incident *incident)
{
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        bool has = profile->status == PROFILE_OK || profile->status == PROFILE_TRUNCATED;
        if (has && !isnan(profile->seconds) && profile->requested_ms >= incident->fired_ms)
            return true;
    }
    return incident->app_ended.time_ms || by_hand(incident);
}

enum fleet_verdict fleet_plan_verdict(const struct fleet_news *news)
{
    switch (news->answer) {
    case FLEET_NONE:
        if (news->unsure)
            return FLEET_LATER;
        if (news->another_has_joined)
            return FLEET_ASK_NEXT;
        return news->captured ? FLEET_LATER : FLEET_GIVE_UP;
    case FLEET_UNKNOWN:
        return news->captured || news->refused ? FLEET_LATER : FLEET_ASK_AGAIN;
    case FLEET_SLOT:
    case FLEET_UNABLE:
        break;
    }
    return FLEET_KEEP;
}
