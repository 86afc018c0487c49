/* What a running agent tells of itself: for `stakeout status` as JSON, and for Prometheus. */
#ifndef AGENT_CONTROL_STATUS_H
#define AGENT_CONTROL_STATUS_H

#include <jansson.h>

struct agent;
struct buf;

/* One object; the caller decrefs. */
json_t *status_json(const struct agent *agent);

/* The text format, version 0.0.4; the names are documented in docs/operating.md. */
void status_metrics(const struct agent *agent, struct buf *out);

#endif
