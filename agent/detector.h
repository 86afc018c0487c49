/* The triggers of a configuration over a set of series: who fires, who is suppressed by a cooldown
 * or a limit, who is clear again. The same code in `run` and in `replay`. */
#ifndef AGENT_DETECTOR_H
#define AGENT_DETECTOR_H

#include "triggers/trigger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct detector;
struct error;
struct series_set;

enum detector_event_type { EVENT_FIRE, EVENT_CLEAR, EVENT_SUPPRESSED };

struct detector_event {
    enum detector_event_type type;
    size_t trigger;  /* index in config->triggers */
    int64_t time_ms; /* of the sample */
    double value, limit;
    int64_t onset_ms;
    const char *by;     /* EVENT_SUPPRESSED: "cooldown", "limit", or "failure" of the open hook */
    const char *reason; /* a phrase; for EVENT_SUPPRESSED with what suppressed it */
    bool joins;         /* EVENT_FIRE: an incident of the app is running, and this joins it */
    bool again;         /* to the open hook: it failed at the sample before */
};

struct detector_hooks {
    void (*event)(void *arg, const struct detector_event *event);
    /* Whether an incident of this app is running: a fire then joins it, which starts the trigger's
     * cooldown but does not count as an incident. NULL: never. */
    bool (*running)(void *arg, size_t app);
    /* Why no incident may be opened now ("the spool is full: ..."), or NULL. NULL: never. */
    const char *(*refusal)(void *arg);
    /* Opens the incident of a fire, or has it joined, right before its EVENT_FIRE. -1 and err when
     * it cannot: the fire then counts for nothing, EVENT_SUPPRESSED says so once, and every sample
     * at which the condition still holds tries again. NULL: there is nothing to open. */
    int (*open)(void *arg, const struct detector_event *event, struct error *err);
    void *arg;
};

/* With limits false, cooldowns and per_hour are left out. The series are looked up by name at each
 * check until they are there. Everything outlives the detector. */
struct detector *detector_open(const struct config *config, const struct series_set *series,
    bool limits, const struct detector_hooks *hooks);
void detector_close(struct detector *detector);

/* What an earlier run left, before the first check, in the clock of the samples: a trigger's last
 * fire, whose cooldown goes on; and, the oldest first, when incidents were opened. */
void detector_restore_fire(struct detector *detector, size_t trigger, int64_t fire_ms);
void detector_restore_opening(struct detector *detector, int64_t opened_ms);

/* Looks at every sample that was pushed since the last call, in the order of time. */
void detector_check(struct detector *detector);

/* What `status` and `replay --summary` tell of one trigger. */
struct detector_status {
    bool holds; /* the condition is true now */
    uint64_t fires, suppressed;
    int64_t last_fire_ms;      /* INT64_MIN: never */
    int64_t cooldown_until_ms; /* INT64_MIN: in none */
    bool has_nearest;          /* a phrase how near it came, and when */
    int64_t nearest_ms;
    char nearest[REASON_SIZE];
};
void detector_status(
    const struct detector *detector, size_t trigger, struct detector_status *status);

#endif
