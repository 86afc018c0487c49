#include "agent/apps/app_metric.h"

#include "config/config.h"
#include "core/alloc.h"
#include "core/series.h"

#include <stdlib.h>

/* Fargate's figures are up to 10 s late. */
static const int64_t latest_ms = 15000;

const struct series *app_metric_series(
    const struct config *config, const struct series_set *set, size_t app, const char *metric)
{
    char *name = config->single_app ? xstrdup(metric)
                                    : xasprintf("%s.%s", config->apps[app].name, metric);
    const struct series *series = series_set_find(set, name);
    free(name);
    return series;
}

const struct sample *app_metric_newest(const struct config *config, const struct series_set *set,
    size_t app, const char *metric, int64_t now_ms)
{
    const struct series *series = app_metric_series(config, set, app, metric);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    int64_t late_ms = 3 * config->interval_ms > latest_ms ? 3 * config->interval_ms : latest_ms;
    return newest && now_ms - newest->time_ms <= late_ms ? newest : NULL;
}
