#include "agent/recall.h"

#include "agent/delivery.h"
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
    bool open; /* its answer is still wanted */
};

struct recall {
    struct recall_setup setup;
    struct asking *askings; /* one an exporter: an answer may come when nobody wants it any more */
    size_t count;
    size_t current;
    int64_t until_ms; /* the current one is given up then */
    int64_t pause_ms;
    bool waiting; /* for its answer, not for the next try */
    struct loop_timer *timer;
};

static void finish(struct recall *recall, const char *from, const char *text, size_t size)
{
    recall->current = recall->count;
    loop_timer_unset(recall->timer);
    recall->setup.done(recall->setup.arg, from, text, size);
}

static const char *label_of(const struct recall *recall)
{
    struct delivery_status status;
    delivery_status(recall->setup.delivery, recall->current, &status);
    return status.label;
}

/* Begins with the next exporter, from the loop. */
static void turn_to(struct recall *recall, size_t exporter)
{
    recall->current = exporter;
    recall->waiting = false;
    recall->until_ms = clock_mono_ms() + recall->setup.patience_ms;
    recall->pause_ms = recall->setup.pause_ms;
    loop_timer_set(recall->timer, 0);
}

static void give_up(struct recall *recall, const char *reason)
{
    recall->askings[recall->current].open = false;
    log_warn("%s in %s is passed over: %s", recall->setup.key, label_of(recall), reason);
    turn_to(recall, recall->current + 1);
}

static void try_later(struct recall *recall, const char *reason)
{
    int64_t at_ms = clock_mono_ms() + recall->pause_ms;
    recall->pause_ms *= 2;
    if (at_ms < recall->until_ms) {
        log_debug("%s in %s: %s; asked again", recall->setup.key, label_of(recall), reason);
        loop_timer_set(recall->timer, at_ms);
    } else {
        give_up(recall, reason);
    }
}

static void answered(void *arg, const struct recall_result *result)
{
    struct asking *asking = arg;
    struct recall *recall = asking->recall;
    if (!asking->open)
        return;
    recall->waiting = false;
    switch (result->outcome) {
    case RECALL_FOUND:
        finish(recall, label_of(recall), result->data, result->size);
        break;
    case RECALL_NONE:
        log_debug("%s is not in %s", recall->setup.key, label_of(recall));
        turn_to(recall, recall->current + 1);
        break;
    case RECALL_FORBIDDEN:
        log_info("what an earlier task of the service learned is not read back from %s: %s; %s is "
                 "all that is read",
            label_of(recall), result->reason, recall->setup.key);
        turn_to(recall, recall->current + 1);
        break;
    case RECALL_FAILED:
        try_later(recall, result->reason);
        break;
    }
}

static void ask(struct recall *recall)
{
    struct asking *asking = &recall->askings[recall->current];
    asking->open = recall->waiting = true;
    loop_timer_set(recall->timer, recall->until_ms);
    if (!delivery_recall(recall->setup.delivery, recall->current, recall->setup.key,
            recall->setup.max_bytes, answered, asking))
        turn_to(recall, recall->current + 1);
}

static void look(void *arg)
{
    struct recall *recall = arg;
    if (recall->current == recall->count)
        finish(recall, NULL, NULL, 0);
    else if (recall->waiting)
        give_up(recall, "it does not answer");
    else
        ask(recall);
}

struct recall *recall_start(const struct recall_setup *setup)
{
    struct recall *recall = xcalloc(1, sizeof *recall);
    recall->setup = *setup;
    recall->count = delivery_exporters(setup->delivery);
    recall->askings = xcalloc(recall->count, sizeof *recall->askings);
    for (size_t i = 0; i < recall->count; i++)
        recall->askings[i] = (struct asking){.recall = recall};
    recall->timer = loop_timer_new(setup->loop, look, recall);
    turn_to(recall, 0);
    return recall;
}

void recall_close(struct recall *recall)
{
    if (!recall)
        return;
    loop_timer_free(recall->timer);
    free(recall->askings);
    free(recall);
}
