#include "sources/docker/docker_events.h"

#include "core/alloc.h"
#include "sources/docker/docker_json.h"

#include <stdlib.h>
#include <string.h>

static const int64_t killed = 137; /* 128 + SIGKILL */
/* From a signal to the end that it is the reason of. Podman does not tell which signal it was, and
 * an app goes on after a HUP. */
static const int64_t of_signal_ms = 2000;

static bool was_wanted(const struct docker_events *events, int64_t at_ms)
{
    return events->stopping || (events->signalled && at_ms - events->signalled_ms <= of_signal_ms);
}

static void note_end(struct docker_events *events, const struct docker_event *end)
{
    events->ends++;
    events->exit_code = end->exit_code;
    if (!events->kills_said && end->exit_code == killed && !was_wanted(events, end->at_ms))
        events->oom_kills++;
    events->stopping = events->signalled = false;
}

static bool take_line(struct docker_events *events)
{
    struct docker_event event;
    docker_event_parse(&event, events->line, events->size);
    switch (event.kind) {
    case DOCKER_EVENT_START:
        events->starts++;
        events->stopping = events->signalled = false;
        return true;
    case DOCKER_EVENT_SIGNAL:
        events->signalled = true;
        events->signalled_ms = event.at_ms;
        return false;
    case DOCKER_EVENT_STOP:
        events->stopping = true;
        return false;
    case DOCKER_EVENT_OOM:
        events->oom_kills++;
        return true;
    case DOCKER_EVENT_END:
        note_end(events, &event);
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
