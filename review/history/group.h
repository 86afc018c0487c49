/* Which incidents are the same spike again: those of one service, app, trigger and suspect. */
#ifndef REVIEW_GROUP_H
#define REVIEW_GROUP_H

#include "core/known.h"

struct incident;

enum { GROUP_SIZE = KNOWN_GROUP_SIZE }; /* 16 hex digits and a NUL */

/* The group, from the incident and the suspect that its analysis holds; without a suspect all that
 * the trigger fires for is one group, and so are all baselines of an app, and its follow-ups.
 * Neither line numbers nor versions, closures' numbers or type arguments make another one. Returns
 * `group`. */
const char *group_of(const struct incident *incident, char group[GROUP_SIZE]);

/* The group that is stored with the incident, else group_of: for readers, so that they agree with
 * what else has read incident.json. */
const char *group_as_stored(const struct incident *incident, char group[GROUP_SIZE]);

/* What stays of a function's name from one build to the next; the caller frees.
 *   a.com/b/v2/c.(*T[...]).F.func1.2 -> a.com/b/c.(*T).F */
char *group_function_name(const char *name);

#endif
