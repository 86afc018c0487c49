#include "agent/fleet/fleet.h"

#include "agent/control/prometheus.h"
#include "agent/fleet/fleet_parts.h"
#include "agent/kinds.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_claims.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* That this agent saw a spike, which is to be told. */
struct mark {
    struct fleet *fleet;
    struct mark *next;
    char *trigger;
    int64_t window_ms; /* wall */
    struct loop_timer *timer;
};

/* How long after its fire an agent tells, up to three times that: at first the store has slots to
 * give, and others count later. */
static const int64_t mark_after_ms = 2000;

/* How long other exporters than the fleet's wait for what is settled with that. */
static const int64_t settle_patience_ms = 60000;

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

static void probed(void *arg, const struct claim_result *result);

static void write_probe(struct fleet *fleet)
{
    char *key = xasprintf("service=%s/_state/fleet/check", fleet->setup.config->service);
    fleet->probing = true;
    fleet->store.claim(fleet, key, "stakeout\n", probed, fleet);
    free(key);
}

static void probed(void *arg, const struct claim_result *result)
{
    struct fleet *fleet = arg;
    bool again = result->outcome == CLAIM_TAKEN && fleet->written;
    fleet->probing = false;
    fleet->proven = result->outcome == CLAIM_EXISTS;
    fleet->written = result->outcome == CLAIM_TAKEN;
    if (result->outcome == CLAIM_UNABLE)
        fleet_say_unable(fleet, result->reason);
    else if (again)
        fleet_say_unable(fleet, "the store lets an object be written that is there, although it "
                                "was asked not to (If-None-Match)");
    else if (fleet->written)
        write_probe(fleet);
}

void fleet_probe(struct fleet *fleet)
{
    if (!fleet->proven && !fleet->probing)
        write_probe(fleet);
}

static void find_store(struct fleet *fleet)
{
    const struct config *config = fleet->setup.config;
    size_t index = config_fleet_exporter(config, &config_kinds);
    bool has = config->fleet.incidents && index < config->exporter_count;
    fleet->exporter = has ? delivery_exporter_of(fleet->setup.delivery, &config->exporters[index])
                          : SIZE_MAX;
    if (fleet->exporter == SIZE_MAX)
        return;
    if (!*fleet->agent)
        name_agent(fleet);
    fleet_probe(fleet);
}

static size_t settles(void *arg)
{
    const struct fleet *fleet = arg;
    return fleet->unable ? SIZE_MAX : fleet->exporter;
}

struct fleet *fleet_open(const struct fleet_setup *setup)
{
    struct fleet *fleet = xcalloc(1, sizeof *fleet);
    fleet->setup = *setup;
    fleet->store = (struct fleet_store){
        store_claim, store_count, store_recall, store_forget, fleet};
    find_store(fleet);
    delivery_settle_by(setup->delivery, &(struct delivery_settler){.is_ready = fleet_settle,
                                            .settles = settles,
                                            .patience_ms = settle_patience_ms,
                                            .arg = fleet});
    return fleet;
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

void fleet_stop(struct fleet *fleet)
{
    if (!fleet || fleet->exporter == SIZE_MAX)
        return;
    fleet_ask_no_more(fleet, NULL);
    fleet_settle_stop(fleet);
    while (fleet->marks) {
        store_forget(fleet, fleet->marks);
        mark_free(fleet->marks);
    }
    store_forget(fleet, fleet);
    fleet->probing = fleet->written = false;
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
    if (mark->fleet->unable)
        mark_free(mark);
    else
        fleet_mark(mark->fleet, mark->trigger, mark->window_ms, marked, mark);
}

void fleet_mark_soon(struct fleet *fleet, const char *trigger, int64_t window_ms)
{
    struct mark *mark = xcalloc(1, sizeof *mark);
    *mark = (struct mark){.fleet = fleet,
        .next = fleet->marks,
        .trigger = xstrdup(trigger),
        .window_ms = window_ms,
        .timer = loop_timer_new(fleet->setup.loop, mark_now, mark)};
    fleet->marks = mark;
    loop_timer_set(mark->timer, clock_mono_ms() + mark_after_ms +
                                    (int64_t)arc4random_uniform((uint32_t)(2 * mark_after_ms)));
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
    return json_pack("{s:I, s:f, s:o, s:I, s:I, s:I, s:s?}", "incidents",
        (json_int_t)config->incidents, "per_s", (double)config->per_ms / 1000, "store",
        json_text(exporter.label), "taken", (json_int_t)fleet->taken, "given_up",
        (json_int_t)fleet->given_up, "duplicates", (json_int_t)fleet->duplicates, "problem",
        problem);
}

/* Those that were given up are among the agent's own figures. */
static const struct prometheus_family families[] = {
    {"stakeout_fleet_up", "gauge", "0 while the fleet's store settles nothing."},
    {"stakeout_fleet_taken_total", "counter", "Incidents that have one of the fleet's slots."},
    {"stakeout_fleet_duplicates_total", "counter",
        "Incidents that were captured, and that other copies have taken."},
};
enum { FAMILIES = sizeof families / sizeof *families };

static const char *measure(const void *arg, size_t index, double *values)
{
    const struct fleet *fleet = arg;
    struct delivery_status exporter;
    (void)index;
    delivery_status(fleet->setup.delivery, fleet->exporter, &exporter);
    const double measured[FAMILIES] = {
        fleet->unable || fleet->forbidden ? 0 : 1, (double)fleet->taken, (double)fleet->duplicates};
    memcpy(values, measured, sizeof measured);
    return exporter.label;
}

void fleet_metrics(const struct fleet *fleet, struct buf *out)
{
    if (fleet->exporter != SIZE_MAX)
        prometheus_families(out, families, FAMILIES, "store", 1, measure, fleet);
}
