#include "agent/incidents/incidents_parts.h"
#include "config/config.h"
#include "core/incident.h"

#include <string.h>

bool incidents_is_calm(const struct running *running)
{
    const char *kind = running ? running->incident->kind : "";
    return !strcmp(kind, "baseline") || !strcmp(kind, "follow_up");
}

const char *incidents_running(const struct incidents *incidents, size_t app)
{
    const struct running *running = incidents->running[app];
    return running ? running->incident->id : NULL;
}

bool incidents_are_busy(const struct incidents *incidents, size_t app)
{
    return incidents->running[app] || incidents->leaving[app];
}

int64_t incidents_begin_ms(const struct incidents *incidents)
{
    int64_t begin_ms = INT64_MAX;
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        const struct running *running = incidents->running[i];
        if (running && running_begin_ms(running) < begin_ms)
            begin_ms = running_begin_ms(running);
    }
    return begin_ms;
}

bool incidents_can_join(const struct incidents *incidents, size_t app)
{
    const struct running *running = incidents->running[app];
    return running && !running->sealing && !running->abandoned && !incidents_is_calm(running);
}

struct running *incidents_find(const struct incidents *incidents, const char *id)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        struct running *const both[] = {incidents->running[i], incidents->leaving[i]};
        for (size_t j = 0; j < 2; j++)
            if (both[j] && !strcmp(both[j]->incident->id, id))
                return both[j];
    }
    return NULL;
}

bool incidents_is_running(const struct incidents *incidents, const char *id)
{
    return incidents_find(incidents, id) != NULL;
}

bool incidents_opened(const struct incidents *incidents, const char *id)
{
    return opened_has(&incidents->opened, id);
}

bool incidents_are_to_replace(const struct incidents *incidents, const char *id)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++) {
        const struct running *running = incidents->running[i];
        if (running && running->replaces && !strcmp(running->replaces, id))
            return true;
    }
    return false;
}

bool incidents_failing(const struct incidents *incidents, const char *id)
{
    const struct running *running = incidents_find(incidents, id);
    return running && running->retry_ms;
}

const char *incidents_last(const struct incidents *incidents)
{
    return opened_last(&incidents->opened);
}

bool incidents_idle(const struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->setup.config->app_count; i++)
        if (incidents->running[i] || incidents->leaving[i])
            return false;
    return true;
}

/* As there may be another one that gives way, it may have to stay where it is: then nothing can
 * fire until it is over. */
void incidents_throw_away(struct incidents *incidents, struct running *running)
{
    size_t app = running->app;
    if (incidents->running[app] == running && !incidents->leaving[app]) {
        incidents->running[app] = NULL;
        incidents->leaving[app] = running;
    }
    incidents->suppressed += running->incident->suppressed_since_last;
    opened_drop(&incidents->opened, running->incident->id);
    running_abandon(running);
}
