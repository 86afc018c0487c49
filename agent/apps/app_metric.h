/* What was measured of one app. */
#ifndef AGENT_APPS_APP_METRIC_H
#define AGENT_APPS_APP_METRIC_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct sample;
struct series;
struct series_set;

/* The app's series of this metric ("cpu"), or NULL. */
const struct series *app_metric_series(
    const struct config *config, const struct series_set *set, size_t app, const char *metric);

/* Its newest sample; NULL: there is none of late. now_ms as the series' times. */
const struct sample *app_metric_newest(const struct config *config, const struct series_set *set,
    size_t app, const char *metric, int64_t now_ms);

#endif
