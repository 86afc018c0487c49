/* `stakeout init`: an ECS task definition and what it takes to have stakeout beside its app.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
#ifndef COMMANDS_INIT_TASK_H
#define COMMANDS_INIT_TASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/* What is read, as it is printed with blanks, and what ECS takes.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
enum { INIT_TASK_MAX_BYTES = 1 << 20, INIT_TASK_TAKEN_BYTES = 64 * 1024 };

/* The task definition in a text, as `aws ecs describe-task-definition` prints it or as
 * `register-task-definition` takes it, without what only ECS may set. NULL and err for what is
 * none; else the caller's to json_decref. */
json_t *init_task_read(const char *text, size_t size, struct error *err);

/* The name of the container that the app runs in: `wanted`, which has to be there, else (NULL) the
 * only essential one. It stays the task's; NULL and err. */
const char *init_task_app(const json_t *task, const char *wanted, struct error *err);

bool init_task_has(const json_t *task, const char *container);

/* The configuration that a stakeout container of the task has already: its text, or where it is
 * kept (the ARN of a secret or parameter). They stay the task's; NULL where there is none. */
const char *init_task_config(const json_t *task);
const char *init_task_config_secret(const json_t *task);

/* Whether a volume is mounted at the path of the stakeout container, or above it. */
bool init_task_keeps(const json_t *task, const char *path);

/* What is put beside the app. */
struct init_sidecar {
    const char *config; /* text of the configuration */
    const char *image;  /* NULL: that of an earlier stakeout container, else beside the app's in its
                           registry, with the version of this program */
    bool shares_pids;   /* it looks at the app's processes */
    bool needs_role;    /* it has rights at AWS */
    const char *const *apps; /* the containers that wait for it; the first is the app */
    size_t app_count;
    const char *const *secrets; /* environment variables that the configuration needs */
    size_t secret_count;
};

/* Adds container, volume, dependsOn and health check. What is there already stays: of an earlier
 * stakeout container all but the configuration and, if given, the image. `notes` gets a line for
 * each thing that is left to do. */
void init_task_add(json_t *task, const struct init_sidecar *sidecar, struct buf *notes);

#endif
