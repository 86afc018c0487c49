/* For `stakeout check`: whether a database tells of its statements. */
#ifndef COMMANDS_CHECK_STATEMENTS_H
#define COMMANDS_CHECK_STATEMENTS_H

#include <stddef.h>

struct database_config;
struct error;

/* Looks once, as the agent does, and counts them. -1 and err, with a remedy, when it cannot.
 * Blocks.
 */
int check_statements(const struct database_config *database, size_t *count, struct error *err);

#endif
