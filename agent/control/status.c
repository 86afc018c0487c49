#include "agent/control/status.h"

#include "agent/agent_parts.h"
#include "agent/apps/preflight.h"
#include "agent/baseline/baselines.h"
#include "agent/capture/recorder.h"
#include "agent/control/prometheus.h"
#include "agent/control/status_exporters.h"
#include "agent/control/status_statements.h"
#include "agent/detection/detector.h"
#include "agent/detection/ledger.h"
#include "agent/fleet/fleet.h"
#include "agent/incidents/follow_ups.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/reports.h"
#include "agent/kinds.h"
#include "agent/late/late.h"
#include "agent/notices/notices_status.h"
#include "agent/reload.h"
#include "agent/sampling/sampler.h"
#include "agent/self/crashes.h"
#include "agent/self/footprint.h"
#include "agent/storage/delivery.h"
#include "agent/storage/reserve.h"
#include "agent/storage/spool.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_text.h"

#include <unistd.h>

/* Monotonic milliseconds of this moment's clocks as RFC 3339; null for "never". */
static json_t *time_json(int64_t mono_ms)
{
    char text[RFC3339_SIZE];
    if (mono_ms == INT64_MIN)
        return json_null();
    return json_string(rfc3339_format(mono_ms + clock_wall_ms() - clock_mono_ms(), text));
}

static json_t *metrics_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->series.count; i++) {
        const struct series *series = agent->series.all[i];
        const struct sample *newest = series_at(series, 0);
        if (!newest)
            continue;
        json_array_append_new(list,
            json_pack("{s:o, s:f, s:s, s:o, s:f}", "name", json_text(series->name), "value",
                newest->value, "unit", unit_name(series->unit), "time", time_json(newest->time_ms),
                "age_s", (double)(clock_mono_ms() - newest->time_ms) / 1000));
    }
    return list;
}

static json_t *names_json(const struct trigger_scope *scope)
{
    json_t *list = json_array();
    for (size_t i = 0; i < scope->metric_count; i++)
        json_array_append_new(list, json_text(scope->metrics[i]));
    return list;
}

static json_t *recurrence_json(const struct recurrence *recurrence)
{
    json_t *json = json_pack(
        "{s:b, s:f}", "recognised", recurrence->recognised, "odds", recurrence->odds);
    if (recurrence->recognised)
        json_object_update_new(
            json, json_pack("{s:f, s:f, s:I}", "period_s", recurrence->period_s, "jitter_s",
                      recurrence->jitter_s, "onsets", (json_int_t)recurrence->onsets));
    if (recurrence->expected_ms != INT64_MIN)
        json_object_set_new(json, "next", time_json(recurrence->expected_ms));
    if (recurrence->window_start_ms != INT64_MIN)
        json_object_set_new(json, "armed",
            json_pack("[o, o]", time_json(recurrence->window_start_ms),
                time_json(recurrence->window_end_ms)));
    return json;
}

static const char *trigger_state(
    const struct trigger_kind *kind, const struct detector_status *status)
{
    if (kind->kind.never_fires)
        return status->holds ? "recurring" : "learning";
    if (status->cooldown_until_ms > clock_mono_ms())
        return "cooldown";
    return status->holds ? "firing" : "watching";
}

/* When, and in what words. */
static json_t *told_json(const char *text, int64_t mono_ms)
{
    return json_pack("{s:o, s:o}", "text", json_text(text), "time", time_json(mono_ms));
}

static json_t *trigger_json(const struct agent *agent, size_t index)
{
    const struct trigger_config *trigger = &agent->config->triggers[index];
    const struct trigger_kind *kind = trigger_kinds[trigger->kind];
    struct detector_status status;
    char rule[REASON_SIZE];
    detector_status(agent->detector, index, &status);
    kind->describe(trigger->options, &trigger->scope, rule);
    json_t *json = json_pack("{s:o, s:o, s:s, s:o}", "name", json_text(trigger->name), "rule",
        json_text(rule), "state", trigger_state(kind, &status), "metrics",
        names_json(&trigger->scope));
    if (!kind->kind.never_fires)
        json_object_update_new(
            json, json_pack("{s:I, s:I, s:o, s:o}", "fires", (json_int_t)status.fires, "suppressed",
                      (json_int_t)status.suppressed, "last_fire", time_json(status.last_fire_ms),
                      "cooldown_until", time_json(status.cooldown_until_ms)));
    if (status.told_ms != INT64_MIN)
        json_object_set_new(json, "last", told_json(status.told, status.told_ms));
    if (status.recurrence)
        json_object_set_new(json, "recurrence", recurrence_json(status.recurrence));
    if (status.has_nearest)
        json_object_set_new(json, kind->kind.never_fires ? "sees" : "nearest_miss",
            told_json(status.nearest, status.nearest_ms));
    return json;
}

static json_t *triggers_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->config->trigger_count; i++)
        json_array_append_new(list, trigger_json(agent, i));
    return list;
}

static json_t *sources_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sampler_sources(agent->sampler); i++)
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "name", sampler_source_name(agent->sampler, i), "error",
                      json_text(sampler_source_error(agent->sampler, i))));
    return list;
}

static json_t *running_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->config->app_count; i++)
        if (incidents_running(agent->incidents, i))
            json_array_append_new(list, json_string(incidents_running(agent->incidents, i)));
    return list;
}

static const char *recorder_state(const struct recorder_status *status)
{
    if (status->recording)
        return "recording";
    if (status->problem)
        return "failing";
    if (status->always)
        return "paused";
    return status->until_ms != INT64_MIN ? "armed" : "off";
}

static json_t *recorders_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->config->app_count; i++) {
        struct recorder_status status;
        recorder_status(agent->recorder, i, &status);
        json_t *json = json_pack("{s:s, s:s, s:I, s:o}", "app", agent->config->apps[i].name,
            "state", recorder_state(&status), "slices", (json_int_t)status.slices, "error",
            json_text(status.problem));
        if (status.until_ms != INT64_MIN)
            json_object_set_new(json, "armed",
                json_pack("[o, o]", time_json(status.from_ms), time_json(status.until_ms)));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *finding_json(const struct preflight_finding *finding)
{
    static const char *const verdicts[] = {"ok", "shorter", "left out", "failed"};
    const char *why = finding->why.text;
    json_t *json = json_pack("{s:o, s:s, s:o}", "profile", json_text(finding->profile), "state",
        verdicts[finding->verdict], "error", json_text(*why ? why : NULL));
    if (finding->verdict == PROBE_SHORTER)
        json_object_set_new(json, "seconds", json_integer(finding->seconds));
    return json;
}

/* What was tried of the apps' profiles beforehand. */
static json_t *preflight_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->config->app_count; i++) {
        const struct preflight_finding *findings;
        size_t count = preflight_findings(agent->preflight, i, &findings);
        json_t *profiles = json_array();
        for (size_t j = 0; j < count; j++)
            json_array_append_new(profiles, finding_json(&findings[j]));
        json_array_append_new(
            list, json_pack("{s:s, s:b, s:o, s:o}", "app", agent->config->apps[i].name, "running",
                      preflight_is_running(agent->preflight, i), "error",
                      json_text(preflight_problem(agent->preflight, i)), "profiles", profiles));
    }
    return list;
}

static json_t *baseline_json(const struct agent *agent, size_t app)
{
    struct baselines_status status;
    char taken[RFC3339_SIZE];
    baselines_status(agent->baselines, app, &status);
    json_t *problems = json_array();
    for (size_t i = 0; i < status.problem_count; i++)
        json_array_append_new(problems, json_text(status.problems[i]));
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:o, s:o, s:o}", "app", agent->config->apps[app].name,
        "newest", status.newest, "taken",
        status.newest ? rfc3339_format(status.taken_wall_ms, taken) : NULL, "taking", status.taking,
        "next", time_json(status.due_ms), "waits_for", json_text(status.unrest), "problems",
        problems);
}

static json_t *baselines_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; agent->config->baseline.every_ms && i < agent->config->app_count; i++)
        json_array_append_new(list, baseline_json(agent, i));
    return list;
}

static json_t *follow_ups_json(const struct agent *agent)
{
    json_t *list = json_array();
    for (size_t i = 0; i < agent->config->app_count; i++) {
        int64_t due_ms;
        const char *follows = follow_ups_planned(agent->follow_ups, i, &due_ms);
        if (follows)
            json_array_append_new(list,
                json_pack("{s:s, s:s, s:o, s:I}", "app", agent->config->apps[i].name, "follows",
                    follows, "due", time_json(due_ms == INT64_MAX ? INT64_MIN : due_ms), "after_s",
                    (json_int_t)(agent->config->follow_up_ms / 1000)));
    }
    return list;
}

/* How much of what has a limit is used. */
static json_t *limits_json(const struct agent *agent)
{
    struct ledger_day day;
    char room[RFC3339_SIZE];
    ledger_day(agent->ledger, &day);
    return json_pack("{s:{s:I, s:I}, s:{s:I, s:I, s:s?}}", "per_hour", "incidents",
        (json_int_t)ledger_hour(agent->ledger), "limit", (json_int_t)agent->config->limits.per_hour,
        "per_day", "bytes", (json_int_t)day.bytes, "limit_bytes", (json_int_t)day.limit_bytes,
        "room", day.room_wall_ms ? rfc3339_format(day.room_wall_ms, room) : NULL);
}

static json_t *agent_json(const struct agent *agent)
{
    struct footprint footprint;
    footprint_read(&footprint);
    return json_pack("{s:s, s:I, s:f, s:I, s:I, s:I, s:f, s:i}", "version", STAKEOUT_VERSION, "pid",
        (json_int_t)getpid(), "uptime_s", (double)(clock_mono_ms() - agent->started_mono_ms) / 1000,
        "ticks", (json_int_t)agent->ticks, "ticks_missed", (json_int_t)agent->ticks_missed,
        "resident_bytes", (json_int_t)footprint.resident_bytes, "cpu_seconds",
        footprint.cpu_seconds, "open_fds", (int)footprint.open_fds);
}

static json_t *configuration_json(const struct agent *agent)
{
    struct reload_status status;
    char loaded[RFC3339_SIZE], refused[RFC3339_SIZE];
    reload_status(agent->reload, &status);
    json_t *json = json_pack("{s:o, s:s, s:I, s:I, s:s?, s:s?}", "file",
        json_text(agent->config->file), "loaded", rfc3339_format(status.loaded_wall_ms, loaded),
        "reloads", (json_int_t)status.done, "refused", (json_int_t)status.refused, "waits_for",
        status.waits_for, "waits_for_other", status.waits_for_other);
    if (status.refusal)
        json_object_set_new(json, "refusal",
            json_pack("{s:o, s:s}", "text", json_text(status.refusal), "time",
                rfc3339_format(status.refused_wall_ms, refused)));
    return json;
}

static json_t *incidents_json(const struct agent *agent)
{
    return json_pack("{s:o, s:s?, s:I, s:I}", "running", running_json(agent), "last",
        incidents_last(agent->incidents), "opened", (json_int_t)agent->incidents_opened, "replaced",
        (json_int_t)agent->incidents_replaced);
}

static json_t *spool_json(const struct agent *agent)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "bytes", (json_int_t)spool_bytes(agent->spool),
        "limit_bytes", (json_int_t)agent->config->limits.spool_bytes, "memory_bytes",
        (json_int_t)reserve_bytes(spool_reserve(agent->spool)), "waiting",
        (json_int_t)delivery_waiting(agent->delivery) + (json_int_t)reports_waiting(agent->reports),
        "error", json_text(spool_trouble(agent->spool)));
}

static json_t *late_json(const struct agent *agent)
{
    return json_pack("{s:I, s:o}", "waiting", (json_int_t)late_waiting(agent->late), "error",
        json_text(late_error(agent->late)));
}

json_t *status_json(const struct agent *agent)
{
    json_t *json = json_object();
    json_object_set_new(json, "service", json_string(agent->config->service));
    json_object_set_new(json, "agent", agent_json(agent));
    json_object_set_new(json, "configuration", configuration_json(agent));
    json_object_set_new(json, "sources", sources_json(agent));
    json_object_set_new(json, "metrics", metrics_json(agent));
    json_object_set_new(json, "triggers", triggers_json(agent));
    json_object_set_new(json, "incidents", incidents_json(agent));
    json_object_set_new(json, "spool", spool_json(agent));
    json_object_set_new(json, "limits", limits_json(agent));
    json_object_set_new(json, "fleet", fleet_status_json(agent->fleet));
    json_object_set_new(json, "exporters", status_exporters(agent->delivery));
    json_object_set_new(json, "notifications", notices_status_json(agent->notices));
    json_object_set_new(json, "preflight", preflight_json(agent));
    json_object_set_new(json, "recorder", recorders_json(agent));
    json_object_set_new(json, "baselines", baselines_json(agent));
    json_object_set_new(json, "follow_ups", follow_ups_json(agent));
    json_object_set_new(json, "statements", status_statements(agent->statements));
    json_object_set_new(json, "late", late_json(agent));
    json_object_set_new(json, "crashes", crashes_json(agent->crashes));
    return json;
}

static void one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
    prometheus_head(out, name, type, help);
    buf_printf(out, "%s %.17g\n", name, value);
}

static void put_own(const struct agent *agent, struct buf *out)
{
    struct footprint footprint;
    footprint_read(&footprint);
    prometheus_head(out, "stakeout_build_info", "gauge", "The agent's version.");
    prometheus_labelled(out, "stakeout_build_info", "version", STAKEOUT_VERSION, 1);
    one(out, "stakeout_uptime_seconds", "gauge", "Time since the agent started.",
        (double)(clock_mono_ms() - agent->started_mono_ms) / 1000);
    one(out, "stakeout_ticks_total", "counter", "Sampling ticks, missed ones included.",
        (double)agent->ticks);
    one(out, "stakeout_ticks_missed_total", "counter", "Sampling ticks that came too late.",
        (double)agent->ticks_missed);
    one(out, "stakeout_process_resident_memory_bytes", "gauge", "The agent's own memory.",
        (double)footprint.resident_bytes);
    one(out, "stakeout_process_cpu_seconds_total", "counter", "The agent's own CPU time.",
        footprint.cpu_seconds);
    one(out, "stakeout_process_open_fds", "gauge", "The agent's own open descriptors.",
        footprint.open_fds);
    one(out, "stakeout_incidents_total", "counter",
        "Incidents that triggers opened, those included that were given up.",
        (double)(agent->incidents_opened + agent->fires_given_up));
    one(out, "stakeout_incidents_given_up_total", "counter",
        "Incidents that were thrown away, as other copies of the service take them.",
        (double)agent->fires_given_up);
    one(out, "stakeout_incidents_replaced_total", "counter",
        "Incidents in the spool that gave way to a worse one.", (double)agent->incidents_replaced);
    one(out, "stakeout_incidents_late", "gauge",
        "Incidents that are to get metrics which come late.", (double)late_waiting(agent->late));
    one(out, "stakeout_fires_total", "counter", "Fires, joining ones included.",
        (double)(agent->fires + agent->fires_given_up));
    one(out, "stakeout_fires_suppressed_total", "counter",
        "Fires held back by a cooldown or a limit.", (double)agent->fires_suppressed);
    one(out, "stakeout_spool_bytes", "gauge",
        "Bytes that wait on disk for an exporter, or for rds.*.",
        (double)spool_bytes(agent->spool));
    one(out, "stakeout_spool_memory_bytes", "gauge",
        "Bytes that wait in memory, as the disk takes no files.",
        (double)reserve_bytes(spool_reserve(agent->spool)));
    one(out, "stakeout_spool_up", "gauge", "0 while the disk takes no files.",
        spool_trouble(agent->spool) ? 0 : 1);
    one(out, "stakeout_spool_incidents", "gauge", "Incidents that wait for an exporter.",
        (double)(delivery_waiting(agent->delivery) + reports_waiting(agent->reports)));
    one(out, "stakeout_crashes_total", "counter", "Crashes of the agent with this state folder.",
        (double)crashes_count(agent->crashes));
    if (crashes_last_ms(agent->crashes))
        one(out, "stakeout_last_crash_timestamp_seconds", "gauge", "When the agent crashed last.",
            (double)crashes_last_ms(agent->crashes) / 1000);
}

static void put_limits(const struct agent *agent, struct buf *out)
{
    struct ledger_day day;
    ledger_day(agent->ledger, &day);
    one(out, "stakeout_hour_incidents", "gauge", "Incidents opened in the last hour.",
        (double)ledger_hour(agent->ledger));
    one(out, "stakeout_hour_incidents_limit", "gauge", "limits.per_hour.",
        (double)agent->config->limits.per_hour);
    one(out, "stakeout_day_bytes", "gauge", "Bytes of the incidents of the last 24 hours.",
        (double)day.bytes);
    one(out, "stakeout_day_bytes_limit", "gauge", "limits.per_day.", (double)day.limit_bytes);
}

static void put_reloads(const struct agent *agent, struct buf *out)
{
    static const char name[] = "stakeout_config_reloads_total";
    struct reload_status status;
    reload_status(agent->reload, &status);
    prometheus_head(out, name, "counter",
        "Reloads of the configuration that were asked for, by what came of them.");
    prometheus_labelled(out, name, "result", "done", (double)status.done);
    prometheus_labelled(out, name, "result", "refused", (double)status.refused);
    one(out, "stakeout_config_last_reload_successful", "gauge",
        "0 while the last configuration was refused.", status.refusal ? 0 : 1);
    one(out, "stakeout_config_loaded_timestamp_seconds", "gauge",
        "When the configuration that runs was loaded, in Unix seconds.",
        (double)status.loaded_wall_ms / 1000);
}

/* Which trigger fires, which patterns are held, and whether the profiler runs for them. */
static void put_triggers(const struct agent *agent, struct buf *out)
{
    const struct config *config = agent->config;
    struct detector_status status;
    prometheus_head(out, "stakeout_trigger_fires_total", "counter", "Fires by trigger.");
    for (size_t i = 0; i < config->trigger_count; i++) {
        detector_status(agent->detector, i, &status);
        if (!trigger_kinds[config->triggers[i].kind]->kind.never_fires)
            prometheus_labelled(out, "stakeout_trigger_fires_total", "trigger",
                config->triggers[i].name, (double)(status.fires + status.withdrawn));
    }
    prometheus_head(out, "stakeout_recurrence_period_seconds", "gauge",
        "The period that a trigger recognises.");
    for (size_t i = 0; i < config->trigger_count; i++) {
        detector_status(agent->detector, i, &status);
        if (status.recurrence && status.recurrence->recognised)
            prometheus_labelled(out, "stakeout_recurrence_period_seconds", "trigger",
                config->triggers[i].name, status.recurrence->period_s);
    }
    prometheus_head(
        out, "stakeout_recorder_recording", "gauge", "1 while the recorder takes CPU profiles.");
    for (size_t i = 0; i < config->app_count; i++) {
        struct recorder_status recorder;
        recorder_status(agent->recorder, i, &recorder);
        prometheus_labelled(
            out, "stakeout_recorder_recording", "app", config->apps[i].name, recorder.recording);
    }
}

void status_metrics(const struct agent *agent, struct buf *out)
{
    put_own(agent, out);
    put_limits(agent, out);
    put_reloads(agent, out);
    put_triggers(agent, out);
    status_exporters_metrics(agent->delivery, out);
    status_statements_metrics(agent->statements, out);
    notices_status_metrics(agent->notices, out);
    fleet_metrics(agent->fleet, out);
    prometheus_head(out, "stakeout_source_up", "gauge", "0 while a source cannot measure.");
    for (size_t i = 0; i < sampler_sources(agent->sampler); i++)
        prometheus_labelled(out, "stakeout_source_up", "source",
            sampler_source_name(agent->sampler, i),
            sampler_source_error(agent->sampler, i) ? 0 : 1);
    prometheus_head(
        out, "stakeout_metric", "gauge", "What the agent measured last, in the metric's unit.");
    /* A source that died leaves a gap here, too; Fargate's figures are up to 10 s late. */
    int64_t interval_ms = agent->config->interval_ms;
    int64_t oldest_ms = clock_mono_ms() - (interval_ms > 5000 ? 3 * interval_ms : 15000);
    for (size_t i = 0; i < agent->series.count; i++) {
        const struct sample *newest = series_at(agent->series.all[i], 0);
        if (newest && newest->time_ms >= oldest_ms)
            prometheus_labelled(
                out, "stakeout_metric", "metric", agent->series.all[i]->name, newest->value);
    }
}
