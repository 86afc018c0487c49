#include "sources/docker/docker_events.h"

#include "core/alloc.h"
#include "sources/docker/docker_json.h"

#include <stdlib.h>
#include <string.h>

static const int64_t killed = 137; /* 128 + SIGKILL */

static bool take_line(struct docker_events *events)
{
    int64_t exit_code;
    enum docker_event event = docker_event_parse(events->line, events->size, &exit_code);
    switch (event) {
    case DOCKER_EVENT_START:
        events->starts++;
        events->stopping = false;
        return true;
    case DOCKER_EVENT_STOP:
        events->stopping = true;
        return false;
    case DOCKER_EVENT_OOM:
        events->oom_kills++;
        return true;
    case DOCKER_EVENT_END:
        events->ends++;
        events->exit_code = exit_code;
        if (!events->kills_said && exit_code == killed && !events->stopping)
            events->oom_kills++;
        events->stopping = false;
        return true;
    default:
        return false;
    }
}

bool docker_events_take(struct docker_events *events, const char *data, size_t size)
{
    bool changed = false;
    if (!events->line)
        events->line = xcalloc(1, DOCKER_EVENT_MAX);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            if (!events->too_long && events->size)
                changed = take_line(events) || changed;
            events->size = 0;
            events->too_long = false;
        } else if (events->size == DOCKER_EVENT_MAX) {
            events->too_long = true;
        } else {
            events->line[events->size++] = data[i];
        }
    }
    return changed;
}

void docker_events_end(struct docker_events *events)
{
    free(events->line);
    events->line = NULL;
    events->size = 0;
    events->too_long = false;
}
