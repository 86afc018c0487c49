/* What recurrence_filter.c (takes in onsets) and recurrence_outlook.c (answers questions) share.
 */
#ifndef TRIGGERS_RECURRENCE_INNER_H
#define TRIGGERS_RECURRENCE_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SLOTS = 10, /* onsets that may be the newest round */
    JITTERS = 3,
    CLOCKS = 2, /* renewal, clock */
    RATES = 3,
    KINDS = JITTERS * CLOCKS,
    IDLE_RATES = 10,
    MAX_STEPS = 4,  /* periods from one round to the next that was seen */
    CDF_STEPS = 64, /* of the table of the normal distribution, per standard deviation */
    CDF_REACH = 5   /* standard deviations */
};

/* Of random onsets, by the distribution of their intervals. */
enum family {
    POISSON, /* exponential */
    BURSTS,  /* exponential, of two means: one onset sets off others */
    EVEN,    /* gamma of shape 2: after an onset there is less for another one for a while */
    FAMILIES
};

/* Chosen on labelled synthetic onsets of several families (`scripts/bench detection` measures what
 * comes of them). All of them are shares or relative to a period, so that nothing depends on the
 * scale. */
struct constants {
    double grid;            /* of the periods, in ln: half the width of the sharpest pattern */
    double jitter[JITTERS]; /* standard deviations, in periods: of a machine, of people, at most */
    double rate[RATES];     /* unrelated onsets a period: seldom, now and then, often */
    double rate_prior[RATES]; /* many in between explain any onsets: they get little */
    double edge;  /* how likely the ends of the range of periods are, to its middle: 1 */
    double taper; /* over how much of the range, in ln, that goes from edge to 1 */
    double family_prior[FAMILIES];
    double burst_share; /* of the intervals in BURSTS that are short */
    double burst_ratio; /* how many times longer the others are */
    double miss;        /* a round brings no onset */
    double end;         /* a session ends, per round: 10 rounds */
    double start;       /* an onset begins a session */
    double tilt;  /* how much likelier seldom random onsets are than frequent ones: the exponent */
    double gain;  /* a clock's phase is the mean of as many rounds, so that it follows a drift */
    double known; /* onsets that make a pattern: four, of which some may be doubtful */
    double seen;  /* onsets that make a prediction: two, the same */
    double cluster; /* hypotheses that agree on the period, in ln */
};

static const struct constants model = {
    .grid = 0.0134,
    .jitter = {0.01, 0.03, 0.055},
    .rate = {0.06, 0.25, 0.80},
    .rate_prior = {0.6, 0.3, 0.1},
    .edge = 0.2,
    .taper = 1,
    .family_prior = {0.75, 0.1, 0.15},
    .burst_share = 0.5,
    .burst_ratio = 6,
    .miss = 0.15,
    .end = 0.1,
    .start = 0.025,
    .tilt = 1,
    .gain = 7,
    .known = 3.3,
    .seen = 1.8,
    .cluster = 0.08,
};

/* All hypotheses of one period, jitter and clock, by the onset that was the newest round. */
struct track {
    float weight[RATES][SLOTS]; /* of having been the newest round, as of then */
    float phase_s[SLOTS];       /* a clock's tick, after the onset */
    float count[SLOTS];         /* rounds that were seen, its own included */
    float goes_on[SLOTS];       /* recurrence_survival at the newest onset */
};

struct recurrence_filter {
    size_t period_count;
    double *periods_s;
    struct track *tracks; /* KINDS for each period */
    double *mass;         /* one for each period: room for an estimate */
    double noise_s;
    double idle[FAMILIES][IDLE_RATES], idle_prior[FAMILIES][IDLE_RATES];
    float *period_prior;          /* one for each period */
    double idle_rate[IDLE_RATES]; /* a second; the last one is the lowest */
    double total;                 /* of all weights; what they have to be divided by */
    size_t onset_count;           /* that are held */
    size_t newest;                /* their ring: where the newest is */
    int64_t onsets_ms[SLOTS];
    float cdf[2 * CDF_REACH * CDF_STEPS + 2];
    float survival[MAX_STEPS + 2]; /* that it goes on over so many rounds that were missed */
};

static inline bool is_clock(int kind)
{
    return kind % CLOCKS == 1;
}

static inline double jitter_of(int kind)
{
    return model.jitter[kind / CLOCKS];
}

/* Of the sessions that do not go on without an onset, those that ended. */
static inline double ended_share(void)
{
    return model.end / (1 - (1 - model.end) * model.miss);
}

/* The variance, in periods, of the time of a round `steps` periods after the round before, when
 * `count` rounds have been seen; noise: recurrence_noise. */
static inline float variance_of(int kind, float steps, float count, float noise)
{
    float jitter = (float)jitter_of(kind);
    if (is_clock(kind))
        return (jitter * jitter + noise) * (1 + 1 / count);
    return steps * jitter * jitter + 2 * noise;
}

/* The variance of the time of an onset, in periods of number p. */
float recurrence_noise(const struct recurrence_filter *filter, size_t p);

/* Seconds from each onset to time_ms. */
void recurrence_ages(const struct recurrence_filter *filter, int64_t time_ms, float ages_s[SLOTS]);

/* Random onsets of a family, `rate` of them a second (BURSTS: of the bursts): the probability that
 * none comes for so long, and the density of the next one then. Both in multiples of what the
 * slowest rate has by then, so that a year of silence does not underflow. */
double recurrence_idle_silence(
    const struct recurrence_filter *filter, enum family family, double rate, double silence_s);
double recurrence_idle_density(
    const struct recurrence_filter *filter, enum family family, double rate, double silence_s);

/* The normal distribution's share below so many standard deviations. */
float recurrence_share_below(const struct recurrence_filter *filter, float deviations);

/* The probability that a session goes on and brought no onset for `periods` after a round. */
float recurrence_survival(
    const struct recurrence_filter *filter, int kind, float periods, float count, float noise);

#endif
