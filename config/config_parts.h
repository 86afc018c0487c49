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
 * with a name), trigger_config (the keys of every kind), capture_entry. */
extern const struct field config_fields[], config_app_fields[], config_database_fields[],
    config_named_database_fields[], config_trigger_fields[], config_capture_fields[];

/* What holds when the file says nothing, as it would be written there. */
extern const char config_default_captures[];
extern const char config_default_trigger[]; /* what follows its metric */

/* Each reads its key of the top mapping, or does what holds without it. */
void config_read_apps(struct config_reader *reader, const struct node *root);
void config_read_source(struct config_reader *reader, const struct node *root);
void config_read_databases(struct config_reader *reader, const struct node *root);
void config_read_captures(struct config_reader *reader, const struct node *root);
void config_read_triggers(struct config_reader *reader, const struct node *root);
void config_read_exporters(struct config_reader *reader, const struct node *root);
void config_read_listen(struct config_reader *reader, const struct node *root);

/* Whether the name of a series is valid here: then its unit and the index of its app (0 when it is
 * of none). Else -1 and err with a suggestion. */
int config_resolve_metric(const struct config_reader *reader, const char *name, enum unit *unit,
    size_t *app, struct error *err);

/* A mapping that is neither empty nor something else; false after a problem. */
bool config_is_mapping(struct config_reader *reader, const struct node *node, const char *of_what);

/* Asks the kind whether its options are right and fit together. */
void config_validate(const struct config_reader *reader, const struct kind *kind,
    const void *options, const struct node *node);

#endif
