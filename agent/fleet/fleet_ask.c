/* Asking for a slot from the fire on, beside the capture, for as long as an answer is of use. */
#include "agent/detection/detector.h"
#include "agent/fleet/fleet_parts.h"
#include "agent/incidents/incidents.h"
#include "agent/incidents/running.h"
#include "agent/storage/backoff.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An incident that is being taken, and the fire that opened it. */
struct asked {
    struct fleet *fleet;
    struct asked *next;
    struct incidents *incidents;
    char *id, *reason, *metric;
    struct detector_event fire; /* with these texts */
    size_t trigger;             /* whose slots are being asked for */
    bool *done;                 /* by trigger: they were */
    bool again;                 /* an earlier try for this trigger's may have got one */
    struct fleet_claim *claim;
    struct loop_timer *patience, *pause; /* until slowness is told; until the next try */
    int64_t wait_ms;                     /* how far the distance of tries has come */
};

static void asked_free(struct asked *asked)
{
    struct asked **at = &asked->fleet->asked;
    while (*at != asked)
        at = &(*at)->next;
    *at = asked->next;
    fleet_claim_free(asked->claim);
    loop_timer_free(asked->patience);
    loop_timer_free(asked->pause);
    free(asked->id);
    free(asked->reason);
    free(asked->metric);
    free(asked->done);
    free(asked);
}

void fleet_ask_no_more(struct fleet *fleet, const char *id)
{
    for (struct asked *asked = fleet->asked, *next; asked; asked = next) {
        next = asked->next;
        if (!id || !strcmp(asked->id, id))
            asked_free(asked);
    }
}

static void ask(struct asked *asked);

/* Another trigger whose fire has joined; false: there is none. */
static bool choose_next(struct asked *asked, const struct running *running)
{
    const struct config *config = asked->fleet->setup.config;
    for (size_t i = 0; i < config->trigger_count; i++) {
        if (running->caused_by[i] && !asked->done[i]) {
            asked->trigger = i;
            asked->again = false;
            return true;
        }
    }
    return false;
}

static void give_up(struct asked *asked, struct running *running)
{
    struct fleet *fleet = asked->fleet;
    int64_t most = fleet->setup.config->fleet.incidents;
    char why[DETECTOR_WHY_SIZE];
    snprintf(why, sizeof why, "%lld %s of the service %s it (fleet)", (long long)most,
        most == 1 ? "other copy" : "other copies", most == 1 ? "takes" : "take");
    log_info("incident %s is thrown away: %s", asked->id, why);
    fleet->given_up++;
    incidents_throw_away(asked->incidents, running);
    fleet->setup.given_up(fleet->setup.arg, &asked->fire, why);
}

static bool is_captured(const struct running *running)
{
    return running->captured_ms || running->finishing || running->abandoned ||
           fleet_plan_captured(running->incident);
}

static void say_later(const struct asked *asked, const char *reason)
{
    log_info("incident %s goes on, and whether other copies take it is settled when it is stored: "
             "%s",
        asked->id, *reason ? reason : "it is captured already");
}

static void ask_again(struct asked *asked, const struct fleet_claim_result *result)
{
    const struct send_result failure = {
        .outcome = SEND_RETRY, .retry_after_ms = result->retry_after_ms};
    int64_t wait_ms = backoff_next_ms(&asked->wait_ms, &failure);
    asked->again = true;
    log_debug("the slots of incident %s are asked for again in %lld ms: %s", asked->id,
        (long long)wait_ms, result->reason);
    loop_timer_set(asked->pause, clock_mono_ms() + wait_ms);
}

static void conclude(
    struct asked *asked, struct running *running, const struct fleet_claim_result *result)
{
    const struct fleet_news news = {.answer = result->answer,
        .refused = result->refused,
        .unsure = result->unsure,
        .captured = is_captured(running),
        .another_has_joined = result->answer == FLEET_NONE && choose_next(asked, running)};
    switch (fleet_plan_verdict(&news)) {
    case FLEET_ASK_NEXT:
        ask(asked);
        return;
    case FLEET_ASK_AGAIN:
        ask_again(asked, result);
        return;
    case FLEET_GIVE_UP:
        give_up(asked, running);
        break;
    case FLEET_LATER:
        say_later(
            asked, news.unsure ? "a slot may be its own, and may not be read" : result->reason);
        break;
    case FLEET_KEEP:
        if (result->answer == FLEET_SLOT) {
            running->incident->fleet.slot = (int64_t)result->slot + 1;
            asked->fleet->taken++;
        }
        break;
    }
    asked_free(asked);
}

static void answered(void *arg, const struct fleet_claim_result *result)
{
    struct asked *asked = arg;
    struct fleet *fleet = asked->fleet;
    struct running *running = incidents_find(asked->incidents, asked->id);
    int64_t window_ms = running ? running->incident->fleet.window_ms : 0;
    if (result->answer != FLEET_UNKNOWN)
        loop_timer_unset(asked->patience);
    if (result->answer == FLEET_UNABLE)
        fleet_say_unable(fleet, result->reason);
    if (result->answer == FLEET_SLOT && window_ms)
        fleet_probe(fleet);
    if (running)
        conclude(asked, running, result);
    else
        asked_free(asked);
}

static void ask(struct asked *asked)
{
    struct fleet *fleet = asked->fleet;
    const struct config *config = fleet->setup.config;
    const struct running *running = incidents_find(asked->incidents, asked->id);
    fleet_claim_free(asked->claim);
    asked->done[asked->trigger] = true;
    asked->claim = fleet_claim_start(&(struct fleet_claim_setup){.loop = fleet->setup.loop,
        .store = fleet->store,
        .service = config->service,
        .trigger = config->triggers[asked->trigger].name,
        .id = asked->id,
        .window_ms = running->incident->fleet.window_ms,
        .slots = (size_t)config->fleet.incidents,
        .again = asked->again,
        .done = answered,
        .arg = asked});
}

/* The pause is over: it may be captured by now. */
static void try_again(void *arg)
{
    struct asked *asked = arg;
    const struct running *running = incidents_find(asked->incidents, asked->id);
    if (running && !is_captured(running)) {
        ask(asked);
        return;
    }
    if (running)
        say_later(asked, "");
    asked_free(asked);
}

static void out_of_patience(void *arg)
{
    const struct asked *asked = arg;
    log_info("incident %s goes on, and its fleet's store, which has not answered in %d ms, is "
             "asked meanwhile",
        asked->id, FLEET_PATIENCE_MS);
}

void fleet_opened(struct fleet *fleet, struct incidents *incidents,
    const struct detector_event *fire, const char *id)
{
    const struct running *running = incidents_find(incidents, id);
    const struct config *config = fleet->setup.config;
    if (fleet->exporter == SIZE_MAX || !running || !running->incident->fleet.window_ms)
        return;
    struct asked *asked = xcalloc(1, sizeof *asked);
    *asked = (struct asked){.fleet = fleet,
        .next = fleet->asked,
        .incidents = incidents,
        .id = xstrdup(id),
        .reason = xstrdup(fire->reason),
        .metric = fire->metric ? xstrdup(fire->metric) : NULL,
        .fire = *fire,
        .trigger = fire->trigger,
        .done = xcalloc(config->trigger_count, sizeof *asked->done),
        .patience = loop_timer_new(fleet->setup.loop, out_of_patience, asked),
        .pause = loop_timer_new(fleet->setup.loop, try_again, asked)};
    asked->fire.reason = asked->reason;
    asked->fire.metric = asked->metric;
    asked->fire.replaces = NULL;
    fleet->asked = asked;
    loop_timer_set(asked->patience, clock_mono_ms() + FLEET_PATIENCE_MS);
    fleet_mark_soon(
        fleet, config->triggers[fire->trigger].name, running->incident->fleet.window_ms);
    ask(asked);
}
