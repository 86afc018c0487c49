#include "agent/fleet/fleet.h"

#include "agent/detection/detector.h"
#include "agent/fleet/fleet_parts.h"
#include "agent/incidents.h"
#include "agent/kinds.h"
#include "agent/running.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_claims.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/loop.h"

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
    struct fleet_claim *claim;
};

/* That this agent saw a spike, which is to be told. */
struct mark {
    struct fleet *fleet;
    struct mark *next;
    char *trigger;
    int64_t window_ms; /* wall */
    struct loop_timer *timer;
};

/* How long after its answer an agent tells, up to twice that: well before others count. */
static const int64_t mark_after_ms = 1500;

static void store_claim(void *self, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    const struct fleet *fleet = self;
    delivery_claim(fleet->setup.delivery, fleet->exporter, key, text, done, arg);
}

static void store_count(void *self, const char *key,
    void (*done)(void *arg, const struct count_result *result), void *arg)
{
    const struct fleet *fleet = self;
    delivery_count(fleet->setup.delivery, fleet->exporter, key, done, arg);
}

static bool store_recall(void *self, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    const struct fleet *fleet = self;
    return delivery_recall(fleet->setup.delivery, fleet->exporter, key, max_bytes, done, arg);
}

static void store_forget(void *self, void *arg)
{
    const struct fleet *fleet = self;
    if (fleet->exporter != SIZE_MAX)
        delivery_forget(fleet->setup.delivery, fleet->exporter, arg);
}

/* The same name after a restart, so that an agent counts once: it lies in `state`, of which each
 * has its own. Where that takes no file it is another one in each run. */
static void name_agent(struct fleet *fleet)
{
    char *path = xasprintf("%s/fleet-agent", fleet->setup.config->state);
    const size_t length = sizeof fleet->agent - 1;
    struct buf text;
    bool known = fs_read(path, length + 1, &text, NULL) == 0 && text.size >= length &&
                 strspn(text.data, "0123456789abcdef") == length;
    if (known) {
        memcpy(fleet->agent, text.data, length);
    } else {
        snprintf(fleet->agent, sizeof fleet->agent, "%08x%08x", arc4random(), arc4random());
        fs_write(path, fleet->agent, length, NULL);
    }
    buf_free(&text);
    free(path);
}

static void find_store(struct fleet *fleet)
{
    const struct config *config = fleet->setup.config;
    size_t index = config_fleet_exporter(config, &config_kinds);
    bool has = config->fleet.incidents && index < config->exporter_count;
    fleet->exporter = has ? delivery_exporter_of(fleet->setup.delivery, &config->exporters[index])
                          : SIZE_MAX;
    if (fleet->exporter != SIZE_MAX && !*fleet->agent)
        name_agent(fleet);
}

struct fleet *fleet_open(const struct fleet_setup *setup)
{
    struct fleet *fleet = xcalloc(1, sizeof *fleet);
    fleet->setup = *setup;
    if (!setup->patience_ms)
        fleet->setup.patience_ms = FLEET_PATIENCE_MS;
    fleet->store = (struct fleet_store){
        store_claim, store_count, store_recall, store_forget, fleet};
    find_store(fleet);
    delivery_settle_by(
        setup->delivery, &(struct delivery_settler){.is_ready = fleet_settle, .arg = fleet});
    return fleet;
}

static void asked_free(struct asked *asked)
{
    struct asked **at = &asked->fleet->asked;
    while (*at != asked)
        at = &(*at)->next;
    *at = asked->next;
    fleet_claim_free(asked->claim);
    free(asked->id);
    free(asked->reason);
    free(asked->metric);
    free(asked->done);
    free(asked);
}

static void mark_free(struct mark *mark)
{
    struct mark **at = &mark->fleet->marks;
    while (*at != mark)
        at = &(*at)->next;
    *at = mark->next;
    loop_timer_free(mark->timer);
    free(mark->trigger);
    free(mark);
}

void fleet_ask_no_more(struct fleet *fleet, const char *id)
{
    for (struct asked *asked = fleet->asked, *next; asked; asked = next) {
        next = asked->next;
        if (!strcmp(asked->id, id))
            asked_free(asked);
    }
}

void fleet_stop(struct fleet *fleet)
{
    if (!fleet || fleet->exporter == SIZE_MAX)
        return;
    while (fleet->asked)
        asked_free(fleet->asked);
    fleet_settle_stop(fleet);
    while (fleet->marks) {
        store_forget(fleet, fleet->marks);
        mark_free(fleet->marks);
    }
    store_forget(fleet, fleet);
    fleet->probing = false;
    fleet->exporter = SIZE_MAX;
}

void fleet_close(struct fleet *fleet)
{
    free(fleet);
}

void fleet_reload(struct fleet *fleet, const struct config *config)
{
    fleet->setup.config = config;
    fleet->unable = fleet->proven = fleet->forbidden = false;
    find_store(fleet);
}

int64_t fleet_window(const struct fleet *fleet, int64_t fired_wall_ms)
{
    bool off = fleet->exporter == SIZE_MAX || fleet->unable;
    return off ? 0 : fleet_plan_window_ms(fired_wall_ms, fleet->setup.config->fleet.per_ms);
}

void fleet_say_unable(struct fleet *fleet, const char *why)
{
    if (!fleet->unable)
        log_warn("fleet settles nothing, and each agent takes its own incidents: %s", why);
    fleet->unable = true;
}

static void probed(void *arg, const struct claim_result *result)
{
    struct fleet *fleet = arg;
    fleet->probing = false;
    fleet->proven = result->outcome == CLAIM_EXISTS;
    if (result->outcome == CLAIM_TAKEN)
        fleet_say_unable(fleet, "the store lets an object be written that is there, although it "
                                "was asked not to (If-None-Match)");
}

static void marked(void *arg, const struct claim_result *result)
{
    mark_free(arg);
    if (result->outcome == CLAIM_FAILED)
        log_debug("the fleet is not told that this agent saw the spike: %s", result->reason);
}

void fleet_mark(struct fleet *fleet, const char *trigger, int64_t window_ms,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    char *name = xasprintf("seen/%s", fleet->agent);
    char *key = fleet_plan_key(fleet->setup.config->service, trigger, window_ms, name);
    char *text = xasprintf("{\"agent\": \"%s\"}\n", fleet->agent);
    fleet->store.claim(fleet, key, text, done, arg);
    free(text);
    free(key);
    free(name);
}

static void mark_now(void *arg)
{
    struct mark *mark = arg;
    fleet_mark(mark->fleet, mark->trigger, mark->window_ms, marked, mark);
}

/* Soon: at this moment the store has the others' slots to tell of. */
static void mark_soon(struct fleet *fleet, const char *trigger, int64_t window_ms)
{
    struct mark *mark = xcalloc(1, sizeof *mark);
    *mark = (struct mark){.fleet = fleet,
        .next = fleet->marks,
        .trigger = xstrdup(trigger),
        .window_ms = window_ms,
        .timer = loop_timer_new(fleet->setup.loop, mark_now, mark)};
    fleet->marks = mark;
    loop_timer_set(mark->timer,
        clock_mono_ms() + mark_after_ms + (int64_t)arc4random_uniform((uint32_t)mark_after_ms));
}

/* A store that keeps the condition does not take again what is there. Asked once, with the first
 * slot that is ours. */
static void probe(struct asked *asked, size_t slot, int64_t window_ms)
{
    struct fleet *fleet = asked->fleet;
    const struct config *config = fleet->setup.config;
    char number[24];
    if (fleet->proven || fleet->probing)
        return;
    fleet->probing = true;
    snprintf(number, sizeof number, "%zu", slot);
    char *key = fleet_plan_key(
        config->service, config->triggers[asked->trigger].name, window_ms, number);
    char *text = fleet_claim_text(asked->id);
    fleet->store.claim(fleet, key, text, probed, fleet);
    free(text);
    free(key);
}

static void ask(struct asked *asked);

/* Another trigger whose fire has joined; false: there is none. */
static bool choose_next(struct asked *asked, const struct running *running)
{
    const struct config *config = asked->fleet->setup.config;
    for (size_t i = 0; i < config->trigger_count; i++) {
        if (running->caused_by[i] && !asked->done[i]) {
            asked->trigger = i;
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

static void conclude(
    struct asked *asked, struct running *running, const struct fleet_claim_result *result)
{
    bool captured = running->captured_ms || running->finishing;
    bool more = result->answer == FLEET_NONE && choose_next(asked, running);
    switch (fleet_plan_verdict(result->answer, captured, more)) {
    case FLEET_ASK_NEXT:
        ask(asked);
        return;
    case FLEET_GIVE_UP:
        give_up(asked, running);
        break;
    case FLEET_LATER:
        log_info("incident %s goes on, and whether other copies take it is settled when it is "
                 "stored: %s",
            asked->id, *result->reason ? result->reason : "it is captured already");
        break;
    case FLEET_KEEP:
        if (result->answer == FLEET_SLOT)
            running->incident->fleet.slot = (int64_t)result->slot + 1;
        break;
    }
    asked_free(asked);
}

static void answered(void *arg, const struct fleet_claim_result *result)
{
    struct asked *asked = arg;
    struct fleet *fleet = asked->fleet;
    const struct config *config = fleet->setup.config;
    struct running *running = incidents_find(asked->incidents, asked->id);
    int64_t window_ms = running ? running->incident->fleet.window_ms : 0;
    if (result->answer == FLEET_UNABLE)
        fleet_say_unable(fleet, result->reason);
    else if (result->answer != FLEET_UNKNOWN && window_ms && asked->trigger == asked->fire.trigger)
        mark_soon(fleet, config->triggers[asked->trigger].name, window_ms);
    if (result->answer == FLEET_SLOT && window_ms)
        probe(asked, result->slot, window_ms);
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
        .patience_ms = fleet->setup.patience_ms,
        .done = answered,
        .arg = asked});
}

void fleet_opened(struct fleet *fleet, struct incidents *incidents,
    const struct detector_event *fire, const char *id)
{
    const struct running *running = incidents_find(incidents, id);
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
        .done = xcalloc(fleet->setup.config->trigger_count, sizeof *asked->done)};
    asked->fire.reason = asked->reason;
    asked->fire.metric = asked->metric;
    asked->fire.replaces = NULL;
    fleet->asked = asked;
    ask(asked);
}

void fleet_hurry(struct fleet *fleet)
{
    fleet->hurried = true;
    fleet_settle_hurry(fleet);
}

json_t *fleet_status_json(const struct fleet *fleet)
{
    const struct fleet_config *config = &fleet->setup.config->fleet;
    struct delivery_status exporter;
    if (fleet->exporter == SIZE_MAX)
        return json_null();
    delivery_status(fleet->setup.delivery, fleet->exporter, &exporter);
    const char *problem = fleet->unable      ? "the store has no conditional writes"
                          : fleet->forbidden ? "the store does not let this agent write slots"
                                             : NULL;
    return json_pack("{s:I, s:f, s:o, s:I, s:I, s:s?}", "incidents", (json_int_t)config->incidents,
        "per_s", (double)config->per_ms / 1000, "store", json_text(exporter.label), "given_up",
        (json_int_t)fleet->given_up, "duplicates", (json_int_t)fleet->duplicates, "problem",
        problem);
}
