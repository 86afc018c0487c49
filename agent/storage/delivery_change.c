#include "agent/storage/delivery_change.h"

#include "agent/kinds.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_parts.h"
#include "agent/storage/keeper.h"
#include "agent/storage/spool.h"
#include "config/config_changes.h"
#include "core/alloc.h"
#include "core/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const size_t none = SIZE_MAX;

struct delivery_change {
    struct delivery *delivery;
    const struct config *after;
    struct outlet **outlets; /* as they will be: those that stay before those that are new */
    size_t count, staying;
    size_t *was; /* by outlet: index in the delivery, of the same destination; none */
    bool applied;
};

static const struct exporter_config *find_same(
    const struct config *config, const struct outlet *outlet)
{
    for (size_t i = 0; i < config->exporter_count; i++)
        if (config_same_exporter(&config->exporters[i], outlet->config, &config_kinds))
            return &config->exporters[i];
    return NULL;
}

static bool stays(const struct delivery_change *change, const struct exporter_config *config)
{
    for (size_t i = 0; i < change->staying; i++)
        if (config_same_exporter(change->outlets[i]->config, config, &config_kinds))
            return true;
    return false;
}

static size_t find_identity(const struct delivery *delivery, const char *identity)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (!strcmp(outlet_identity(delivery->outlets[i]), identity))
            return i;
    return none;
}

struct delivery_change *delivery_change_open(
    struct delivery *delivery, const struct config *after, struct error *err)
{
    struct delivery_change *change = xcalloc(1, sizeof *change);
    size_t most = delivery->count + after->exporter_count;
    change->delivery = delivery;
    change->after = after;
    change->outlets = xcalloc(most, sizeof *change->outlets);
    change->was = xcalloc(most, sizeof *change->was);
    for (size_t i = 0; i < delivery->count; i++)
        if (find_same(after, delivery->outlets[i]))
            change->outlets[change->count++] = delivery->outlets[i];
    change->staying = change->count;
    for (size_t i = 0; i < after->exporter_count; i++) {
        if (!outlet_is_for(&after->exporters[i]) || stays(change, &after->exporters[i]))
            continue;
        struct outlet *outlet = outlet_open(delivery, after->service, &after->exporters[i], err);
        if (!outlet) {
            delivery_change_close(change);
            return NULL;
        }
        outlets_put(change->outlets, &change->count, outlet);
    }
    for (size_t i = 0; i < change->count; i++)
        change->was[i] = find_identity(delivery, outlet_identity(change->outlets[i]));
    return change;
}

void delivery_change_close(struct delivery_change *change)
{
    if (!change)
        return;
    for (size_t i = change->staying; !change->applied && i < change->count; i++)
        outlet_close(change->outlets[i]);
    if (!change->applied)
        free(change->outlets);
    free(change->was);
    free(change);
}

size_t delivery_change_was(const struct delivery_change *change, size_t exporter)
{
    return change->was[exporter];
}

/* The one that has its destination from now on; NULL: none has. */
static struct outlet *heir_of(const struct delivery_change *change, size_t index)
{
    for (size_t i = 0; i < change->count; i++)
        if (change->was[i] == index)
            return change->outlets[i];
    return NULL;
}

static void inherit(struct outlet *heir, const struct outlet *outlet)
{
    heir->stored = outlet->stored;
    heir->failures = outlet->failures;
    heir->left_out = outlet->left_out;
    heir->left_out_text = xstrdup_or_null(outlet->left_out_text);
    heir->last_stored_wall_ms = outlet->last_stored_wall_ms;
    for (size_t i = 0; i < outlet->count; i++)
        outlet_add(heir, outlet->queue[i]);
    keeper_hand_over(outlet->keeper, heir->keeper);
}

/* Has an incident that waited for an exporter that is gone wait for those that are new. */
static void pass_on(const struct delivery_change *change, const char *id)
{
    struct spool *spool = change->delivery->spool;
    bool waits = false;
    for (size_t i = 0; i < change->count; i++) {
        struct outlet *outlet = change->outlets[i];
        bool is_new = change->was[i] == none;
        if (is_new && !outlet_has(outlet, id) && !spool_is_sent(spool, id, outlet_identity(outlet)))
            outlet_add(outlet, id);
        waits = waits || outlet_has(outlet, id);
    }
    if (!waits)
        spool_remove(spool, id);
}

static void leave(const struct delivery_change *change, struct outlet *outlet)
{
    bool passed = false;
    for (size_t i = 0; i < change->count; i++)
        passed = passed || change->was[i] == none;
    for (size_t i = 0; i < outlet->count; i++) {
        outlet_give_up(outlet, outlet->queue[i]);
        pass_on(change, outlet->queue[i]);
    }
    if (outlet->count)
        log_warn("incidents are no longer stored in %s; %zu that waited for it %s", outlet->name,
            outlet->count, passed ? "go to those that are new" : "do not any more");
    else
        log_info("incidents are no longer stored in %s", outlet->name);
}

/* Heirs come first: what they wait for stays in the spool when others leave. */
static void give_up_old(const struct delivery_change *change)
{
    const struct delivery *delivery = change->delivery;
    for (size_t i = 0; i < delivery->count; i++) {
        struct outlet *heir = heir_of(change, i);
        if (heir && heir != delivery->outlets[i])
            inherit(heir, delivery->outlets[i]);
    }
    for (size_t i = 0; i < delivery->count; i++) {
        const struct outlet *heir = heir_of(change, i);
        if (!heir)
            leave(change, delivery->outlets[i]);
        if (heir != delivery->outlets[i])
            outlet_close(delivery->outlets[i]);
    }
}

void delivery_change_apply(struct delivery_change *change)
{
    struct delivery *delivery = change->delivery;
    for (size_t i = 0; i < change->staying; i++)
        change->outlets[i]->config = find_same(change->after, change->outlets[i]);
    give_up_old(change);
    for (size_t i = 0; i < change->count; i++)
        if (change->was[i] == none)
            log_info("incidents are stored in %s", change->outlets[i]->name);
    free(delivery->outlets);
    delivery->outlets = change->outlets;
    delivery->count = change->count;
    delivery->service = change->after->service;
    delivery->spool_limit = (uint64_t)change->after->limits.spool_bytes;
    change->applied = true;
}
