/* What `status --json` and the metrics say of the databases whose statements are looked at. */
#ifndef AGENT_CONTROL_STATUS_STATEMENTS_H
#define AGENT_CONTROL_STATUS_STATEMENTS_H

#include <jansson.h>

struct buf;
struct statements;

/* An array, empty where there are none (NULL); the caller has the reference. */
json_t *status_statements(const struct statements *statements);

/* In Prometheus' text format; nothing where there are none. */
void status_statements_metrics(const struct statements *statements, struct buf *out);

#endif
