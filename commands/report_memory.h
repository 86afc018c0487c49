/* How much memory `stakeout report` may take, and what that means for profiles. */
#ifndef COMMANDS_REPORT_MEMORY_H
#define COMMANDS_REPORT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Limits this process to so many bytes of address space. -1 and err when that is too little for
 * anything. */
int report_memory_limit(int64_t bytes, struct error *err);

/* Does the work with what the profiles may have together when they are inflated, within the limit
 * of this process: that of the agent's child, that of --memory, or what a person's machine has
 * anyway. Returns what the work returned.
 *
 * Where there is a limit, the work is done in a process of its own: a profile that is made to need
 * more than any real one does must not cost the rest, and is left out when it is done again with 0.
 */
int report_memory_guard(int (*work)(void *arg, size_t profile_bytes), void *arg);

#endif
