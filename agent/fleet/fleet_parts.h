/* What fleet.c, fleet_ask.c and fleet_settle.c share. */
#ifndef AGENT_FLEET_FLEET_PARTS_H
#define AGENT_FLEET_FLEET_PARTS_H

#include "agent/fleet/fleet.h"
#include "agent/fleet/fleet_claim.h"

struct asked;
struct mark;
struct settling;

struct fleet {
    struct fleet_setup setup;
    size_t exporter;           /* in the delivery; SIZE_MAX: there is no fleet, or it is stopped */
    struct fleet_store store;  /* its */
    char agent[17];            /* what this one is called among the others: 16 hex digits */
    struct mark *marks;        /* that are to be made */
    struct asked *asked;       /* incidents that are being taken and have no answer yet */
    struct settling *settling; /* the incident that is about to be stored; NULL: none */
    bool hurried;
    bool unable;           /* the store has no conditional writes, which was said */
    bool proven;           /* it has */
    bool probing, written; /* it is being found out; its object was */
    bool forbidden;        /* it takes no slots for want of a right, which was said */
    uint64_t taken, given_up, duplicates; /* incidents; taken: with a slot */
};

/* Tells the others of this window that this agent saw the spike; `done` as in fleet_store.claim. */
void fleet_mark(struct fleet *fleet, const char *trigger, int64_t window_ms,
    void (*done)(void *arg, const struct claim_result *result), void *arg);

/* Finds out whether the store keeps the condition, before anything relies on it, unless that is
 * known: it does where it does not take a fixed object (what `stakeout check` writes) a second
 * time. Where it does not answer, the next slot that is this agent's has it asked again. */
void fleet_probe(struct fleet *fleet);

/* The store cannot settle anything: said once. */
void fleet_say_unable(struct fleet *fleet, const char *why);

/* The same in some seconds. */
void fleet_mark_soon(struct fleet *fleet, const char *trigger, int64_t window_ms);

/* The asking for an incident (NULL: for all) that goes on since its fire ends. */
void fleet_ask_no_more(struct fleet *fleet, const char *id);

/* The hook of delivery, with the fleet; and for fleet_stop and fleet_hurry. */
bool fleet_settle(void *fleet, size_t exporter, const char *id);
void fleet_settle_stop(struct fleet *fleet);
void fleet_settle_hurry(struct fleet *fleet);

#endif
