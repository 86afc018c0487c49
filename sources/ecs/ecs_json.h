/* The answers of the ECS task metadata endpoint, version 4, as plain structs. Every field may be
 * missing, null or of another type than documented: it is then unknown. Format: the "Amazon ECS
 * task metadata endpoint version 4" page of the ECS developer guide; stats as Docker's API has
 * them. */
#ifndef SOURCES_ECS_ECS_JSON_H
#define SOURCES_ECS_ECS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { ECS_MAX_CONTAINERS = 64 };

/* Whether a container was killed for want of memory, where that is said: ECS leaves it to be told
 * by the exit status. */
enum ecs_oom { ECS_OOM_UNKNOWN, ECS_OOM_NO, ECS_OOM_YES };

/* Strings are owned; NULL: unknown. */
struct ecs_container {
    char *docker_id;    /* never NULL or empty: others are left out */
    char *name, *label; /* either may be what the task definition calls it */
    char *image;
    bool ordinary;             /* of the task definition: not ECS's own, like CNI_PAUSE */
    bool stopped;              /* exited, or told to */
    bool ended;                /* exited */
    double memory_limit_bytes; /* NAN: none */
    int64_t restart_count;     /* -1: no restart policy */
    bool starts_count;         /* restart_count is not all: a later start is a restart, too */
    int64_t exit_code;         /* -1: not exited */
    int64_t started_wall_ms;   /* 0: unknown */
    enum ecs_oom oom_killed;
};

struct ecs_task {
    char *arn, *cluster, *family, *revision;
    double cpu_limit_cores;    /* NAN: none */
    double memory_limit_bytes; /* NAN: none */
    struct ecs_container containers[ECS_MAX_CONTAINERS];
    size_t container_count;
};

/* One sample of a container. */
struct ecs_stats {
    bool found;      /* there is a sample; all else is unknown otherwise */
    int64_t read_ns; /* when it was taken, ns since 1970 by the endpoint's clock */
    bool has_cpu, has_throttling, has_net;
    uint64_t cpu_ns; /* CPU time used ever */
    uint64_t periods, throttled;
    uint64_t received_bytes, sent_bytes;                     /* by all interfaces */
    double working_set_bytes, rss_bytes, memory_limit_bytes; /* NAN: unknown */
    double online_cpus;                                      /* NAN: unknown */
};

/* The answer of `<base>/task`. -1 with err when it is not an object; free with ecs_task_free either
 * way. */
int ecs_task_parse(struct ecs_task *task, const char *json, size_t length, struct error *err);
void ecs_task_free(struct ecs_task *task);

/* The DockerId in the answer of `<base>` itself, which is about the asking container; to be freed.
 * NULL when it has none. */
char *ecs_own_id_parse(const char *json, size_t length);

/* The samples of the containers docker_ids[0..count) in the answer of `<base>/task/stats`. -1 with
 * err when that is not JSON; a container without a sample is not found. */
int ecs_stats_parse(struct ecs_stats *stats, const char *const *docker_ids, size_t count,
    const char *json, size_t length, struct error *err);

/* One sample alone, as Docker's API has it. -1 with err when it is not JSON. */
int ecs_sample_parse(struct ecs_stats *stats, const char *text, size_t length, struct error *err);

/* What an error answer says, as words for a log: the endpoint sends a JSON string. Only printable
 * ASCII, cut to fit. */
void ecs_problem_parse(char *text, size_t size, const char *body, size_t length);

#endif
