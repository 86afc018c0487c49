/* The readers of the ECS metadata endpoint's answers, and what is made of them: no rate may ever
 * be negative or infinite. */
#include "sources/ecs/ecs_app.h"
#include "sources/ecs/ecs_json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void measure(const struct ecs_task *task, const char *json, size_t size)
{
    static const struct ecs_machine machine = {.cpus = 2, .memory_bytes = 1e9};
    const struct ecs_container *container = ecs_app_choose(task, NULL, NULL, NULL);
    if (!container)
        return;
    struct ecs_app app = {0};
    const char *ids[] = {container->docker_id, "c"};
    struct ecs_stats stats[2];
    ecs_app_update(&app, task, container);
    if (ecs_stats_parse(stats, ids, 2, json, size, NULL) == 0) {
        for (int i = 0; i < 2; i++) {
            struct measures measures;
            if (!ecs_app_measure(&app, &stats[i], &machine, &measures))
                continue;
            for (int which = 0; which < MEASURED_COUNT; which++)
                if (measures.value[which] < 0)
                    abort();
        }
    }
    ecs_app_free(&app);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    struct ecs_task task;
    if (ecs_task_parse(&task, json, size, NULL) == 0)
        measure(&task, json, size);
    ecs_task_free(&task);
    static const char *const ids[] = {"c"};
    struct ecs_stats stats;
    ecs_stats_parse(&stats, ids, 1, json, size, NULL);
    free(ecs_own_id_parse(json, size));
    char words[32];
    ecs_problem_parse(words, sizeof words, json, size);
    return 0;
}
