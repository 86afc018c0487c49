#include "agent/fleet/fleet_plan.h"

#include "core/alloc.h"

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

enum fleet_verdict fleet_plan_verdict(
    enum fleet_answer answer, bool captured, bool another_has_joined)
{
    switch (answer) {
    case FLEET_NONE:
        if (another_has_joined)
            return FLEET_ASK_NEXT;
        return captured ? FLEET_LATER : FLEET_GIVE_UP;
    case FLEET_UNKNOWN:
        return FLEET_LATER;
    case FLEET_SLOT:
    case FLEET_UNABLE:
        break;
    }
    return FLEET_KEEP;
}
