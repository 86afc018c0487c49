#include "agent/control/status_exporters.h"

#include "agent/control/prometheus.h"
#include "agent/storage/delivery.h"
#include "core/clock.h"
#include "core/json_text.h"

#include <string.h>

/* "expires" is null where nobody said that they do. */
static json_t *credentials_json(const struct exporter_credentials *credentials)
{
    char text[RFC3339_SIZE];
    bool ends = credentials->expires_ms != INT64_MAX;
    if (!credentials->provider)
        return json_null();
    return json_pack("{s:o, s:s?}", "provider", json_text(credentials->provider), "expires",
        ends ? rfc3339_format(credentials->expires_ms, text) : NULL);
}

/* NULL: the exporter removes nothing, or has not looked yet. */
static json_t *holdings_json(const struct exporter_holdings *holdings)
{
    if (!holdings->known)
        return NULL;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "incidents", (json_int_t)holdings->incidents,
        "bytes", (json_int_t)holdings->bytes, "held", (json_int_t)holdings->held, "removed",
        (json_int_t)holdings->removed, "size_bytes", (json_int_t)holdings->size_bytes, "keep_s",
        (json_int_t)(holdings->keep_ms / 1000));
}

static json_t *exporter_json(const struct delivery_status *status)
{
    char text[RFC3339_SIZE];
    bool stored = status->last_stored_wall_ms != 0;
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:s?, s:o, s:o*}", "name",
        json_text(status->label), "waiting", (json_int_t)status->waiting, "stored",
        (json_int_t)status->stored, "failures", (json_int_t)status->failures, "left_out",
        (json_int_t)status->left_out, "left_out_last", json_text(status->left_out_text), "error",
        json_text(status->error), "last_stored",
        stored ? rfc3339_format(status->last_stored_wall_ms, text) : NULL, "credentials",
        credentials_json(&status->credentials), "holds", holdings_json(&status->holdings));
}

json_t *status_exporters(const struct delivery *delivery)
{
    json_t *list = json_array();
    for (size_t i = 0; i < delivery_exporters(delivery); i++) {
        struct delivery_status status;
        delivery_status(delivery, i, &status);
        json_array_append_new(list, exporter_json(&status));
    }
    return list;
}

static const struct prometheus_family families[] = {
    {"stakeout_exporter_up", "gauge", "0 while the last try failed."},
    {"stakeout_exporter_stored_total", "counter", "Incidents stored."},
    {"stakeout_exporter_failures_total", "counter", "Tries that failed."},
};
enum { FAMILIES = sizeof families / sizeof *families };

static const char *measure(const void *arg, size_t index, double *values)
{
    struct delivery_status status;
    delivery_status(arg, index, &status);
    const double measured[FAMILIES] = {
        status.error ? 0 : 1, (double)status.stored, (double)status.failures};
    memcpy(values, measured, sizeof measured);
    return status.label;
}

void status_exporters_metrics(const struct delivery *delivery, struct buf *out)
{
    prometheus_families(
        out, families, FAMILIES, "exporter", delivery_exporters(delivery), measure, delivery);
}
