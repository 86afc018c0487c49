/* WHERE the commands that read incidents read them: a folder or s3://bucket/prefix from the command
 * line, else the first place that the configuration stores them in. */
#ifndef COMMANDS_WHERE_H
#define COMMANDS_WHERE_H

#include "commands/options.h"
#include "core/s3/s3.h"

#include <stdbool.h>
#include <stdint.h>

struct command;
struct config;
struct error;
struct store;

struct where {
    const char *config_path; /* -c; NULL: not given */
    struct s3_settings s3;   /* from the options, completed from the configuration */
    char *place;
    struct store *store;
    struct config *config; /* holds what s3 points to; NULL: none was needed */
};

/* For the command's table of options. */
/* clang-format off */
#define WHERE_OPTIONS(where)                                              \
    {.name = "config", .letter = 'c', .text = &(where)->config_path},     \
    {.name = "endpoint", .text = &(where)->s3.endpoint},                  \
    {.name = "region", .text = &(where)->s3.region},                      \
    {.name = "path-style", .flag = &(where)->s3.path_style},              \
    {.name = "ca-file", .text = &(where)->s3.ca_file}
/* clang-format on */

#define WHERE_HELP                                                                                 \
    "  -c, --config FILE  where incidents are stored, and how a bucket is reached; has to be\n"    \
    "                     valid where it is given, also when WHERE is given\n"                     \
    "                     (default: $STAKEOUT_CONFIG, /etc/stakeout/stakeout.yaml)\n"              \
    "  --endpoint URL     S3-compatible store; implies --path-style\n"                             \
    "  --region REGION    the bucket's region\n"                                                   \
    "  --path-style       https://host/bucket/key instead of https://bucket.host/key\n"            \
    "  --ca-file FILE     trust only the certificates in this PEM file\n"

/* Opens the store. `place` NULL: the configuration's. Says on standard error what is wrong and
 * returns the exit status, EXIT_DONE when it is open. */
int where_open(struct where *where, const struct command *command, const char *place);
void where_close(struct where *where);

/* "7d" before now, "2026-11-23" (UTC), or RFC 3339 -> wall ms. */
int where_read_since(const char *text, int64_t now_ms, int64_t *since_ms, struct error *err);

#endif
