#include "agent/reload.h"

#include "agent/agent.h"
#include "agent/agent_parts.h"
#include "agent/apps/lives.h"
#include "agent/apps/preflight.h"
#include "agent/baseline/baselines.h"
#include "agent/capture/recorder.h"
#include "agent/control/control.h"
#include "agent/detection/familiar.h"
#include "agent/detection/learned.h"
#include "agent/fleet/fleet.h"
#include "agent/incidents/follow_ups.h"
#include "agent/incidents/incident_writing.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/reports.h"
#include "agent/kinds.h"
#include "agent/late/late.h"
#include "agent/notices/notices.h"
#include "agent/reactions.h"
#include "agent/sampling/sampler.h"
#include "agent/sampling/ticks.h"
#include "agent/self/worker.h"
#include "agent/statements/statements.h"
#include "agent/storage/delivery_change.h"
#include "agent/storage/quota.h"
#include "config/config_changes.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static const int64_t poll_ms = 20;
static const int64_t finish_ms = 10000; /* what a capture gets that is finished early */
static const int64_t moment_ms = 1000, again_ms = 60000; /* of waiting, until it is said */
static const size_t max_problems_bytes = 256 * 1024;

struct reload {
    struct agent *agent;
    char *file;
    bool reading, again, stopped;
    struct config *next; /* good, and waits; NULL: none does */
    int64_t finish_at_ms;
    bool said;         /* that it waits for an incident */
    const char *other; /* that it waits for besides; NULL: nothing */
    int64_t say_at_ms; /* that it still does */
    struct loop_timer *timer;
    int64_t loaded_wall_ms, refused_wall_ms;
    uint64_t done, refused;
    struct error refusal; /* "": the last one was not refused */
};

static void look(void *arg);

struct reload *reload_open(struct agent *agent)
{
    struct reload *reload = xcalloc(1, sizeof *reload);
    reload->agent = agent;
    reload->timer = loop_timer_new(agent->loop, look, reload);
    reload->loaded_wall_ms = clock_wall_ms();
    return reload;
}

void agent_reload_from(struct agent *agent, const char *file)
{
    free(agent->reload->file);
    agent->reload->file = xstrdup(file);
}

static void drop_next(struct reload *reload)
{
    config_free(reload->next, &config_kinds);
    reload->next = NULL;
    reload->said = false;
    reload->other = NULL;
}

void reload_stop(struct reload *reload)
{
    if (!reload)
        return;
    if (reload->next)
        log_warn("the configuration is not reloaded: the agent is stopping");
    reload->stopped = true;
    loop_timer_unset(reload->timer);
    drop_next(reload);
}

void reload_close(struct reload *reload)
{
    if (!reload)
        return;
    drop_next(reload);
    loop_timer_free(reload->timer);
    free(reload->file);
    free(reload);
}

static void over(struct reload *reload)
{
    drop_next(reload);
    if (!reload->again)
        return;
    reload->again = false;
    reload_ask(reload);
}

/* why: a sentence, also for `status`. */
static void refuse(struct reload *reload, const char *why)
{
    reload->refused++;
    reload->refused_wall_ms = clock_wall_ms();
    error_set(&reload->refusal, "%s", why);
    log_error("the configuration is not reloaded, the one that runs goes on: %s", why);
    over(reload);
}

/* Each in a line of the log. */
static void refuse_problems(struct reload *reload, const char *problems)
{
    char *copy = xstrdup(problems), *rest = copy;
    char *first = NULL;
    size_t count = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (!*line)
            continue;
        log_error("%s", line);
        first = first ? first : line;
        count++;
    }
    char *why = count > 1 ? xasprintf("%s (and %zu more)", first, count - 1)
                          : xstrdup(first ? first : "it has errors");
    refuse(reload, why);
    free(why);
    free(copy);
}

/* What everything on disk and in the stores lies under. */
static int check_fixed(const struct config *config, const struct config *next, struct error *err)
{
    static const char end[] = "cannot change while the agent runs: restart it for that";
    if (strcmp(config->service, next->service) != 0)
        return error_set(
            err, "%s: service: is \"%s\" now, and %s", next->file, config->service, end);
    if (strcmp(config->state, next->state) != 0)
        return error_set(err, "%s: state: is %s now, and %s", next->file, config->state, end);
    return 0;
}

static void take(struct reload *reload, struct config *next)
{
    const struct config *config = reload->agent->config;
    struct error err;
    if (check_fixed(config, next, &err) < 0) {
        config_free(next, &config_kinds);
        refuse(reload, err.text);
        return;
    }
    reload->next = next;
    reload->finish_at_ms = clock_mono_ms() + incident_longest_s(config) * 1000;
    look(reload);
}

/* The file is read on the disk thread. */
struct reading {
    struct reload *reload;
    char *file, *name;
    struct buf text;
    int status;
    struct error err;
};

static void read_file(void *arg)
{
    struct reading *reading = arg;
    reading->status = config_locate(reading->file, &reading->text, &reading->name, &reading->err);
}

static void parse(struct reload *reload, const struct reading *reading)
{
    struct config_needs needs = {.exporter = true};
    struct buf problems;
    buf_init(&problems, max_problems_bytes);
    struct config *next = config_parse(
        reading->text.data, reading->text.size, reading->name, &config_kinds, &needs, &problems);
    if (next)
        take(reload, next);
    else
        refuse_problems(reload, problems.data);
    buf_free(&problems);
}

static void have_read(void *arg)
{
    struct reading *reading = arg;
    struct reload *reload = reading->reload;
    reload->reading = false;
    if (!reload->stopped && reading->status < 0)
        refuse(reload, reading->err.text);
    else if (!reload->stopped)
        parse(reload, reading);
    buf_free(&reading->text);
    free(reading->name);
    free(reading->file);
    free(reading);
}

void reload_ask(struct reload *reload)
{
    if (reload->stopped)
        return;
    if (!reload->file) {
        char *why = xasprintf(
            "it was given as %s, which cannot change while the agent runs; a file "
            "(-c FILE) can",
            reload->agent->config->file);
        refuse(reload, why);
        free(why);
        return;
    }
    if (reload->reading || reload->next) {
        reload->again = true;
        return;
    }
    struct reading *reading = xcalloc(1, sizeof *reading);
    reading->reload = reload;
    reading->file = xstrdup(reload->file);
    reload->reading = true;
    offload_submit(reload->agent->disk, read_file, have_read, reading);
}

/* The first incident that is being taken, or NULL. */
static const char *running(const struct agent *agent)
{
    for (size_t i = 0; i < agent->config->app_count; i++)
        if (incidents_running(agent->incidents, i))
            return incidents_running(agent->incidents, i);
    return NULL;
}

static void wait_for_incidents(struct reload *reload)
{
    const struct agent *agent = reload->agent;
    int64_t now_ms = clock_mono_ms();
    const char *id = running(agent);
    if (!reload->said)
        log_info(
            "the configuration is reloaded when incident %s is complete", id ? id : "of calm time");
    reload->said = true;
    if (now_ms < reload->finish_at_ms)
        return;
    log_warn("incident %s is finished early: the configuration is to be reloaded",
        id ? id : "of calm time");
    incidents_finish(agent->incidents, now_ms + finish_ms);
    reload->finish_at_ms = now_ms + 2 * finish_ms; /* one that fires since */
}

static void replace_endpoints(struct agent *agent)
{
    preflight_close(agent->preflight);
    recorder_close(agent->recorder);
    agent_close_endpoints(agent);
    agent_open_endpoints(agent);
    incidents_reload(agent->incidents, agent->config, agent->recorder, agent->endpoints);
    lives_reload(agent->lives);
}

/* The old ones are closed before series that only they filled are. */
static void replace_sources(struct agent *agent, struct sampler *sampler)
{
    if (sampler) {
        sampler_close(agent->sampler);
        agent->sampler = sampler;
        for (size_t i = agent->series.count; i-- > 0;)
            if (!config_has_metric(agent->config, agent->series.all[i]->name))
                series_set_remove(&agent->series, i);
    }
    series_set_resize(&agent->series, incident_history(agent->config));
}

static void replace_statements(struct agent *agent, const struct config *was)
{
    struct error err;
    if (statements_are_same(was, agent->config))
        return;
    if (!statements_close(agent->statements, 0))
        agent->own_ports_lost = true;
    if (agent_open_statements(agent, &err) < 0)
        log_error("%s: incidents are without statements", err.text);
}

/* Cannot fail. */
static void switch_over(
    struct reload *reload, struct sampler *sampler, struct delivery_change *change)
{
    struct agent *agent = reload->agent;
    struct config *before = agent->own_config;
    const struct config *was = agent->config;
    learned_stop(agent->learned);
    familiar_stop(agent->familiar);
    baselines_stop(agent->baselines);
    fleet_stop(agent->fleet);
    delivery_change_apply(change);
    quota_reload(agent->quota, reload->next);
    agent->config = agent->own_config = reload->next;
    reload->next = NULL;
    log_setup((enum log_level)agent->config->log.level, (enum log_format)agent->config->log.format);
    replace_sources(agent, sampler);
    replace_endpoints(agent);
    replace_statements(agent, was);
    worker_limit(agent->worker, agent_child_memory(agent->config));
    reports_reload(agent->reports, agent->config);
    notices_reload(agent->notices, agent->config);
    late_reload(agent->late, agent->config);
    reactions_reload(agent, change);
    fleet_reload(agent->fleet, agent->config);
    follow_ups_reload(agent->follow_ups, agent->config);
    baselines_reload(agent->baselines, agent->config, agent->delivery);
    control_reload(agent->control, was->listen);
    struct error err;
    if (agent->ticks_fd >= 0 && was->interval_ms != agent->config->interval_ms &&
        ticks_set(agent, &err) < 0)
        log_error("%s", err.text);
    preflight_update(agent->preflight);
    config_free(before, &config_kinds);
}

/* The agent goes on as it was: its recorder and preflight were stopped. */
static void stay(struct reload *reload, const struct error *err)
{
    replace_endpoints(reload->agent);
    reactions_arm_again(reload->agent);
    preflight_update(reload->agent->preflight);
    refuse(reload, err->text);
}

static void commit(struct reload *reload)
{
    struct agent *agent = reload->agent;
    struct error err;
    struct sampler *sampler = NULL;
    if (!config_same_sources(agent->config, reload->next)) {
        sampler = agent_open_sampler(agent, reload->next, &err);
        if (!sampler) {
            stay(reload, &err);
            return;
        }
    }
    struct delivery_change *change = delivery_change_open(agent->delivery, reload->next, &err);
    if (!change) {
        sampler_close(sampler);
        stay(reload, &err);
        return;
    }
    char *changes = config_changes_text(agent->config, reload->next, &config_kinds);
    switch_over(reload, sampler, change);
    delivery_change_close(change);
    reload->done++;
    reload->loaded_wall_ms = clock_wall_ms();
    reload->refusal.text[0] = '\0';
    log_info("the configuration is reloaded from %s: %s", agent->config->file,
        changes ? changes : "nothing has changed");
    free(changes);
    over(reload);
}

/* What else is under way, as in "it waits for ..."; NULL: nothing. */
static const char *under_way(const struct agent *agent)
{
    if (!recorder_is_over(agent->recorder))
        return "the recorder to end and remove its slices";
    if (learned_is_writing(agent->learned))
        return "what was learned to be written";
    if (baselines_are_writing(agent->baselines))
        return "a baseline to be written";
    if (late_is_adding(agent->late))
        return "what came late of an incident to be added";
    return notices_are_linking(agent->notices) ? "a link to a report" : NULL;
}

/* Mostly that takes a moment, which is nobody's concern. */
static void say_what_for(struct reload *reload, const char *what)
{
    int64_t now_ms = clock_mono_ms();
    if (what != reload->other) {
        reload->other = what;
        reload->say_at_ms = now_ms + moment_ms;
    }
    if (now_ms < reload->say_at_ms)
        return;
    log_info("the reload of the configuration waits for %s", what);
    reload->say_at_ms = now_ms + again_ms;
}

/* Nothing may be under way that knows the configuration. */
static void look(void *arg)
{
    struct reload *reload = arg;
    struct agent *agent = reload->agent;
    bool idle = incidents_idle(agent->incidents);
    if (idle) {
        preflight_stop(agent->preflight);
        recorder_stop(agent->recorder);
    } else {
        wait_for_incidents(reload);
    }
    const char *what = idle ? under_way(agent) : NULL;
    if (what)
        say_what_for(reload, what);
    if (idle && !what)
        commit(reload);
    else
        loop_timer_set(reload->timer, clock_mono_ms() + poll_ms);
}

void reload_status(const struct reload *reload, struct reload_status *status)
{
    *status = (struct reload_status){.loaded_wall_ms = reload->loaded_wall_ms,
        .done = reload->done,
        .refused = reload->refused,
        .refusal = reload->refusal.text[0] ? reload->refusal.text : NULL,
        .refused_wall_ms = reload->refused_wall_ms,
        .waits_for = reload->next ? running(reload->agent) : NULL,
        .waits_for_other = reload->other};
}
