#include "agent/notices/notices_status.h"

#include "agent/notices/notices.h"
#include "agent/prometheus.h"
#include "core/clock.h"
#include "core/json_text.h"

json_t *notices_status_json(const struct notices *notices)
{
    json_t *list = json_array();
    for (size_t i = 0; i < notices_notifiers(notices); i++) {
        struct notifier_status status;
        char told[RFC3339_SIZE];
        notices_status(notices, i, &status);
        json_array_append_new(list,
            json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:s?}", "name", json_text(status.label),
                "waiting", (json_int_t)status.waiting, "told", (json_int_t)status.told, "failures",
                (json_int_t)status.failures, "dropped", (json_int_t)status.dropped, "error",
                json_text(status.error), "last_told",
                status.last_told_wall_ms ? rfc3339_format(status.last_told_wall_ms, told) : NULL));
    }
    return list;
}

void notices_status_metrics(const struct notices *notices, struct buf *out)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        {"stakeout_notifier_up", "gauge", "0 while the last try failed."},
        {"stakeout_notifier_waiting", "gauge", "Incidents that are still to be told."},
        {"stakeout_notifier_told_total", "counter", "Incidents that were told."},
        {"stakeout_notifier_failures_total", "counter", "Tries that failed."},
        {"stakeout_notifier_dropped_total", "counter", "Incidents that will not be told."},
    };
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
        const char *name = families[family].name;
        prometheus_head(out, name, families[family].type, families[family].help);
        for (size_t i = 0; i < notices_notifiers(notices); i++) {
            struct notifier_status status;
            notices_status(notices, i, &status);
            double values[] = {status.error ? 0 : 1, (double)status.waiting, (double)status.told,
                (double)status.failures, (double)status.dropped};
            prometheus_labelled(out, name, "notifier", status.label, values[family]);
        }
    }
}
