#include "agent/incidents/admission.h"

#include "agent/agent_parts.h"
#include "agent/apps/preflight.h"
#include "agent/incidents/incidents.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/error.h"

#include <string.h>

const char *admission_refusal(const struct agent *agent)
{
    if (agent->stop_by_ms)
        return "the agent is stopping";
    if (spool_bytes(agent->spool) >= (uint64_t)agent->config->limits.spool_bytes)
        return "the spool is full (limits.spool): incidents wait for an exporter";
    return NULL;
}

/* The index of the named app, or -1 and err. */
static int find_app(const struct config *config, const char *app, struct error *err)
{
    for (size_t i = 0; i < config->app_count; i++)
        if (!app || !strcmp(config->apps[i].name, app))
            return (int)i;
    return error_set(err, "there is no app \"%s\": see apps in `stakeout config`", app);
}

int admission_check(
    const struct config *config, const char *app, const char *set, struct error *err)
{
    if (set && !config_capture(config, set))
        return error_set(
            err, "there is no capture set \"%s\": see captures in `stakeout config`", set);
    return find_app(config, app, err) < 0 ? -1 : 0;
}

const char *admission_take(
    struct agent *agent, const char *app, const char *reason, const char *set, struct error *err)
{
    const char *refusal = admission_refusal(agent);
    if (refusal) {
        error_set(err, "%s", refusal);
        return NULL;
    }
    int index = find_app(agent->config, app, err);
    if (index < 0)
        return NULL;
    preflight_clear_way(agent->preflight, (size_t)index);
    return incidents_manual(agent->incidents, (size_t)index, reason, set, err);
}
