/* What `status --json` and the metrics say of every exporter. */
#ifndef AGENT_CONTROL_STATUS_EXPORTERS_H
#define AGENT_CONTROL_STATUS_EXPORTERS_H

#include <jansson.h>

struct buf;
struct delivery;

/* An array; the caller has the reference. */
json_t *status_exporters(const struct delivery *delivery);

/* In Prometheus' text format. */
void status_exporters_metrics(const struct delivery *delivery, struct buf *out);

#endif
