#include "triggers/recurrence_filter.h"

#include "core/alloc.h"
#include "triggers/recurrence_inner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill_tables(struct recurrence_filter *filter)
{
    double stays = (1 - model.end) * model.miss;
    for (int k = 0; k <= MAX_STEPS; k++)
        filter->survival[k] = (float)pow(stays, k);
    for (size_t i = 0; i < sizeof filter->cdf / sizeof *filter->cdf; i++)
        filter->cdf[i] = (float)(0.5 *
                                 erfc(-((double)i / CDF_STEPS - CDF_REACH) * 0.70710678118654752));
}

/* From somewhat more often than the shortest period to somewhat less often than the longest. A
 * service is quiet more often than not, and what it does before the first onset is not known. */
static void fill_rates(struct recurrence_filter *filter, double from_s, double to_s)
{
    double often = 1.5 / from_s, seldom = 1 / (1.5 * to_s), sum = 0;
    for (int i = 0; i < IDLE_RATES; i++) {
        filter->idle_rate[i] = often * pow(seldom / often, (double)i / (IDLE_RATES - 1));
        sum += pow(filter->idle_rate[i], -model.tilt);
    }
    for (enum family f = POISSON; f < FAMILIES; f++)
        for (int i = 0; i < IDLE_RATES; i++)
            filter->idle_prior[f][i] = model.family_prior[f] *
                                       pow(filter->idle_rate[i], -model.tilt) / sum;
}

/* Whoever names a range leaves some room at its ends, and close random onsets look like the
 * shortest periods most easily. */
static void fill_period_prior(struct recurrence_filter *filter)
{
    double sum = 0, last = (double)(filter->period_count - 1);
    for (size_t p = 0; p < filter->period_count; p++) {
        double inside = fmin((double)p, last - (double)p) * model.grid / model.taper;
        double prior = model.edge + (1 - model.edge) * fmin(inside, 1);
        filter->period_prior[p] = (float)prior;
        sum += prior;
    }
    for (size_t p = 0; p < filter->period_count; p++)
        filter->period_prior[p] /= (float)sum;
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
    filter->period_prior = xcalloc(filter->period_count, sizeof *filter->period_prior);
    fill_period_prior(filter);
    fill_rates(filter, from_s, to_s);
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
    free(filter->period_prior);
    free(filter);
}

void recurrence_filter_reset(struct recurrence_filter *filter, double noise_s)
{
    memset(filter->tracks, 0, filter->period_count * KINDS * sizeof *filter->tracks);
    filter->noise_s = noise_s;
    filter->onset_count = 0;
    filter->newest = 0;
    filter->total = 1;
    memcpy(filter->idle, filter->idle_prior, sizeof filter->idle);
}

float recurrence_noise(const struct recurrence_filter *filter, size_t p)
{
    double noise = filter->noise_s / filter->periods_s[p];
    return (float)(noise * noise);
}

void recurrence_ages(const struct recurrence_filter *filter, int64_t time_ms, float ages_s[SLOTS])
{
    for (size_t i = 0; i < filter->onset_count; i++)
        ages_s[i] = (float)(time_ms - filter->onsets_ms[i]) / 1000;
}

float recurrence_share_below(const struct recurrence_filter *filter, float deviations)
{
    if (deviations <= -CDF_REACH)
        return 0;
    if (deviations >= CDF_REACH)
        return 1;
    float at = (deviations + CDF_REACH) * CDF_STEPS;
    size_t i = (size_t)at;
    float low = filter->cdf[i], high = filter->cdf[i + 1];
    return low + (high - low) * (at - (float)i);
}

float recurrence_survival(
    const struct recurrence_filter *filter, int kind, float periods, float count, float noise)
{
    if (periods < 0.5F)
        return 1;
    if (periods >= MAX_STEPS + 0.5F)
        return 0;
    int steps = (int)(periods + 0.5F);
    float off = periods - (float)steps, variance = variance_of(kind, (float)steps, count, noise);
    float before = filter->survival[steps - 1], after = filter->survival[steps];
    if (off * off > CDF_REACH * CDF_REACH * variance)
        return off < 0 ? before : after;
    return before + (after - before) * recurrence_share_below(filter, off / sqrtf(variance));
}

/* One period at an onset: what its hypotheses have in common. */
struct moment {
    float period_s, noise;
    const float *ages_s;
    float silence[RATES];   /* the probability that no unrelated onset came in between */
    float unrelated[RATES]; /* the density of the onset as an unrelated one */
};

/* What the hypotheses make of an onset that is the next round. */
struct round {
    float weight[RATES];
    float sum, count, phase_s; /* the latter two times sum */
};

/* Adds what slot `i` says about the onset's being the next round that was seen. */
static void add_round(const struct recurrence_filter *filter, const struct track *track, int kind,
    size_t i, float periods, const struct moment *moment, struct round *round)
{
    if (periods < 0.5F || periods >= MAX_STEPS + 0.5F)
        return;
    int steps = (int)(periods + 0.5F);
    float off = periods - (float)steps, count = track->count[i];
    float variance = variance_of(kind, (float)steps, count, moment->noise);
    if (off * off > 50 * variance)
        return;
    float density = (float)((1 - model.end) * (1 - model.miss)) * filter->survival[steps - 1] *
                    expf(-off * off / (2 * variance)) /
                    (moment->period_s * sqrtf(6.2831853F * variance));
    float weight = 0;
    for (int rate = 0; rate < RATES; rate++) {
        float part = track->weight[rate][i] * density * moment->silence[rate];
        round->weight[rate] += part;
        weight += part;
    }
    round->sum += weight;
    round->count += weight * (count + 1);
    if (is_clock(kind)) /* the tick lies behind the onset by the part that is not learned */
        round->phase_s += weight * off * moment->period_s *
                          (1 / fminf(count + 1, (float)model.gain) - 1);
}

/* Moves one track over to the onset. Returns the weight of the sessions that ended before, and of
 * those that brought their next round. */
static float move_track(const struct recurrence_filter *filter, struct track *track, int kind,
    const struct moment *moment, struct round *round)
{
    float over = 0;
    for (size_t i = 0; i < filter->onset_count; i++) {
        float weight = 0;
        for (int rate = 0; rate < RATES; rate++)
            weight += track->weight[rate][i];
        if (weight <= 0)
            continue;
        float periods = (moment->ages_s[i] - track->phase_s[i]) / moment->period_s;
        float goes_on = recurrence_survival(filter, kind, periods, track->count[i], moment->noise);
        over += weight * (track->goes_on[i] - goes_on);
        track->goes_on[i] = goes_on;
        add_round(filter, track, kind, i, periods, moment, round);
        for (int rate = 0; rate < RATES; rate++) {
            float kept = track->weight[rate][i] * moment->unrelated[rate];
            track->weight[rate][i] = goes_on > 0 && kept > 1e-30F ? kept : 0;
        }
    }
    return over;
}

static void place_round(struct track *track, size_t slot, const struct round *round)
{
    for (int rate = 0; rate < RATES; rate++)
        track->weight[rate][slot] = round->weight[rate];
    track->count[slot] = round->sum > 0 ? round->count / round->sum : 1;
    track->phase_s[slot] = round->sum > 0 ? round->phase_s / round->sum : 0;
    track->goes_on[slot] = 1;
}

/* Moves every track over to the onset, which goes to `slot`. Returns the ended weight. */
static double move_tracks(struct recurrence_filter *filter, const float *ages_s, size_t slot)
{
    double over = 0, slowest = filter->idle_rate[IDLE_RATES - 1];
    double apart_s = (double)ages_s[filter->newest];
    for (size_t p = 0; p < filter->period_count; p++) {
        double period_s = filter->periods_s[p];
        struct moment moment = {
            .period_s = (float)period_s, .noise = recurrence_noise(filter, p), .ages_s = ages_s};
        for (int rate = 0; rate < RATES; rate++) {
            double often = model.rate[rate] / period_s;
            /* What every hypothesis has in common with the slowest is left out, so that a year of
             * silence does not underflow; capped, as what lasted that long is over anyway. */
            double silence = exp(fmin(-(often - slowest) * apart_s, 20)) / filter->total;
            moment.silence[rate] = (float)silence;
            moment.unrelated[rate] = (float)(often * silence);
        }
        for (int kind = 0; kind < KINDS; kind++) {
            struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
            struct round round = {.sum = 0};
            over += (double)move_track(filter, track, kind, &moment, &round);
            place_round(track, slot, &round);
        }
    }
    return over * ended_share() / filter->total;
}

/* Lets sessions begin with the onset in `slot`, with `weight` in all. */
static void start_sessions(struct recurrence_filter *filter, size_t slot, double weight)
{
    for (size_t t = 0; t < filter->period_count * KINDS; t++) {
        struct track *track = &filter->tracks[t];
        float part = (float)weight * filter->period_prior[t / KINDS] * (1.0F / KINDS);
        float before = 0;
        for (int rate = 0; rate < RATES; rate++) {
            before += track->weight[rate][slot];
            track->weight[rate][slot] += part * (float)model.rate_prior[rate];
        }
        float share = before / (before + part);
        track->count[slot] = 1 + share * (track->count[slot] - 1);
        track->phase_s[slot] *= share;
    }
}

static double sum_weights(const struct recurrence_filter *filter)
{
    double sum = 0;
    for (enum family f = POISSON; f < FAMILIES; f++)
        for (int i = 0; i < IDLE_RATES; i++)
            sum += filter->idle[f][i];
    for (size_t t = 0; t < filter->period_count * KINDS; t++) {
        float part = 0;
        for (int rate = 0; rate < RATES; rate++)
            for (size_t i = 0; i < SLOTS; i++)
                part += filter->tracks[t].weight[rate][i];
        sum += (double)part;
    }
    return sum;
}

double recurrence_idle_silence(
    const struct recurrence_filter *filter, enum family family, double rate, double silence_s)
{
    double slowest = filter->idle_rate[IDLE_RATES - 1];
    if (family == EVEN)
        return (1 + 2 * rate * silence_s) * exp(-(2 * rate - slowest) * silence_s);
    double rare = exp(-(rate - slowest) * silence_s);
    if (family == POISSON)
        return rare;
    double quick = exp(-(model.burst_ratio * rate - slowest) * silence_s);
    return model.burst_share * quick + (1 - model.burst_share) * rare;
}

double recurrence_idle_density(
    const struct recurrence_filter *filter, enum family family, double rate, double silence_s)
{
    double slowest = filter->idle_rate[IDLE_RATES - 1];
    if (family == EVEN)
        return 4 * rate * rate * silence_s * exp(-(2 * rate - slowest) * silence_s);
    double rare = rate * exp(-(rate - slowest) * silence_s);
    if (family == POISSON)
        return rare;
    double often = model.burst_ratio * rate;
    double quick = often * exp(-(often - slowest) * silence_s);
    return model.burst_share * quick + (1 - model.burst_share) * rare;
}

/* The onset as a random one, apart_s after the one before. Returns the weight of all. */
static double move_idle(struct recurrence_filter *filter, double apart_s, double ended)
{
    double sum = 0;
    for (enum family f = POISSON; f < FAMILIES; f++)
        for (int i = 0; i < IDLE_RATES; i++) {
            double before = filter->idle[f][i] / filter->total + ended * filter->idle_prior[f][i];
            double now = before * recurrence_idle_density(filter, f, filter->idle_rate[i], apart_s);
            sum += now;
            filter->idle[f][i] = now * (1 - model.start);
        }
    return sum;
}

void recurrence_filter_onset(struct recurrence_filter *filter, int64_t onset_ms)
{
    size_t slot = 0;
    double idle = 1;
    if (filter->onset_count) {
        slot = (filter->newest + 1) % SLOTS;
        float ages_s[SLOTS];
        recurrence_ages(filter, onset_ms, ages_s);
        double ended = move_tracks(filter, ages_s, slot);
        idle = move_idle(filter, (double)ages_s[filter->newest], ended);
    }
    filter->onsets_ms[slot] = onset_ms;
    filter->newest = slot;
    if (filter->onset_count < SLOTS)
        filter->onset_count++;
    start_sessions(filter, slot, model.start * idle);
    filter->total = sum_weights(filter);
}
