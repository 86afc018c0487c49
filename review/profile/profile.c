#include "review/profile/profile.h"

#include <stdlib.h>

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    while (profile->blocks) {
        struct profile_block *block = profile->blocks;
        profile->blocks = block->next;
        free(block->bytes);
        free(block);
    }
    free(profile->strings);
    free(profile->sample_types);
    free(profile->samples);
    free(profile->values);
    free(profile->stacks);
    free(profile->labels);
    free(profile->mappings);
    free(profile->locations);
    free(profile->lines);
    free(profile->functions);
    free(profile->comments);
    free(profile);
}
