/* limits.per_day of the running agent: what complete incidents take of it, and whether there is
 * room for another one. An incident counts from when it is complete in the spool, and again when
 * its report is there, whether it is stored in the end or not; what an earlier run left in the
 * spool and did not live to count is counted at the start. `replay` stores no bytes: it has none of
 * this. */
#ifndef AGENT_INCIDENTS_DAY_BUDGET_H
#define AGENT_INCIDENTS_DAY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

struct agent;

enum { DAY_BUDGET_WHY_SIZE = 160 };

/* Counts what is in the spool and not in the ledger. Blocks. */
void day_budget_take_up(struct agent *agent);

/* A complete incident of the spool, or of its memory; on the disk thread. */
void day_budget_count(struct agent *agent, const char *id);

/* It is removed without having been delivered. Takes effect behind what the disk thread was given
 * before: measuring it may be on its way. */
void day_budget_uncount(struct agent *agent, const char *id);

/* Whether no incident may be opened now, with the reason in words. */
bool day_budget_is_spent(const struct agent *agent, char why[DAY_BUDGET_WHY_SIZE]);

#endif
