/* How much memory `stakeout report` may take, and what that means for profiles. */
#ifndef COMMANDS_REPORT_MEMORY_H
#define COMMANDS_REPORT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Limits this process to so many bytes of address space. -1 and err when that is too little for
 * anything. */
int report_memory_limit(int64_t bytes, struct error *err);

/* What the profiles may have together when they are inflated, within the limit of this process:
 * that of the agent's child, that of --memory, or what a person's machine has anyway. */
size_t report_memory_for_profiles(void);

#endif
