#include "sources/docker/docker_json.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "sources/json_value.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* NanoCpus is what --cpus sets; a quota without a period has Docker's own. 0: there is none. */
static double cores_of(const json_t *host)
{
    static const double default_period_us = 100000;
    double nano = json_value_number(host, "NanoCpus");
    double quota_us = json_value_number(host, "CpuQuota");
    double period_us = json_value_number(host, "CpuPeriod");
    if (nano > 0)
        return nano / 1e9;
    if (!(quota_us > 0))
        return NAN;
    return quota_us / (period_us > 0 ? period_us : default_period_us);
}

static void parse_state(struct ecs_container *container, const json_t *state, bool kills_said)
{
    bool running = json_is_true(json_object_get(state, "Running"));
    container->stopped = container->ended = !running;
    container->exit_code = running ? -1 : json_value_small(state, "ExitCode");
    container->started_wall_ms = json_value_time_ns(state, "StartedAt") / 1000000;
    if (kills_said)
        container->oom_killed = json_is_true(json_object_get(state, "OOMKilled")) ? ECS_OOM_YES
                                                                                  : ECS_OOM_NO;
}

static bool has_own_network(const json_t *host)
{
    const char *mode = json_string_value(json_object_get(host, "NetworkMode"));
    return !mode || (strcmp(mode, "host") != 0 && strcmp(mode, "none") != 0 &&
                        strncmp(mode, "container:", 10) != 0);
}

int docker_container_parse(struct ecs_task *task, bool *own_network, const char *json,
    size_t length, bool kills_said, struct error *err)
{
    *own_network = false;
    *task = (struct ecs_task){.cpu_limit_cores = NAN, .memory_limit_bytes = NAN};
    json_t *root = json_value_parse(json, length, err);
    if (!root)
        return -1;
    char *id = json_value_text(root, "Id");
    if (!id) {
        json_decref(root);
        return error_set(err, "the answer has no Id");
    }
    const json_t *host = json_object_get(root, "HostConfig");
    double memory = json_value_amount(host, "Memory");
    char *name = json_value_text(root, "Name");
    if (name && *name == '/')
        memmove(name, name + 1, strlen(name));
    *own_network = has_own_network(host);
    task->cpu_limit_cores = cores_of(host);
    task->container_count = 1;
    task->containers[0] = (struct ecs_container){.docker_id = id,
        .name = name,
        .image = json_value_text(json_object_get(root, "Config"), "Image"),
        .ordinary = true,
        .memory_limit_bytes = memory > 0 ? memory : NAN,
        .restart_count = json_value_small(root, "RestartCount"),
        .starts_count = true};
    parse_state(&task->containers[0], json_object_get(root, "State"), kills_said);
    json_decref(root);
    return 0;
}

static void put_printable(struct buf *out, const char *text)
{
    for (; text && *text; text++)
        if (*text >= ' ' && *text <= '~')
            buf_append(out, text, 1);
}

void docker_names_parse(struct buf *names, const char *json, size_t length)
{
    json_t *root = json_value_parse(json, length, NULL);
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *all = json_object_get(json_array_get(root, i), "Names");
        const char *name = json_string_value(json_array_get(all, 0));
        if (!name || !*name)
            continue;
        if (names->size)
            buf_puts(names, ", ");
        put_printable(names, *name == '/' ? name + 1 : name);
    }
    json_decref(root);
}

void docker_problem_parse(char *text, size_t size, const char *body, size_t length)
{
    struct buf words;
    json_t *root = json_value_parse(body, length, NULL);
    buf_init(&words, size - 1);
    put_printable(&words, json_string_value(json_object_get(root, "message")));
    memcpy(text, words.data, words.size + 1);
    buf_free(&words);
    json_decref(root);
}

static enum docker_event_kind kind_of(const char *action)
{
    static const struct {
        const char *action;
        enum docker_event_kind kind;
    } known[] = {
        {"start", DOCKER_EVENT_START},
        {"kill", DOCKER_EVENT_SIGNAL},
        {"stop", DOCKER_EVENT_STOP},
        {"restart", DOCKER_EVENT_STOP}, /* Podman's; Docker says it behind the start */
        {"oom", DOCKER_EVENT_OOM},
        {"die", DOCKER_EVENT_END},
    };
    for (size_t i = 0; action && i < sizeof known / sizeof *known; i++)
        if (!strcmp(action, known[i].action))
            return known[i].kind;
    return DOCKER_EVENT_OTHER;
}

static bool is_digits(const char *text)
{
    return text && *text >= '0' && *text <= '9';
}

/* Docker tells the number. */
static bool ends_nothing(const char *signal)
{
    long number = is_digits(signal) ? strtol(signal, NULL, 10) : SIGKILL;
    return number != SIGKILL && number != SIGTERM;
}

void docker_event_parse(struct docker_event *event, const char *line, size_t length)
{
    json_t *root = json_value_parse(line, length, NULL);
    const json_t *attributes = json_object_get(json_object_get(root, "Actor"), "Attributes");
    const char *code = json_string_value(json_object_get(attributes, "exitCode"));
    *event = (struct docker_event){
        .kind = kind_of(json_string_value(json_object_get(root, "Action"))), .exit_code = -1};
    uint64_t at_ns;
    if (json_value_counter(root, "timeNano", &at_ns))
        event->at_ms = (int64_t)(at_ns / 1000000);
    if (event->kind == DOCKER_EVENT_END && is_digits(code))
        event->exit_code = strtol(code, NULL, 10);
    if (event->kind == DOCKER_EVENT_SIGNAL &&
        ends_nothing(json_string_value(json_object_get(attributes, "signal"))))
        event->kind = DOCKER_EVENT_OTHER;
    json_decref(root);
}

bool docker_name_is_valid(const char *name)
{
    static const char alphanumeric[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    return *name && strchr(alphanumeric, *name) && !name[strspn(name, others)] &&
           strlen(name) <= 255;
}
