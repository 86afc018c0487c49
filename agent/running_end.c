#include "agent/running_end.h"

#include "agent/app_life.h"
#include "agent/capture/capture.h"
#include "agent/incidents.h"
#include "agent/running.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/log.h"

#include <stdio.h>
#include <string.h>

/* What an incident waits at most, after its capture, for the app to run again. */
static const int64_t restart_ms = 10000;

static bool is_same(const struct incident_end *a, const struct incident_end *b)
{
    return a->time_ms == b->time_ms && a->exit_code == b->exit_code &&
           a->oom_killed == b->oom_killed && a->restarted_ms == b->restarted_ms;
}

/* A baseline in which the app ends is of no calm time. */
static void give_up(struct running *running, const char *text)
{
    if (!strcmp(running->incident->kind, "baseline")) {
        log_info("baseline %s is thrown away: %s", running->incident->id, text);
        running_abandon(running);
        return;
    }
    for (size_t i = 0; i < running->capture_count; i++)
        capture_app_ended(running->captures[i], text);
}

static void note(struct running *running, const struct app_end *end)
{
    struct incident *incident = running->incident;
    struct incident_end noted = {.time_ms = running_wall(running, end->time_ms),
        .exit_code = end->exit_code,
        .oom_killed = end->oom_killed,
        .restarted_ms = end->restarted_ms ? running_wall(running, end->restarted_ms) : 0};
    if (is_same(&noted, &incident->app_ended))
        return;
    char text[INCIDENT_END_TEXT];
    incident->app_ended = noted;
    log_warn("incident %s: %s", incident->id, incident_end_text(&noted, text));
    bool successor = end->time_ms <= running->fired_ms && end->restarted_ms;
    if (!running->captured_ms && !running->abandoned && !successor)
        give_up(running, text);
}

bool running_note_end(struct running *running)
{
    const struct incidents_setup *setup = running->setup;
    const struct app_end *end = NULL;
    if (!setup->ended)
        return false;
    int64_t now_ms = clock_mono_ms();
    bool doubt = setup->ended(setup->arg, running->app, &end);
    /* A sample tells of the time before it. */
    int64_t since_ms = running_begin_ms(running) - 2 * setup->config->interval_ms;
    if (!end->time_ms || end->time_ms < since_ms)
        return doubt;
    note(running, end);
    return !end->restarted_ms && now_ms < running->captured_ms + restart_ms;
}
