#include "agent/baseline/calm.h"

#include "agent/agent_parts.h"
#include "agent/apps/app_metric.h"
#include "agent/apps/preflight.h"
#include "agent/baseline/baselines.h"
#include "agent/capture/heat.h"
#include "agent/capture/recorder.h"
#include "agent/detection/detector.h"
#include "agent/incidents/admission.h"
#include "agent/incidents/day_budget.h"
#include "agent/incidents/follow_ups.h"
#include "agent/incidents/incidents.h"
#include "agent/reactions.h"
#include "agent/sampling/sampler.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "sources/source.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is not stored yet of real incidents goes first. */
static const int64_t spool_share_percent = 50;

/* Beside the set's own length: requests, and the app's time to write the profiles. */
static const int64_t slack_ms = 15000;

/* The recorder takes slices; the first is to be under way when the window opens. */
static const int64_t ahead_ms = 1000;

static int64_t length_ms(const struct config *config)
{
    const struct capture_set *set = config_capture(config, "spike");
    int64_t seconds = 0;
    for (size_t i = 0; i < set->count; i++)
        seconds += set->entries[i].seconds;
    return seconds * 1000 + slack_ms;
}

/* When the recorder's window opens (monotonic), or has; INT64_MAX: none is known. */
static int64_t window_ms(const struct agent *agent, size_t app)
{
    struct recorder_status status;
    recorder_status(agent->recorder, app, &status);
    return status.until_ms == INT64_MIN ? INT64_MAX : status.from_ms;
}

/* The CPU is what every source measures. */
static bool is_measured(const struct agent *agent, size_t app)
{
    return app_metric_newest(agent->config, &agent->series, app, "cpu", clock_mono_ms()) != NULL;
}

static const char *holding_trigger(const struct agent *agent, size_t app)
{
    for (size_t i = 0; i < agent->config->trigger_count; i++)
        if (agent->config->triggers[i].app == app && detector_holds(agent->detector, i))
            return agent->config->triggers[i].name;
    return NULL;
}

/* Its CPU profile would wait, and fail. */
static bool is_too_hot(const struct agent *agent, size_t app)
{
    const struct heat heat = {agent->config, &agent->series, app};
    return heat_is_too_hot(&heat, clock_mono_ms(), NULL);
}

/* The hook of baselines.h. */
static bool on_unrest(void *arg, size_t app, char why[BASELINES_WHY_SIZE])
{
    static const char *const reasons[] = {"the agent is stopping", "its profiles are being tried",
        "an incident is being taken", "nothing is measured",
        "the app has started just now (quiet.after_start)", "a spike is expected soon",
        "the spool is filling up", "limits.per_day is reached",
        "the disk below `state` takes no files", "the app's cpu is above limits.hold_off"};
    const struct agent *agent = arg;
    const char *trigger = holding_trigger(agent, app);
    char spent[DAY_BUDGET_WHY_SIZE];
    uint64_t most = (uint64_t)(agent->config->limits.spool_bytes / 100 * spool_share_percent);
    const bool is[] = {agent->stop_by_ms != 0, preflight_is_running(agent->preflight, app),
        incidents_are_busy(agent->incidents, app), !is_measured(agent, app),
        detector_is_quiet(agent->detector, app),
        window_ms(agent, app) <= clock_mono_ms() + length_ms(agent->config),
        spool_bytes(agent->spool) >= most, day_budget_is_spent(agent, spent),
        spool_trouble(agent->spool) != NULL, is_too_hot(agent, app)};
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        if (is[i]) {
            snprintf(why, BASELINES_WHY_SIZE, "%s", reasons[i]);
            return true;
        }
    }
    if (trigger)
        snprintf(why, BASELINES_WHY_SIZE, "trigger %s holds", trigger);
    return trigger != NULL;
}

static void on_identify(void *arg, size_t app, struct source_identity *identity)
{
    const struct agent *agent = arg;
    sampler_identify(agent->sampler, app, identity);
}

static const char *on_running(void *arg, size_t app)
{
    const struct agent *agent = arg;
    return incidents_running(agent->incidents, app);
}

static const char *on_take(void *arg, size_t app, const char *reason, struct error *err)
{
    const struct agent *agent = arg;
    return incidents_baseline(agent->incidents, app, reason, err);
}

/* The hooks of follow_ups.h. */
static bool on_busy(void *arg, size_t app)
{
    const struct agent *agent = arg;
    char spent[DAY_BUDGET_WHY_SIZE];
    return admission_refusal(agent) || day_budget_is_spent(agent, spent) ||
           preflight_is_running(agent->preflight, app) ||
           incidents_are_busy(agent->incidents, app) || is_too_hot(agent, app) ||
           window_ms(agent, app) <= clock_mono_ms() + slack_ms;
}

static const char *on_follow(
    void *arg, size_t app, const char *follows, const char *set, struct error *err)
{
    const struct agent *agent = arg;
    return incidents_follow_up(agent->incidents, app, follows, set, err);
}

void calm_open(struct agent *agent)
{
    agent->follow_ups = follow_ups_open(&(struct follow_ups_setup){.config = agent->config,
        .excursion = reactions_excursion,
        .busy = on_busy,
        .take = on_follow,
        .arg = agent});
    agent->baselines = baselines_open(&(struct baselines_setup){.config = agent->config,
        .loop = agent->loop,
        .disk = agent->disk,
        .delivery = agent->delivery,
        .identify = on_identify,
        .unrest = on_unrest,
        .running = on_running,
        .take = on_take,
        .arg = agent});
}

void calm_update(struct agent *agent)
{
    int64_t now_ms = clock_mono_ms();
    for (size_t i = 0; i < agent->config->app_count; i++)
        if (window_ms(agent, i) <= now_ms + ahead_ms)
            incidents_give_way(agent->incidents, i);
    follow_ups_update(agent->follow_ups, now_ms);
    baselines_update(agent->baselines, now_ms);
}
