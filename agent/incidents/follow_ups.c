#include "agent/incidents/follow_ups.h"

#include "agent/incidents/incidents.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

/* One app's. */
struct plan {
    char *follows; /* NULL: there is none */
    const char *set;
    bool *triggers;
    int64_t captured_ms;
};

struct follow_ups {
    struct follow_ups_setup setup;
    struct plan *plans; /* by app */
};

struct follow_ups *follow_ups_open(const struct follow_ups_setup *setup)
{
    struct follow_ups *follow_ups = xcalloc(1, sizeof *follow_ups);
    follow_ups->setup = *setup;
    follow_ups->plans = xcalloc(setup->config->app_count, sizeof *follow_ups->plans);
    return follow_ups;
}

static void forget(struct plan *plan)
{
    free(plan->follows);
    free(plan->triggers);
    *plan = (struct plan){.follows = NULL};
}

static void drop(struct plan *plan, const char *why)
{
    if (plan->follows)
        log_info("incident %s gets no follow-up: %s", plan->follows, why);
    forget(plan);
}

void follow_ups_close(struct follow_ups *follow_ups)
{
    if (!follow_ups)
        return;
    for (size_t i = 0; i < follow_ups->setup.config->app_count; i++)
        drop(&follow_ups->plans[i], "the agent is stopping");
    free(follow_ups->plans);
    free(follow_ups);
}

/* Its triggers are those of the same names; one that is gone tells nothing any more. */
static void move_plan(struct plan *plan, const struct plan *from, const struct config *before,
    const struct config *after)
{
    const struct capture_set *set = config_capture(after, from->set);
    if (!set)
        return;
    *plan = (struct plan){.follows = xstrdup(from->follows),
        .set = set->name,
        .triggers = xcalloc(after->trigger_count, sizeof *plan->triggers),
        .captured_ms = from->captured_ms};
    for (size_t i = 0; i < after->trigger_count; i++)
        for (size_t j = 0; j < before->trigger_count; j++)
            if (!strcmp(after->triggers[i].name, before->triggers[j].name))
                plan->triggers[i] = from->triggers[j];
}

void follow_ups_reload(struct follow_ups *follow_ups, const struct config *config)
{
    const struct config *before = follow_ups->setup.config;
    struct plan *plans = xcalloc(config->app_count, sizeof *plans);
    for (size_t i = 0; i < before->app_count; i++) {
        struct plan *from = &follow_ups->plans[i];
        bool moved = false;
        for (size_t j = 0; from->follows && config->follow_up_ms && j < config->app_count; j++) {
            if (strcmp(before->apps[i].name, config->apps[j].name) != 0)
                continue;
            move_plan(&plans[j], from, before, config);
            moved = plans[j].follows;
        }
        if (moved)
            forget(from);
        else
            drop(from, "the configuration is another one");
    }
    free(follow_ups->plans);
    follow_ups->plans = plans;
    follow_ups->setup.config = config;
}

void follow_ups_plan(struct follow_ups *follow_ups, const struct incidents_spiked *spiked)
{
    const struct config *config = follow_ups->setup.config;
    if (!config->follow_up_ms)
        return;
    struct plan *plan = &follow_ups->plans[spiked->app];
    drop(plan, "another spike came before it");
    size_t size = config->trigger_count * sizeof *plan->triggers;
    *plan = (struct plan){.follows = xstrdup(spiked->id),
        .set = spiked->set,
        .triggers = xcalloc(config->trigger_count, sizeof *plan->triggers),
        .captured_ms = spiked->captured_ms};
    memcpy(plan->triggers, spiked->triggers, size);
}

/* INT64_MAX: it is not known yet. */
static int64_t due_ms(const struct follow_ups *follow_ups, const struct plan *plan)
{
    const struct follow_ups_setup *setup = &follow_ups->setup;
    int64_t ended_ms, from_ms = plan->captured_ms;
    switch (setup->excursion(setup->arg, plan->triggers, &ended_ms)) {
    case EXCURSION_LASTS:
    case EXCURSION_EBBED:
        return INT64_MAX;
    case EXCURSION_OVER:
        from_ms = ended_ms > from_ms ? ended_ms : from_ms;
        break;
    case EXCURSION_UNTOLD:
        break;
    }
    return from_ms + setup->config->follow_up_ms;
}

static void take(struct follow_ups *follow_ups, size_t app)
{
    const struct follow_ups_setup *setup = &follow_ups->setup;
    struct plan *plan = &follow_ups->plans[app];
    struct error err;
    if (setup->take(setup->arg, app, plan->follows, plan->set, &err))
        forget(plan);
    else
        drop(plan, err.text);
}

void follow_ups_update(struct follow_ups *follow_ups, int64_t now_ms)
{
    const struct follow_ups_setup *setup = &follow_ups->setup;
    for (size_t i = 0; i < setup->config->app_count; i++) {
        struct plan *plan = &follow_ups->plans[i];
        int64_t at_ms = plan->follows ? due_ms(follow_ups, plan) : INT64_MAX;
        if (now_ms < at_ms)
            continue;
        if (!setup->busy(setup->arg, i))
            take(follow_ups, i);
        else if (now_ms - at_ms >= setup->config->follow_up_ms)
            drop(plan, "the app's profiler was not free for it, or a limit was in the way");
    }
}

const char *follow_ups_planned(const struct follow_ups *follow_ups, size_t app, int64_t *due)
{
    const struct plan *plan = &follow_ups->plans[app];
    if (due)
        *due = plan->follows ? due_ms(follow_ups, plan) : INT64_MAX;
    return plan->follows;
}
