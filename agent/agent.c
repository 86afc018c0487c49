#include "agent/agent.h"

#include "agent/agent_parts.h"
#include "agent/apps/lives.h"
#include "agent/apps/preflight.h"
#include "agent/baseline/baselines.h"
#include "agent/baseline/calm.h"
#include "agent/capture/endpoint.h"
#include "agent/capture/heat.h"
#include "agent/capture/recorder.h"
#include "agent/control/control.h"
#include "agent/detection/detector.h"
#include "agent/detection/familiar.h"
#include "agent/detection/learned.h"
#include "agent/detection/ledger.h"
#include "agent/fleet/fleet.h"
#include "agent/incidents/day_budget.h"
#include "agent/incidents/follow_ups.h"
#include "agent/incidents/incident_writing.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/memory_room.h"
#include "agent/incidents/replacing.h"
#include "agent/incidents/reports.h"
#include "agent/kinds.h"
#include "agent/late/late.h"
#include "agent/notices/notices.h"
#include "agent/reactions.h"
#include "agent/reload.h"
#include "agent/sampling/sampler.h"
#include "agent/sampling/ticks.h"
#include "agent/self/crashes.h"
#include "agent/self/footprint.h"
#include "agent/self/signals.h"
#include "agent/self/worker.h"
#include "agent/statements/statements.h"
#include "agent/storage/delivery.h"
#include "agent/storage/quota.h"
#include "agent/storage/reserve.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/descriptors.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/own_ports.h"

#include <stdlib.h>
#include <unistd.h>

/* What the agent takes of limits.memory: 16 MiB are measured (scripts/bench), and what a disk that
 * takes no files leaves to memory. Its child has the rest. */
static const int64_t own_memory_bytes = (16 << 20) + RESERVE_BYTES;

/* What a close gives its threads: the disk may have something to finish, a look-up has not. */
static const int64_t close_disk_ms = 3000, close_names_ms = 200, close_statements_ms = 300;

static bool on_ended(void *arg, size_t app, const struct app_end **end)
{
    const struct agent *agent = arg;
    return lives_end(agent->lives, app, end);
}

static bool on_busy(void *arg, size_t app)
{
    const struct agent *agent = arg;
    const struct heat heat = {agent->config, &agent->series, app};
    return incidents_are_busy(agent->incidents, app) ||
           heat_is_too_hot(&heat, clock_mono_ms(), NULL);
}

void agent_sampled(void *arg)
{
    struct agent *agent = arg;
    if (spool_taken(agent->spool) && !agent->stop_by_ms) {
        log_error(
            "%s; it had the folder's lock first as the disk took files again, so this one ends",
            spool_taken(agent->spool));
        signals_stop(agent);
    }
    lives_update(agent->lives);
    if (!agent->once) {
        detector_check(agent->detector);
        learned_update(agent->learned);
        familiar_update(agent->familiar);
        calm_update(agent);
        preflight_update(agent->preflight);
    }
    incidents_sampled(agent->incidents);
    late_give_way(agent->late);
    quota_look(agent->quota);
}

static void deliver(struct agent *agent, const char *id)
{
    /* Not yet, of what an earlier run left. */
    if (agent->familiar) {
        if (!spool_in_memory(agent->spool, id)) /* it has not been analysed */
            familiar_note(agent->familiar, id);
        day_budget_count(agent, id); /* with its report, if it has one */
    }
    late_take(agent->late, id);
    delivery_add(agent->delivery, id);
}

static const char *on_baseline(void *arg, const struct incident *incident)
{
    const struct agent *agent = arg;
    return baselines_choose(agent->baselines, incident);
}

/* Delivery removes what is stored, so it is kept to compare with first. */
static void keep_baseline(const struct agent *agent, const char *id)
{
    char *folder = spool_folder(agent->spool, id);
    baselines_taken(agent->baselines, folder);
    free(folder);
}

static void on_spiked(void *arg, const struct incidents_spiked *spiked)
{
    const struct agent *agent = arg;
    if (agent->follow_ups)
        follow_ups_plan(agent->follow_ups, spiked);
}

static void on_complete(void *arg, const char *id)
{
    struct agent *agent = arg;
    if (!agent->delivery) /* there is none any more while the agent is being closed */
        return;
    bool in_memory = spool_in_memory(agent->spool, id);
    if (incident_id_is_of(id, "baseline") && !in_memory)
        keep_baseline(agent, id);
    if (agent->config->limits.analyse == ANALYSE_AGENT && !in_memory) {
        day_budget_count(agent, id);
        reports_add(agent->reports, id, clock_mono_ms() + REPORTS_WAIT_MS);
    } else {
        deliver(agent, id);
    }
}

static void on_reported(void *arg, const char *id)
{
    const struct agent *agent = arg;
    if (agent->delivery) /* there is none any more while the agent is being closed */
        deliver(arg, id);
}

static bool on_memory(void *arg, char why[REPORTS_WHY_SIZE])
{
    const struct agent *agent = arg;
    return memory_room_lacks(
        agent->config, &agent->series, worker_child_memory(agent->worker), clock_mono_ms(), why);
}

/* An incident of an earlier run: that may have been killed before there was a report. */
static bool lacks_report(void *arg, const char *id)
{
    struct agent *agent = arg;
    bool lacks = agent->config->limits.analyse == ANALYSE_AGENT &&
                 reports_lacks(agent->reports, id);
    if (lacks)
        reports_add(agent->reports, id, clock_mono_ms() + REPORTS_WAIT_MS);
    else
        late_take(agent->late, id);
    return lacks;
}

static int64_t on_window(void *arg, int64_t fired_wall_ms)
{
    const struct agent *agent = arg;
    return fleet_window(agent->fleet, fired_wall_ms);
}

static void on_identify(void *arg, size_t app, struct source_identity *identity)
{
    struct agent *agent = arg;
    sampler_identify(agent->sampler, app, identity);
}

static int open_threads(struct agent *agent, struct error *err)
{
    agent->loop = loop_open(err);
    if (!agent->loop)
        return -1;
    agent->disk = offload_open(agent->loop, "disk", err);
    agent->names = offload_open(agent->loop, "names", err);
    return agent->disk && agent->names ? 0 : -1;
}

static bool on_known_group(void *arg, const char *group)
{
    const struct agent *agent = arg;
    return agent->familiar && familiar_knows(agent->familiar, group);
}

static int open_notices(struct agent *agent, struct error *err)
{
    agent->notices = notices_open(&(struct notices_setup){.loop = agent->loop,
                                      .disk = agent->disk,
                                      .spool = agent->spool,
                                      .delivery = agent->delivery,
                                      .config = agent->config,
                                      .known = on_known_group,
                                      .arg = agent},
        err);
    return agent->notices ? 0 : -1;
}

static int open_spool(struct agent *agent, struct error *err)
{
    agent->spool = spool_open(agent->config, agent->disk, err);
    if (!agent->spool)
        return -1;
    agent->delivery = delivery_open(agent->loop, agent->disk, agent->spool, agent->config, err);
    if (!agent->delivery)
        return -1;
    agent->quota = quota_open(
        &(struct quota_setup){
            .disk = agent->disk, .spool = agent->spool, .delivery = agent->delivery},
        agent->config);
    return 0;
}

int64_t agent_child_memory(const struct config *config)
{
    return config->limits.memory_bytes - own_memory_bytes;
}

static int open_reports(struct agent *agent, struct error *err)
{
    struct worker_setup worker = {
        .loop = agent->loop, .child_memory_bytes = agent_child_memory(agent->config)};
    agent->worker = worker_open(&worker);
    struct reports_setup setup = {
        .loop = agent->loop,
        .spool = agent->spool,
        .worker = agent->worker,
        .config = agent->config,
        .disk = agent->disk,
        .short_of_memory = on_memory,
        .done = on_reported,
        .arg = agent,
    };
    agent->reports = reports_open(&setup);
    agent->late = late_open(&(struct late_setup){.loop = agent->loop,
        .disk = agent->disk,
        .spool = agent->spool,
        .delivery = agent->delivery,
        .reports = agent->reports,
        .worker = agent->worker,
        .config = agent->config,
        .short_of_memory = on_memory,
        .arg = agent});
    agent->replacing = replacing_open();
    replacing_take_up(agent);
    return delivery_take_up(agent->delivery, lacks_report, agent, err);
}

void agent_open_endpoints(struct agent *agent)
{
    agent->endpoint_count = agent->config->app_count;
    agent->endpoints = xcalloc(agent->endpoint_count, sizeof *agent->endpoints);
    for (size_t i = 0; i < agent->endpoint_count; i++)
        agent->endpoints[i] = endpoint_new();
    struct recorder_setup recorder = {.loop = agent->loop,
        .disk = agent->disk,
        .spool = agent->spool,
        .config = agent->config,
        .endpoints = agent->endpoints,
        .series = &agent->series};
    agent->recorder = recorder_open(&recorder);
    struct preflight_setup preflight = {.loop = agent->loop,
        .config = agent->config,
        .recorder = agent->recorder,
        .endpoints = agent->endpoints,
        .busy = on_busy,
        .arg = agent};
    agent->preflight = preflight_open(&preflight);
}

void agent_close_endpoints(struct agent *agent)
{
    for (size_t i = 0; i < agent->endpoint_count; i++)
        endpoint_free(agent->endpoints[i]);
    free(agent->endpoints);
}

static void on_captured(void *arg)
{
    const struct agent *agent = arg;
    statements_hurry(agent->statements);
}

static bool on_late(void *arg)
{
    const struct agent *agent = arg;
    return statements_are_late(agent->statements);
}

static void on_note(void *arg, struct incident *incident, int64_t begin_ms)
{
    const struct agent *agent = arg;
    statements_note(agent->statements, incident, begin_ms);
}

static void open_incidents(struct agent *agent)
{
    agent_open_endpoints(agent);
    struct incidents_setup setup = {
        .loop = agent->loop,
        .disk = agent->disk,
        .spool = agent->spool,
        .recorder = agent->recorder,
        .worker = agent->worker,
        .config = agent->config,
        .endpoints = agent->endpoints,
        .series = &agent->series,
        .identify = on_identify,
        .ended = on_ended,
        .excursion = reactions_excursion,
        .recurrence = reactions_recurrence,
        .baseline = on_baseline,
        .captured = on_captured,
        .late = on_late,
        .note = on_note,
        .spiked = on_spiked,
        .window = on_window,
        .take_back = replacing_take_back,
        .replaced = replacing_remove,
        .complete = on_complete,
        .arg = agent,
    };
    agent->incidents = incidents_open(&setup);
}

struct sampler *agent_open_sampler(
    struct agent *agent, const struct config *config, struct error *err)
{
    struct sampler_setup setup = {
        .loop = agent->loop,
        .names = agent->names,
        .series = &agent->series,
        .config = config,
        .own_ports = agent->own_ports,
        .sampled = agent_sampled,
        .arg = agent,
    };
    return sampler_open(&setup, err);
}

int agent_open_statements(struct agent *agent, struct error *err)
{
    agent->statements = statements_open(agent->loop, agent->config, agent->own_ports, err);
    return agent->statements || !err->text[0] ? 0 : -1;
}

static int open_sampler(struct agent *agent, struct error *err)
{
    agent->own_ports = own_ports_new();
    series_set_init(&agent->series, incident_history(agent->config));
    agent->sampler = agent_open_sampler(agent, agent->config, err);
    return agent->sampler ? agent_open_statements(agent, err) : -1;
}

struct agent *agent_open(const struct config *config, struct error *err)
{
    struct agent *agent = xcalloc(1, sizeof *agent);
    descriptors_raise();
    agent->config = config;
    agent->lives = lives_open(agent);
    agent->ticks_fd = agent->signals_fd = -1;
    agent->started_mono_ms = clock_mono_ms();
    agent->crashes = crashes_open(config->state); /* what comes next may crash as well */
    if (open_threads(agent, err) < 0 || signals_open(agent, err) < 0 ||
        open_spool(agent, err) < 0 || open_notices(agent, err) < 0 ||
        open_reports(agent, err) < 0 || open_sampler(agent, err) < 0) {
        agent_close(agent);
        return NULL;
    }
    open_incidents(agent);
    reactions_open(agent);
    day_budget_take_up(agent);
    calm_open(agent);
    agent->control = control_open(agent);
    agent->reload = reload_open(agent);
    return agent;
}

void agent_close(struct agent *agent)
{
    if (!agent)
        return;
    control_close(agent->control);
    reload_stop(agent->reload);
    recorder_stop(agent->recorder);
    preflight_close(agent->preflight);
    sampler_close(agent->sampler);
    if (statements_close(agent->statements, close_statements_ms) && !agent->own_ports_lost)
        own_ports_free(agent->own_ports);
    agent->statements = NULL;
    learned_stop(agent->learned);
    familiar_stop(agent->familiar);
    baselines_stop(agent->baselines);
    follow_ups_close(agent->follow_ups);
    agent->follow_ups = NULL;
    quota_stop(agent->quota);
    notices_stop(agent->notices);
    late_stop(agent->late);
    fleet_stop(agent->fleet);
    delivery_close(agent->delivery);
    agent->delivery = NULL;
    offload_close_by(agent->names, clock_mono_ms() + close_names_ms);
    /* What the disk has finished goes its way still, and asks all of these. A job that hangs has
     * its hands on them: they are lost, and the process ends. */
    bool drained = offload_close_by(agent->disk, clock_mono_ms() + close_disk_ms);
    worker_close(agent->worker);
    reports_close(agent->reports);
    replacing_close(agent->replacing);
    if (drained) {
        incidents_close(agent->incidents);
        detector_close(agent->detector);
        recorder_close(agent->recorder);
        ledger_close(agent->ledger);
        learned_close(agent->learned);
        familiar_close(agent->familiar);
        baselines_close(agent->baselines);
        quota_close(agent->quota);
        notices_close(agent->notices);
        late_close(agent->late);
        fleet_close(agent->fleet);
        spool_close(agent->spool);
        series_set_free(&agent->series);
        reload_close(agent->reload);
    } else {
        log_warn("the disk below %s does not answer: not waiting for it", agent->config->state);
    }
    if (agent->ticks_fd >= 0)
        close(agent->ticks_fd);
    if (agent->signals_fd >= 0)
        close(agent->signals_fd);
    loop_close(agent->loop);
    lives_close(agent->lives);
    agent_close_endpoints(agent);
    if (drained)
        config_free(agent->own_config, &config_kinds);
    crashes_close(agent->crashes);
    free(agent);
}

static void announce(const struct agent *agent)
{
    for (size_t i = 0; i < sampler_sources(agent->sampler); i++)
        log_info("source %s", sampler_source_name(agent->sampler, i));
    for (size_t i = 0; i < delivery_exporters(agent->delivery); i++) {
        struct delivery_status status;
        delivery_status(agent->delivery, i, &status);
        log_info(status.stores_none ? "profiles of incidents go to %s, too"
                                    : "incidents are stored in %s",
            status.label);
    }
    log_info("what is not stored yet is kept below %s", agent->config->state);
}

int agent_run(struct agent *agent)
{
    struct error err;
    announce(agent);
    if (ticks_open(agent, &err) < 0) {
        log_error("%s", err.text);
        return -1;
    }
    preflight_update(agent->preflight);
    footprint_release_libraries();
    loop_run(agent->loop);
    reactions_sum_up(agent);
    size_t left = delivery_waiting(agent->delivery) + reports_waiting(agent->reports);
    if (left)
        log_warn("stopped; %zu incident%s left in the spool", left, left == 1 ? " is" : "s are");
    else
        log_info("stopped");
    return spool_taken(agent->spool) ? -1 : 0;
}
