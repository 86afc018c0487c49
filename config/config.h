/* The configuration: YAML text -> plain structs, every error in one go. What kinds of source,
 * trigger and exporter exist is told from outside, so that this folder knows none of them. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/fields.h"
#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct error;

/* Where the file is looked for, and where the state is kept, when nobody says so. */
extern const char config_default_path[];  /* /etc/stakeout/stakeout.yaml */
extern const char config_default_state[]; /* /var/lib/stakeout */

/* What exists; each list ended by NULL. */
struct config_kinds {
    const struct kind *const *sources; /* without auto */
    const struct kind *const *triggers;
    const struct kind *const *exporters;
};

struct app_config {
    char *name;  /* "app" for the single one of `app:` */
    char *debug; /* URL of the debug endpoint, without a slash at its end; "/debug/pprof" */
    char *container;
    struct string_map headers;
    struct name_list own_code; /* what its own functions begin with; empty: found out */
    int line, column;
};

/* RDS's own metrics of a database, through CloudWatch. */
struct cloudwatch_config {
    char *instance, *cluster; /* RDS's identifier of one of these; both NULL: there is none */
    char *region;             /* NULL: the environment's, the profile's, where this runs */
    char *endpoint;           /* NULL: AWS's of the region */
    char *ca_file;
    char *role, *external_id;
    struct name_list metrics; /* CloudWatch's names; empty: the usual ones */
};

struct database_config {
    char *name;       /* NULL: the only one */
    char *endpoint;   /* host:port, [v6]:port */
    char *statements; /* URL of PostgreSQL, whose pg_stat_statements are read; NULL: none */
    struct cloudwatch_config cloudwatch;
    int line, column;
};

/* How a series of a metrics page becomes a metric. */
enum series_rate { SERIES_RATE_AUTO, SERIES_RATE, SERIES_VALUE };

/* One of `metrics`. */
struct series_config {
    char *name;
    char *prometheus; /* URL of the page */
    char *series;     /* which of it: core/metric_selector.h */
    int rate;         /* enum series_rate */
    struct string_map headers;
    char *ca_file;
};

/* One trigger of the file, or a built-in one. */
struct trigger_config {
    char *name;
    size_t kind;   /* index in config_kinds.triggers */
    void *options; /* the kind's struct */
    struct name_list metrics;
    enum unit *units;           /* of the metrics */
    size_t *members;            /* indices of the triggers that it looks at */
    const char **member_names;  /* theirs */
    struct trigger_scope scope; /* all of these, as the trigger sees them */
    char *capture;              /* name of a capture set; NULL: it never fires */
    int64_t cooldown_ms;
    size_t app;    /* index of the app that its incidents are of */
    bool built_in; /* not from the file */
    int line, column;
};

/* When a profile of a set is taken: as soon as the incident opens, or when its spike is over. */
enum capture_at { CAPTURE_AT_START, CAPTURE_AT_END };

struct capture_entry {
    char *profile;   /* a Go profile's name: cpu, heap, goroutine, allocs, ...; with a path: the
                        entry's own name, which is never "cpu" */
    char *path;      /* on the debug endpoint's host, query included but its seconds; NULL: the
                        profile is one of Go's */
    char *name;      /* what it is called where that is not `profile`; NULL: the same */
    int64_t seconds; /* 0: not given */
    int at;          /* enum capture_at */
    bool gc;         /* heap: collect garbage first */
    bool optional;   /* an app without it (404) is all right */
};

struct capture_set {
    char *name;
    struct capture_entry *entries;
    size_t count;
    int line, column;
};

enum { RECORDER_KEEP_MAX = 60 };

struct recorder_config {
    int64_t slice_ms; /* whole seconds */
    int64_t keep;     /* slices, without the one that is being recorded */
    bool always;
};

/* Who analyses incidents. */
enum analyse { ANALYSE_AGENT, ANALYSE_READER };

struct baseline_config {
    int64_t every_ms; /* 0: off */
};

struct limits_config {
    int analyse; /* enum analyse */
    int64_t cooldown_ms;
    int64_t per_hour;
    int64_t per_day_bytes;
    struct level hold_off; /* of the metric cpu, in %; value 0: off */
    int64_t spool_bytes;
    int64_t profile_bytes;
    int64_t memory_bytes; /* the agent and its child together */
    int64_t grace_ms;
};

/* Among all agents of the service that share a store, of each trigger. */
struct fleet_config {
    int64_t incidents; /* 0: off, each agent takes its own */
    int64_t per_ms;
};

struct quiet_config {
    int64_t after_start_ms; /* no incidents for so long after the app's start; 0: at once */
};

struct log_config {
    int level, format; /* enum log_level, enum log_format */
};

struct exporter_config {
    size_t kind;   /* index in config_kinds.exporters */
    void *options; /* the kind's struct */
};

struct config {
    char *file; /* name for messages: the path, "$STAKEOUT_CONFIG" or "command line" */
    char *service;
    int64_t interval_ms;
    char *state;
    struct app_config *apps;
    size_t app_count;
    bool single_app; /* `app:`: series without the app's name */
    int source;      /* 0: auto, else 1 + index in config_kinds.sources */
    struct database_config *databases;
    size_t database_count;
    struct series_config *series;
    size_t series_count;
    struct trigger_config *triggers;
    size_t trigger_count;
    size_t *trigger_order; /* their indices, members before those that look at them */
    struct quiet_config quiet;
    struct capture_set *captures;
    size_t capture_count;
    struct recorder_config recorder;
    struct baseline_config baseline;
    int64_t follow_up_ms; /* after a spike; 0: off */
    struct fleet_config fleet;
    struct limits_config limits;
    struct exporter_config *exporters; /* in the file's order */
    size_t exporter_count;
    char *review_url;        /* what messages link to, with {id}, {service}; NULL: nothing */
    int64_t report_links_ms; /* how long presigned links to reports last; 0: there are none */
    char *source_url;        /* NULL: none; with {path} and perhaps {commit}, {line} */
    char *listen;            /* NULL: off, else ADDRESS:PORT */
    struct log_config log;
};

/* What a command needs less of: replay takes its metrics from the trace. */
struct config_needs {
    bool exporter;              /* at least one */
    const char *const *columns; /* further metric names that are valid, NULL-terminated; or NULL */
};

/* The text of the configuration and its name for messages: from `path`, else $STAKEOUT_CONFIG, else
 * /etc/stakeout/stakeout.yaml. text and *name go to the caller. */
int config_locate(const char *path, struct buf *text, char **name, struct error *err);

/* The file that config_locate reads; NULL: the text is in $STAKEOUT_CONFIG. */
const char *config_file(const char *path);

/* The state folder that a text means, whatever else is wrong with it: for who asks an agent that
 * has refused it. The caller frees. */
char *config_state(const char *text, size_t size);

/* Parses and validates. On errors every one is a line "FILE:LINE:COLUMN: KEY: what is wrong" in
 * problems (initialised by the caller), and the result is NULL. */
struct config *config_parse(const char *text, size_t size, const char *name,
    const struct config_kinds *kinds, const struct config_needs *needs, struct buf *problems);
void config_free(struct config *config, const struct config_kinds *kinds);

/* The effective configuration as YAML that parses again (secrets aside, which are shown as
 * "<redacted>"), the reference of all options, the same as the manual page stakeout.yaml(5), and
 * the JSON Schema. */
void config_print(const struct config *config, const struct config_kinds *kinds, FILE *out);
void config_print_reference(const struct config_kinds *kinds, FILE *out);
void config_print_man(const struct config_kinds *kinds, FILE *out);
void config_print_schema(const struct config_kinds *kinds, FILE *out);

/* Whether RDS's metrics of this database are fetched, and whether a trigger looks at such ones. */
bool config_has_cloudwatch(const struct database_config *database);
bool config_polls_rds(const struct config *config);

/* Index of the exporter in whose store the fleet is settled: the first that can; exporter_count:
 * none. */
size_t config_fleet_exporter(const struct config *config, const struct config_kinds *kinds);

const struct capture_set *config_capture(const struct config *config, const char *name);

/* What an entry is called: in incident.json, in messages, and its file before the dot. */
const char *config_entry_name(const struct capture_entry *entry);

/* Whether it has Go's CPU profiler at work, of which an app has one. */
bool config_entry_is_cpu(const struct capture_entry *entry);

#endif
