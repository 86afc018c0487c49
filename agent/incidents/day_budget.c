#include "agent/incidents/day_budget.h"

#include "agent/agent_parts.h"
#include "agent/detection/ledger.h"
#include "agent/storage/spool.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/metric.h"
#include "core/offload.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void take_up(void *arg, const char *id)
{
    struct agent *agent = arg;
    int64_t wall_ms;
    if (ledger_has_stored(agent->ledger, id) || incident_id_time(id, &wall_ms) < 0)
        return;
    char *folder = spool_folder(agent->spool, id);
    ledger_store(agent->ledger, id, wall_ms, fs_size(folder));
    free(folder);
}

void day_budget_take_up(struct agent *agent)
{
    struct error err;
    if (spool_each(agent->spool, take_up, agent, &err) < 0)
        log_warn("what waits in the spool is not counted for limits.per_day: %s", err.text);
}

/* Measuring one incident. */
struct measuring {
    struct agent *agent;
    char *id, *folder;
    uint64_t bytes;
};

static void measure(void *arg)
{
    struct measuring *measuring = arg;
    measuring->bytes += fs_size(measuring->folder);
}

static void measured(void *arg)
{
    struct measuring *measuring = arg;
    if (measuring->bytes) /* else somebody has removed it */
        ledger_store(measuring->agent->ledger, measuring->id, clock_wall_ms(), measuring->bytes);
    free(measuring->id);
    free(measuring->folder);
    free(measuring);
}

void day_budget_count(struct agent *agent, const char *id)
{
    struct measuring *measuring = xcalloc(1, sizeof *measuring);
    *measuring = (struct measuring){.agent = agent, .id = xstrdup(id)};
    measuring->folder = spool_place(agent->spool, id, &measuring->bytes);
    offload_submit(agent->disk, measure, measured, measuring);
}

static void pass(void *arg)
{
    (void)arg;
}

static void removed(void *arg)
{
    struct measuring *measuring = arg;
    ledger_unstore(measuring->agent->ledger, measuring->id);
    free(measuring->id);
    free(measuring);
}

void day_budget_uncount(struct agent *agent, const char *id)
{
    struct measuring *measuring = xcalloc(1, sizeof *measuring);
    *measuring = (struct measuring){.agent = agent, .id = xstrdup(id)};
    offload_submit(agent->disk, pass, removed, measuring);
}

bool day_budget_is_spent(const struct agent *agent, char why[DAY_BUDGET_WHY_SIZE])
{
    struct ledger_day day;
    char bytes[VALUE_TEXT_SIZE], limit[VALUE_TEXT_SIZE], room[RFC3339_SIZE];
    ledger_day(agent->ledger, &day);
    if (!day.room_wall_ms)
        return false;
    metric_format(UNIT_BYTES, (double)day.bytes, bytes);
    metric_format(UNIT_BYTES, (double)day.limit_bytes, limit);
    rfc3339_format(day.room_wall_ms, room);
    snprintf(why, DAY_BUDGET_WHY_SIZE,
        "limits.per_day: %s of %s in the last 24 hours; there is room at %.16sZ", bytes, limit,
        room);
    return true;
}
