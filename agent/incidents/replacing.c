#include "agent/incidents/replacing.h"

#include "agent/agent_parts.h"
#include "agent/detection/detector.h"
#include "agent/detection/familiar.h"
#include "agent/detection/gate.h"
#include "agent/detection/interest.h"
#include "agent/incidents/day_budget.h"
#include "agent/incidents/incidents.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_withdraw.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One that waits. */
struct read {
    char *id, *app, *metric, *group;
    bool fixed; /* a baseline, taken by hand, or not read: it is not replaced */
    struct interest interest;
};

struct replacing {
    struct read all[REPLACING_MOST];
    size_t count;
    size_t readings; /* on the disk thread, which is closed before this is */
};

struct reading {
    const struct agent *agent;
    char *id, *path;
    struct incident *incident; /* NULL: it cannot be read */
};

struct replacing *replacing_open(void)
{
    return xcalloc(1, sizeof(struct replacing));
}

static void forget(struct replacing *replacing, size_t index)
{
    struct read *read = &replacing->all[index];
    free(read->id);
    free(read->app);
    free(read->metric);
    free(read->group);
    *read = replacing->all[--replacing->count];
}

void replacing_close(struct replacing *replacing)
{
    while (replacing && replacing->count)
        forget(replacing, 0);
    free(replacing);
}

static char *path_of(const struct spool *spool, const char *id)
{
    char *folder = spool_folder(spool, id), *path = xasprintf("%s/incident.json", folder);
    free(folder);
    return path;
}

static bool is_of_grave_trigger(const struct config *config, const char *name)
{
    for (size_t i = 0; name && i < config->trigger_count; i++)
        if (!strcmp(config->triggers[i].name, name))
            return gate_is_grave(&config->triggers[i]);
    return false;
}

static bool is_empty(const struct incident *incident)
{
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].status == PROFILE_OK ||
            incident->profiles[i].status == PROFILE_TRUNCATED)
            return false;
    return true;
}

static enum unit unit_of(const char *metric)
{
    const struct metric *known = metric ? metric_of_series(metric) : NULL;
    return known ? known->unit : UNIT_NONE;
}

static void take(struct read *read, const struct agent *agent, const struct incident *incident)
{
    const struct incident_cause *trigger = &incident->trigger;
    bool follow_up = !strcmp(incident->kind, "follow_up");
    double peak = incident_peak(incident);
    read->fixed = !follow_up && strcmp(incident->kind, "spike") != 0;
    read->app = xstrdup(incident->app ? incident->app : "");
    read->metric = trigger->metric ? xstrdup(trigger->metric) : NULL;
    read->group = incident->analysis.group ? xstrdup(incident->analysis.group) : NULL;
    read->interest = (struct interest){
        .grave = !follow_up && is_of_grave_trigger(agent->config, trigger->name),
        .follow_up = follow_up,
        .empty = is_empty(incident),
        .app = read->app,
        .metric = read->metric,
        .unit = unit_of(read->metric),
        .value = isnan(peak) ? trigger->value : peak,
        .limit = trigger->limit,
        .down = trigger->down};
}

static struct read *find(struct replacing *replacing, const char *id)
{
    for (size_t i = 0; i < replacing->count; i++)
        if (!strcmp(replacing->all[i].id, id))
            return &replacing->all[i];
    return NULL;
}

static void work_read(void *arg)
{
    struct reading *reading = arg;
    reading->incident = incident_read(reading->path, NULL);
}

/* One that cannot be read may be anything: it stays. */
static void have_read(void *arg)
{
    struct reading *reading = arg;
    struct replacing *replacing = reading->agent->replacing;
    struct read *read = find(replacing, reading->id);
    if (read && !read->app && reading->incident)
        take(read, reading->agent, reading->incident);
    replacing->readings--;
    incident_free(reading->incident);
    free(reading->id);
    free(reading->path);
    free(reading);
}

static void begin_reading(const struct agent *agent, const char *id)
{
    struct replacing *replacing = agent->replacing;
    struct reading *reading = xcalloc(1, sizeof *reading);
    *reading = (struct reading){
        .agent = agent, .id = xstrdup(id), .path = path_of(agent->spool, id)};
    replacing->readings++;
    replacing->all[replacing->count++] = (struct read){.id = xstrdup(id), .fixed = true};
    offload_submit(agent->disk, work_read, have_read, reading);
}

static bool is_among(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(ids[i], id))
            return true;
    return false;
}

/* Keeps what was read of those that wait, and has some that are new read. */
static void update(const struct agent *agent, const char *const *ids, size_t count)
{
    struct replacing *replacing = agent->replacing;
    for (size_t i = replacing->count; i-- > 0;)
        if (!is_among(replacing->all[i].id, ids, count))
            forget(replacing, i);
    for (size_t i = 0; i < count && replacing->readings < REPLACING_READS; i++)
        if (!find(replacing, ids[i]))
            begin_reading(agent, ids[i]);
}

static struct interest interest_of(const struct agent *agent, const struct detector_event *event)
{
    const struct trigger_config *trigger = &agent->config->triggers[event->trigger];
    return (struct interest){.grave = gate_is_grave(trigger),
        .app = agent->config->apps[trigger->app].name,
        .metric = event->metric,
        .unit = event->unit,
        .value = event->value,
        .limit = event->limit,
        .down = event->down};
}

const char *replacing_choose(void *arg, const struct detector_event *event)
{
    const struct agent *agent = arg;
    const char *ids[REPLACING_MOST], *candidates[REPLACING_MOST];
    struct interest interests[REPLACING_MOST];
    size_t waiting = delivery_untouched(agent->delivery, ids, REPLACING_MOST), count = 0;
    update(agent, ids, waiting);
    for (size_t i = 0; i < waiting; i++) {
        const struct read *read = find(agent->replacing, ids[i]);
        if (!read || read->fixed || incidents_are_to_replace(agent->incidents, ids[i]))
            continue;
        candidates[count] = ids[i];
        interests[count] = read->interest;
        interests[count++].known = read->group && familiar_knows(agent->familiar, read->group);
    }
    const struct interest fire = interest_of(agent, event);
    size_t chosen = interest_choose(&fire, interests, count);
    return chosen < count ? candidates[chosen] : NULL;
}

bool replacing_take_back(void *arg, const char *old, const char *id)
{
    const struct agent *agent = arg;
    bool taken = agent->delivery && delivery_withdraw(agent->delivery, old);
    if (!taken)
        log_info("incident %s replaces none: %s is with an exporter, or on its way", id, old);
    return taken;
}

void replacing_remove(void *arg, const char *old, const char *id)
{
    struct agent *agent = arg;
    if (!agent->delivery) /* it is being closed: the next start does it */
        return;
    if (spool_in_memory(agent->spool, id)) { /* what is on the disk is not given for that */
        log_info("incident %s replaces none: the disk did not take it, and %s stays", id, old);
        delivery_add(agent->delivery, old);
        return;
    }
    log_info(
        "incident %s is replaced by %s, which is worse (limits.per_hour), and removed from the "
        "spool",
        old, id);
    agent->incidents_replaced++;
    spool_remove(agent->spool, old);
    day_budget_uncount(agent, old);
}

static void finish(void *arg, const char *id)
{
    const struct agent *agent = arg;
    struct error err;
    char *path = path_of(agent->spool, id);
    struct incident *incident = incident_read(path, NULL);
    const char *old = incident ? incident->replaced : NULL;
    char *folder = old ? spool_folder(agent->spool, old) : NULL;
    if (folder && strcmp(old, id) != 0 && fs_exists(folder)) {
        log_info("incident %s was replaced by %s in an earlier run, and is removed from the spool",
            old, id);
        if (spool_remove_now(agent->spool, old, &err) < 0)
            log_warn("%s", err.text);
    }
    free(folder);
    free(path);
    incident_free(incident);
}

void replacing_take_up(struct agent *agent)
{
    struct error err;
    if (spool_each(agent->spool, finish, agent, &err) < 0)
        log_warn("%s", err.text);
}
