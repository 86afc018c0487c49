/* What agent.c and what tells of it (control.c, status.c) share. */
#ifndef AGENT_AGENT_PARTS_H
#define AGENT_AGENT_PARTS_H

#include "agent/incidents/day_budget.h"
#include "core/series.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct error;

struct agent {
    const struct config *config;
    struct config *own_config; /* the same, once it was loaded again; NULL: it is the caller's */
    struct loop *loop;
    struct offload *disk, *names;
    struct series_set series;
    struct sampler *sampler;
    struct detector *detector;
    struct ledger *ledger;
    struct learned *learned;
    struct familiar *familiar;
    struct spool *spool;
    struct delivery *delivery;
    struct fleet *fleet;
    struct quota *quota;
    struct notices *notices;
    struct recorder *recorder;
    struct worker *worker;
    struct reports *reports;
    struct replacing *replacing;
    struct late *late;
    struct incidents *incidents;
    struct baselines *baselines;
    struct follow_ups *follow_ups;
    struct control *control;
    struct reload *reload;
    struct crashes *crashes;
    struct endpoint **endpoints; /* by app */
    size_t endpoint_count;
    struct preflight *preflight;
    struct lives *lives;
    struct statements *statements; /* NULL: no database has them */
    struct own_ports *own_ports;
    bool own_ports_lost; /* a look that hangs has them for good */
    int ticks_fd, signals_fd;
    struct loop_watch *ticks_watch, *signals_watch;
    struct loop_timer *stopping;         /* looks whether a stop is complete */
    int64_t started_mono_ms, stop_by_ms; /* stop_by_ms 0: no stop is asked for */
    int64_t first_tick_ms;
    uint64_t ticks, ticks_missed;
    uint64_t ticks_before_first; /* of first_tick_ms: those at another interval */
    uint64_t incidents_opened, incidents_replaced, fires, fires_suppressed;
    uint64_t fires_given_up; /* to other copies of the service: they count as suppressed only */
    char refusal[DAY_BUDGET_WHY_SIZE]; /* why the last fire was refused */
    bool once;                         /* takes one incident by hand: triggers do not look */
};

/* Samples were pushed: arg is the agent. */
void agent_sampled(void *arg);

/* What asks the apps of the agent's configuration: endpoints, recorder, preflight; and frees the
 * endpoints, after the other two. */
void agent_open_endpoints(struct agent *agent);
void agent_close_endpoints(struct agent *agent);

/* More that a reload replaces: the sources for another configuration (NULL and err), the looks at
 * statements (-1 and err), and what a child may have of its memory. */
struct sampler *agent_open_sampler(
    struct agent *agent, const struct config *config, struct error *err);
int agent_open_statements(struct agent *agent, struct error *err);
int64_t agent_child_memory(const struct config *config);

#endif
