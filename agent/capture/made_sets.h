/* Capture sets that are made from those of the configuration, for one incident. */
#ifndef AGENT_CAPTURE_MADE_SETS_H
#define AGENT_CAPTURE_MADE_SETS_H

#include <stdint.h>

struct capture_set;

/* The CPU profiles of a set, or NULL: it has none. The names in it stay the set's own. */
struct capture_set *made_set_of_cpu(const struct capture_set *set);

/* All of a set at once, and nothing of it for longer than max_s. The same. */
struct capture_set *made_set_shorter(const struct capture_set *set, int64_t max_s);

void made_set_free(struct capture_set *set); /* NULL is allowed */

#endif
