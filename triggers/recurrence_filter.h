/* Do these onsets recur, every how long, and when is the next? A Bayesian filter over the times of
 * onsets, which knows nothing of triggers.
 *
 * A hypothesis is a period with a jitter, a kind of clock (renewal: a round starts one period after
 * the round before; clock: rounds keep to a grid) and a rate of unrelated onsets between the
 * rounds. For each of them and each of the last onsets it holds the probability that this onset was
 * the newest round. Against them stands that nothing recurs: onsets at random, at any of several
 * rates. Work is done only when there is an onset or a question; memory is fixed at open.
 *
 * Times are milliseconds of any one clock. */
#ifndef TRIGGERS_RECURRENCE_FILTER_H
#define TRIGGERS_RECURRENCE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recurrence_filter;

struct recurrence_estimate {
    double odds;     /* the probability that a pattern of four onsets or more holds */
    double alive;    /* the same for any pattern */
    double period_s; /* of the likeliest pattern; 0: there is none at all */
    double jitter_s; /* one standard deviation of its period */
    double onsets;   /* that belong to it, as expected from its hypotheses */
};

/* Where the next round is expected. */
struct recurrence_window {
    int64_t start_ms, end_ms;
    double chance; /* that the next round begins in it */
};

/* For periods from from_s to to_s seconds, both > 0 and apart. Not for the user to get wrong:
 * recurs.c refuses what makes no sense. */
struct recurrence_filter *recurrence_filter_open(double from_s, double to_s);
void recurrence_filter_close(struct recurrence_filter *filter);

/* Forgets everything. noise_s: the standard deviation of the error of an onset's time. */
void recurrence_filter_reset(struct recurrence_filter *filter, double noise_s);

/* Takes in an onset, later than the one before. */
void recurrence_filter_onset(struct recurrence_filter *filter, int64_t onset_ms);

/* What holds at now_ms, when there was no further onset until then; not before the newest onset. */
void recurrence_filter_estimate(
    const struct recurrence_filter *filter, int64_t now_ms, struct recurrence_estimate *estimate);

/* The first window of width_s that begins at after_ms or later, and in which a round begins with at
 * least `chance` when there is no onset until after_ms; searched for over the two periods of
 * period_s that follow. Where there is none, the likeliest window, and returns false. */
bool recurrence_filter_window(const struct recurrence_filter *filter, int64_t after_ms,
    double period_s, double width_s, double chance, struct recurrence_window *window);

#endif
