#include "triggers/recurrence_filter.h"
#include "triggers/recurrence_inner.h"

#include <math.h>

enum {
    BINS_PERIOD = 100, /* of a period, where a window is searched for */
    BINS_AHEAD = 2 * BINS_PERIOD
};

/* What the hypotheses weigh at a later moment, when there was no onset until then. */
struct outlook {
    double silence_s; /* since the newest onset */
    float ages_s[SLOTS];
    double idle;         /* that nothing recurs, or no longer */
    double alive, known; /* sessions that go on; those of at least model.known onsets */
};

static float silence_of(
    const struct recurrence_filter *filter, double rate, const struct outlook *outlook)
{
    double slowest = filter->idle_rate[IDLE_RATES - 1];
    return (float)exp(fmin(-(rate - slowest) * outlook->silence_s, 20));
}

/* One period at a later moment. */
struct prospect {
    float period_s, noise;
    bool silent;          /* the moment is later than the newest onset */
    float silence[RATES]; /* the probability that no unrelated onset came since */
};

static void fill_prospect(const struct recurrence_filter *filter, size_t p,
    const struct outlook *outlook, struct prospect *prospect)
{
    double period_s = filter->periods_s[p];
    prospect->period_s = (float)period_s;
    prospect->noise = recurrence_noise(filter, p);
    prospect->silent = outlook->silence_s > 0;
    for (int rate = 0; rate < RATES; rate++)
        prospect->silence[rate] = prospect->silent
                                      ? silence_of(filter, model.rate[rate] / period_s, outlook)
                                      : 1;
}

/* What one slot weighs then, not regarding whether its next round is over. */
static float weight_then(const struct track *track, size_t i, const struct prospect *prospect)
{
    float weight = 0;
    for (int rate = 0; rate < RATES; rate++)
        weight += track->weight[rate][i] * prospect->silence[rate];
    return weight;
}

static float goes_on_then(const struct recurrence_filter *filter, const struct track *track,
    int kind, size_t i, const struct outlook *outlook, const struct prospect *prospect)
{
    if (!prospect->silent)
        return track->goes_on[i];
    float periods = (outlook->ages_s[i] - track->phase_s[i]) / prospect->period_s;
    return recurrence_survival(filter, kind, periods, track->count[i], prospect->noise);
}

/* Fills the outlook, and the mass of the sessions that are known by their period. */
static void look_ahead(
    const struct recurrence_filter *filter, int64_t now_ms, struct outlook *outlook)
{
    *outlook = (struct outlook){.silence_s = 0};
    if (!filter->onset_count)
        return;
    recurrence_ages(filter, now_ms, outlook->ages_s);
    outlook->silence_s = (double)outlook->ages_s[filter->newest];
    double over = 0;
    for (size_t p = 0; p < filter->period_count; p++) {
        struct prospect prospect;
        fill_prospect(filter, p, outlook, &prospect);
        float alive = 0, known = 0;
        for (int kind = 0; kind < KINDS; kind++) {
            const struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
            for (size_t i = 0; i < filter->onset_count; i++) {
                float weight = weight_then(track, i, &prospect);
                if (weight <= 0)
                    continue;
                float goes_on = goes_on_then(filter, track, kind, i, outlook, &prospect);
                over += (double)(weight * (track->goes_on[i] - goes_on));
                alive += weight * goes_on;
                if (track->count[i] >= (float)model.known)
                    known += weight * goes_on;
            }
        }
        outlook->alive += (double)alive;
        outlook->known += (double)known;
        filter->mass[p] = (double)known;
    }
    for (enum family f = POISSON; f < FAMILIES; f++)
        for (int i = 0; i < IDLE_RATES; i++)
            outlook->idle += filter->idle[f][i] * recurrence_idle_silence(filter, f,
                                                      filter->idle_rate[i], outlook->silence_s);
    outlook->idle += over * ended_share();
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

/* Adds up what the hypotheses of one period know. */
static void add_period(const struct recurrence_filter *filter, size_t p,
    const struct outlook *outlook, double *sum, struct recurrence_estimate *sums)
{
    struct prospect prospect;
    fill_prospect(filter, p, outlook, &prospect);
    for (int kind = 0; kind < KINDS; kind++) {
        const struct track *track = &filter->tracks[p * KINDS + (size_t)kind];
        for (size_t i = 0; i < filter->onset_count; i++) {
            if (track->count[i] < (float)model.known)
                continue;
            double weight = (double)(weight_then(track, i, &prospect) *
                                     goes_on_then(filter, track, kind, i, outlook, &prospect));
            *sum += weight;
            sums->period_s += weight * log(filter->periods_s[p]);
            sums->jitter_s += weight * jitter_of(kind) * jitter_of(kind);
            sums->onsets += weight * (double)track->count[i];
        }
    }
}

void recurrence_filter_estimate(
    const struct recurrence_filter *filter, int64_t now_ms, struct recurrence_estimate *estimate)
{
    *estimate = (struct recurrence_estimate){.odds = 0};
    struct outlook outlook;
    look_ahead(filter, now_ms, &outlook);
    if (outlook.known <= 0)
        return;
    struct recurrence_estimate sums = {.odds = 0};
    double sum = 0;
    size_t from, to;
    find_cluster(filter, &from, &to);
    for (size_t p = from; p <= to; p++)
        add_period(filter, p, &outlook, &sum, &sums);
    if (sum <= 0)
        return;
    estimate->odds = outlook.known / (outlook.alive + outlook.idle);
    estimate->alive = outlook.alive / (outlook.alive + outlook.idle);
    estimate->period_s = exp(sums.period_s / sum);
    estimate->jitter_s = sqrt(sums.jitter_s / sum) * estimate->period_s;
    estimate->onsets = sums.onsets / sum;
}

/* The chance of a round in each bin of time after a moment. */
struct forecast {
    float bin_s;
    float bins[BINS_AHEAD];
};

/* Adds a round that comes after centre_s, with a deviation. */
static void add_bell(const struct recurrence_filter *filter, float centre_s, float deviation_s,
    float weight, struct forecast *forecast)
{
    float reach_s = CDF_REACH * deviation_s;
    float first = floorf((centre_s - reach_s) / forecast->bin_s);
    float last = ceilf((centre_s + reach_s) / forecast->bin_s);
    if (last <= 0 || first >= BINS_AHEAD)
        return;
    size_t from = first > 0 ? (size_t)first : 0;
    size_t to = last < BINS_AHEAD ? (size_t)last : BINS_AHEAD;
    float per_bin = forecast->bin_s / deviation_s, start = -centre_s / deviation_s;
    float below = recurrence_share_below(filter, start + (float)from * per_bin);
    for (size_t i = from; i < to; i++) {
        float above = recurrence_share_below(filter, start + (float)(i + 1) * per_bin);
        forecast->bins[i] += weight * (above - below);
        below = above;
    }
}

static void add_track(const struct recurrence_filter *filter, const struct track *track, int kind,
    const struct outlook *outlook, const struct prospect *prospect, float least,
    struct forecast *forecast)
{
    for (size_t i = 0; i < filter->onset_count; i++) {
        float weight = weight_then(track, i, prospect), count = track->count[i];
        if (weight < least || count < (float)model.seen)
            continue;
        weight *= (float)((1 - model.end) * (1 - model.miss));
        float age_s = outlook->ages_s[i] - track->phase_s[i];
        for (int steps = 1; steps <= MAX_STEPS; steps++) {
            float deviation = sqrtf(variance_of(kind, (float)steps, count, prospect->noise));
            add_bell(filter, (float)steps * prospect->period_s - age_s,
                deviation * prospect->period_s, weight * filter->survival[steps - 1], forecast);
        }
    }
}

/* The best window of so many bins within reach of the first that has `enough`, else the best of
 * all. Returns where it begins; *best: what it has. */
static size_t find_window(
    const struct forecast *forecast, size_t width, double enough, double *best)
{
    double sum = 0;
    size_t at = 0, until = BINS_AHEAD;
    *best = -1;
    for (size_t i = 0; i < BINS_AHEAD && i < until; i++) {
        sum += (double)forecast->bins[i];
        if (i + 1 < width)
            continue;
        size_t start = i + 1 - width;
        if (sum >= enough && until == BINS_AHEAD)
            until = i + 3 * width;
        if (sum > *best) {
            *best = sum;
            at = start;
        }
        sum -= (double)forecast->bins[start];
    }
    return at;
}

bool recurrence_filter_window(const struct recurrence_filter *filter, int64_t after_ms,
    double period_s, double width_s, double chance, struct recurrence_window *window)
{
    struct outlook outlook;
    look_ahead(filter, after_ms, &outlook);
    struct forecast forecast = {.bin_s = (float)(period_s / BINS_PERIOD)};
    double total = outlook.alive + outlook.idle, best;
    for (size_t p = 0; p < filter->period_count; p++) {
        struct prospect prospect;
        fill_prospect(filter, p, &outlook, &prospect);
        for (int kind = 0; kind < KINDS; kind++)
            add_track(filter, &filter->tracks[p * KINDS + (size_t)kind], kind, &outlook, &prospect,
                (float)(1e-5 * total), &forecast);
    }
    size_t width = (size_t)floor(width_s / period_s * BINS_PERIOD + 1e-6);
    size_t at = find_window(&forecast, width ? width : 1, chance * total, &best);
    window->start_ms = after_ms + (int64_t)((double)at * period_s / BINS_PERIOD * 1000);
    window->end_ms = window->start_ms + (int64_t)(width_s * 1000);
    window->chance = total > 0 ? best / total : 0;
    return total > 0 && best >= chance * total;
}
