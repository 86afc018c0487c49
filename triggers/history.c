#include "triggers/history.h"

#include <math.h>
#include <string.h>

/* How many values are below value: where it belongs. */
static unsigned rank_of(const struct history *history, float value)
{
    unsigned low = 0, high = history->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (history->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void history_add(struct history *history, float value)
{
    float *sorted = history->sorted;
    unsigned to = rank_of(history, value);
    if (history->count == HISTORY_SIZE) {
        unsigned from = rank_of(history, history->ring[history->next]);
        if (to > from) {
            to--;
            memmove(sorted + from, sorted + from + 1, (to - from) * sizeof *sorted);
        } else {
            memmove(sorted + to + 1, sorted + to, (from - to) * sizeof *sorted);
        }
    } else {
        memmove(sorted + to + 1, sorted + to, (history->count - to) * sizeof *sorted);
        history->count++;
    }
    sorted[to] = value;
    history->ring[history->next] = value;
    history->next = (history->next + 1) % HISTORY_SIZE;
}

void history_clear(struct history *history)
{
    history->count = 0;
    history->next = 0;
}

struct history_part history_all(const struct history *history)
{
    return (struct history_part){0, history->count};
}

struct history_part history_densest_half(const struct history *history)
{
    unsigned half = history->count / 2 + 1, densest = 0;
    float shortest = INFINITY;
    half = half < history->count ? half : history->count;
    for (unsigned from = 0; from + half <= history->count; from++) {
        float length = history->sorted[from + half - 1] - history->sorted[from];
        if (length < shortest) {
            shortest = length;
            densest = from;
        }
    }
    return (struct history_part){densest, half};
}

struct history_part history_between(const struct history *history, double low, double high)
{
    unsigned from = rank_of(history, (float)low);
    unsigned to = rank_of(history, nextafterf((float)high, INFINITY));
    return (struct history_part){from, to - from};
}

double history_quantile(const struct history *history, struct history_part part, double q)
{
    double position = q * (part.count - 1);
    unsigned below = (unsigned)position;
    double share = position - below;
    const float *sorted = history->sorted + part.from;
    double value = (double)sorted[below];
    return share > 0 ? value + share * ((double)sorted[below + 1] - value) : value;
}

/* The distances of the values below the centre and of those above it are two rising sequences: the
 * median of both together is where a cut through the one and a cut through the other meet. */
double history_deviation(const struct history *history, struct history_part part, double centre)
{
    const float *sorted = history->sorted + part.from;
    unsigned rank = rank_of(history, (float)centre);
    unsigned below = rank < part.from ? 0 : rank - part.from;
    below = below < part.count ? below : part.count;
    unsigned above = part.count - below;
    unsigned wanted = (part.count + 1) / 2; /* so many distances are at most the median */
    unsigned low = wanted > above ? wanted - above : 0, high = wanted < below ? wanted : below;
    while (low < high) {
        unsigned from_below = (low + high) / 2, from_above = wanted - from_below;
        double next_below = centre - (double)sorted[below - 1 - from_below];
        double last_above = from_above ? (double)sorted[below + from_above - 1] - centre : -1;
        if (next_below < last_above)
            low = from_below + 1;
        else
            high = from_below;
    }
    unsigned from_above = wanted - low;
    double furthest_below = low ? centre - (double)sorted[below - low] : 0;
    double furthest_above = from_above ? (double)sorted[below + from_above - 1] - centre : 0;
    return fmax(furthest_below, furthest_above);
}
