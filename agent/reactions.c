#include "agent/reactions.h"

#include "agent/agent_parts.h"
#include "agent/apps/preflight.h"
#include "agent/capture/recorder.h"
#include "agent/detection/detector.h"
#include "agent/detection/familiar.h"
#include "agent/detection/learned.h"
#include "agent/detection/ledger.h"
#include "agent/fleet/fleet.h"
#include "agent/incidents/admission.h"
#include "agent/incidents/day_budget.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/replacing.h"
#include "agent/kinds.h"
#include "agent/sampling/sampler.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "sources/source.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(const struct agent *agent, const struct detector_event *event)
{
    return agent->config->triggers[event->trigger].name;
}

static int on_open(void *arg, const struct detector_event *event, struct error *err)
{
    struct agent *agent = arg;
    if (!event->again)
        log_info("trigger %s fired: %s", name_of(agent, event), event->reason);
    size_t app = agent->config->triggers[event->trigger].app;
    preflight_clear_way(agent->preflight, app);
    if (incidents_fire(agent->incidents, event, err) < 0)
        return -1;
    if (!event->joins)
        fleet_opened(
            agent->fleet, agent->incidents, event, incidents_running(agent->incidents, app));
    return 0;
}

/* Other copies of the service have it. */
static void on_given_up(void *arg, const struct detector_event *fire, const char *why)
{
    struct agent *agent = arg;
    agent->fires--;
    agent->incidents_opened--;
    agent->fires_given_up++;
    ledger_withdraw(agent->ledger, fire);
    detector_withdraw(agent->detector, fire, "fleet", why);
}

static void suppressed(struct agent *agent, const struct detector_event *event)
{
    agent->fires_suppressed++;
    incidents_suppressed(agent->incidents);
    if (!strcmp(event->by, "failure"))
        log_error("trigger %s opens no incident: %s; it tries again while its condition holds",
            name_of(agent, event), event->reason);
    else
        log_info(
            "trigger %s suppressed by %s: %s", name_of(agent, event), event->by, event->reason);
}

/* What recurs has the recorder wait for the next onset. */
static void recurred(struct agent *agent, const struct detector_event *event)
{
    size_t app = agent->config->triggers[event->trigger].app;
    log_info("trigger %s: %s", name_of(agent, event), event->reason);
    if (event->type == EVENT_ARM)
        recorder_arm(agent->recorder, app, event->trigger, event->recurrence->window_start_ms,
            event->recurrence->window_end_ms);
    else if (event->type != EVENT_RECOGNISED)
        recorder_disarm(agent->recorder, app, event->trigger);
}

static void on_event(void *arg, const struct detector_event *event)
{
    struct agent *agent = arg;
    switch (event->type) {
    case EVENT_FIRE:
        agent->fires++;
        ledger_note(agent->ledger, event);
        if (!event->joins)
            agent->incidents_opened++;
        break;
    case EVENT_SUPPRESSED:
        suppressed(agent, event);
        break;
    case EVENT_CLEAR:
        log_info("trigger %s is clear again", name_of(agent, event));
        break;
    case EVENT_HIT:
    case EVENT_MISS:
    case EVENT_RECOGNISED:
    case EVENT_DORMANT:
    case EVENT_ARM:
        recurred(agent, event);
        break;
    }
}

static bool on_running(void *arg, size_t app)
{
    const struct agent *agent = arg;
    return incidents_can_join(agent->incidents, app);
}

/* What is taken by hand is bound by the first of these only. */
static const char *on_refusal(void *arg)
{
    struct agent *agent = arg;
    const char *refusal = admission_refusal(agent);
    if (!refusal && day_budget_is_spent(agent, agent->refusal))
        refusal = agent->refusal;
    return refusal;
}

static bool on_known(void *arg, const struct detector_event *event, char why[DETECTOR_WHY_SIZE])
{
    const struct agent *agent = arg;
    return familiar_explains(agent->familiar, event, why);
}

/* As the source knows it; its wall clock is mapped to that of the samples. */
static int64_t on_started(void *arg, size_t app)
{
    struct agent *agent = arg;
    struct source_identity identity = {0};
    sampler_identify(agent->sampler, app, &identity);
    return identity.started_wall_ms ? identity.started_wall_ms - clock_wall_ms() + clock_mono_ms()
                                    : INT64_MIN;
}

static struct detector *open_detector(struct agent *agent)
{
    struct detector_hooks hooks = {.event = on_event,
        .running = on_running,
        .refusal = on_refusal,
        .replaceable = replacing_choose,
        .known = on_known,
        .started = on_started,
        .open = on_open,
        .arg = agent};
    return detector_open(agent->config, &agent->series, true, &hooks);
}

static struct learned *open_learned(const struct agent *agent)
{
    struct learned *learned = learned_open(&(struct learned_setup){.config = agent->config,
        .loop = agent->loop,
        .disk = agent->disk,
        .detector = agent->detector,
        .delivery = agent->delivery});
    learned_restore(learned);
    return learned;
}

void reactions_open(struct agent *agent)
{
    agent->detector = open_detector(agent);
    agent->ledger = ledger_open(agent->config, agent->disk);
    ledger_restore(agent->ledger, agent->detector);
    agent->familiar = familiar_open(&(struct familiar_setup){.config = agent->config,
        .loop = agent->loop,
        .disk = agent->disk,
        .delivery = agent->delivery,
        .spool = agent->spool});
    agent->learned = open_learned(agent);
    agent->fleet = fleet_open(&(struct fleet_setup){.loop = agent->loop,
        .disk = agent->disk,
        .spool = agent->spool,
        .delivery = agent->delivery,
        .config = agent->config,
        .given_up = on_given_up,
        .arg = agent});
}

void reactions_arm_again(const struct agent *agent)
{
    for (size_t i = 0; i < agent->config->trigger_count; i++) {
        struct detector_status status;
        detector_status(agent->detector, i, &status);
        if (status.recurrence && status.recurrence->window_start_ms != INT64_MIN)
            recorder_arm(agent->recorder, agent->config->triggers[i].app, i,
                status.recurrence->window_start_ms, status.recurrence->window_end_ms);
    }
}

/* What the file says is for triggers that begin anew; the others know it, and what came since. */
void reactions_reload(struct agent *agent, const struct delivery_change *change)
{
    struct detector *before = agent->detector;
    learned_close(agent->learned);
    agent->detector = open_detector(agent);
    ledger_reload(agent->ledger, agent->config);
    ledger_tell(agent->ledger, agent->detector);
    agent->learned = open_learned(agent);
    detector_take_over(agent->detector, before);
    detector_close(before);
    familiar_reload(agent->familiar, agent->config, agent->delivery, change);
    reactions_arm_again(agent);
}

enum excursion reactions_excursion(void *arg, const bool *triggers, int64_t *ended_ms)
{
    const struct agent *agent = arg;
    return agent->once ? EXCURSION_UNTOLD : detector_excursion(agent->detector, triggers, ended_ms);
}

void reactions_recurrence(
    void *arg, size_t trigger, int64_t wall_offset_ms, struct incident_recurrence *recurrence)
{
    const struct agent *agent = arg;
    const struct recurrence *pattern = agent->once ? NULL
                                                   : detector_pattern_of(agent->detector, trigger);
    if (!pattern)
        return;
    *recurrence = (struct incident_recurrence){.period_s = pattern->period_s,
        .jitter_s = pattern->jitter_s,
        .onsets = pattern->onsets,
        .next_ms = pattern->expected_ms == INT64_MIN ? 0 : pattern->expected_ms + wall_offset_ms};
}

void reactions_sum_up(const struct agent *agent)
{
    for (size_t i = 0; i < agent->config->trigger_count; i++) {
        struct detector_status status;
        char fires[64];
        detector_status(agent->detector, i, &status);
        snprintf(fires, sizeof fires, "%llu fire%s, %llu suppressed",
            (unsigned long long)status.fires, status.fires == 1 ? "" : "s",
            (unsigned long long)status.suppressed);
        const struct trigger_config *trigger = &agent->config->triggers[i];
        const char *name = trigger->name;
        if (trigger_kinds[trigger->kind]->kind.never_fires)
            log_info("trigger %s: %s", name, status.has_nearest ? status.nearest : "nothing seen");
        else if (status.told_ms != INT64_MIN)
            log_info("trigger %s: %s; the last: %s", name, fires, status.told);
        else if (status.has_nearest)
            log_info("trigger %s did not fire: %s", name, status.nearest);
        else
            log_info("trigger %s did not fire: nothing was measured for it", name);
    }
}
