#include "triggers/valley.h"

#include <math.h>

/* A valley lies below the peak before it by this factor: the noise of a spike grows with it, to a
 * tenth of its height and more. */
static const double FALL_FACTOR = 1.25;

void valley_begin(struct valley *valley, int64_t time_ms, double score)
{
    *valley = (struct valley){.since_ms = time_ms, .highest = score, .peak = score};
}

void valley_take(struct valley *valley, int64_t time_ms, double score, int64_t part_ms)
{
    valley->highest = fmax(valley->highest, score);
    valley->peak = fmax(valley->peak, score);
    if (time_ms - valley->since_ms < part_ms)
        return;
    valley->parts[valley->next] = valley->highest;
    valley->next = (valley->next + 1) % VALLEY_PARTS;
    valley->count += valley->count < VALLEY_PARTS;
    valley->since_ms = time_ms;
    valley->highest = 0;
    if (valley->count < VALLEY_PARTS)
        return;
    double kept = 0;
    for (unsigned i = 0; i < VALLEY_PARTS; i++)
        kept = fmax(kept, valley->parts[i]);
    if (valley->peak > FALL_FACTOR * kept && (!valley->known || kept < valley->lowest)) {
        valley->known = true;
        valley->lowest = kept;
        valley->peak_before = valley->peak;
    }
}
