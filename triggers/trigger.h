/* A trigger is a pure decision over samples, and over what other triggers decided: it has no clock,
 * no input and no output of its own, so that the same code runs in `run` and in `replay`. It knows
 * no cooldown and no limit (the detector does). One file a kind; agent/kinds.c lists them. */
#ifndef TRIGGERS_TRIGGER_H
#define TRIGGERS_TRIGGER_H

#include "config/fields.h"
#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REASON_SIZE = 240 };

struct verdict;

/* One step: a moment at which something was measured. */
struct trigger_input {
    int64_t time_ms;      /* never falls; rises unless metrics that arrive late are looked at */
    const double *values; /* one for each metric, in its unit; NAN: no sample in this step */
    /* One for each member: what it said in this step. One that had nothing to look at says again
     * whether it holds, for as long as a gap is bridged. */
    const struct verdict *const *members;
};

/* What became of a recurrence in this step; several may be true at once. */
enum recurrence_news {
    RECURRENCE_HIT = 1,        /* a spike began within the window that was armed */
    RECURRENCE_MISS = 2,       /* the armed window has passed without one */
    RECURRENCE_RECOGNISED = 4, /* a period is held, or its estimate has changed */
    RECURRENCE_DORMANT = 8,    /* none is held any more; the window is void */
    RECURRENCE_ARM = 16        /* the window is new */
};

struct recurrence {
    bool recognised;
    double period_s, jitter_s; /* while recognised; jitter: one standard deviation of a period */
    unsigned onsets;           /* that belong to the pattern */
    double odds;               /* the probability that the onsets recur, 0 to 1 */
    int64_t expected_ms;       /* the next onset; INT64_MIN: none is expected */
    int64_t window_start_ms, window_end_ms; /* to be armed in, around it; INT64_MIN: none */
};

struct verdict {
    bool holds;         /* the condition is true in this step */
    bool fired;         /* it has become true: once an excursion */
    bool cleared;       /* the excursion that fired is over */
    bool ebbed;         /* it is not, but looks so: its end is not certain yet */
    const char *metric; /* which value, limit and unit are of */
    enum unit unit;
    double value;
    double limit; /* NAN: there is none */
    bool down;    /* it fires for the value being low; one on its way up to the limit does not */
    int64_t onset_ms; /* when the excursion began; valid while holds, and with cleared */
    int64_t ended_ms; /* the sample with which the excursion was over; valid with cleared, ebbed */
    unsigned news;    /* of enum recurrence_news */
    const struct recurrence *recurrence; /* the trigger's own; NULL: it is of another kind */
};

struct trigger_kind {
    struct kind kind; /* first */
    bool foresees;    /* it fires before the harm is done */
    bool momentary;   /* it fires for what happens at a moment, which is never cleared */
    /* A trigger at work, which close frees. options and scope outlive it, or rebind replaces them.
     */
    void *(*open)(const void *options, const struct trigger_scope *scope);
    void (*close)(void *trigger);
    /* Goes on with options and a scope that say the same as those it was opened with, which end.
     * NULL: it keeps none of them. */
    void (*rebind)(void *trigger, const void *options, const struct trigger_scope *scope);
    /* Takes in one step. Fills all of *verdict, which comes zeroed. */
    void (*check)(void *trigger, const struct trigger_input *input, struct verdict *verdict);
    /* "cpu 93.1% above 80% for 10 s": why the verdict of the newest step fired or holds. */
    void (*explain)(const void *trigger, const struct verdict *verdict, char reason[REASON_SIZE]);
    /* How near it came to firing since it was opened, as a phrase: "74.2%, 5.8 points below 80%".
     * *time_ms: when. Returns false while there was no sample. A kind that never fires says what it
     * sees now instead. */
    bool (*nearest_miss)(const void *trigger, int64_t *time_ms, char phrase[REASON_SIZE]);
    /* How long before its fire an excursion can have begun at the most, where samples lie
     * interval_ms apart; of a kind with members: how much longer than the longest of theirs. NULL:
     * no longer. */
    int64_t (*lookback_ms)(const void *options, int64_t interval_ms);
    /* "cpu above 80% for 10 s": the rule itself, for the start of a run. */
    void (*describe)(
        const void *options, const struct trigger_scope *scope, char phrase[REASON_SIZE]);
    /* What it has learned, as the onsets (the oldest first) from which restore learns it again:
     * before the first check, or between two checks with the onsets seen since. Both NULL: it
     * learns nothing. */
    const int64_t *(*learned)(const void *trigger, size_t *count);
    void (*restore)(void *trigger, const int64_t *onsets_ms, size_t count);
};

extern const struct trigger_kind trigger_threshold, trigger_spike, trigger_forecast,
    trigger_counter, trigger_composite, trigger_recurs;

#endif
