#include "agent/incidents/running_end.h"

#include "agent/apps/app_life.h"
#include "agent/capture/capture.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/running.h"
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

/* Whether the end is of the time that the incident is about: a sample tells of the time before it.
 */
static bool concerns(const struct running *running, const struct app_end *end)
{
    int64_t since_ms = running_begin_ms(running) - 2 * running->setup->config->interval_ms;
    return end->time_ms && end->time_ms >= since_ms;
}

bool running_note_end(struct running *running)
{
    static const struct app_end none;
    const struct incidents_setup *setup = running->setup;
    const struct app_end *end = &none;
    bool doubt = setup->ended && setup->ended(setup->arg, running->app, &end);
    bool ended = concerns(running, end);
    if (ended)
        note(running, end);
    for (size_t i = 0; !doubt && !running->captured_ms && i < running->capture_count; i++)
        capture_go_on(running->captures[i]);
    if (!ended)
        return doubt;
    return !end->restarted_ms && clock_mono_ms() < running->captured_ms + restart_ms;
}
