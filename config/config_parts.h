/* The parts of the whole file, for config.c and its siblings only. */
#ifndef CONFIG_CONFIG_PARTS_H
#define CONFIG_CONFIG_PARTS_H

#include "config/config.h"
#include "config/document.h"

#include <stdbool.h>

/* What every part reads with and fills in. */
struct config_reader {
    struct config *config;
    const struct config_kinds *kinds;
    const struct config_needs *needs;
    struct problems *problems;
};

/* The tables of the file's own structs: struct config, app_config, database_config (without and
 * with a name), trigger_config (what is looked at, and what a fire does), capture_entry,
 * baseline_config, fleet_config, series_config. */
extern const struct field config_fields[], config_app_fields[], config_database_fields[],
    config_named_database_fields[], config_metric_fields[], config_fire_fields[],
    config_capture_fields[], config_baseline_fields[], config_fleet_fields[],
    config_series_fields[];

/* What a trigger of this kind may be given: the struct trigger_config's own tables around the
 * kind's, in the order in which they are printed, ended by NULL; `of_kind` tells which one is the
 * kind's. */
enum { TRIGGER_TABLES = 3 };
struct trigger_tables {
    const struct field *fields[TRIGGER_TABLES + 1];
    size_t count, of_kind;
};
void config_trigger_tables(const struct kind *kind, struct trigger_tables *tables);

/* What stands below a key that has no struct of its own (FIELD_OTHER), as config_print prints it.
 */
void config_print_other(
    const struct config *config, const struct config_kinds *kinds, const char *key, FILE *out);

/* All options and metrics, as text or for a manual page. */
struct reference;
void config_write_reference(const struct config_kinds *kinds, const struct reference *out);

/* Whether it looks at other triggers. */
bool config_has_members(const struct field *fields);

/* What holds when the file says nothing, as it would be written there. */
extern const char config_default_captures[];

/* The built-in triggers for the apps and databases of the configuration, leaving out what the
 * kinds cannot do, as text that is parsed like that of a file. */
void config_built_in_triggers(const struct config_reader *reader, struct buf *text);

/* Each reads its key of the top mapping, or does what holds without it. */
void config_read_apps(struct config_reader *reader, const struct node *root);
void config_read_source(struct config_reader *reader, const struct node *root); /* after apps */
void config_read_databases(struct config_reader *reader, const struct node *root);
void config_read_series(struct config_reader *reader, const struct node *root); /* after apps */
void config_read_captures(struct config_reader *reader, const struct node *root);
void config_read_baseline(struct config_reader *reader, const struct node *root);
void config_read_fleet(struct config_reader *reader, const struct node *root); /* after exporters */
void config_read_triggers(struct config_reader *reader, const struct node *root);
/* Finds the triggers that triggers look at, and the order in which they are asked. `mapping` is the
 * node that they were read from. */
void config_link_triggers(struct config_reader *reader, const struct node *mapping);

void config_read_exporters(struct config_reader *reader, const struct node *root);
void config_read_listen(struct config_reader *reader, const struct node *root);

/* Whether the name of a series is valid here: then its unit and the index of its app (0 when it is
 * of none). Else -1 and err with a suggestion. */
int config_resolve_metric(const struct config_reader *reader, const char *name, enum unit *unit,
    size_t *app, struct error *err);

/* What the tables cannot say of the cloudwatch of the database that was read last, from its node.
 */
void config_check_cloudwatch(struct config_reader *reader, const struct node *database);

/* config_resolve_metric for a name that begins with "rds.". */
int config_resolve_rds(
    const struct config_reader *reader, const char *series, enum unit *unit, struct error *err);

/* Refuses triggers that cannot work with samples that are rare and late; once they are linked. */
void config_check_rds_triggers(struct config_reader *reader, const struct node *mapping);

/* A mapping that is neither empty nor something else; false after a problem. */
bool config_is_mapping(struct config_reader *reader, const struct node *node, const char *of_what);

/* Asks the kind whether its options are right and fit together. */
void config_validate(const struct config_reader *reader, const struct kind *kind,
    const void *options, const struct node *node);

#endif
