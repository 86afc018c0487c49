/* What of the configuration's databases is asked of CloudWatch. */
#ifndef AGENT_SAMPLING_RDS_H
#define AGENT_SAMPLING_RDS_H

#include <stddef.h>

struct cloudwatch_options;
struct cloudwatch_target;
struct config;
struct database_config;
struct rds_polled;

/* The database as a target, whose strings are the configuration's. */
void rds_target(const struct database_config *database, struct cloudwatch_target *target);

/* CloudWatch's names of what is fetched around incidents: what the database lists, or the usual
 * ones, and what triggers look at. *count of them, which the caller frees with rds_free_names. */
char **rds_names(
    const struct config *config, const struct database_config *database, size_t *count);
void rds_free_names(char **names, size_t count);

/* What triggers look at, for source_cloudwatch, as a copy that outlives the configuration; NULL:
 * they look at none. */
struct rds_polled *rds_polled_new(const struct config *config);
const struct cloudwatch_options *rds_polled_options(const struct rds_polled *polled);
void rds_polled_free(struct rds_polled *polled); /* NULL is allowed */

#endif
