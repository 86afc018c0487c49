/* An incident: one struct, and incident.json, its form in storage. */
#ifndef CORE_INCIDENT_H
#define CORE_INCIDENT_H

#include "core/incident_end.h"
#include "core/incident_fleet.h"
#include "core/incident_statements.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum {
    INCIDENT_SCHEMA = 1,
    INCIDENT_PROFILES_MAX = 128,
    INCIDENT_JOINED_MAX = 1000,
    INCIDENT_RUNNERS_UP_MAX = 10,
    INCIDENT_PATH_MAX = 200,
    INCIDENT_SPARKLINE_MAX = 120,
    INCIDENT_OWN_CODE_MAX = 64,
    INCIDENT_TEXT_MAX = 1024 * 1024
};

enum profile_status {
    PROFILE_PENDING, /* not finished: only in the spool */
    PROFILE_OK,
    PROFILE_TRUNCATED, /* kept, but not whole */
    PROFILE_FAILED,    /* no file */
    PROFILE_LEFT_OUT   /* the app does not have it, and need not: it is not written down */
};

/* All strings are owned; NULL and NAN: does not apply. Times are wall ms, 0: unknown. */
struct incident_profile {
    char *name; /* "cpu" */
    char *file; /* "cpu.pb.gz" */
    enum profile_status status;
    char *url; /* without user info and query */
    int http_status;
    double seconds; /* really recorded; NAN for a profile of a moment */
    int64_t requested_ms, finished_ms;
    uint64_t bytes;
    char sha256[65]; /* hex; "" while unknown */
    int attempts;
    bool onset_covered;
    /* Of the app, counted by those who take profiles; not stored. Profiles of different runs are of
     * different processes, or may be. */
    unsigned run;
    bool ended_early;       /* shorter than it was asked for, as the spike was over */
    double covered_percent; /* of the spike's time it was recorded; NAN: a moment, or no spike */
    char *error;
};

struct incident_cause {
    char *name, *metric, *reason;
    double value, limit;
    bool down;       /* it fired for the value being low: "direction": "down" */
    int64_t time_ms; /* of a joined fire */
};

struct incident_target {
    char *task_arn, *cluster, *family, *revision, *container, *image, *host;
    int64_t started_ms;
};

struct incident_peak {
    char *metric;
    double value;
};

/* The pattern that its trigger's fires belong to. */
struct incident_recurrence {
    double period_s, jitter_s; /* NAN: no pattern is recognised; jitter: one standard deviation */
    int64_t onsets;            /* that the pattern was seen in */
    int64_t next_ms;           /* when the next one is expected; 0: not */
};

/* A function that stands out in one of the profiles. Shares are of all that the profile has. */
struct incident_function {
    char *function, *file;   /* as the profile names them */
    int64_t line;            /* where it begins, else the line in it that has most; 0: not known */
    char *profile;           /* "cpu": the name of the profile */
    char *sample;            /* the sample type: "cpu", "inuse_space" */
    double cum_percent;      /* share of what it and all that it called has */
    double baseline_percent; /* the same in the baseline; NAN: there is none */
    double delta_points;     /* cum_percent - baseline_percent; NAN: there is no baseline */
    char **path;             /* names of functions, from the outermost to this one */
    size_t path_count;
    char *why; /* it was chosen: one sentence */
};

/* How much of the CPU time of the container the profile accounts for. NAN: not known. */
struct incident_explained {
    double profile_cpu_s, container_cpu_s, percent;
};

/* The metric that fired, small enough for a list: means over equal parts of the time. */
struct incident_sparkline {
    char *metric; /* NULL: there is none */
    int64_t from_ms, to_ms;
    double *values; /* NAN: a gap */
    size_t count;   /* at most INCIDENT_SPARKLINE_MAX */
};

/* What review/analysis finds in an incident's files; nothing of it is known while it is captured.
 */
struct incident_analysis {
    char *headline; /* what happened, in one sentence */
    char *group;    /* what it is about: the same for the same spike, 16 hex digits */
    struct incident_function suspect; /* without a function: there is none */
    char *no_suspect;                 /* why there is none, and what to look at instead */
    struct incident_function *runners_up;
    size_t runner_up_count; /* at most INCIDENT_RUNNERS_UP_MAX */
    struct incident_explained explained;
    struct incident_sparkline sparkline;
    char *skipped; /* why the profiles were not analysed */
};

struct incident {
    char *id, *service, *app;
    char **own_code; /* what functions of the app's own code begin with; none: to be found out */
    size_t own_code_count; /* at most INCIDENT_OWN_CODE_MAX */
    char *kind;            /* spike, baseline, follow_up, manual */
    struct incident_cause trigger;
    struct incident_cause *joined;
    size_t joined_count;
    char *follows; /* of a follow_up: the id of the incident whose spike it comes after */
    int64_t onset_ms, fired_ms, finished_ms;
    int64_t ended_ms; /* when the spike was over; 0: it lasted, or nothing tells */
    char *agent_version;
    struct incident_target target;
    struct incident_profile *profiles;
    size_t profile_count;
    char *metrics_file;
    int64_t late_added_ms; /* when metrics that come late were added to that file; 0: none were */
    struct incident_peak *peaks;
    size_t peak_count;
    struct incident_recurrence recurrence;
    struct incident_end app_ended;
    struct incident_fleet fleet;
    struct incident_statements statements;
    double cpu_mean, memory_max; /* usage_during_capture, % */
    int64_t suppressed_since_last;
    char *replaced;   /* the id of the less interesting incident that went from the spool for it */
    char *baseline;   /* the id of the incident to compare with */
    char *source_url; /* links into the source: https://.../{commit}/{path}#L{line} */
    struct incident_analysis analysis;
};

/* "<YYYYMMDD>T<HHMMSS>Z-<trigger>-<6 random hex>" for a fire at that wall time; the caller frees.
 */
char *incident_new_id(int64_t fired_wall_ms, const char *trigger);

/* "service=<service>/date=<YYYY-MM-DD>/<id>" for an id as above; the caller frees. */
char *incident_folder(const char *service, const char *id);

/* Whether this is the form of an id (nothing that could leave its folder). */
bool incident_id_valid(const char *id);

/* The time in an id: that of the fire, in whole seconds. -1 when there is none. */
int incident_id_time(const char *id, int64_t *fired_wall_ms);

/* Whether a valid id is of that trigger. */
bool incident_id_is_of(const char *id, const char *trigger);

/* Whether this may be a service's or a file's name within storage: letters, digits, . _ - (1 to
 * 128), not beginning with a dot. */
bool incident_name_valid(const char *name);

struct incident *incident_new(void);
void incident_free(struct incident *incident);

/* A new profile of the incident, pending. It moves when one before it is removed, and only then
 * while there are at most INCIDENT_PROFILES_MAX. */
struct incident_profile *incident_add_profile(struct incident *incident, const char *name);

void incident_remove_profile(struct incident *incident, size_t index);

/* The profile of that name, or NULL. */
struct incident_profile *incident_find_profile(const struct incident *incident, const char *name);

/* Whether the profile was being recorded at that moment (wall ms; 0: unknown, so false). */
bool incident_profile_covers(const struct incident_profile *profile, int64_t onset_ms);

/* Fills in every profile's covered_percent: what it recorded of the time from the onset to the
 * spike's end, or to the incident's finish while the spike lasts. */
void incident_note_coverage(struct incident *incident);

/* A new fire that joined it, empty; it may move when the next is added. */
struct incident_cause *incident_add_joined(struct incident *incident);
void incident_add_peak(struct incident *incident, const char *metric, double value);
void incident_clear_peaks(struct incident *incident);

/* The peak of a metric; NAN: it is not known. And that of the metric that the incident fired for,
 * without one the value that it fired with; NAN for one that fired for being low, of which no value
 * is the higher the worse. */
double incident_peak_of(const struct incident *incident, const char *metric);
double incident_peak(const struct incident *incident);

/* Adds a copy to own_code; one too many, and an empty one, which would be all code, is left out. */
void incident_add_own_code(struct incident *incident, const char *prefix);

/* Frees what the analysis holds; it is as of a new incident then. */
void incident_clear_analysis(struct incident *incident);

/* incident.json; the caller decrefs. */
json_t *incident_to_json(const struct incident *incident);

/* NULL and err when it is none of ours, or when something in it could lead out of its folder. An
 * unknown field is ignored; an optional one of the wrong type counts as not there. At most
 * INCIDENT_PROFILES_MAX profiles and INCIDENT_JOINED_MAX joined fires. */
struct incident *incident_from_json(const json_t *json, struct error *err);

/* The same as text, as it is stored; the caller frees. And back from at most INCIDENT_TEXT_MAX
 * bytes of text. */
char *incident_to_text(const struct incident *incident);
struct incident *incident_from_text(const char *text, size_t size, struct error *err);

/* The same from and to a file, "<folder>/incident.json"; written whole or not at all (fs_write).
 * Block. */
struct incident *incident_read(const char *path, struct error *err);
struct incident *incident_read_in(const char *folder, struct error *err);
int incident_save(const struct incident *incident, const char *path, struct error *err);
int incident_save_in(const struct incident *incident, const char *folder, struct error *err);

#endif
