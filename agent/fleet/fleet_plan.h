/* What a fleet decides, without a clock or a store: windows, slots, keys, and what an answer means.
 *
 * The agents of a service settle among themselves who takes an incident, with nothing between them
 * but the store. Time is cut into windows of fleet.per, and of a trigger each window has
 * fleet.incidents slots, objects that are written only where none is:
 *
 *   service=<service>/_state/fleet/<trigger>/<start of the window>/<slot: 0 and up>
 *   service=<service>/_state/fleet/<trigger>/<start of the window>/seen/<agent>
 *
 * Whoever writes one has it. Slots are tried from one that the incident's id chooses, by chance and
 * yet the same one after a restart. Who finds all of them written gives its incident up. Each agent
 * that saw the spike writes below seen/, and how many these are is counted before an incident is
 * stored. Nothing is ever read to decide, nothing removed, and an old window costs nobody anything.
 *
 * The capture waits for none of this: its first requests have left when the first slot is asked
 * for; one that waited for the answer would miss the beginning of the spike. Without an answer in
 * FLEET_PATIENCE_MS that is said, and the asking goes on beside the capture, again where it fails:
 * a store that fifty copies ask in one second may take some to answer the last of them.
 *
 * A "no" to each slot ends the capture while it has captured nothing (fleet_plan_captured): that
 * costs the app the beginning of a CPU profile, and the profiles of a moment that were taken
 * beside it, which others have of the same spike. From then on nothing is thrown away: the incident
 * is settled when it is about to be stored, in the window of its fire, late, with a slot if one is
 * free, else as a duplicate, which is stored like any other. So is one without an answer.
 *
 * Two fires on different sides of a window's start are of different windows, and so are those of
 * agents whose clocks are that far apart: such a spike is taken up to twice as often, never less
 * often. As spikes like full minutes and hours, windows begin at none of these. */
#ifndef AGENT_FLEET_FLEET_PLAN_H
#define AGENT_FLEET_FLEET_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;

enum { FLEET_PATIENCE_MS = 200 }; /* from the fire, before it is said that the store is slow */

/* When the window begins that a time is in (both wall ms). Windows have no gaps; those of a length
 * begin 0.382 of it after its multiples since 1970. */
int64_t fleet_plan_window_ms(int64_t wall_ms, int64_t per_ms);

/* The slot of `count` that is tried first for an incident, by the hex digits at its id's end. */
size_t fleet_plan_first(const char *id, size_t count);

/* "service=<service>/_state/fleet/<trigger>/20261123T150349Z/<rest>"; the caller frees. */
char *fleet_plan_key(const char *service, const char *trigger, int64_t window_ms, const char *rest);

/* What came of asking for the slots of a trigger. */
enum fleet_answer {
    FLEET_SLOT,    /* one is ours */
    FLEET_NONE,    /* all are others' */
    FLEET_UNKNOWN, /* the store does not tell, now */
    FLEET_UNABLE   /* the store cannot do it: every agent takes its own */
};

/* Whether what there is of an incident is not thrown away any more: a first profile that records
 * for some time (the CPU, allocs over 5 s) is complete, or cut off; its app has ended; somebody
 * asked for it by hand as well. What the recorder had from before the fire does not count, nor do
 * profiles of a moment as long as others are being recorded. */
bool fleet_plan_captured(const struct incident *incident);

/* What is known when an answer has come. */
struct fleet_news {
    enum fleet_answer answer;
    bool refused;            /* FLEET_UNKNOWN: another try would end the same */
    bool unsure;             /* FLEET_NONE: one of them may be ours, which cannot be read */
    bool captured;           /* it is, or is over or about to be */
    bool another_has_joined; /* a trigger whose slots were not asked for */
};

/* What follows for the incident. */
enum fleet_verdict {
    FLEET_KEEP,
    FLEET_ASK_NEXT,  /* for the slots of the trigger that has joined */
    FLEET_ASK_AGAIN, /* in a while */
    FLEET_GIVE_UP,   /* it is thrown away */
    FLEET_LATER      /* it is settled when it is about to be stored */
};
enum fleet_verdict fleet_plan_verdict(const struct fleet_news *news);

#endif
