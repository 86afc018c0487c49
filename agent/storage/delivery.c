#include "agent/storage/delivery.h"

#include "agent/storage/delivery_parts.h"
#include "agent/storage/keeper.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often the spool is looked at for what others removed: one that is full, or whose disk takes
 * no files, more often, as it holds back incidents. */
static const int64_t refresh_ms = 60000, refresh_urgent_ms = 5000;

void delivery_hurry(struct delivery *delivery)
{
    delivery->hurried = true;
    for (size_t i = 0; i < delivery->count; i++) {
        outlet_hurry(delivery->outlets[i]);
        keeper_hurry(delivery->outlets[i]->keeper);
    }
}

void delivery_add(struct delivery *delivery, const char *id)
{
    bool waits = false;
    for (size_t i = 0; i < delivery->count; i++) {
        struct outlet *outlet = delivery->outlets[i];
        if (spool_is_sent(delivery->spool, id, outlet_identity(outlet)))
            continue;
        outlet_add(outlet, id);
        waits = true;
    }
    if (!waits)
        spool_remove(delivery->spool, id);
}

void delivery_keep(struct delivery *delivery, size_t exporter, const char *path, const char *key)
{
    keeper_put(delivery->outlets[exporter]->keeper, path, key);
}

void delivery_update(struct delivery *delivery, size_t exporter, const char *path, const char *key)
{
    keeper_put_once(delivery->outlets[exporter]->keeper, path, key);
}

bool delivery_is_updating(const struct delivery *delivery, const char *prefix)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (keeper_has_once(delivery->outlets[i]->keeper, prefix))
            return true;
    return false;
}

void delivery_update_no_more(struct delivery *delivery, const char *prefix)
{
    for (size_t i = 0; i < delivery->count; i++)
        keeper_drop_once(delivery->outlets[i]->keeper, prefix);
}

struct taking_up {
    struct delivery *delivery;
    bool (*hold)(void *arg, const char *id);
    void *arg;
};

static void take_up(void *arg, const char *id)
{
    const struct taking_up *taking_up = arg;
    log_info("incident %s from an earlier run is taken up", id);
    if (!taking_up->hold || !taking_up->hold(taking_up->arg, id))
        delivery_add(taking_up->delivery, id);
}

int delivery_take_up(struct delivery *delivery, bool (*hold)(void *arg, const char *id), void *arg,
    struct error *err)
{
    struct taking_up taking_up = {delivery, hold, arg};
    return spool_each(delivery->spool, take_up, &taking_up, err);
}

void delivery_on_stored(struct delivery *delivery,
    void (*stored)(void *arg, const char *id, size_t exporter), void *arg)
{
    size_t at = 0;
    while (at < 2 && delivery->listeners[at].arg != arg)
        at++;
    for (size_t i = 0; at == 2 && i < 2; i++)
        if (!delivery->listeners[i].stored)
            at = i;
    if (at == 2)
        return;
    delivery->listeners[at].stored = stored;
    delivery->listeners[at].arg = stored ? arg : NULL;
}

const char *delivery_identity(const struct delivery *delivery, size_t exporter)
{
    return outlet_identity(delivery->outlets[exporter]);
}

const struct exporter_kind *delivery_kind(const struct delivery *delivery, size_t exporter)
{
    return delivery->outlets[exporter]->kind;
}

void delivery_link(struct delivery *delivery, size_t exporter, const char *key, int64_t seconds,
    void (*done)(void *arg, const struct link_result *result), void *arg)
{
    const struct outlet *outlet = delivery->outlets[exporter];
    outlet->kind->link(outlet->exporter, key, seconds, done, arg);
}

static void refresh_spool(void *arg)
{
    struct delivery *delivery = arg;
    int64_t now_ms = clock_mono_ms();
    bool urgent = spool_bytes(delivery->spool) >= delivery->spool_limit ||
                  spool_trouble(delivery->spool);
    if (urgent || now_ms >= delivery->refreshed_ms + refresh_ms) {
        spool_refresh(delivery->spool);
        delivery->refreshed_ms = now_ms;
    }
    loop_timer_set(delivery->refresh, now_ms + refresh_urgent_ms);
}

struct delivery *delivery_open(struct loop *loop, struct offload *disk, struct spool *spool,
    const struct config *config, struct error *err)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);
    *delivery = (struct delivery){.loop = loop,
        .disk = disk,
        .spool = spool,
        .service = config->service,
        .spool_limit = (uint64_t)config->limits.spool_bytes,
        .refreshed_ms = clock_mono_ms()};
    delivery->refresh = loop_timer_new(loop, refresh_spool, delivery);
    delivery->outlets = xcalloc(config->exporter_count, sizeof *delivery->outlets);
    for (size_t i = 0; i < config->exporter_count; i++) {
        if (!outlet_is_for(&config->exporters[i]))
            continue;
        struct outlet *outlet = outlet_open(delivery, config->service, &config->exporters[i], err);
        if (!outlet) {
            delivery_close(delivery);
            return NULL;
        }
        outlets_put(delivery->outlets, &delivery->count, outlet);
    }
    refresh_spool(delivery);
    return delivery;
}

void delivery_close(struct delivery *delivery)
{
    if (!delivery)
        return;
    for (size_t i = 0; i < delivery->count; i++)
        outlet_close(delivery->outlets[i]);
    loop_timer_free(delivery->refresh);
    free(delivery->outlets);
    free(delivery->lost);
    free(delivery);
}

size_t delivery_waiting(const struct delivery *delivery)
{
    size_t most = 0;
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outlets[i]->count > most)
            most = delivery->outlets[i]->count;
    return most;
}

bool delivery_stuck(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outlets[i]->count && !delivery->outlets[i]->failed)
            return false;
    return true;
}

bool delivery_keeping(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct outlet *outlet = delivery->outlets[i];
        bool has_turn = outlet->count == 0 || !outlet->failed || outlet->refusing;
        if (has_turn && keeper_waits(outlet->keeper))
            return true;
    }
    return false;
}

/* Which exporter lacks it, why, and how many lack it no more. */
static const char *say_progress(
    const struct delivery *delivery, struct outlet *outlet, const char *id)
{
    size_t others = 0;
    for (size_t i = 0; i < delivery->count; i++)
        others += !outlet_has(delivery->outlets[i], id);
    free(outlet->progress);
    outlet->progress = xasprintf("%s: %s%s", outlet->name, outlet->error,
        others == 0   ? ""
        : others == 1 ? "; another exporter is done with it"
                      : "; other exporters are done with it");
    return outlet->progress;
}

enum delivery_progress delivery_progress(
    const struct delivery *delivery, const char *id, const char **reason)
{
    if (delivery->lost && !strcmp(delivery->lost, id)) {
        if (reason)
            *reason = "somebody else removed it from the spool";
        return DELIVERY_FAILING;
    }
    enum delivery_progress progress = DELIVERY_STORED;
    for (size_t i = 0; i < delivery->count; i++) {
        struct outlet *outlet = delivery->outlets[i];
        if (!outlet_has(outlet, id))
            continue;
        progress = DELIVERY_WAITING;
        if (!outlet->error)
            continue;
        if (reason)
            *reason = say_progress(delivery, outlet, id);
        return DELIVERY_FAILING;
    }
    return progress;
}

size_t delivery_exporters(const struct delivery *delivery)
{
    return delivery->count;
}

void delivery_status(
    const struct delivery *delivery, size_t exporter, struct delivery_status *status)
{
    const struct outlet *outlet = delivery->outlets[exporter];
    *status = (struct delivery_status){.label = outlet->name,
        .stores_none = outlet->kind->kind.stores_none,
        .waiting = outlet->count,
        .stored = outlet->stored,
        .failures = outlet->failures,
        .error = outlet->error,
        .left_out = outlet->left_out,
        .left_out_text = outlet->left_out_text,
        .last_stored_wall_ms = outlet->last_stored_wall_ms};
    if (outlet->kind->credentials)
        outlet->kind->credentials(outlet->exporter, &status->credentials);
    if (outlet->kind->holdings)
        outlet->kind->holdings(outlet->exporter, &status->holdings);
}
