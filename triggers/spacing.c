#include "triggers/spacing.h"

static int64_t median(const struct spacing *spacing)
{
    int64_t sorted[SPACING_DISTANCES] = {0};
    for (unsigned i = 0; i < spacing->count; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > spacing->distances_ms[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = spacing->distances_ms[i];
    }
    return sorted[(spacing->count - 1) / 2];
}

int64_t spacing_take(struct spacing *spacing, int64_t time_ms)
{
    int64_t distance_ms = 0;
    if (spacing->sampled) {
        distance_ms = time_ms - spacing->last_ms;
        bool full = spacing->count == SPACING_DISTANCES;
        bool same = full && spacing->distances_ms[spacing->next] == distance_ms;
        spacing->distances_ms[spacing->next] = distance_ms;
        spacing->next = (spacing->next + 1) % SPACING_DISTANCES;
        spacing->count += !full;
        if (!same)
            spacing->usual_ms = median(spacing);
    }
    spacing->sampled = true;
    spacing->last_ms = time_ms;
    return distance_ms;
}

bool spacing_is_gap(int64_t usual_ms, int64_t distance_ms)
{
    return usual_ms > 0 && distance_ms > usual_ms * 3 + usual_ms / 4;
}
