/* Asking a store for one of the slots of a window, one after the other. */
#ifndef AGENT_FLEET_FLEET_CLAIM_H
#define AGENT_FLEET_FLEET_CLAIM_H

#include "agent/fleet/fleet_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct claim_result;
struct count_result;
struct fleet_claim;
struct loop;
struct recall_result;

/* An exporter's store, as delivery has it (agent/storage/delivery_claims.h). */
struct fleet_store {
    void (*claim)(void *self, const char *key, const char *text,
        void (*done)(void *arg, const struct claim_result *result), void *arg);
    void (*count)(void *self, const char *key,
        void (*done)(void *arg, const struct count_result *result), void *arg);
    /* False: it cannot. */
    bool (*recall)(void *self, const char *key, size_t max_bytes,
        void (*done)(void *arg, const struct recall_result *result), void *arg);
    void (*forget)(void *self, void *arg); /* who asked with this arg gets no `done` any more */
    void *self;
};

struct fleet_claim_result {
    enum fleet_answer answer;
    size_t slot;  /* FLEET_SLOT: from 0 */
    bool refused; /* FLEET_UNKNOWN: it takes somebody to change something */
    bool unsure;  /* FLEET_NONE, asked again: whose they are could not be read of each */
    int64_t retry_after_ms;
    const char *reason; /* FLEET_UNKNOWN, FLEET_UNABLE; valid within `done` */
};

/* All texts are copied. */
struct fleet_claim_setup {
    struct loop *loop;
    struct fleet_store store;
    const char *service, *trigger, *id; /* id: of the incident that wants a slot */
    int64_t window_ms;                  /* wall */
    size_t slots;
    /* It may have one since an earlier try whose answer was lost: slots that are taken are read,
     * where that is allowed, to see whose they are. */
    bool again;
    void (*done)(void *arg, const struct fleet_claim_result *result);
    void *arg;
};

/* `done` comes later, once; it may free the claim. */
struct fleet_claim *fleet_claim_start(const struct fleet_claim_setup *setup);

/* Ends it, without `done` if that has not come. NULL is allowed. */
void fleet_claim_free(struct fleet_claim *claim);

/* What a slot of this incident holds; the caller frees. */
char *fleet_claim_text(const char *id);

#endif
