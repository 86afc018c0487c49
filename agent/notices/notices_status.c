#include "agent/notices/notices_status.h"

#include "agent/control/prometheus.h"
#include "agent/notices/notices.h"
#include "core/clock.h"
#include "core/json_text.h"

#include <string.h>

json_t *notices_status_json(const struct notices *notices)
{
    json_t *list = json_array();
    for (size_t i = 0; i < notices_notifiers(notices); i++) {
        struct notifier_status status;
        char told[RFC3339_SIZE];
        notices_status(notices, i, &status);
        json_array_append_new(list,
            json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:s?}", "name", json_text(status.name),
                "waiting", (json_int_t)status.waiting, "told", (json_int_t)status.told, "failures",
                (json_int_t)status.failures, "dropped", (json_int_t)status.dropped, "error",
                json_text(status.error), "last_told",
                status.last_told_wall_ms ? rfc3339_format(status.last_told_wall_ms, told) : NULL));
    }
    return list;
}

static const struct prometheus_family families[] = {
    {"stakeout_notifier_up", "gauge", "0 while the last try failed."},
    {"stakeout_notifier_waiting", "gauge", "Incidents that are still to be told."},
    {"stakeout_notifier_told_total", "counter", "Incidents that were told."},
    {"stakeout_notifier_failures_total", "counter", "Tries that failed."},
    {"stakeout_notifier_dropped_total", "counter", "Incidents that will not be told."},
};
enum { FAMILIES = sizeof families / sizeof *families };

static const char *measure(const void *arg, size_t index, double *values)
{
    struct notifier_status status;
    notices_status(arg, index, &status);
    const double measured[FAMILIES] = {status.error ? 0 : 1, (double)status.waiting,
        (double)status.told, (double)status.failures, (double)status.dropped};
    memcpy(values, measured, sizeof measured);
    return status.name;
}

void notices_status_metrics(const struct notices *notices, struct buf *out)
{
    prometheus_families(
        out, families, FAMILIES, "notifier", notices_notifiers(notices), measure, notices);
}
