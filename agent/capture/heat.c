#include "agent/capture/heat.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/metric.h"
#include "core/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fargate's figures are up to 10 s late. */
static const int64_t latest_ms = 15000;

static const struct sample *newest_cpu(const struct heat *heat)
{
    const struct config *config = heat->config;
    char *name = config->single_app ? xstrdup("cpu")
                                    : xasprintf("%s.cpu", config->apps[heat->app].name);
    const struct series *series = series_set_find(heat->series, name);
    free(name);
    return series ? series_at(series, 0) : NULL;
}

bool heat_is_too_hot(const struct heat *heat, int64_t now_ms, char why[HEAT_WHY_SIZE])
{
    const struct config *config = heat->config;
    if (!config || config->limits.hold_off.value <= 0)
        return false;
    double most = config->limits.hold_off.value;
    const struct sample *cpu = newest_cpu(heat);
    int64_t late_ms = 3 * config->interval_ms > latest_ms ? 3 * config->interval_ms : latest_ms;
    if (!cpu || now_ms - cpu->time_ms > late_ms || !(cpu->value > most))
        return false;
    char value[VALUE_TEXT_SIZE], level[VALUE_TEXT_SIZE];
    if (why)
        snprintf(why, HEAT_WHY_SIZE,
            "the app is too hot to be profiled: cpu %s is above limits.hold_off: %s",
            metric_format(UNIT_PERCENT, cpu->value, value),
            metric_format_level(UNIT_PERCENT, most, level));
    return true;
}

bool heat_concerns(const char *profile)
{
    return !strcmp(profile, "cpu") || !strcmp(profile, "trace");
}
