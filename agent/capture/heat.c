#include "agent/capture/heat.h"

#include "agent/apps/app_metric.h"
#include "config/config.h"
#include "core/metric.h"
#include "core/series.h"

#include <stdio.h>
#include <string.h>

bool heat_is_too_hot(const struct heat *heat, int64_t now_ms, char why[HEAT_WHY_SIZE])
{
    const struct config *config = heat->config;
    if (!config || config->limits.hold_off.value <= 0)
        return false;
    double most = config->limits.hold_off.value;
    const struct sample *cpu = app_metric_newest(config, heat->series, heat->app, "cpu", now_ms);
    if (!cpu || !(cpu->value > most))
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
