/* One app in a container, as ECS's endpoint and Docker's engine tell of it: which container it is,
 * and its samples as measures. Pure: no clock, no network. */
#ifndef SOURCES_ECS_ECS_APP_H
#define SOURCES_ECS_ECS_APP_H

#include "sources/ecs/ecs_json.h"
#include "sources/measure.h"

struct error;

/* What the time of the network's counters is the time of. */
enum ecs_net_since {
    ECS_NET_NOTHING, /* not seen yet */
    ECS_NET_SIGHT,   /* of seeing them: they may be older by a refresh */
    ECS_NET_CHANGE,  /* of seeing them changed */
    ECS_NET_IDLE     /* of finding that they do not change */
};

/* The network's counters, which the endpoint may refresh more rarely than the rest. */
struct ecs_net {
    enum ecs_net_since since;
    uint64_t received_bytes, sent_bytes;
    int64_t at_ns;
    int64_t refresh_ns; /* shortest time between two changes; 0: not known yet */
};

/* Zeroed: nothing seen yet. */
struct ecs_app {
    char *docker_id;     /* its container's; NULL: not chosen yet */
    int64_t read_ns;     /* of the last sample; 0: none */
    double cores_limit;  /* what 100% of cpu is; NAN: the online CPUs */
    double memory_limit; /* bytes; NAN: the machine's memory */
    struct counter cpu;
    struct throttle throttle;
    struct ecs_net net;
    int64_t started_wall_ms, restart_count;
    bool killed;            /* it was, for want of memory, when it was looked at last */
    bool ended;             /* its container does not run */
    int64_t last_exit_code; /* of the newest end that was seen; only with one */
    bool ever_ended;        /* there was one */
    bool stopping;          /* was told to stop: killed then, it did not run out of memory */
    uint64_t restarts, oom_kills;
};

/* The container that an app is: by its name, or without one (NULL) the only ordinary container but
 * `own_id`, the agent's. NULL and err, which lists the choice, when there is none or more. */
const struct ecs_container *ecs_app_choose(
    const struct ecs_task *task, const char *container, const char *own_id, struct error *err);

/* Takes over what the task says about the app's container: identity, limits, restarts and kills. */
void ecs_app_update(
    struct ecs_app *app, const struct ecs_task *task, const struct ecs_container *container);

/* What to fall back on where the answers lack it. */
struct ecs_machine {
    double cpus, memory_bytes; /* memory: NAN: unknown */
};

/* Turns a sample into measures. False, and nothing changed, when it is not a new one. */
bool ecs_app_measure(struct ecs_app *app, const struct ecs_stats *stats,
    const struct ecs_machine *machine, struct measures *measures);

/* Pushes the counters that come from the task's answer, restarts and kills: what died has no
 * samples any more that would do so. */
void ecs_app_push_counts(
    const struct ecs_app *app, struct measured_series *series, int64_t time_ms);

/* Fills in what its container says of it; without a name it keeps the one that is there. */
struct source_identity;
void ecs_app_identify(const struct ecs_container *container, struct source_identity *identity);

/* Says what the app's cpu and memory are a share of; cpu_of, memory_of: whose, in words. */
void ecs_app_describe(const struct ecs_app *app, const struct ecs_machine *machine,
    const char *name, const char *cpu_of, const char *memory_of,
    void (*say)(void *arg, const char *sentence), void *arg);

/* How the app fares; missing: the task does not list its container any more. */
struct source_life;
void ecs_app_life(const struct ecs_app *app, bool missing, struct source_life *life);

void ecs_app_free(struct ecs_app *app);

#endif
