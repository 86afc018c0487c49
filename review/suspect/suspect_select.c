#include "review/suspect/suspect_select.h"

#include "core/alloc.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PRODUCT's rule; and how much of a function must be on the stacks of the largest one to be about
 * the same thing. */
static const double enough_of_largest = 0.8, shared_least = 0.5, circle_least = 0.5;

struct selection {
    const struct suspect_question *question;
    double *growth;     /* by function */
    double *spike_cum;  /* by function, in the unit of the samples */
    bool *is_candidate; /* by function */
    double *shared;     /* weight of samples that have the largest function too */
    double *rank;       /* sum of weight * how many candidates are above it */
    double *circle;     /* weight of samples where it is both above and below the deepest */
    uint32_t *seen;     /* by function: number of the last sample that had it, plus 1 */
    uint32_t *own;      /* of one sample, each once */
};

static double weight_of(
    const struct suspect_question *question, const struct stacks_side *side, uint32_t sample)
{
    const double *weights = side == &question->stacks->spike ? question->spike_weights
                                                             : question->base_weights;
    return weights ? weights[sample] : side->samples[sample].weight;
}

static bool is_asked_for(const struct suspect_question *question, const struct stacks_side *side,
    const struct stacks_sample *sample)
{
    if (question->marks && !(sample->marks & question->marks))
        return false;
    for (uint32_t i = 0; question->is_excluded && i < sample->own_count; i++)
        if (question->is_excluded[side->own[sample->first_own + i]])
            return false;
    return true;
}

/* The own functions of a sample by where they are first, each once, into selection->own. */
static uint32_t own_once(
    struct selection *selection, const struct stacks_side *side, uint32_t index)
{
    const struct stacks_sample *sample = &side->samples[index];
    uint32_t count = 0;
    for (uint32_t i = 0; i < sample->own_count; i++) {
        uint32_t function = side->own[sample->first_own + i];
        if (selection->seen[function] == index + 1)
            continue;
        selection->seen[function] = index + 1;
        selection->own[count++] = function;
    }
    return count;
}

static uint32_t sample_count(const struct stacks_side *side)
{
    return side->profile ? side->profile->sample_count : 0;
}

static void forget_seen(struct selection *selection)
{
    memset(selection->seen, 0, selection->question->stacks->count * sizeof *selection->seen);
}

static void add_cum(struct selection *selection, const struct stacks_side *side, double *cum)
{
    const struct suspect_question *question = selection->question;
    forget_seen(selection);
    for (uint32_t i = 0; i < sample_count(side); i++) {
        if (!is_asked_for(question, side, &side->samples[i]))
            continue;
        uint32_t count = own_once(selection, side, i);
        for (uint32_t j = 0; j < count; j++)
            cum[selection->own[j]] += weight_of(question, side, i);
    }
}

static double growth_of(const struct suspect_question *question, double spike, double base)
{
    const struct stacks *stacks = question->stacks;
    double whole = stacks->spike.total, base_whole = stacks->base.total;
    if (!(whole > 0))
        return 0;
    if (question->growth == SUSPECT_ABSOLUTE)
        return 100 * (spike - base * question->scale) / whole;
    double share = 100 * spike / whole;
    return question->growth == SUSPECT_POINTS && base_whole > 0 ? share - 100 * base / base_whole
                                                                : share;
}

static uint32_t find_largest(struct selection *selection)
{
    const struct suspect_question *question = selection->question;
    const struct stacks *stacks = question->stacks;
    double *base_cum = xcalloc((size_t)stacks->count + 1, sizeof *base_cum);
    add_cum(selection, &stacks->spike, selection->spike_cum);
    add_cum(selection, &stacks->base, base_cum);
    uint32_t largest = SUSPECT_NONE;
    for (uint32_t i = 0; i < stacks->count; i++) {
        if (stacks->functions[i].owner != OWNER_OWN || stacks->functions[i].passes_on)
            continue;
        selection->growth[i] = growth_of(question, selection->spike_cum[i], base_cum[i]);
        if (selection->growth[i] > (largest == SUSPECT_NONE ? 0 : selection->growth[largest]))
            largest = i;
    }
    free(base_cum);
    return largest;
}

/* How far down the candidates are, and how much they share with the largest. */
static void rank_candidates(struct selection *selection, uint32_t largest)
{
    const struct suspect_question *question = selection->question;
    const struct stacks_side *side = &question->stacks->spike;
    forget_seen(selection);
    for (uint32_t i = 0; i < sample_count(side); i++) {
        if (!is_asked_for(question, side, &side->samples[i]))
            continue;
        uint32_t count = own_once(selection, side, i), above = 0;
        bool has_largest = selection->seen[largest] == i + 1;
        double weight = weight_of(question, side, i);
        for (uint32_t j = 0; j < count; j++) {
            uint32_t function = selection->own[j];
            if (!selection->is_candidate[function])
                continue;
            selection->shared[function] += has_largest ? weight : 0;
            selection->rank[function] += weight * above++;
        }
    }
}

static double mean_rank(const struct selection *selection, uint32_t function)
{
    double cum = selection->spike_cum[function];
    return cum > 0 ? selection->rank[function] / cum : 0;
}

static uint32_t find_deepest(const struct selection *selection, uint32_t largest)
{
    uint32_t deepest = largest;
    for (uint32_t i = 0; i < selection->question->stacks->count; i++)
        if (selection->is_candidate[i] && mean_rank(selection, i) > mean_rank(selection, deepest))
            deepest = i;
    return deepest;
}

/* Adds the weight of a sample to those candidates that are in it above the function and below it.
 */
static void add_circle(
    struct selection *selection, const struct stacks_side *side, uint32_t index, uint32_t function)
{
    const struct stacks_sample *sample = &side->samples[index];
    const uint32_t *own = side->own + sample->first_own;
    uint32_t first = 0;
    while (first < sample->own_count && own[first] != function)
        first++;
    for (uint32_t i = 0; i < first; i++)
        selection->seen[own[i]] = index + 1;
    for (uint32_t i = first; i < sample->own_count; i++) {
        if (selection->seen[own[i]] != index + 1)
            continue;
        selection->seen[own[i]] = 0;
        selection->circle[own[i]] += weight_of(selection->question, side, index);
    }
}

static uint32_t outermost_of_circle(struct selection *selection, uint32_t deepest)
{
    const struct suspect_question *question = selection->question;
    const struct stacks_side *side = &question->stacks->spike;
    forget_seen(selection);
    for (uint32_t i = 0; i < sample_count(side); i++)
        if (is_asked_for(question, side, &side->samples[i]))
            add_circle(selection, side, i, deepest);
    uint32_t outermost = deepest;
    double least = circle_least * selection->spike_cum[deepest];
    for (uint32_t i = 0; i < question->stacks->count; i++)
        if (selection->is_candidate[i] && selection->circle[i] > least &&
            mean_rank(selection, i) < mean_rank(selection, outermost))
            outermost = i;
    return outermost;
}

static void choose(struct selection *selection, uint32_t largest, struct suspect_choice *choice)
{
    uint32_t count = selection->question->stacks->count;
    double least = enough_of_largest * selection->growth[largest];
    for (uint32_t i = 0; i < count; i++)
        selection->is_candidate[i] = selection->growth[i] >= least;
    rank_candidates(selection, largest);
    for (uint32_t i = 0; i < count; i++)
        if (selection->shared[i] < shared_least * selection->spike_cum[i])
            selection->is_candidate[i] = false;
    selection->is_candidate[largest] = true;
    uint32_t deepest = outermost_of_circle(selection, find_deepest(selection, largest));
    *choice = (struct suspect_choice){.function = deepest,
        .growth = selection->growth[deepest],
        .share = 100 * selection->spike_cum[deepest] / selection->question->stacks->spike.total,
        .largest = largest,
        .largest_growth = selection->growth[largest]};
}

void suspect_select(const struct suspect_question *question, struct suspect_choice *choice)
{
    size_t count = (size_t)question->stacks->count + 1;
    struct selection selection = {
        .question = question,
        .growth = xcalloc(count, sizeof *selection.growth),
        .spike_cum = xcalloc(count, sizeof *selection.spike_cum),
        .is_candidate = xcalloc(count, sizeof *selection.is_candidate),
        .shared = xcalloc(count, sizeof *selection.shared),
        .rank = xcalloc(count, sizeof *selection.rank),
        .circle = xcalloc(count, sizeof *selection.circle),
        .seen = xcalloc(count, sizeof *selection.seen),
        .own = xcalloc(STACKS_FRAMES_MAX, sizeof *selection.own),
    };
    *choice = (struct suspect_choice){.function = SUSPECT_NONE, .largest = SUSPECT_NONE};
    uint32_t largest = find_largest(&selection);
    if (largest != SUSPECT_NONE)
        choose(&selection, largest, choice);
    free(selection.growth);
    free(selection.spike_cum);
    free(selection.is_candidate);
    free(selection.shared);
    free(selection.rank);
    free(selection.circle);
    free(selection.seen);
    free(selection.own);
}

enum suspect_rest suspect_rest_of(const struct stacks_sample *sample)
{
    if (sample->has_own)
        return SUSPECT_OWN;
    if (sample->marks & STACKS_GC)
        return SUSPECT_COLLECTOR;
    return sample->marks & STACKS_SCHEDULER ? SUSPECT_SCHEDULER : SUSPECT_OTHERS;
}

static double sum_of_rest(const struct stacks_side *side, enum suspect_rest rest)
{
    double sum = 0;
    for (uint32_t i = 0; i < sample_count(side); i++)
        if (suspect_rest_of(&side->samples[i]) == rest)
            sum += side->samples[i].weight;
    return sum;
}

double suspect_growth_of_rest(const struct suspect_question *question, enum suspect_rest rest)
{
    return growth_of(question, sum_of_rest(&question->stacks->spike, rest),
        sum_of_rest(&question->stacks->base, rest));
}

double suspect_rest_percent(const struct suspect_question *question, enum suspect_rest rest)
{
    const struct stacks_side *side = &question->stacks->spike;
    return side->total > 0 ? 100 * sum_of_rest(side, rest) / side->total : 0;
}

double suspect_share(const struct suspect_question *question, uint32_t function, bool base)
{
    const struct stacks_side *side = base ? &question->stacks->base : &question->stacks->spike;
    double sum = 0;
    if (!(side->total > 0)) /* a calm day on which nothing was seen has none of it */
        return base && side->profile ? 0 : NAN;
    for (uint32_t i = 0; i < sample_count(side); i++) {
        const struct stacks_sample *sample = &side->samples[i];
        for (uint32_t j = 0; j < sample->own_count; j++) {
            if (side->own[sample->first_own + j] != function)
                continue;
            sum += sample->weight;
            break;
        }
    }
    return 100 * sum / side->total;
}

struct container {
    double own, with, outermost, itself;
    double *inner; /* by function: what it has below the container */
};

static void add_to_container(const struct stacks *stacks, const struct stacks_sample *sample,
    double weight, uint32_t function, struct container *container)
{
    const uint32_t *own = stacks->spike.own + sample->first_own;
    uint32_t first = 0, at;
    while (first < sample->own_count && stacks->functions[own[first]].passes_on)
        first++;
    for (at = first; at < sample->own_count && own[at] != function; at++)
        continue;
    if (first < sample->own_count)
        container->own += weight;
    if (at == sample->own_count)
        return;
    container->with += weight;
    container->outermost += at == first ? weight : 0;
    while (at < sample->own_count && own[at] == function)
        at++;
    if (at < sample->own_count)
        container->inner[own[at]] += weight;
    else
        container->itself += weight;
}

static bool is_container(const struct container *container, uint32_t count, bool is_router)
{
    static const double nearly_all = 0.9, little = 0.2, half = 0.5, noticed = 0.02;
    double largest = 0;
    int several = 0;
    for (uint32_t i = 0; i < count; i++) {
        largest = fmax(largest, container->inner[i]);
        several += container->inner[i] >= noticed * container->with;
    }
    if (container->itself >= little * container->with)
        return false;
    if (is_router)
        return several >= 2;
    return several >= 3 && container->with >= nearly_all * container->own &&
           container->outermost >= nearly_all * container->with &&
           largest >= half * container->with;
}

bool suspect_contains_all(const struct suspect_question *question, uint32_t function)
{
    const struct stacks *stacks = question->stacks;
    const struct stacks_side *side = &stacks->spike;
    struct container container = {
        .inner = xcalloc((size_t)stacks->count + 1, sizeof *container.inner)};
    for (uint32_t i = 0; i < sample_count(side); i++)
        if (is_asked_for(question, side, &side->samples[i]))
            add_to_container(
                stacks, &side->samples[i], weight_of(question, side, i), function, &container);
    bool is_router = stacks->functions[function].marks & STACKS_PASSES_ON;
    bool contains = is_container(&container, stacks->count, is_router);
    free(container.inner);
    return contains;
}
