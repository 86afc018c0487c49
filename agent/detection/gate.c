#include "agent/detection/gate.h"

#include "agent/kinds.h"
#include "config/config.h"
#include "core/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

static const int64_t never_ms = INT64_MIN;

struct gate {
    const struct config *config;
    bool limits;
    int64_t *fired_ms;   /* by trigger: the last fire; never_ms */
    int64_t *started_ms; /* by app; never_ms: not known */
    /* When the last incidents were opened, per_hour of them at most: older ones cannot matter. */
    int64_t *opened_ms;
    size_t per_hour;
    uint64_t opened;
    int64_t dropped_ms; /* the one that the newest took the place of */
};

static int64_t *never(size_t count)
{
    int64_t *times_ms = xcalloc(count, sizeof *times_ms);
    for (size_t i = 0; i < count; i++)
        times_ms[i] = never_ms;
    return times_ms;
}

struct gate *gate_open(const struct config *config, bool limits)
{
    struct gate *gate = xcalloc(1, sizeof *gate);
    gate->config = config;
    gate->limits = limits;
    gate->fired_ms = never(config->trigger_count);
    gate->started_ms = never(config->app_count);
    gate->per_hour = (size_t)config->limits.per_hour;
    gate->opened_ms = xcalloc(gate->per_hour, sizeof *gate->opened_ms);
    return gate;
}

void gate_close(struct gate *gate)
{
    if (!gate)
        return;
    free(gate->fired_ms);
    free(gate->started_ms);
    free(gate->opened_ms);
    free(gate);
}

void gate_count_fire(struct gate *gate, size_t trigger, int64_t time_ms)
{
    gate->fired_ms[trigger] = time_ms;
}

void gate_count_opening(struct gate *gate, int64_t time_ms)
{
    if (!gate->per_hour)
        return;
    int64_t *place = &gate->opened_ms[gate->opened++ % gate->per_hour];
    gate->dropped_ms = *place;
    *place = time_ms;
}

/* Those after it move up, and the one that it drove out, the oldest, is there again. */
void gate_uncount_opening(struct gate *gate, int64_t time_ms)
{
    uint64_t most = gate->per_hour, oldest = gate->opened > most ? gate->opened - most : 0;
    uint64_t i = gate->opened;
    while (i > oldest && gate->opened_ms[(i - 1) % most] != time_ms)
        i--;
    if (i == oldest)
        return;
    for (; i < gate->opened; i++)
        gate->opened_ms[(i - 1) % most] = gate->opened_ms[i % most];
    gate->opened_ms[--gate->opened % most] = gate->dropped_ms;
}

void gate_app_started(struct gate *gate, size_t app, int64_t time_ms)
{
    gate->started_ms[app] = time_ms;
}

int64_t gate_app_started_ms(const struct gate *gate, size_t app)
{
    return gate->started_ms[app];
}

int64_t gate_last_fire_ms(const struct gate *gate, size_t trigger)
{
    return gate->fired_ms[trigger];
}

int64_t gate_cooldown_until_ms(const struct gate *gate, size_t trigger, int64_t time_ms)
{
    int64_t fired_ms = gate->fired_ms[trigger];
    int64_t cooldown_ms = gate->config->triggers[trigger].cooldown_ms;
    bool over = !gate->limits || fired_ms == never_ms || time_ms - fired_ms >= cooldown_ms;
    return over ? never_ms : fired_ms + cooldown_ms;
}

/* Whether per_hour incidents were opened less than an hour ago. */
static bool hour_is_full(const struct gate *gate, int64_t time_ms)
{
    if (gate->opened < gate->per_hour)
        return false;
    if (gate->per_hour == 0)
        return true;
    int64_t oldest_ms = gate->opened_ms[gate->opened % gate->per_hour];
    return time_ms - oldest_ms < HOUR_MS;
}

/* What is foreseen of memory cannot wait: a start that is killed for it never ends. Neither can a
 * kill or a restart itself: it is what begins the quiet, and is told once. */
bool gate_is_grave(const struct trigger_config *trigger)
{
    const struct metric *metric = trigger->scope.metric_count
                                      ? metric_of_series(trigger->scope.metrics[0])
                                      : NULL;
    if (!metric)
        return false;
    bool memory = !strncmp(metric->name, "memory", strlen("memory"));
    bool end = !strcmp(metric->name, "oom_kills") || !strcmp(metric->name, "restarts");
    return end || (memory && trigger_kinds[trigger->kind]->foresees);
}

/* How long `quiet` lasts yet; 0: it is over. */
static int64_t quiet_left_ms(const struct gate *gate, size_t app, int64_t time_ms)
{
    int64_t quiet_ms = gate->config->quiet.after_start_ms;
    if (!quiet_ms || gate->started_ms[app] == never_ms)
        return 0;
    int64_t since_ms = time_ms - gate->started_ms[app];
    return since_ms < quiet_ms ? quiet_ms - since_ms : 0;
}

bool gate_is_quiet(const struct gate *gate, size_t app, int64_t time_ms)
{
    return quiet_left_ms(gate, app, time_ms) > 0;
}

static void say_left(const char *what, int64_t left_ms, char why[GATE_WHY_SIZE])
{
    char left[VALUE_TEXT_SIZE];
    metric_format_level(UNIT_SECONDS, (double)left_ms / 1000, left);
    snprintf(why, GATE_WHY_SIZE, "%s another %s", what, left);
}

static void say_hour(const struct gate *gate, int64_t time_ms, char why[GATE_WHY_SIZE])
{
    char left[VALUE_TEXT_SIZE];
    if (gate->per_hour == 0) {
        snprintf(why, GATE_WHY_SIZE, "limits.per_hour: 0");
        return;
    }
    int64_t oldest_ms = gate->opened_ms[gate->opened % gate->per_hour];
    metric_format_level(UNIT_SECONDS, (double)(oldest_ms + HOUR_MS - time_ms) / 1000, left);
    snprintf(why, GATE_WHY_SIZE, "limits.per_hour: %zu; there is room in %s", gate->per_hour, left);
}

const char *gate_forbids(
    const struct gate *gate, size_t index, int64_t time_ms, bool joins, char why[GATE_WHY_SIZE])
{
    const struct trigger_config *trigger = &gate->config->triggers[index];
    int64_t quiet_ms = gate_is_grave(trigger) ? 0 : quiet_left_ms(gate, trigger->app, time_ms);
    int64_t cooldown_ms = gate_cooldown_until_ms(gate, index, time_ms);
    if (quiet_ms > 0) {
        say_left("the app has started just now; quiet.after_start lasts", quiet_ms, why);
        return "quiet";
    }
    if (cooldown_ms != never_ms) {
        say_left("its cooldown lasts", cooldown_ms - time_ms, why);
        return "cooldown";
    }
    if (!joins && gate->limits && hour_is_full(gate, time_ms)) {
        say_hour(gate, time_ms, why);
        return "limit";
    }
    return NULL;
}
