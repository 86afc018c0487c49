#include "agent/control/progress.h"

#include "agent/agent_parts.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/reports.h"
#include "agent/storage/delivery.h"

enum progress progress_of(const struct agent *agent, const char *id, const char **reason)
{
    static const char unwritten[] = "it cannot be written below `state`; the agent's log says why";
    if (incidents_failing(agent->incidents, id)) {
        if (reason)
            *reason = unwritten;
        return PROGRESS_FAILING;
    }
    if (incidents_is_running(agent->incidents, id))
        return PROGRESS_CAPTURING;
    if (reports_has(agent->reports, id))
        return PROGRESS_WAITING;
    switch (delivery_progress(agent->delivery, id, reason)) {
    case DELIVERY_WAITING:
        return PROGRESS_WAITING;
    case DELIVERY_FAILING:
        return PROGRESS_FAILING;
    case DELIVERY_STORED: /* or never heard of */
        break;
    }
    return incidents_opened(agent->incidents, id) ? PROGRESS_STORED : PROGRESS_UNKNOWN;
}
