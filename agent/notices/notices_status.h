/* What `status` and the metrics say of who is told. */
#ifndef AGENT_NOTICES_NOTICES_STATUS_H
#define AGENT_NOTICES_NOTICES_STATUS_H

#include <jansson.h>

struct buf;
struct notices;

/* A list with an object for each notifier; the caller decrefs. */
json_t *notices_status_json(const struct notices *notices);

/* In Prometheus' text format. */
void notices_status_metrics(const struct notices *notices, struct buf *out);

#endif
