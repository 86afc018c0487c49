/* The triggers of a configuration over a set of series: who fires, who is suppressed by a cooldown
 * or a limit, who is clear again, what recurs. The same code in `run` and in `replay`. */
#ifndef AGENT_DETECTION_DETECTOR_H
#define AGENT_DETECTION_DETECTOR_H

#include "agent/detection/excursion.h"
#include "triggers/trigger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct detector;
struct error;
struct series_set;

enum { DETECTOR_WHY_SIZE = 300 };

enum detector_event_type {
    EVENT_FIRE,
    EVENT_CLEAR,
    EVENT_SUPPRESSED,
    EVENT_HIT,
    EVENT_MISS,
    EVENT_RECOGNISED,
    EVENT_DORMANT,
    EVENT_ARM
};

struct detector_event {
    enum detector_event_type type;
    size_t trigger;     /* index in config->triggers */
    int64_t time_ms;    /* of the sample */
    const char *metric; /* which value, limit and unit are of; NULL with what recurs */
    enum unit unit;
    double value, limit; /* limit NAN: none */
    bool down;           /* it is about the value being low */
    int64_t onset_ms;
    const char *by;     /* EVENT_SUPPRESSED: "quiet", "cooldown", "limit", "known", "failure" of
                           `open`, or as detector_withdraw says */
    const char *reason; /* a phrase; for EVENT_SUPPRESSED with what suppressed it */
    const struct recurrence *recurrence; /* EVENT_HIT and later; NULL with the others */
    /* The id of the incident in the spool whose place this one takes, as limits.per_hour is
     * reached; NULL: it has one of its own. */
    const char *replaces;
    bool joins; /* EVENT_FIRE: an incident of the app is running, and this joins it */
    bool again; /* to the open hook: it failed at the sample before */
};

struct detector_hooks {
    void (*event)(void *arg, const struct detector_event *event);
    /* Whether an incident of this app is running: a fire then joins it, which starts the trigger's
     * cooldown but does not count as an incident. NULL: never. */
    bool (*running)(void *arg, size_t app);
    /* Why no incident may be opened now ("the spool is full: ..."), or NULL. NULL: never. */
    const char *(*refusal)(void *arg);
    /* Where limits.per_hour is reached: the id of an incident that waits in the spool and is so
     * much less interesting than this fire that it gives its place to it, or NULL; valid until the
     * next call. Asked at every sample while the fire is held back. NULL: there never is. */
    const char *(*replaceable)(void *arg, const struct detector_event *event);
    /* Whether a fire that would open an incident is only what is known already, with the reason in
     * words; asked at every sample while its condition holds. NULL: never. */
    bool (*known)(void *arg, const struct detector_event *event, char why[DETECTOR_WHY_SIZE]);
    /* When the app was started, in the clock of the samples; INT64_MIN: it is not known, and the
     * first sample counts as its start. NULL: never known. */
    int64_t (*started)(void *arg, size_t app);
    /* Opens the incident of a fire, or has it joined, right before its EVENT_FIRE. -1 and err when
     * it cannot: the fire then counts for nothing, EVENT_SUPPRESSED says so once, and every sample
     * at which the condition still holds tries again. NULL: there is nothing to open. */
    int (*open)(void *arg, const struct detector_event *event, struct error *err);
    void *arg;
};

/* With limits false, cooldowns and per_hour are left out. A series is looked at from when it is
 * there. Everything outlives the detector. */
struct detector *detector_open(const struct config *config, const struct series_set *series,
    bool limits, const struct detector_hooks *hooks);
void detector_close(struct detector *detector);

/* Before the first check of a detector that takes the place of another one: triggers that look for
 * the same under the same name go on with all that they know, and the others have their counts of
 * fires. Nothing that was sampled so far is looked at again. Cooldowns and openings are restored as
 * after a restart. Of `before` only detector_close may be called then; its configuration may end
 * after that. */
void detector_take_over(struct detector *detector, struct detector *before);

/* What an earlier run left, before the first check, in the clock of the samples: a trigger's last
 * fire, whose cooldown goes on; and the oldest first, when incidents were opened. */
void detector_restore_fire(struct detector *detector, size_t trigger, int64_t fire_ms);
void detector_restore_opening(struct detector *detector, int64_t opened_ms);

/* The onsets, the oldest first, from which a trigger is to have learned: before the first check, or
 * between two checks with the onsets seen since. */
void detector_restore_onsets(
    struct detector *detector, size_t trigger, const int64_t *onsets_ms, size_t count);

/* The onsets from which a trigger has learned, the oldest first; valid until the next check. NULL:
 * it is not of a kind that learns. */
const int64_t *detector_learned(const struct detector *detector, size_t trigger, size_t *count);

/* The incident that a fire opened is given up: it counts as none, the trigger's cooldown goes on,
 * and EVENT_SUPPRESSED says so, by whom and why. `fire` is the event of the fire. */
void detector_withdraw(
    struct detector *detector, const struct detector_event *fire, const char *by, const char *why);

/* Looks at every sample that was pushed since the last call, in the order of time. */
void detector_check(struct detector *detector);

/* Whether the trigger's condition is true now; one that never fires has none. And whether
 * quiet.after_start of an app lasts. */
bool detector_holds(const struct detector *detector, size_t trigger);
bool detector_is_quiet(const struct detector *detector, size_t app);

/* How the excursions of these triggers stand, taken together: `among` has an entry for each trigger
 * of the configuration. *ended_ms: with EXCURSION_EBBED and EXCURSION_OVER, when the last of them
 * was over. */
enum excursion detector_excursion(
    const struct detector *detector, const bool *among, int64_t *ended_ms);

/* The pattern to which the fires of this trigger belong, when one is recognised; else NULL. */
const struct recurrence *detector_pattern_of(const struct detector *detector, size_t trigger);

/* What `status` and `replay --summary` tell of one trigger. */
struct detector_status {
    bool holds; /* the condition is true now */
    uint64_t fires, suppressed;
    uint64_t withdrawn;        /* fires that detector_withdraw made suppressed ones */
    int64_t last_fire_ms;      /* INT64_MIN: never */
    int64_t cooldown_until_ms; /* INT64_MIN: in none */
    int64_t told_ms;           /* the last fire or suppressed fire of this run; INT64_MIN: none */
    const char *told;          /* why it fired, or what held it back; "" */
    bool has_nearest;          /* a phrase how near it came, and when */
    int64_t nearest_ms;
    char nearest[REASON_SIZE];
    const struct recurrence *recurrence; /* NULL: not of that kind, or it has seen nothing */
};
void detector_status(
    const struct detector *detector, size_t trigger, struct detector_status *status);

#endif
