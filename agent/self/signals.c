#include "agent/self/signals.h"

#include "agent/agent_parts.h"
#include "agent/apps/preflight.h"
#include "agent/baseline/baselines.h"
#include "agent/capture/recorder.h"
#include "agent/detection/learned.h"
#include "agent/fleet/fleet.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/reports.h"
#include "agent/notices/notices.h"
#include "agent/reload.h"
#include "agent/storage/delivery.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What a stop keeps of `grace` for storing what a capture brought. */
static const int64_t storing_ms = 5000;
static const int64_t stop_poll_ms = 50;

static void look_whether_stopped(void *arg)
{
    struct agent *agent = arg;
    int64_t now_ms = clock_mono_ms();
    bool done = incidents_idle(agent->incidents) && !reports_waiting(agent->reports) &&
                (delivery_waiting(agent->delivery) == 0 || delivery_stuck(agent->delivery)) &&
                !learned_is_writing(agent->learned) && !baselines_are_writing(agent->baselines) &&
                !delivery_keeping(agent->delivery) && notices_are_over(agent->notices);
    if (done || now_ms >= agent->stop_by_ms)
        loop_stop(agent->loop);
    else
        loop_timer_set(agent->stopping, now_ms + stop_poll_ms);
}

void signals_stop(struct agent *agent)
{
    int64_t now_ms = clock_mono_ms(), grace_ms = agent->config->limits.grace_ms;
    agent->stop_by_ms = now_ms + grace_ms;
    int64_t capture_ms = grace_ms > 2 * storing_ms ? grace_ms - storing_ms : grace_ms / 2;
    log_info("stopping: what is running is finished within %.3g s", (double)grace_ms / 1000);
    reload_stop(agent->reload);
    recorder_stop(agent->recorder);
    preflight_stop(agent->preflight);
    incidents_finish(agent->incidents, now_ms + capture_ms);
    reports_hurry(agent->reports, now_ms + capture_ms);
    delivery_hurry(agent->delivery);
    notices_hurry(agent->notices);
    fleet_hurry(agent->fleet);
    loop_timer_set(agent->stopping, now_ms);
}

static void stop_at_once(struct agent *agent)
{
    log_warn("asked to stop again: ends at once, and the next start takes up what is not finished");
    loop_stop(agent->loop);
}

static void on_signal(void *arg)
{
    struct agent *agent = arg;
    struct signalfd_siginfo info;
    if (read(agent->signals_fd, &info, sizeof info) != sizeof info)
        return;
    /* A terminal that goes away takes its agent with it: the kernel says so, not a person. */
    bool reload = info.ssi_signo == SIGHUP && info.ssi_code != SI_KERNEL && !agent->once;
    if (reload)
        reload_ask(agent->reload);
    else if (agent->stop_by_ms)
        stop_at_once(agent);
    else
        signals_stop(agent);
}

/* SIGPIPE would end the process where a peer goes away; the others come through a descriptor. */
int signals_open(struct agent *agent, struct error *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    agent->signals_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (agent->signals_fd < 0)
        return error_set(err, "cannot take signals: %s", strerror(errno));
    agent->signals_watch = loop_watch_readable(agent->loop, agent->signals_fd, on_signal, agent);
    agent->stopping = loop_timer_new(agent->loop, look_whether_stopped, agent);
    return 0;
}
