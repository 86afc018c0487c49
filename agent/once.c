/* agent_capture: an incident that is taken without a running agent. */
#include "agent/agent.h"
#include "agent/agent_parts.h"
#include "agent/control/progress.h"
#include "agent/incidents/admission.h"
#include "agent/notices/notices.h"
#include "agent/sampling/ticks.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <stdint.h>
#include <stdlib.h>

static const int64_t poll_ms = 50;
static const int64_t telling_ms = 10000; /* what notifications get once it is stored */

struct once {
    struct agent *agent;
    char *id;
    struct loop_timer *timer;
    struct error *err;
    int status;
    int64_t end_ms; /* 0: it is not decided */
};

/* Whether it is known what became of the incident; status and err then say it. */
static bool is_decided(struct once *once)
{
    const struct agent *agent = once->agent;
    const char *reason = NULL;
    switch (progress_of(agent, once->id, &reason)) {
    case PROGRESS_STORED:
        once->status = 0;
        return true;
    case PROGRESS_FAILING:
        once->status = error_set(once->err,
            spool_in_memory(agent->spool, once->id)
                ? "incident %s is lost, as the disk below %s takes no files, and: %s"
                : "incident %s is left in the spool below %s: %s",
            once->id, agent->config->state, reason);
        return true;
    default:
        return false;
    }
}

static void look_whether_stored(void *arg)
{
    struct once *once = arg;
    int64_t now_ms = clock_mono_ms();
    if (!once->end_ms && is_decided(once)) {
        once->end_ms = now_ms + telling_ms;
        notices_hurry(once->agent->notices);
    }
    if (once->end_ms && (notices_are_over(once->agent->notices) || now_ms >= once->end_ms))
        loop_stop(once->agent->loop);
    else
        loop_timer_set(once->timer, now_ms + poll_ms);
}

int agent_capture(struct agent *agent, const char *app, const char *reason, const char *set,
    char **id, struct error *err)
{
    *id = NULL;
    agent->once = true;
    if (ticks_open(agent, err) < 0)
        return -1;
    const char *taken = admission_take(agent, app, reason, set, err);
    if (!taken)
        return -1;
    *id = xstrdup(taken);
    struct once once = {.agent = agent, .id = *id, .err = err, .status = -1};
    once.timer = loop_timer_new(agent->loop, look_whether_stored, &once);
    loop_timer_set(once.timer, 0);
    loop_run(agent->loop);
    loop_timer_free(once.timer);
    if (!is_decided(&once)) /* a signal ended it */
        error_set(err, "stopped before incident %s was stored: it is left in the spool below %s",
            once.id, agent->config->state);
    return once.status;
}
