#include "sources/ecs/ecs_app.h"

#include "sources/source.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_called(const struct ecs_container *container, const char *name)
{
    return (container->name && !strcmp(container->name, name)) ||
           (container->label && !strcmp(container->label, name));
}

/* "api, worker" into names, cut to fit. */
static void list_names(const struct ecs_task *task, const char *own_id, char *names, size_t size)
{
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < task->container_count && used < size; i++) {
        const struct ecs_container *container = &task->containers[i];
        const char *name = container->label ? container->label : container->name;
        if (!container->ordinary || !name || (own_id && !strcmp(container->docker_id, own_id)))
            continue;
        int length = snprintf(names + used, size - used, "%s%s", used ? ", " : "", name);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* After a restart the old one may still be listed. */
static bool is_better(const struct ecs_container *a, const struct ecs_container *b)
{
    if (!b || a->stopped != b->stopped)
        return !b || b->stopped;
    return a->started_wall_ms > b->started_wall_ms;
}

static const struct ecs_container *by_name(
    const struct ecs_task *task, const char *name, struct error *err)
{
    const struct ecs_container *best = NULL;
    for (size_t i = 0; i < task->container_count; i++)
        if (is_called(&task->containers[i], name) && is_better(&task->containers[i], best))
            best = &task->containers[i];
    char names[256];
    list_names(task, NULL, names, sizeof names);
    if (!best)
        error_set(err, "the task has no container %s (app.container); it has: %s", name,
            *names ? names : "none that was started");
    return best;
}

const struct ecs_container *ecs_app_choose(
    const struct ecs_task *task, const char *container, const char *own_id, struct error *err)
{
    if (container)
        return by_name(task, container, err);
    const struct ecs_container *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < task->container_count; i++) {
        const struct ecs_container *candidate = &task->containers[i];
        if (!candidate->ordinary || (own_id && !strcmp(candidate->docker_id, own_id)))
            continue;
        only = candidate;
        count++;
    }
    char names[256];
    list_names(task, own_id, names, sizeof names);
    if (count == 1)
        return only;
    if (count == 0)
        error_set(err, "the task has no container but the agent's own that was started");
    else
        error_set(err, "set app.container to the container to watch, one of: %s", names);
    return NULL;
}

/* The counters of another container say nothing about this one's. */
static void forget_samples(struct ecs_app *app)
{
    app->read_ns = 0;
    app->cpu = (struct counter){0};
    app->throttle = (struct throttle){0};
    app->net = (struct ecs_net){0};
}

/* A restart by a restart policy keeps the DockerId and counts itself; else a container that was
 * started anew is a restart. */
static void count_restarts(struct ecs_app *app, const struct ecs_container *now)
{
    bool replaced = strcmp(app->docker_id, now->docker_id) != 0;
    bool started_anew = app->started_wall_ms && now->started_wall_ms &&
                        app->started_wall_ms != now->started_wall_ms;
    int64_t before = replaced || app->restart_count < 0 ? 0 : app->restart_count;
    if (replaced)
        app->restarts++;
    if (now->restart_count > before)
        app->restarts += (uint64_t)(now->restart_count - before);
    else if (started_anew && !replaced && (now->starts_count || now->restart_count < 0))
        app->restarts++;
}

/* The endpoint has no counter of kills: they show as exit status 137 (128 + SIGKILL). A container
 * that outlives its stop timeout is killed the same way. */
static const int killed = 137;

static bool was_killed(const struct ecs_container *container)
{
    return container->oom_killed == ECS_OOM_UNKNOWN ? container->exit_code == killed
                                                    : container->oom_killed == ECS_OOM_YES;
}

static void count_kills(struct ecs_app *app, const struct ecs_container *now)
{
    bool same = !strcmp(app->docker_id, now->docker_id);
    bool again = !same || now->restart_count > app->restart_count ||
                 (now->starts_count && now->started_wall_ms != app->started_wall_ms);
    if (was_killed(now) && (!app->killed || again) && !(same && app->stopping))
        app->oom_kills++;
}

/* The container that was replaced is still listed for a while, with its exit status. */
static const struct ecs_container *by_id(const struct ecs_task *task, const char *docker_id)
{
    for (size_t i = 0; i < task->container_count; i++)
        if (!strcmp(task->containers[i].docker_id, docker_id))
            return &task->containers[i];
    return NULL;
}

static void note_exit(struct ecs_app *app, const struct ecs_container *container)
{
    if (!container || container->exit_code < 0)
        return;
    app->ever_ended = true;
    app->last_exit_code = container->exit_code;
}

static void note_replaced(struct ecs_app *app, const struct ecs_container *old)
{
    note_exit(app, old);
    if (old && was_killed(old) && !app->killed && !app->stopping)
        app->oom_kills++;
}

void ecs_app_update(
    struct ecs_app *app, const struct ecs_task *task, const struct ecs_container *container)
{
    bool first = !app->docker_id;
    if (first) {
        app->docker_id = xstrdup(container->docker_id);
        app->restarts = container->restart_count > 0 ? (uint64_t)container->restart_count : 0;
    } else {
        count_restarts(app, container);
        count_kills(app, container);
    }
    if (strcmp(app->docker_id, container->docker_id) != 0) {
        note_replaced(app, by_id(task, app->docker_id));
        free(app->docker_id);
        app->docker_id = xstrdup(container->docker_id);
        forget_samples(app);
    }
    app->restart_count = container->restart_count;
    app->started_wall_ms = container->started_wall_ms;
    note_exit(app, container);
    app->killed = was_killed(container);
    app->ended = container->ended;
    app->stopping = container->stopped && container->exit_code < 0;
    /* A container's CPU is in shares, a weight and no limit: it may use all that its task may. */
    app->cores_limit = task->cpu_limit_cores;
    app->memory_limit = isnan(container->memory_limit_bytes) ? task->memory_limit_bytes
                                                             : container->memory_limit_bytes;
}

static void measure_cpu(struct ecs_app *app, const struct ecs_stats *stats,
    const struct ecs_machine *machine, struct measures *measures)
{
    /* More than this and the answer is nonsense: it never becomes a value. */
    static const double slack = 1.5;
    if (!stats->has_cpu)
        return;
    double cpus = isnan(stats->online_cpus) ? machine->cpus : stats->online_cpus;
    double cores = counter_rate(&app->cpu, stats->cpu_ns, stats->read_ns) / 1e9;
    if (!(cores <= slack * fmax(cpus, machine->cpus)))
        return;
    measures->value[MEASURED_CPU_CORES] = cores;
    measures->value[MEASURED_CPU] = 100 * cores /
                                    (isnan(app->cores_limit) ? cpus : app->cores_limit);
}

static void measure_memory(const struct ecs_app *app, const struct ecs_stats *stats,
    const struct ecs_machine *machine, struct measures *measures)
{
    double limit = app->memory_limit;
    if (isnan(limit))
        limit = fmin(stats->memory_limit_bytes, machine->memory_bytes);
    measures->value[MEASURED_MEMORY_BYTES] = stats->working_set_bytes;
    measures->value[MEASURED_MEMORY] = 100 * stats->working_set_bytes / limit;
    measures->value[MEASURED_MEMORY_RSS] = stats->rss_bytes;
}

static void push_net(
    struct ecs_net *net, const struct ecs_stats *stats, int64_t span_ns, struct measures *measures)
{
    double seconds = (double)span_ns / 1e9;
    measures->value[MEASURED_NET_RECEIVED] = (double)(stats->received_bytes - net->received_bytes) /
                                             seconds;
    measures->value[MEASURED_NET_SENT] = (double)(stats->sent_bytes - net->sent_bytes) / seconds;
}

/* In awsvpc mode the endpoint refreshes these counters every 10 s only. Their growth then belongs
 * to the time since they changed last, and while they are the same the network may still be busy:
 * how often they change is learned. */
static void measure_net(
    struct ecs_net *net, const struct ecs_stats *stats, struct measures *measures)
{
    static const int64_t patience_ns = 15000000000;
    if (!stats->has_net)
        return;
    const struct ecs_net last = *net;
    int64_t span_ns = stats->read_ns - last.at_ns;
    int64_t idle_ns = last.refresh_ns ? last.refresh_ns + last.refresh_ns / 2 : patience_ns;
    bool back = stats->received_bytes < last.received_bytes || stats->sent_bytes < last.sent_bytes;
    bool same = stats->received_bytes == last.received_bytes &&
                stats->sent_bytes == last.sent_bytes;
    bool start = last.since == ECS_NET_NOTHING || back;
    if (!start && same && span_ns < idle_ns)
        return;
    if (!start && same) {
        push_net(net, stats, span_ns, measures);
        net->since = last.refresh_ns ? ECS_NET_IDLE : ECS_NET_SIGHT;
    } else if (start) {
        net->since = ECS_NET_SIGHT;
    } else {
        if (last.since == ECS_NET_CHANGE && (!last.refresh_ns || span_ns < last.refresh_ns))
            net->refresh_ns = span_ns;
        if (last.since != ECS_NET_SIGHT)
            push_net(net, stats, span_ns > net->refresh_ns ? span_ns : net->refresh_ns, measures);
        net->since = ECS_NET_CHANGE;
    }
    net->received_bytes = stats->received_bytes;
    net->sent_bytes = stats->sent_bytes;
    net->at_ns = stats->read_ns;
}

/* A sample can be an old one again; a clock that was set back is told by how far. */
static bool is_new(const struct ecs_app *app, const struct ecs_stats *stats)
{
    static const int64_t set_back_ns = 60000000000;
    return stats->found && stats->read_ns != app->read_ns &&
           (stats->read_ns > app->read_ns || stats->read_ns < app->read_ns - set_back_ns);
}

static void count(const struct ecs_app *app, struct measures *measures)
{
    measures->value[MEASURED_OOM_KILLS] = (double)app->oom_kills;
    measures->value[MEASURED_RESTARTS] = (double)app->restarts;
}

bool ecs_app_measure(struct ecs_app *app, const struct ecs_stats *stats,
    const struct ecs_machine *machine, struct measures *measures)
{
    if (!is_new(app, stats))
        return false;
    if (stats->read_ns < app->read_ns)
        forget_samples(app);
    app->read_ns = stats->read_ns;
    measures_clear(measures);
    measure_cpu(app, stats, machine, measures);
    /* No period ever: there is no quota on the container. */
    if (stats->has_throttling && stats->periods > 0)
        measures->value[MEASURED_CPU_THROTTLED] = throttle_share(
            &app->throttle, stats->periods, stats->throttled);
    measure_memory(app, stats, machine, measures);
    measure_net(&app->net, stats, measures);
    count(app, measures);
    return true;
}

void ecs_app_push_counts(const struct ecs_app *app, struct measured_series *series, int64_t time_ms)
{
    struct measures measures;
    measures_clear(&measures);
    count(app, &measures);
    measured_series_push(series, time_ms, &measures);
}

void ecs_app_identify(const struct ecs_container *container, struct source_identity *identity)
{
    const char *name = container->label ? container->label : container->name;
    identity->container = name ? name : identity->container;
    identity->image = container->image;
    identity->started_wall_ms = container->started_wall_ms;
}

void ecs_app_describe(const struct ecs_app *app, const struct ecs_machine *machine,
    const char *name, const char *cpu_of, const char *memory_of,
    void (*say)(void *arg, const char *sentence), void *arg)
{
    char size[VALUE_TEXT_SIZE], cores[VALUE_TEXT_SIZE];
    metric_format(
        UNIT_BYTES, isnan(app->memory_limit) ? machine->memory_bytes : app->memory_limit, size);
    char *sentence = xasprintf("%s: cpu is a share of %s (%s), memory of %s (%s)", name,
        metric_format_level(
            UNIT_CORES, isnan(app->cores_limit) ? machine->cpus : app->cores_limit, cores),
        cpu_of, size, memory_of);
    say(arg, sentence);
    free(sentence);
}

void ecs_app_life(const struct ecs_app *app, bool missing, struct source_life *life)
{
    *life = (struct source_life){.known = app->docker_id != NULL,
        .gone = missing || app->ended,
        .starts = app->restarts + 1,
        .oom_kills = app->oom_kills,
        .exit_code = app->ever_ended && !missing ? app->last_exit_code : -1};
}

void ecs_app_free(struct ecs_app *app)
{
    free(app->docker_id);
    *app = (struct ecs_app){0};
}
