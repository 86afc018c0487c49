#include "agent/sampling/ticks.h"

#include "agent/agent_parts.h"
#include "agent/incidents/incidents.h"
#include "agent/sampling/sampler.h"
#include "agent/statements/statements.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_tick(void *arg)
{
    struct agent *agent = arg;
    uint64_t expired;
    if (read(agent->ticks_fd, &expired, sizeof expired) != sizeof expired)
        return;
    agent->ticks += expired;
    agent->ticks_missed += expired - 1;
    /* The time that the tick was meant for: on an even grid, `for: 10s` is ten samples. */
    sampler_tick(agent->sampler,
        agent->first_tick_ms +
            (int64_t)(agent->ticks - agent->ticks_before_first - 1) * agent->config->interval_ms);
    agent_sampled(agent);
    statements_tick(agent->statements, clock_mono_ms(), incidents_begin_ms(agent->incidents));
}

/* Absolute times from the first tick on: no drift, and missed ticks are counted by the kernel. */
int ticks_set(struct agent *agent, struct error *err)
{
    int64_t interval_ms = agent->config->interval_ms;
    int64_t first_ms = clock_mono_ms() + 1;
    struct itimerspec when = {
        .it_interval = {interval_ms / 1000, interval_ms % 1000 * 1000000},
        .it_value = {first_ms / 1000, first_ms % 1000 * 1000000},
    };
    if (timerfd_settime(agent->ticks_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return error_set(err, "cannot set a timer: %s", strerror(errno));
    agent->first_tick_ms = first_ms;
    agent->ticks_before_first = agent->ticks;
    return 0;
}

int ticks_open(struct agent *agent, struct error *err)
{
    agent->ticks_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (agent->ticks_fd < 0)
        return error_set(err, "cannot make a timer: %s", strerror(errno));
    agent->ticks_watch = loop_watch_readable(agent->loop, agent->ticks_fd, on_tick, agent);
    return ticks_set(agent, err);
}
