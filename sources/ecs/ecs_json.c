#include "sources/ecs/ecs_json.h"

#include "core/alloc.h"
#include "core/error.h"
#include "sources/json_value.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A limit of a metadata answer, where 0 means that there is none. */
static double limit_of(const json_t *object, const char *key)
{
    double value = json_value_number(json_object_get(object, "Limits"), key);
    return value > 0 ? value : NAN;
}

static bool is_stopped(const json_t *json, const char *key)
{
    const char *status = json_string_value(json_object_get(json, key));
    return status && !strcmp(status, "STOPPED");
}

static void parse_container(struct ecs_task *task, const json_t *json)
{
    static const char label[] = "com.amazonaws.ecs.container-name";
    char *docker_id = json_value_text(json, "DockerId");
    if (!docker_id) /* pulled, not created yet */
        return;
    struct ecs_container *container = &task->containers[task->container_count++];
    const char *type = json_string_value(json_object_get(json, "Type"));
    *container = (struct ecs_container){
        .docker_id = docker_id,
        .name = json_value_text(json, "Name"),
        .label = json_value_text(json_object_get(json, "Labels"), label),
        .image = json_value_text(json, "Image"),
        .ordinary = !type || !strcmp(type, "NORMAL"),
        .stopped = is_stopped(json, "KnownStatus") || is_stopped(json, "DesiredStatus"),
        .ended = is_stopped(json, "KnownStatus"),
        .memory_limit_bytes = limit_of(json, "Memory") * (1 << 20),
        .restart_count = json_value_small(json, "RestartCount"),
        .exit_code = json_value_small(json, "ExitCode"),
        .started_wall_ms = json_value_time_ns(json, "StartedAt") / 1000000,
    };
}

int ecs_task_parse(struct ecs_task *task, const char *json, size_t length, struct error *err)
{
    *task = (struct ecs_task){.cpu_limit_cores = NAN, .memory_limit_bytes = NAN};
    json_t *root = json_value_parse(json, length, err);
    if (!root)
        return -1;
    if (!json_is_object(root)) {
        json_decref(root);
        return error_set(err, "the answer is no JSON object");
    }
    task->arn = json_value_text(root, "TaskARN");
    task->cluster = json_value_text(root, "Cluster");
    task->family = json_value_text(root, "Family");
    task->revision = json_value_text(root, "Revision");
    task->cpu_limit_cores = limit_of(root, "CPU");
    task->memory_limit_bytes = limit_of(root, "Memory") * (1 << 20);
    const json_t *containers = json_object_get(root, "Containers");
    for (size_t i = 0; i < json_array_size(containers); i++)
        if (task->container_count < ECS_MAX_CONTAINERS)
            parse_container(task, json_array_get(containers, i));
    json_decref(root);
    return 0;
}

void ecs_task_free(struct ecs_task *task)
{
    for (size_t i = 0; i < task->container_count; i++) {
        struct ecs_container *container = &task->containers[i];
        free(container->docker_id);
        free(container->name);
        free(container->label);
        free(container->image);
    }
    free(task->arn);
    free(task->cluster);
    free(task->family);
    free(task->revision);
    *task = (struct ecs_task){.cpu_limit_cores = NAN, .memory_limit_bytes = NAN};
}

char *ecs_own_id_parse(const char *json, size_t length)
{
    json_t *root = json_value_parse(json, length, NULL);
    char *docker_id = json_value_text(root, "DockerId");
    json_decref(root);
    return docker_id;
}

static void parse_memory(struct ecs_stats *stats, const json_t *memory)
{
    double usage = json_value_amount(memory, "usage");
    const json_t *parts = json_object_get(memory, "stats");
    /* Version 1 has both; without total_ it leaves out the container's own sub-cgroups. */
    double inactive = json_value_amount(parts, "total_inactive_file");
    if (isnan(inactive))
        inactive = json_value_amount(parts, "inactive_file");
    if (!isnan(usage) && !isnan(inactive))
        stats->working_set_bytes = fmax(usage - inactive, 0);
    static const char *const anonymous[] = {"anon", "total_rss", "rss"};
    for (int i = 0; i < 3 && isnan(stats->rss_bytes); i++)
        stats->rss_bytes = json_value_amount(parts, anonymous[i]);
    double limit = json_value_amount(memory, "limit");
    stats->memory_limit_bytes = limit > 0 ? limit : NAN;
}

static void parse_networks(struct ecs_stats *stats, const json_t *networks)
{
    const char *name;
    json_t *network;
    json_object_foreach((json_t *)networks, name, network)
    {
        uint64_t received, sent;
        if (!json_value_counter(network, "rx_bytes", &received) ||
            !json_value_counter(network, "tx_bytes", &sent))
            continue;
        stats->has_net = true;
        stats->received_bytes += received;
        stats->sent_bytes += sent;
    }
}

static void parse_stats(struct ecs_stats *stats, const json_t *json)
{
    *stats = (struct ecs_stats){.working_set_bytes = NAN,
        .rss_bytes = NAN,
        .memory_limit_bytes = NAN,
        .online_cpus = NAN,
        .read_ns = json_value_time_ns(json, "read")};
    stats->found = stats->read_ns > 0;
    if (!stats->found)
        return;
    const json_t *cpu = json_object_get(json, "cpu_stats");
    const json_t *throttling = json_object_get(cpu, "throttling_data");
    stats->has_cpu = json_value_counter(
        json_object_get(cpu, "cpu_usage"), "total_usage", &stats->cpu_ns);
    stats->has_throttling = json_value_counter(throttling, "periods", &stats->periods) &&
                            json_value_counter(throttling, "throttled_periods", &stats->throttled);
    double online_cpus = json_value_number(cpu, "online_cpus");
    if (online_cpus >= 1 && online_cpus < 1 << 16)
        stats->online_cpus = online_cpus;
    parse_memory(stats, json_object_get(json, "memory_stats"));
    parse_networks(stats, json_object_get(json, "networks"));
}

/* The text of a JSON value, or what is left of it. */
struct span {
    const char *at;
    const char *end;
};

static void skip_blanks(struct span *rest)
{
    while (rest->at < rest->end && (*rest->at == ' ' || (*rest->at >= '\t' && *rest->at <= '\r')))
        rest->at++;
}

static bool next_is(struct span *rest, char wanted)
{
    skip_blanks(rest);
    if (rest->at == rest->end || *rest->at != wanted)
        return false;
    rest->at++;
    return true;
}

/* Past the string whose opening quote was just passed. */
static bool skip_string(struct span *rest)
{
    while (rest->at < rest->end) {
        char c = *rest->at++;
        if (c == '"')
            return true;
        if (c == '\\' && rest->at < rest->end)
            rest->at++;
    }
    return false;
}

/* To the comma or the bracket that ends the value, whatever is in it. */
static bool skip_value(struct span *rest)
{
    size_t depth = 0;
    while (rest->at < rest->end) {
        char c = *rest->at;
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return true;
        rest->at++;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        else if (c == '"' && !skip_string(rest))
            return false;
    }
    return false;
}

enum member { MEMBER_NEXT, MEMBER_END, MEMBER_BROKEN };

/* The next member of an object whose opening bracket was passed. */
static enum member next_member(struct span *rest, struct span *key, struct span *value)
{
    if (next_is(rest, '}')) {
        skip_blanks(rest);
        return rest->at == rest->end ? MEMBER_END : MEMBER_BROKEN;
    }
    if (!next_is(rest, '"'))
        return MEMBER_BROKEN;
    key->at = rest->at;
    if (!skip_string(rest))
        return MEMBER_BROKEN;
    key->end = rest->at - 1;
    if (!next_is(rest, ':'))
        return MEMBER_BROKEN;
    value->at = rest->at;
    if (!skip_value(rest))
        return MEMBER_BROKEN;
    value->end = rest->at;
    next_is(rest, ',');
    return MEMBER_NEXT;
}

int ecs_sample_parse(struct ecs_stats *stats, const char *text, size_t length, struct error *err)
{
    json_t *json = json_value_parse(text, length, err);
    if (!json)
        return -1;
    parse_stats(stats, json);
    json_decref(json);
    return 0;
}

static int parse_member(struct ecs_stats *stats, struct span value, struct error *err)
{
    return ecs_sample_parse(stats, value.at, (size_t)(value.end - value.at), err);
}

/* Only the wanted containers' samples become a tree of values: that costs 200 instructions a byte
 * where skipping costs 5, and a task has more containers than are watched. */
int ecs_stats_parse(struct ecs_stats *stats, const char *const *docker_ids, size_t count,
    const char *json, size_t length, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        parse_stats(&stats[i], NULL);
    struct ecs_stats none;
    struct span rest = {json, json + length}, key, value;
    if (!next_is(&rest, '{')) /* null has no samples, and what is no JSON is an error */
        return parse_member(&none, rest, err);
    enum member member;
    while ((member = next_member(&rest, &key, &value)) == MEMBER_NEXT) {
        size_t size = (size_t)(key.end - key.at);
        for (size_t i = 0; i < count; i++)
            if (docker_ids[i] && strlen(docker_ids[i]) == size &&
                !memcmp(docker_ids[i], key.at, size) && parse_member(&stats[i], value, err) < 0)
                return -1;
    }
    if (member == MEMBER_BROKEN)
        return error_set(err, "the answer is no JSON from byte %td on", rest.at - json);
    return 0;
}

void ecs_problem_parse(char *text, size_t size, const char *body, size_t length)
{
    json_t *root = json_value_parse(body, length, NULL);
    const char *words = json_string_value(root);
    size_t used = 0;
    for (; words && *words && used + 1 < size; words++)
        if (*words >= ' ' && *words <= '~')
            text[used++] = *words;
    text[used] = '\0';
    json_decref(root);
}
