/* What is not the same in two configurations, for a running agent that is given another one. */
#ifndef CONFIG_CONFIG_CHANGES_H
#define CONFIG_CONFIG_CHANGES_H

#include "config/config.h"

/* Tells of each difference by the path of its key: "triggers.cpu-high.above", "apps.worker",
 * "export.s3[2].bucket". Values are not told: they may be secrets. What stands under a name (apps,
 * databases, triggers, capture sets) is compared with what had that name; exporters of one kind
 * that are the same wherever they stand, and the others in their order. */
void config_changes(const struct config *before, const struct config *after,
    const struct config_kinds *kinds,
    void (*each)(void *arg, enum field_change change, const char *path), void *arg);

/* The same as a phrase: "changed limits.per_hour and triggers.cpu-high.above; added apps.worker".
 * Of very many the first. The caller frees it; NULL: there is no difference. */
char *config_changes_text(
    const struct config *before, const struct config *after, const struct config_kinds *kinds);

/* Whether two triggers look for the same: what a fire does (capture, cooldown) may differ. */
bool config_same_rule(const struct trigger_config *a, const struct trigger_config *b,
    const struct config_kinds *kinds);

bool config_same_exporter(const struct exporter_config *a, const struct exporter_config *b,
    const struct config_kinds *kinds);

/* Whether both have the same measured: of the same apps and databases, as often, from the same
 * source. */
bool config_same_sources(const struct config *a, const struct config *b);

/* Whether a series of that name can be measured for the configuration. */
bool config_has_metric(const struct config *config, const char *name);

#endif
