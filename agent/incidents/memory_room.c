#include "agent/incidents/memory_room.h"

#include "agent/apps/app_metric.h"
#include "config/config.h"
#include "core/metric.h"
#include "core/series.h"

#include <math.h>
#include <stdio.h>

static const double high_percent = 90;

bool memory_room_is_short(double percent, double bytes, int64_t child_bytes)
{
    if (percent > high_percent)
        return true;
    return percent > 0 && bytes * 100 / percent - bytes < (double)child_bytes; /* NAN: false */
}

/* The newest value of the app's metric; NAN: there is none of late. */
static double newest(const struct config *config, const struct series_set *set, size_t app,
    const char *metric, int64_t now_ms)
{
    const struct sample *sample = app_metric_newest(config, set, app, metric, now_ms);
    return sample ? sample->value : NAN;
}

bool memory_room_lacks(const struct config *config, const struct series_set *series,
    int64_t child_bytes, int64_t now_ms, char why[MEMORY_ROOM_WHY_SIZE])
{
    for (size_t i = 0; i < config->app_count; i++) {
        double percent = newest(config, series, i, "memory", now_ms);
        double bytes = newest(config, series, i, "memory.bytes", now_ms);
        if (!memory_room_is_short(percent, bytes, child_bytes))
            continue;
        char share[VALUE_TEXT_SIZE], need[VALUE_TEXT_SIZE];
        snprintf(why, MEMORY_ROOM_WHY_SIZE,
            "memory of app %s is at %s of its limit, and what reads profiles may take %s "
            "(limits.memory)",
            config->apps[i].name, metric_format(UNIT_PERCENT, percent, share),
            metric_format_level(UNIT_BYTES, (double)child_bytes, need));
        return true;
    }
    return false;
}
