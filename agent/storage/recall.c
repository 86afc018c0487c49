#include "agent/storage/recall.h"

#include "agent/storage/delivery.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdbool.h>
#include <stdlib.h>

/* One exporter that is asked. */
struct asking {
    struct recall *recall;
    size_t exporter;
    struct loop_timer *timer;
    int64_t pause_ms; /* before the next try */
    bool waiting;     /* for its answer, not for the next try */
    bool warned;
};

struct recall {
    struct recall_setup setup;
    struct asking *askings; /* one an exporter */
    size_t count;
    int64_t until_ms; /* of the patience */
};

static const char *label_of(const struct asking *asking)
{
    struct delivery_status status;
    delivery_status(asking->recall->setup.delivery, asking->exporter, &status);
    return status.label;
}

static void settle(struct asking *asking, const char *text, size_t size)
{
    const struct recall_setup *setup = &asking->recall->setup;
    loop_timer_unset(asking->timer);
    if (asking->warned && !setup->quiet)
        log_info("%s in %s could be asked for", setup->key, label_of(asking));
    setup->settled(setup->arg, asking->exporter, label_of(asking), text, size);
}

static void warn(struct asking *asking, const char *reason)
{
    const struct recall_setup *setup = &asking->recall->setup;
    if (setup->quiet)
        log_debug("%s in %s cannot be asked for: %s", setup->key, label_of(asking), reason);
    else if (!asking->warned)
        log_warn("%s in %s cannot be asked for, and is not replaced until it can: %s", setup->key,
            label_of(asking), reason);
    asking->warned = true;
}

static void try_later(struct asking *asking, const char *reason)
{
    const struct recall *recall = asking->recall;
    int64_t at_ms = clock_mono_ms() + asking->pause_ms;
    asking->pause_ms *= 2;
    if (asking->pause_ms > recall->setup.longest_pause_ms)
        asking->pause_ms = recall->setup.longest_pause_ms;
    if (at_ms >= recall->until_ms)
        warn(asking, reason);
    log_debug("%s in %s: %s; asked again", recall->setup.key, label_of(asking), reason);
    loop_timer_set(asking->timer, at_ms);
}

static void answered(void *arg, const struct recall_result *result)
{
    struct asking *asking = arg;
    asking->waiting = false;
    switch (result->outcome) {
    case RECALL_FOUND:
        settle(asking, result->data, result->size);
        break;
    case RECALL_NONE:
        log_debug("%s is not in %s", asking->recall->setup.key, label_of(asking));
        settle(asking, NULL, 0);
        break;
    case RECALL_FORBIDDEN:
        if (!asking->recall->setup.again)
            log_info("%s from %s: %s; %s is all that is read", asking->recall->setup.unread,
                label_of(asking), result->reason, asking->recall->setup.key);
        settle(asking, NULL, 0);
        break;
    case RECALL_FAILED:
        try_later(asking, result->reason);
        break;
    }
}

static void ask(struct asking *asking)
{
    const struct recall_setup *setup = &asking->recall->setup;
    asking->waiting = true;
    if (!asking->warned)
        loop_timer_set(asking->timer, asking->recall->until_ms);
    if (!delivery_recall(
            setup->delivery, asking->exporter, setup->key, setup->max_bytes, answered, asking))
        settle(asking, NULL, 0);
}

static void look(void *arg)
{
    struct asking *asking = arg;
    if (asking->waiting)
        warn(asking, "it does not answer");
    else
        ask(asking);
}

struct recall *recall_start(const struct recall_setup *setup)
{
    struct recall *recall = xcalloc(1, sizeof *recall);
    recall->setup = *setup;
    recall->until_ms = clock_mono_ms() + setup->patience_ms;
    recall->count = delivery_exporters(setup->delivery);
    recall->askings = xcalloc(recall->count, sizeof *recall->askings);
    for (size_t i = 0; i < recall->count; i++) {
        struct asking *asking = &recall->askings[i];
        *asking = (struct asking){.recall = recall, .exporter = i, .pause_ms = setup->pause_ms};
        asking->timer = loop_timer_new(setup->loop, look, asking);
        loop_timer_set(asking->timer, 0); /* from the loop */
    }
    return recall;
}

void recall_stop(struct recall *recall)
{
    for (size_t i = 0; recall && i < recall->count; i++) {
        loop_timer_unset(recall->askings[i].timer);
        delivery_forget(recall->setup.delivery, i, &recall->askings[i]);
    }
}

void recall_close(struct recall *recall)
{
    if (!recall)
        return;
    for (size_t i = 0; i < recall->count; i++)
        loop_timer_free(recall->askings[i].timer);
    free(recall->askings);
    free(recall);
}
