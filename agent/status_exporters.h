/* What `status --json` says of every exporter. */
#ifndef AGENT_STATUS_EXPORTERS_H
#define AGENT_STATUS_EXPORTERS_H

#include <jansson.h>

struct delivery;

/* An array; the caller has the reference. */
json_t *status_exporters(const struct delivery *delivery);

#endif
