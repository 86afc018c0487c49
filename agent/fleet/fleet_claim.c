#include "agent/fleet/fleet_claim.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store that has others write the same object at this moment is asked again soon. */
enum { BUSY_TRIES = 20, BUSY_PAUSE_MS = 25, MAX_TEXT = 512 };

struct fleet_claim {
    struct fleet_claim_setup setup;
    char *service, *trigger, *text;
    size_t first, tried, busy;
    bool unsure;
    char *key; /* of the slot that is being asked for */
    struct loop_timer *pause;
};

static void ask(void *arg);

char *fleet_claim_text(const char *id)
{
    return xasprintf("{\"incident\": \"%s\"}\n", id);
}

struct fleet_claim *fleet_claim_start(const struct fleet_claim_setup *setup)
{
    struct fleet_claim *claim = xcalloc(1, sizeof *claim);
    claim->setup = *setup;
    claim->service = xstrdup(setup->service);
    claim->trigger = xstrdup(setup->trigger);
    claim->text = fleet_claim_text(setup->id);
    claim->first = fleet_plan_first(setup->id, setup->slots);
    claim->pause = loop_timer_new(setup->loop, ask, claim);
    ask(claim);
    return claim;
}

void fleet_claim_free(struct fleet_claim *claim)
{
    if (!claim)
        return;
    claim->setup.store.forget(claim->setup.store.self, claim);
    loop_timer_free(claim->pause);
    free(claim->service);
    free(claim->trigger);
    free(claim->text);
    free(claim->key);
    free(claim);
}

static size_t slot_of(const struct fleet_claim *claim)
{
    return (claim->first + claim->tried) % claim->setup.slots;
}

static void end(struct fleet_claim *claim, enum fleet_answer answer, const char *reason)
{
    claim->setup.done(claim->setup.arg,
        &(struct fleet_claim_result){
            .answer = answer, .slot = slot_of(claim), .unsure = claim->unsure, .reason = reason});
}

static void next(struct fleet_claim *claim)
{
    claim->busy = 0;
    if (++claim->tried < claim->setup.slots)
        ask(claim);
    else
        end(claim, FLEET_NONE, "");
}

static void have_read(void *arg, const struct recall_result *result)
{
    struct fleet_claim *claim = arg;
    bool ours = result->outcome == RECALL_FOUND && result->size == strlen(claim->text) &&
                !memcmp(result->data, claim->text, result->size);
    if (ours)
        end(claim, FLEET_SLOT, "");
    else if (result->outcome == RECALL_FAILED)
        claim->setup.done(claim->setup.arg,
            &(struct fleet_claim_result){.answer = FLEET_UNKNOWN, .reason = result->reason});
    else {
        claim->unsure = claim->unsure || result->outcome != RECALL_FOUND;
        next(claim);
    }
}

static void answered(void *arg, const struct claim_result *result)
{
    struct fleet_claim *claim = arg;
    const struct fleet_store *store = &claim->setup.store;
    if (result->busy && ++claim->busy < BUSY_TRIES) {
        loop_timer_set(claim->pause, clock_mono_ms() + BUSY_PAUSE_MS);
        return;
    }
    switch (result->outcome) {
    case CLAIM_TAKEN:
        end(claim, FLEET_SLOT, "");
        break;
    case CLAIM_EXISTS:
        if (claim->setup.again &&
            store->recall(store->self, claim->key, MAX_TEXT, have_read, claim))
            break;
        claim->unsure = claim->setup.again;
        next(claim);
        break;
    case CLAIM_UNABLE:
        end(claim, FLEET_UNABLE, result->reason);
        break;
    case CLAIM_FAILED:
        claim->setup.done(claim->setup.arg, &(struct fleet_claim_result){.answer = FLEET_UNKNOWN,
                                                .refused = result->refused,
                                                .retry_after_ms = result->retry_after_ms,
                                                .reason = result->reason});
        break;
    }
}

static void ask(void *arg)
{
    struct fleet_claim *claim = arg;
    const struct fleet_store *store = &claim->setup.store;
    char slot[24];
    snprintf(slot, sizeof slot, "%zu", slot_of(claim));
    free(claim->key);
    claim->key = fleet_plan_key(claim->service, claim->trigger, claim->setup.window_ms, slot);
    store->claim(store->self, claim->key, claim->text, answered, claim);
}
