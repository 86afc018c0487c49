#include "review/suspect/suspect_charge.h"

#include "core/alloc.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks.h"

double *suspect_charge(const struct stacks_side *side, enum suspect_rest rest, double *causes)
{
    unsigned mark = rest == SUSPECT_COLLECTOR ? STACKS_ALLOCATES : STACKS_BLOCKS;
    uint32_t count = side->profile ? side->profile->sample_count : 0;
    double *weights = xcalloc((size_t)count + 1, sizeof *weights), charged = 0;
    *causes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct stacks_sample *sample = &side->samples[i];
        if (suspect_rest_of(sample) == rest)
            charged += sample->weight;
        else if (sample->marks & mark)
            *causes += sample->weight;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct stacks_sample *sample = &side->samples[i];
        weights[i] = sample->weight;
        if (!(*causes > 0))
            continue;
        if (suspect_rest_of(sample) == rest)
            weights[i] = 0;
        else if (sample->marks & mark)
            weights[i] *= 1 + charged / *causes;
    }
    return weights;
}
