/* The source of `source: auto`: the first of its table that works is the source from then on. While
 * none does, all are tried again and again, for the app may be started later than the agent. */
#ifndef AGENT_SAMPLING_AUTO_SOURCE_H
#define AGENT_SAMPLING_AUTO_SOURCE_H

#include "sources/source.h"

/* Its `options` are a NULL-ended table of source kinds, in the order in which they are tried; those
 * without `present` are left out. */
extern const struct source_kind source_auto;

/* The chosen kind's name; "auto" while there is none. */
const char *auto_source_name(const void *self);

/* Why it was chosen: what is wrong with those before it; "" while none is, or when it is the first.
 */
const char *auto_source_why(const void *self);

#endif
