/* The readers of a Docker engine's answers and events. */
#include "core/buf.h"
#include "sources/docker/docker_events.h"
#include "sources/docker/docker_json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    struct ecs_task task;
    struct ecs_stats stats;
    bool own_network;
    if (docker_container_parse(&task, &own_network, json, size, true, NULL) == 0 &&
        task.cpu_limit_cores <= 0)
        abort();
    ecs_task_free(&task);
    ecs_sample_parse(&stats, json, size, NULL);
    struct buf names;
    buf_init(&names, 300);
    docker_names_parse(&names, json, size);
    buf_free(&names);
    char words[32];
    docker_problem_parse(words, sizeof words, json, size);
    struct docker_events events = {0};
    docker_events_take(&events, json, size);
    docker_events_take(&events, "\n", 1);
    docker_events_end(&events);
    return 0;
}
