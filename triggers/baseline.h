/* What is usual for one metric, from its own newest history, and how far it is from that now.
 *
 * Samples become steps: as they come, or averaged over a second where they are closer. Every ten
 * seconds, or at every step where those are further apart, the mean of the newest steps goes into
 * the history, outside of spikes only. The distance from its median, in units of its robust
 * scale, is z. Rates are looked at as log(1 + x). 5.6 KB, allocated once. */
#ifndef TRIGGERS_BASELINE_H
#define TRIGGERS_BASELINE_H

#include "core/metric.h"
#include "triggers/history.h"
#include "triggers/records.h"
#include "triggers/spacing.h"

#include <stdbool.h>
#include <stdint.h>

enum direction { DIRECTION_UP, DIRECTION_DOWN, DIRECTION_BOTH };

enum {
    BASELINE_STEPS = 64,  /* the newest, to find an onset in */
    BASELINE_RECENT = 90, /* the newest values for the history, spikes included */
    BASELINE_DELAY = 3,   /* values that wait, as a spike may have begun in them */
    BASELINE_LEARN = 30   /* values before it can say anything: 5 min, or 30 samples */
};

struct baseline_step {
    int64_t time_ms;
    double value; /* as looked at */
};

struct baseline_rule {
    enum direction direction;
    double score;    /* the distance that is the limit */
    double at_least; /* nearer values are at no distance; in the metric's unit; 0: none is */
};

/* Distances from the usual in the direction that counts, never negative. */
struct baseline_distance {
    double mean;  /* of the mean of some newest steps */
    double least; /* the least of each of them */
};

/* What counts as 1 above the usual and below it. */
struct baseline_scale {
    double up, down;
};

struct baseline {
    enum unit unit;
    struct baseline_rule rule;
    /* As of the newest step. */
    struct baseline_distance confirmed; /* of as many steps as a confirmation takes */
    struct baseline_distance early;     /* of one less, if that is two or more; else the same */
    double held_back;                   /* the distance that at_least made none of; 0: it did not */
    double lasting; /* of the mean of a dozen steps, by which a slow metric is judged as well */
    double value;   /* the newest sample, in the metric's unit */

    struct spacing spacing;
    int64_t sum_since_ms; /* the step that is being averaged */
    double sum;
    unsigned sum_count;
    struct baseline_step steps[BASELINE_STEPS];
    unsigned step_next, unbroken; /* unbroken: steps since the last gap, at most all */
    int64_t grain_ms;             /* the distance of steps that the history was made of */

    int64_t value_since_ms; /* when the last value for the history was taken */
    float delayed[BASELINE_DELAY];
    unsigned delayed_count;
    float recent[BASELINE_RECENT];
    unsigned recent_next, recent_count;
    unsigned relearning; /* values until it speaks again, after a long gap */
    int side;            /* of the newest values: above (1) or below (-1) what is usual, or not */
    unsigned side_run;   /* how many of them in a row */

    struct history history;
    double median, spread;
    struct baseline_scale scale;
    double usual, limit_up, limit_down; /* in the metric's unit; usual is NAN at first */

    /* Of a slow metric: the extremes of its steps, and of the means of some of them. */
    struct records records, mean_records;
    struct baseline_scale mean_scale;
};

void baseline_init(struct baseline *baseline, enum unit unit, const struct baseline_rule *rule);

/* Takes in a sample; true when it ended a step, so that the distances are new. */
bool baseline_take(struct baseline *baseline, int64_t time_ms, double value, bool spiking);

/* Whether it has learned enough to speak. */
bool baseline_knows(const struct baseline *baseline);

/* How long it has learned, and how long that takes. */
void baseline_progress(const struct baseline *baseline, int64_t *done_ms, int64_t *needed_ms);

/* Whether the newest sample is too old to say anything about time_ms. */
bool baseline_is_stale(const struct baseline *baseline, int64_t time_ms);

/* The distance between steps: the samples' own, or a second. */
int64_t baseline_step_ms(const struct baseline *baseline);

/* The distance between values for the history. */
int64_t baseline_value_ms(const struct baseline *baseline);

/* A spike has begun: what waits for the history may be part of it. */
void baseline_drop_delayed(struct baseline *baseline);

/* What lasts that long is no spike: its newest values are the history now. Unless `always`, only
 * if they all are beyond the usual. Returns whether it did. */
bool baseline_adopt(struct baseline *baseline, bool always);

/* The value at which this metric alone reaches the score, on the side of the newest step. In the
 * metric's unit. */
double baseline_limit(const struct baseline *baseline);

/* Whether that is a limit for values that are low. */
bool baseline_is_down(const struct baseline *baseline);

/* When the newest rise began: the end of the last step that lay within the history's range. */
int64_t baseline_onset_ms(const struct baseline *baseline);

/* The end of the step nearest to the usual since since_ms: the valley before a second rise. */
int64_t baseline_valley_ms(const struct baseline *baseline, int64_t since_ms);

#endif
