#include "triggers/recurrence_filter.h"

#include "core/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 12, /* onsets that may be the newest round */
    JITTERS = 3,
    CLOCKS = 2, /* renewal, clock */
    RATES = 2,
    KINDS = JITTERS * CLOCKS,
    IDLE_RATES = 10,
    MAX_STEPS = 4,     /* periods from one round to the next that was seen */
    BINS_PERIOD = 100, /* of a period, where a window is searched for */
    BINS_AHEAD = 2 * BINS_PERIOD,
    CDF_STEPS = 64, /* of the table of the normal distribution, per standard deviation */
    CDF_REACH = 5   /* standard deviations */
};

struct constants {
    double grid;            /* of the periods, in ln */
    double jitter[JITTERS]; /* standard deviations, in periods */
    double rate[RATES];     /* unrelated onsets a period */
    double miss;            /* a round brings no onset */
    double end;             /* a session ends, per round */
    double start;           /* an onset begins a session */
    double gain;            /* a clock's phase is the mean of as many rounds */
    double known;           /* onsets that make a pattern */
    double seen;            /* onsets that make a prediction */
    double cluster;         /* hypotheses that agree on the period, in ln */
    double change;          /* of the rate of random onsets, per onset */
};

static const struct constants model = {
    .grid = 0.012,
    .jitter = {0.008, 0.025, 0.07},
    .rate = {0.08, 0.70},
    .miss = 0.15,
    .end = 0.12,
    .start = 0.05,
    .gain = 7,
    .known = 2.5,
    .seen = 1.8,
    .cluster = 0.08,
    .change = 0,
};

/* All hypotheses of one period, jitter and clock, by the onset that was the newest round. */
struct track {
    float weight[RATES][SLOTS]; /* of having been the newest round, as of then */
    float phase_s[SLOTS];       /* a clock's tick, after the onset */
    float count[SLOTS];         /* rounds that were seen, its own included */
};

struct recurrence_filter {
    size_t period_count;
    double *periods_s;
    struct track *tracks; /* KINDS for each period */
    double *mass;         /* one for each period: room for an estimate */
    double noise_s;
    double idle[IDLE_RATES], idle_rate[IDLE_RATES]; /* a second; the last one is the lowest */
    double total;       /* of all weights; what they have to be divided by */
    size_t onset_count; /* that are held */
    size_t newest;      /* their ring: where the newest is */
    int64_t onsets_ms[SLOTS];
    float cdf[2 * CDF_REACH * CDF_STEPS + 2];
    double
        survival[MAX_STEPS + 2]; /* that a session goes on over so many rounds that were missed */
};

static void fill_tables(struct recurrence_filter *filter)
{
    double stays = (1 - model.end) * model.miss;
    for (int k = 0; k <= MAX_STEPS + 1; k++)
        filter->survival[k] = k <= MAX_STEPS ? pow(stays, k) : 0;
    for (size_t i = 0; i < sizeof filter->cdf / sizeof *filter->cdf; i++)
        filter->cdf[i] = (float)(0.5 *
                                 erfc(-((double)i / CDF_STEPS - CDF_REACH) * 0.70710678118654752));
}

struct recurrence_filter *recurrence_filter_open(double from_s, double to_s)
{
    struct recurrence_filter *filter = xcalloc(1, sizeof *filter);
    double range = log(to_s / from_s);
    size_t steps = (size_t)ceil(range / model.grid);
    filter->period_count = (steps ? steps : 1) + 1;
    filter->periods_s = xcalloc(filter->period_count, sizeof *filter->periods_s);
    filter->tracks = xcalloc(filter->period_count * KINDS, sizeof *filter->tracks);
    filter->mass = xcalloc(filter->period_count, sizeof *filter->mass);
    for (size_t i = 0; i < filter->period_count; i++)
        filter->periods_s[i] = from_s * exp(range * (double)i / (double)(filter->period_count - 1));
    /* From somewhat more often than the shortest period to somewhat less often than the longest. */
    double often = 1.5 / from_s, seldom = 1 / (1.5 * to_s);
    for (int i = 0; i < IDLE_RATES; i++)
        filter->idle_rate[i] = often * pow(seldom / often, (double)i / (IDLE_RATES - 1));
    fill_tables(filter);
    recurrence_filter_reset(filter, 0);
    return filter;
}

void recurrence_filter_close(struct recurrence_filter *filter)
{
    if (!filter)
        return;
    free(filter->periods_s);
    free(filter->tracks);
    free(filter->mass);
    free(filter);
}

size_t recurrence_filter_size(const struct recurrence_filter *filter)
{
    return sizeof *filter +
           filter->period_count *
               (KINDS * sizeof *filter->tracks + sizeof *filter->periods_s + sizeof *filter->mass);
}

void recurrence_filter_reset(struct recurrence_filter *filter, double noise_s)
{
    memset(filter->tracks, 0, filter->period_count * KINDS * sizeof *filter->tracks);
    filter->noise_s = noise_s;
    filter->onset_count = 0;
    filter->newest = 0;
    filter->total = 1;
    for (int i = 0; i < IDLE_RATES; i++)
        filter->idle[i] = 1.0 / IDLE_RATES;
}

static bool is_clock(int kind)
{
    return kind % CLOCKS == 1;
}

static double jitter_of(int kind)
{
    return model.jitter[kind / CLOCKS];
}

/* The variance, in periods, of the time of a round `steps` periods after the round before, when
 * `count` rounds have been seen; noise: the variance of an onset's time, in periods. */
static double variance_of(int kind, double steps, double count, double noise)
{
    double jitter = jitter_of(kind);
    if (is_clock(kind))
        return (jitter * jitter + noise) * (1 + 1 / count);
    return steps * jitter * jitter + 2 * noise;
}

/* The variance of the time of an onset, in periods. */
static double noise_at(const struct recurrence_filter *filter, size_t p)
{
    double noise = filter->noise_s / filter->periods_s[p];
    return noise * noise;
}

/* The number of rounds that are over when `periods` have passed since one. */
static int steps_in(double periods)
{
    if (periods < 0.5)
        return 0;
    return periods < MAX_STEPS + 0.5 ? (int)(periods + 0.5) : MAX_STEPS + 1;
}

/* The normal distribution's share below `deviations`. */
static double share_below(const struct recurrence_filter *filter, double deviations)
{
    if (deviations <= -CDF_REACH)
        return 0;
    if (deviations >= CDF_REACH)
        return 1;
    double at = (deviations + CDF_REACH) * CDF_STEPS;
    size_t i = (size_t)at;
    double low = (double)filter->cdf[i], high = (double)filter->cdf[i + 1];
    return low + (high - low) * (at - (double)i);
}

/* The probability that a session goes on and brought no onset for `periods` after a round. */
static double survival_at(
    const struct recurrence_filter *filter, int kind, double periods, double count, double noise)
{
    if (periods < 0.5)
        return 1;
    if (periods >= MAX_STEPS + 0.5)
        return 0;
    int steps = (int)(periods + 0.5);
    double off = periods - steps, over = off > 0;
    if (fabs(off) < 0.4)
        over = share_below(filter, off / sqrt(variance_of(kind, steps, count, noise)));
    return filter->survival[steps - 1] * (1 - over) + filter->survival[steps] * over;
}

/* Seconds from each onset to time_ms. */
static void fill_ages(const struct recurrence_filter *filter, int64_t time_ms, double ages_s[SLOTS])
{
    for (size_t i = 0; i < filter->onset_count; i++)
        ages_s[i] = (double)(time_ms - filter->onsets_ms[i]) / 1000;
}

/* One period at an onset: what its hypotheses have in common. */
struct moment {
    double period_s, noise;
    double apart_s; /* since the onset before */
    const double *ages_s;
    double silence[RATES];   /* the probability that no unrelated onset came in between */
    double unrelated[RATES]; /* the density of the onset as an unrelated one */
};

/* What the hypotheses make of an onset that is the next round. */
struct round {
    double weight[RATES];
    double sum, count, phase_s; /* the latter two times sum */
};

/* Adds what slot `i` says about the onset's being the round `steps` periods after it. */
static void add_round(const struct recurrence_filter *filter, const struct track *track, int kind,
    size_t i, int steps, const struct moment *moment, struct round *round)
{
    double periods = (moment->ages_s[i] - (double)track->phase_s[i]) / moment->period_s;
    double off = periods - steps, count = (double)track->count[i];
    double variance = variance_of(kind, steps, count, moment->noise);
    double deviation = off * off / variance;
    if (deviation > 50)
        return;
    double density = (1 - model.end) * (1 - model.miss) * filter->survival[steps - 1] *
                     exp(-deviation / 2) / (moment->period_s * sqrt(6.283185307179586 * variance));
    double weight = 0;
    for (int rate = 0; rate < RATES; rate++) {
        double part = (double)track->weight[rate][i] * density * moment->silence[rate];
        round->weight[rate] += part;
        weight += part;
    }
    round->sum += weight;
    round->count += weight * (count + 1);
    if (is_clock(kind)) /* the tick lies behind the onset by the part that is not learned */
        round->phase_s += weight * off * moment->period_s * (1 / fmin(count + 1, model.gain) - 1);
}

/* Moves one track over to the onset. Returns the weight of the sessions that ended before. */
static double move_track(const struct recurrence_filter *filter, struct track *track, int kind,
    const struct moment *moment, struct round *round)
{
    double ended = 0, apart = moment->apart_s / moment->period_s;
    double per_step = model.end / (1 - (1 - model.end) * model.miss);
    for (size_t i = 0; i < filter->onset_count; i++) {
        double weight = 0;
        for (int rate = 0; rate < RATES; rate++)
            weight += (double)track->weight[rate][i];
        if (weight <= 0)
            continue;
        double periods = (moment->ages_s[i] - (double)track->phase_s[i]) / moment->period_s;
        int steps = steps_in(periods);
        double count = (double)track->count[i];
        ended += weight * per_step *
                 (survival_at(filter, kind, periods - apart, count, moment->noise) -
                     survival_at(filter, kind, periods, count, moment->noise));
        if (steps >= 1 && steps <= MAX_STEPS)
            add_round(filter, track, kind, i, steps, moment, round);
        for (int rate = 0; rate < RATES; rate++) {
            double kept = steps > MAX_STEPS
                              ? 0
                              : (double)track->weight[rate][i] * moment->unrelated[rate];
            track->weight[rate][i] = kept > 1e-30 ? (float)kept : 0;
        }
    }
    return ended;
}

static void place_round(struct track *track, size_t slot, const struct round *round)
{
    for (int rate = 0; rate < RATES; rate++)
        track->weight[rate][slot] = (float)round->weight[rate];
    track->count[slot] = (float)(round->sum > 0 ? round->count / round->sum : 1);
    track->phase_s[slot] = (float)(round->sum > 0 ? round->phase_s / round->sum : 0);
}

/* Moves every track over to the onset, which goes to `slot`. Returns the ended weight. */
static double move_tracks(
    struct recurrence_filter *filter, double apart_s, const double *ages_s, size_t slot)
{
    double ended = 0, slowest = filter->idle_rate[IDLE_RATES - 1];
    for (size_t p = 0; p < filter->period_count; p++) {
        struct moment moment = {
            .period_s = filter->periods_s[p], .apart_s = apart_s, .ages_s = ages_s};
        moment.noise = noise_at(filter, p);
        for (int rate = 0; rate < RATES; rate++) {
            double often = model.rate[rate] / moment.period_s;
            /* What every hypothesis has in common with the slowest is left out, so that a year of
             * silence does not underflow; capped, as what lasted that long is over anyway. */
            moment.silence[rate] = exp(fmin(-(often - slowest) * apart_s, 20)) / filter->total;
            moment.unrelated[rate] = often * moment.silence[rate];
        }
        for (int kind = 0; kind < KINDS; kind++) {
            struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
            struct round round = {.sum = 0};
            ended += move_track(filter, track, kind, &moment, &round);
            place_round(track, slot, &round);
        }
    }
    return ended / filter->total;
}

/* Lets sessions begin with the onset in `slot`, with `weight` in all. */
static void start_sessions(struct recurrence_filter *filter, size_t slot, double weight)
{
    double part = weight / (double)(filter->period_count * KINDS * RATES);
    for (size_t t = 0; t < filter->period_count * KINDS; t++) {
        struct track *track = &filter->tracks[t];
        double before = 0;
        for (int rate = 0; rate < RATES; rate++) {
            before += (double)track->weight[rate][slot];
            track->weight[rate][slot] += (float)part;
        }
        double share = before / (before + part * RATES);
        track->count[slot] = (float)(1 + share * ((double)track->count[slot] - 1));
        track->phase_s[slot] *= (float)share;
    }
}

static double sum_weights(const struct recurrence_filter *filter)
{
    double sum = 0;
    for (int i = 0; i < IDLE_RATES; i++)
        sum += filter->idle[i];
    for (size_t t = 0; t < filter->period_count * KINDS; t++) {
        float part = 0;
        for (int rate = 0; rate < RATES; rate++)
            for (size_t i = 0; i < SLOTS; i++)
                part += filter->tracks[t].weight[rate][i];
        sum += (double)part;
    }
    return sum;
}

/* The onset as a random one, apart_s after the one before. Returns the weight of all. */
static double move_idle(struct recurrence_filter *filter, double apart_s, double ended)
{
    double sum = 0;
    for (int i = 0; i < IDLE_RATES; i++) {
        double rate = filter->idle_rate[i];
        double before = filter->idle[i] / filter->total + ended / IDLE_RATES;
        filter->idle[i] = before * rate *
                          exp(-(rate - filter->idle_rate[IDLE_RATES - 1]) * apart_s);
        sum += filter->idle[i];
    }
    for (int i = 0; i < IDLE_RATES; i++)
        filter->idle[i] = (1 - model.start) *
                          ((1 - model.change) * filter->idle[i] + model.change * sum / IDLE_RATES);
    return sum;
}

void recurrence_filter_onset(struct recurrence_filter *filter, int64_t onset_ms)
{
    size_t slot = 0;
    double idle = 1;
    if (filter->onset_count) {
        slot = (filter->newest + 1) % SLOTS;
        double ages_s[SLOTS];
        fill_ages(filter, onset_ms, ages_s);
        double apart_s = ages_s[filter->newest];
        double ended = move_tracks(filter, apart_s, ages_s, slot);
        idle = move_idle(filter, apart_s, ended);
    }
    filter->onsets_ms[slot] = onset_ms;
    filter->newest = slot;
    if (filter->onset_count < SLOTS)
        filter->onset_count++;
    start_sessions(filter, slot, model.start * idle);
    filter->total = sum_weights(filter);
}

/* ---- questions ---- */

/* What the hypotheses weigh at a later moment, when there was no onset until then. */
struct outlook {
    double silence_s; /* since the newest onset */
    double ages_s[SLOTS];
    double idle;         /* that nothing recurs, or no longer */
    double alive, known; /* sessions that go on; those of at least model.known onsets */
};

static double silence_of(
    const struct recurrence_filter *filter, double rate, const struct outlook *outlook)
{
    double slowest = filter->idle_rate[IDLE_RATES - 1];
    return exp(fmin(-(rate - slowest) * outlook->silence_s, 20));
}

/* Fills the outlook, and the mass of the sessions that are known by their period. */
static void look_ahead(
    const struct recurrence_filter *filter, int64_t now_ms, struct outlook *outlook)
{
    *outlook = (struct outlook){.silence_s = 0};
    if (!filter->onset_count)
        return;
    fill_ages(filter, now_ms, outlook->ages_s);
    outlook->silence_s = outlook->ages_s[filter->newest];
    double per_step = model.end / (1 - (1 - model.end) * model.miss), ended = 0;
    for (size_t p = 0; p < filter->period_count; p++) {
        double period_s = filter->periods_s[p], silence[RATES];
        double noise = noise_at(filter, p);
        for (int rate = 0; rate < RATES; rate++)
            silence[rate] = silence_of(filter, model.rate[rate] / period_s, outlook);
        filter->mass[p] = 0;
        for (int kind = 0; kind < KINDS; kind++) {
            const struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
            for (size_t i = 0; i < filter->onset_count; i++) {
                double at_onset = 0, now = 0;
                for (int rate = 0; rate < RATES; rate++) {
                    at_onset += (double)track->weight[rate][i];
                    now += (double)track->weight[rate][i] * silence[rate];
                }
                if (at_onset <= 0)
                    continue;
                double since = (outlook->ages_s[i] - (double)track->phase_s[i]) / period_s;
                double count = (double)track->count[i];
                double goes_on = survival_at(filter, kind, since, count, noise);
                double went_on = survival_at(
                    filter, kind, since - outlook->silence_s / period_s, count, noise);
                ended += at_onset * per_step * (went_on - goes_on);
                now *= goes_on;
                outlook->alive += now;
                if ((double)track->count[i] >= model.known) {
                    outlook->known += now;
                    filter->mass[p] += now;
                }
            }
        }
    }
    for (int i = 0; i < IDLE_RATES; i++)
        outlook->idle += (filter->idle[i] + ended / IDLE_RATES) *
                         silence_of(filter, filter->idle_rate[i], outlook);
}

/* The range of periods that agree with the likeliest one. */
static void find_cluster(const struct recurrence_filter *filter, size_t *from, size_t *to)
{
    size_t reach = (size_t)(model.cluster / model.grid), best = 0;
    double most = -1;
    for (size_t p = 0; p < filter->period_count; p++) {
        double sum = 0;
        for (size_t q = p > 2 ? p - 2 : 0; q <= p + 2 && q < filter->period_count; q++)
            sum += filter->mass[q];
        if (sum > most) {
            most = sum;
            best = p;
        }
    }
    *from = best > reach ? best - reach : 0;
    *to = best + reach < filter->period_count ? best + reach : filter->period_count - 1;
}

void recurrence_filter_estimate(
    const struct recurrence_filter *filter, int64_t now_ms, struct recurrence_estimate *estimate)
{
    *estimate = (struct recurrence_estimate){.odds = 0};
    struct outlook outlook;
    look_ahead(filter, now_ms, &outlook);
    if (outlook.known <= 0)
        return;
    estimate->odds = outlook.known / (outlook.alive + outlook.idle);
    estimate->alive = outlook.alive / (outlook.alive + outlook.idle);

    size_t from, to;
    find_cluster(filter, &from, &to);
    double sum = 0, log_period = 0, variance = 0, onsets = 0;
    for (size_t p = from; p <= to; p++) {
        double period_s = filter->periods_s[p], noise = noise_at(filter, p);
        for (int kind = 0; kind < KINDS; kind++) {
            const struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
            for (size_t i = 0; i < filter->onset_count; i++) {
                if ((double)track->count[i] < model.known)
                    continue;
                double since = (outlook.ages_s[i] - (double)track->phase_s[i]) / period_s, now = 0;
                for (int rate = 0; rate < RATES; rate++)
                    now += (double)track->weight[rate][i] *
                           silence_of(filter, model.rate[rate] / period_s, &outlook);
                now *= survival_at(filter, kind, since, (double)track->count[i], noise);
                sum += now;
                log_period += now * log(period_s);
                variance += now * jitter_of(kind) * jitter_of(kind);
                onsets += now * (double)track->count[i];
            }
        }
    }
    if (sum <= 0)
        return;
    estimate->period_s = exp(log_period / sum);
    estimate->jitter_s = sqrt(variance / sum) * estimate->period_s;
    estimate->onsets = onsets / sum;
}

/* The chance of a round in each bin of time after a moment. */
struct forecast {
    double bin_s;
    double bins[BINS_AHEAD];
};

/* Adds a round that comes after centre_s, with a deviation. */
static void add_bell(const struct recurrence_filter *filter, double centre_s, double deviation_s,
    double weight, struct forecast *forecast)
{
    double reach_s = CDF_REACH * deviation_s;
    double first = floor((centre_s - reach_s) / forecast->bin_s);
    double last = ceil((centre_s + reach_s) / forecast->bin_s);
    if (last <= 0 || first >= BINS_AHEAD)
        return;
    size_t from = first > 0 ? (size_t)first : 0;
    size_t to = last < BINS_AHEAD ? (size_t)last : BINS_AHEAD;
    double below = share_below(filter, ((double)from * forecast->bin_s - centre_s) / deviation_s);
    for (size_t i = from; i < to; i++) {
        double above = share_below(
            filter, ((double)(i + 1) * forecast->bin_s - centre_s) / deviation_s);
        forecast->bins[i] += weight * (above - below);
        below = above;
    }
}

static void add_track(const struct recurrence_filter *filter, size_t p, int kind,
    const struct outlook *outlook, double least, struct forecast *forecast)
{
    double period_s = filter->periods_s[p], noise = noise_at(filter, p);
    const struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
    for (size_t i = 0; i < filter->onset_count; i++) {
        double weight = 0, count = (double)track->count[i];
        for (int rate = 0; rate < RATES; rate++)
            weight += (double)track->weight[rate][i] *
                      silence_of(filter, model.rate[rate] / period_s, outlook);
        if (weight < least || count < model.seen)
            continue;
        weight *= (1 - model.end) * (1 - model.miss);
        double age_s = outlook->ages_s[i] - (double)track->phase_s[i];
        for (int steps = 1; steps <= MAX_STEPS; steps++) {
            double variance = variance_of(kind, steps, count, noise);
            add_bell(filter, steps * period_s - age_s, sqrt(variance) * period_s,
                weight * filter->survival[steps - 1], forecast);
        }
    }
}

bool recurrence_filter_window(const struct recurrence_filter *filter, int64_t after_ms,
    double period_s, double width_s, double chance, struct recurrence_window *window)
{
    struct outlook outlook;
    look_ahead(filter, after_ms, &outlook);
    struct forecast forecast = {.bin_s = period_s / BINS_PERIOD};
    double total = outlook.alive + outlook.idle;
    for (size_t p = 0; p < filter->period_count; p++)
        for (int kind = 0; kind < KINDS; kind++)
            add_track(filter, p, kind, &outlook, 1e-5 * total, &forecast);

    size_t width = (size_t)floor(width_s / forecast.bin_s + 1e-6);
    if (width < 1)
        width = 1;
    /* The best within a window's reach of the first that is good enough, else the best of all. */
    double sum = 0, best = -1;
    size_t at = 0, until = BINS_AHEAD;
    bool found = false;
    for (size_t i = 0; i < BINS_AHEAD && i < until; i++) {
        sum += forecast.bins[i];
        if (i < width - 1)
            continue;
        size_t start = i - (width - 1);
        if (!found && sum >= chance * total) {
            found = true;
            until = i + 3 * width;
        }
        if (sum > best) {
            best = sum;
            at = start;
        }
        sum -= forecast.bins[start];
    }
    window->start_ms = after_ms + (int64_t)((double)at * forecast.bin_s * 1000);
    window->end_ms = window->start_ms + (int64_t)(width_s * 1000);
    window->chance = total > 0 ? best / total : 0;
    return found;
}
