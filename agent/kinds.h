/* THE table of every source, trigger and exporter. */
#ifndef AGENT_KINDS_H
#define AGENT_KINDS_H

#include "config/config.h"
#include "exporters/exporter.h"
#include "sources/source.h"
#include "triggers/trigger.h"

extern const struct source_kind *const source_kinds[];     /* in the order of `auto`; NULL-ended */
extern const struct trigger_kind *const trigger_kinds[];   /* NULL-ended */
extern const struct exporter_kind *const exporter_kinds[]; /* NULL-ended */

/* The same as config needs it; config's indices are indices of the tables above. */
extern const struct config_kinds config_kinds;

#endif
