/* A trigger is a pure decision over samples: the same code runs in `run` and in `replay`. It keeps
 * no window (the series do) and knows no cooldown or limit (the detector does). One file a kind;
 * agent/kinds.c lists them. */
#ifndef TRIGGERS_TRIGGER_H
#define TRIGGERS_TRIGGER_H

#include "config/fields.h"
#include "core/metric.h"

#include <stdbool.h>
#include <stdint.h>

struct trigger_input {
    int64_t time_ms; /* of the sample; rising */
    double value;    /* finite, in the metric's unit */
};

enum { REASON_SIZE = 160 };

struct verdict {
    bool holds;   /* the condition is true at this sample */
    bool fired;   /* it has become true: once an excursion */
    bool cleared; /* the excursion that fired is over */
    double value;
    double limit;
    int64_t onset_ms; /* when the excursion began; valid while holds */
};

struct trigger_kind {
    struct kind kind;  /* first */
    size_t state_size; /* of its state, zeroed at first */
    /* Looks at one new sample of its metric. */
    void (*check)(const void *options, void *state, const struct trigger_input *input,
        struct verdict *verdict);
    /* "cpu 93.1% above 80% for 10 s": why a verdict fired or holds. */
    void (*explain)(const void *options, const char *metric, enum unit unit,
        const struct verdict *verdict, char reason[REASON_SIZE]);
    /* How near it came to firing since its state was made, as a phrase: "74.2%, 5.8 points below
     * 80%". *time_ms: when. Returns false while there was no sample. */
    bool (*nearest_miss)(const void *options, const void *state, enum unit unit, int64_t *time_ms,
        char phrase[REASON_SIZE]);
    /* How long before its fire an excursion can have begun at the least. */
    int64_t (*lookback_ms)(const void *options);
    /* "cpu above 80% for 10 s": the rule itself, for the start of a run. */
    void (*describe)(
        const void *options, const char *metric, enum unit unit, char phrase[REASON_SIZE]);
};

extern const struct trigger_kind trigger_threshold;

#endif
