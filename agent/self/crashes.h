/* Earlier crashes of the agent (core/crash.h leaves a file of each in the state folder): told once,
 * at the next start, and then kept to be looked at.
 *
 *   <state>/crash-TIME.txt     nobody was told of it yet
 *   <state>/crash-TIME-N.txt   told; it was the Nth of this state folder
 *
 * The newest five are kept, those that nobody was told of included. */
#ifndef AGENT_SELF_CRASHES_H
#define AGENT_SELF_CRASHES_H

#include <jansson.h>
#include <stdint.h>

struct crashes;

/* Logs a line about each that nobody was told of, and renames it (which is durable before the line
 * is written: a crash is told once rather than twice). From now on a crash leaves a file in the
 * state folder. A file that cannot be read is told of as well. Blocks. */
struct crashes *crashes_open(const char *state);

void crashes_close(struct crashes *crashes);

/* All that were told in this state folder, also of earlier runs. */
uint64_t crashes_count(const struct crashes *crashes);

/* When the last was, ms since 1970; 0 when there was none, or its file does not say it. */
int64_t crashes_last_ms(const struct crashes *crashes);

/* {"count": 2, "last": {"time": ..., "file": ..., "text": ..., "frames": [...]}}; without a crash
 * there is no "last". The caller owns it. */
json_t *crashes_json(const struct crashes *crashes);

#endif
