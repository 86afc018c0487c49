#include "config/config_parts.h"

/* In the order of `enum log_level` and `enum log_format`. */
static const char *const analysers[] = {"agent", "reader", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define WEEK   (INT64_C(168) * HOUR)
#define KIB    INT64_C(1024)
#define GIB    (KIB * KIB * KIB)

static const struct field recorder_fields[] = {
    {.key = "slice",
        .type = FIELD_DURATION,
        .offset = offsetof(struct recorder_config, slice_ms),
        .otherwise = "5s",
        .min = SECOND,
        .max = MINUTE,
        .help = "length of one profile, in whole seconds; between two the app writes one out, "
                "which takes it 0.1 to 0.2 s"},
    {.key = "keep",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct recorder_config, keep),
        .otherwise = "4",
        .min = 1,
        .max = RECORDER_KEEP_MAX,
        .help =
            "how many finished ones are held: with `slice`, how far back an incident can reach"},
    {.key = "always",
        .type = FIELD_BOOL,
        .offset = offsetof(struct recorder_config, always),
        .otherwise = "false",
        .help = "records all the time, not only ahead of a spike that `recurs` expects"},
    {.key = NULL},
};

static const struct field limits_fields[] = {
    {.key = "cooldown",
        .type = FIELD_DURATION,
        .offset = offsetof(struct limits_config, cooldown_ms),
        .otherwise = "5m",
        .max = WEEK,
        .help = "how long a trigger that fired stays quiet"},
    {.key = "per_hour",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct limits_config, per_hour),
        .otherwise = "6",
        .min = 1,
        .max = 1000,
        .help = "incidents in any hour; baselines and manual ones do not count"},
    {.key = "per_day",
        .type = FIELD_BYTES,
        .offset = offsetof(struct limits_config, per_day_bytes),
        .otherwise = "500MB",
        .min = KIB,
        .max = 1024 * GIB,
        .help = "bytes of incidents in any 24 hours; all kinds count, but manual ones are never "
                "refused"},
    {.key = "hold_off",
        .type = FIELD_LEVEL,
        .offset = offsetof(struct limits_config, hold_off),
        .otherwise = "off",
        .help = "while the app's cpu is above it, such as 95%, no CPU profile or trace begins"},
    {.key = "spool",
        .type = FIELD_BYTES,
        .offset = offsetof(struct limits_config, spool_bytes),
        .otherwise = "256MiB",
        .min = 64 * KIB,
        .max = 1024 * GIB,
        .help =
            "space on disk for incidents that are not stored yet; from 90% on, baselines and then "
            "follow-ups that wait are removed, at 100% no incident is opened"},
    {.key = "profile",
        .type = FIELD_BYTES,
        .offset = offsetof(struct limits_config, profile_bytes),
        .otherwise = "64MiB",
        .min = KIB,
        .max = 4 * GIB,
        .help = "the largest profile that is taken; a larger one is given up and marked failed, "
                "not cut"},
    {.key = "memory",
        .type = FIELD_BYTES,
        .offset = offsetof(struct limits_config, memory_bytes),
        .otherwise = "64MiB",
        .min = 32 * KIB * KIB,
        .max = 16 * GIB,
        .help = "agent and its child together; the child, which merges and analyses profiles, has "
                "what is above 24MiB"},
    {.key = "analyse",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct limits_config, analyse),
        .otherwise = "agent",
        .choices = analysers,
        .help = "who makes the reports: a child of the agent, or whoever opens an incident"},
    {.key = "grace",
        .type = FIELD_DURATION,
        .offset = offsetof(struct limits_config, grace_ms),
        .otherwise = "25s",
        .max = 10 * MINUTE,
        .help = "time to finish after SIGTERM; below the platform's stop timeout"},
    {.key = NULL},
};

static const struct field quiet_fields[] = {
    {.key = "after_start",
        .type = FIELD_DURATION,
        .offset = offsetof(struct quiet_config, after_start_ms),
        .otherwise = "0s",
        .max = HOUR,
        .help = "no incidents for so long after the app started, but for memory forecasts, kills "
                "and restarts; what still holds then fires then"},
    {.key = NULL},
};

static const struct field log_fields[] = {
    {.key = "level",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct log_config, level),
        .otherwise = "info",
        .choices = log_levels,
        .help = "what is logged: this level and above"},
    {.key = "format",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct log_config, format),
        .otherwise = "logfmt",
        .choices = log_formats,
        .help = "how a record is written, one a line on standard error"},
    {.key = NULL},
};

const struct field config_fields[] = {
    {.key = "service",
        .type = FIELD_NAME,
        .offset = offsetof(struct config, service),
        .required = 1,
        .help = "names the incidents: letters, digits, . _ - (1 to 64)"},
    {.key = "interval",
        .type = FIELD_DURATION,
        .offset = offsetof(struct config, interval_ms),
        .otherwise = "1s",
        .min = 100,
        .max = MINUTE,
        .help = "how often is measured"},
    {.key = "state",
        .type = FIELD_STRING,
        .offset = offsetof(struct config, state),
        .otherwise = config_default_state,
        .help = "folder for the spool, limits and the control socket; made if it is missing"},
    {.key = "app", .type = FIELD_OTHER, .help = "the app that is watched (or apps)"},
    {.key = "apps", .type = FIELD_OTHER, .help = "several apps, by name: {api: {...}, ...}"},
    {.key = "source", .type = FIELD_OTHER, .help = "where CPU, memory and network come from"},
    {.key = "database", .type = FIELD_OTHER, .help = "whose traffic is counted"},
    {.key = "metrics",
        .type = FIELD_OTHER,
        .help = "further series by name, from Prometheus metrics pages"},
    {.key = "triggers", .type = FIELD_OTHER, .help = "what opens an incident, by name"},
    {.key = "quiet",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct config, quiet),
        .fields = quiet_fields,
        .help = "when there are no incidents"},
    {.key = "captures", .type = FIELD_OTHER, .help = "named sets of profiles"},
    {.key = "recorder",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct config, recorder),
        .fields = recorder_fields,
        .help = "short CPU profiles back to back, kept only if a trigger fires"},
    {.key = "baseline",
        .type = FIELD_OTHER,
        .help = "an incident of calm time, to compare with; or off"},
    {.key = "follow_up",
        .type = FIELD_DELAY,
        .offset = offsetof(struct config, follow_up_ms),
        .otherwise = "off",
        .min = 5000,
        .max = 24 * HOUR,
        .help = "a second, short capture so long after a spike is over"},
    {.key = "fleet",
        .type = FIELD_OTHER,
        .help = "how many copies of the service take an incident of the same spike; or off"},
    {.key = "limits",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct config, limits),
        .fields = limits_fields,
        .help = "what the agent may use"},
    {.key = "export", .type = FIELD_OTHER, .help = "where incidents are stored"},
    {.key = "review_url",
        .type = FIELD_URL,
        .offset = offsetof(struct config, review_url),
        .help = "where people look at an incident: notifications link to it; "
                "https://review.internal/{id}"},
    {.key = "report_links",
        .type = FIELD_DELAY,
        .offset = offsetof(struct config, report_links_ms),
        .otherwise = "off",
        .min = MINUTE,
        .max = WEEK,
        .help = "notifications have a presigned link to the report in the first s3, for so long; a "
                "role's credentials may end it earlier"},
    {.key = "source_url",
        .type = FIELD_URL,
        .offset = offsetof(struct config, source_url),
        .help = "links from functions to code: https://git.internal/me/app/blob/{commit}/{path}"
                "#L{line}"},
    {.key = "listen", .type = FIELD_OTHER, .help = "address that serves /healthz, /metrics, ..."},
    {.key = "log",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct config, log),
        .fields = log_fields,
        .help = "the agent's own log"},
    {.key = NULL},
};

const struct field config_app_fields[] = {
    {.key = "debug",
        .type = FIELD_URL,
        .offset = offsetof(struct app_config, debug),
        .required = 1,
        .help = "URL of the debug endpoint, such as http://localhost:8001/debug/pprof"},
    {.key = "container",
        .type = FIELD_STRING,
        .offset = offsetof(struct app_config, container),
        .help = "ECS or Docker container, name or pid of a process, or cgroup path below the "
                "mount; found out on "
                "ECS when there is only one"},
    {.key = "headers",
        .type = FIELD_SECRETS,
        .offset = offsetof(struct app_config, headers),
        .help = "headers of every request to the debug endpoint, such as Authorization"},
    {.key = "own_code",
        .type = FIELD_NAMES,
        .offset = offsetof(struct app_config, own_code),
        .min = 1,
        .max = 64,
        .help = "what the names of the app's own functions begin with, such as liwords/; found out "
                "for Go when left out"},
    {.key = NULL},
};

#define AT(member) offsetof(struct cloudwatch_config, member)
static const struct field cloudwatch_fields[] = {
    {.key = "instance",
        .type = FIELD_STRING,
        .offset = AT(instance),
        .help = "the DB instance's identifier, such as woogles-prod (or cluster)"},
    {.key = "cluster",
        .type = FIELD_STRING,
        .offset = AT(cluster),
        .help = "the DB cluster's identifier: what all of its instances have, as CloudWatch sums "
                "it up"},
    {.key = "region",
        .type = FIELD_STRING,
        .offset = AT(region),
        .help = "where the database is; left out: AWS_REGION's, the profile's, where this runs"},
    {.key = "metrics",
        .type = FIELD_NAMES,
        .offset = AT(metrics),
        .min = 1,
        .max = 50,
        .help = "CloudWatch's names of what is fetched; left out: the first ten of those below"},
    {.key = "endpoint",
        .type = FIELD_URL,
        .offset = AT(endpoint),
        .help = "a VPC endpoint, say; else AWS_ENDPOINT_URL_CLOUDWATCH, AWS's of the region"},
    FIELDS_CA_FILE(AT(ca_file)),
    FIELDS_ROLE(AT(role)),
    FIELDS_EXTERNAL_ID(AT(external_id)),
    {.key = NULL},
};
#undef AT

#define DATABASE_CLOUDWATCH                                                                        \
    {                                                                                              \
        .key = "cloudwatch", .type = FIELD_STRUCT,                                                 \
        .offset = offsetof(struct database_config, cloudwatch), .fields = cloudwatch_fields,       \
        .short_key = "instance",                                                                   \
        .help = "RDS's own metrics, rds.*, added to incidents minutes later; polled once a "       \
                "minute only where a trigger looks at them"                                        \
    }

#define DATABASE_ENDPOINT                                                                          \
    {                                                                                              \
        .key = "endpoint", .type = FIELD_STRING,                                                   \
        .offset = offsetof(struct database_config, endpoint), .required = 1,                       \
        .help = "HOST:PORT or [V6]:PORT; TCP traffic to it is counted"                             \
    }

#define DATABASE_STATEMENTS                                                                        \
    {                                                                                              \
        .key = "statements", .type = FIELD_SECRET,                                                 \
        .offset = offsetof(struct database_config, statements),                                    \
        .help = "postgres://USER:PASSWORD@HOST:PORT/DATABASE, to tell with an incident which "     \
                "statements ran (the extension pg_stat_statements, a role with pg_monitor); "      \
                "libpq's environment counts, such as PGPASSWORD"                                   \
    }

const struct field config_database_fields[] = {
    DATABASE_ENDPOINT, DATABASE_CLOUDWATCH, DATABASE_STATEMENTS, {.key = NULL}};

const struct field config_named_database_fields[] = {
    {.key = "name",
        .type = FIELD_NAME,
        .offset = offsetof(struct database_config, name),
        .required = 1,
        .help = "what its metrics are called by: db.NAME.received"},
    DATABASE_ENDPOINT,
    DATABASE_CLOUDWATCH,
    DATABASE_STATEMENTS,
    {.key = NULL},
};

const struct field config_metric_fields[] = {
    {.key = "metric",
        .type = FIELD_NAMES,
        .offset = offsetof(struct trigger_config, metrics),
        .min = 1,
        .max = 8,
        .required = 1,
        .help = "what it looks at, such as cpu or db.received; spike also takes a list"},
    {.key = NULL},
};

const struct field config_fire_fields[] = {
    {.key = "capture",
        .type = FIELD_STRING,
        .offset = offsetof(struct trigger_config, capture),
        .otherwise = "spike",
        .help = "the capture set that is taken when it fires"},
    {.key = "cooldown",
        .type = FIELD_DURATION,
        .offset = offsetof(struct trigger_config, cooldown_ms),
        .max = WEEK,
        .help = "how long it stays quiet after a fire; limits.cooldown when left out"},
    {.key = NULL},
};

const struct field config_baseline_fields[] = {
    {.key = "every",
        .type = FIELD_DURATION,
        .offset = offsetof(struct baseline_config, every_ms),
        .otherwise = "6h",
        .min = MINUTE,
        .max = WEEK,
        .help = "how long after one the next is due, in calm time; the first soon after the start, "
                "and one soon after a deploy"},
    {.key = NULL},
};

static const char *const capture_times[] = {"start", "end", NULL};

const struct field config_capture_fields[] = {
    {.key = "profile",
        .type = FIELD_NAME,
        .offset = offsetof(struct capture_entry, profile),
        .help = "a Go profile's name: cpu, heap, goroutine, allocs, mutex, block, trace, "
                "goroutineleak, ..."},
    {.key = "path",
        .type = FIELD_STRING,
        .offset = offsetof(struct capture_entry, path),
        .help = "instead of profile: any other, by its path on the host of app.debug, such as "
                "/debug/fgprof; text, a trace and whatever else are kept as they come"},
    {.key = "name",
        .type = FIELD_NAME,
        .offset = offsetof(struct capture_entry, name),
        .help = "what its file is called before the dot; left out, the profile, or the path's last "
                "part; with -end where the set has it at the start as well"},
    {.key = "seconds",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct capture_entry, seconds),
        .min = 1,
        .max = 3600,
        .help = "how long to record: what the profile grows by in that time (put into the query); "
                "cpu 25, trace 5, others a snapshot when left out"},
    {.key = "at",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct capture_entry, at),
        .otherwise = "start",
        .choices = capture_times,
        .help = "at once, or when the spike is over and at the latest after the set's others"},
    {.key = "gc",
        .type = FIELD_BOOL,
        .offset = offsetof(struct capture_entry, gc),
        .help = "heap: collect garbage first, which costs the app one collection; default true"},
    {.key = "optional",
        .type = FIELD_BOOL,
        .offset = offsetof(struct capture_entry, optional),
        .help = "left out where the app does not have it (404), instead of failed; default false, "
                "of goroutineleak true"},
    {.key = NULL},
};

const char config_default_captures[] = "spike: [{profile: cpu, seconds: 25}, heap, goroutine]\n"
                                       "memory: [heap, {profile: allocs, seconds: 5}, goroutine, "
                                       "goroutineleak]\n";
