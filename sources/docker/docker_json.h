/* What the Docker Engine API answers about containers, as plain structs; its samples are those of
 * sources/ecs/ecs_json.h. Format: Docker's Engine API reference, version 1.41; Podman's answers,
 * too.
 */
#ifndef SOURCES_DOCKER_DOCKER_JSON_H
#define SOURCES_DOCKER_DOCKER_JSON_H

#include "sources/ecs/ecs_json.h"

struct buf;

/* The answer of /containers/{id}/json as a task of this one container, whose limit of CPU is the
 * task's. own_network: whether it has interfaces of its own; else its samples' counters mean
 * nothing. kills_said: whether State.OOMKilled can be believed (Podman's stays false). -1 with err
 * when it is none; free with ecs_task_free either way. */
int docker_container_parse(struct ecs_task *task, bool *own_network, const char *json,
    size_t length, bool kills_said, struct error *err);

/* Appends the names in an answer of /containers/json, as "a, b, c", to names; printable ones only.
 */
void docker_names_parse(struct buf *names, const char *json, size_t length);

/* What an error answer says, as words for a log: its "message". Only printable ASCII, cut to fit.
 */
void docker_problem_parse(char *text, size_t size, const char *body, size_t length);

enum docker_event_kind {
    DOCKER_EVENT_OTHER, /* and signals that end nothing, as far as they are told */
    DOCKER_EVENT_START,
    DOCKER_EVENT_SIGNAL, /* KILL, TERM, or, as Podman does not tell which, any */
    DOCKER_EVENT_STOP,   /* somebody has it end */
    DOCKER_EVENT_OOM,
    DOCKER_EVENT_END
};

struct docker_event {
    enum docker_event_kind kind;
    int64_t exit_code; /* of an end; -1: not told */
    int64_t at_ms;     /* by the engine's clock; 0: not told */
};

/* One line of /events. */
void docker_event_parse(struct docker_event *event, const char *line, size_t length);

/* Whether it may stand in a request: what Docker takes as the name or the id of a container. */
bool docker_name_is_valid(const char *name);

#endif
