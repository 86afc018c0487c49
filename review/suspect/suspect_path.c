#include "review/suspect/suspect_path.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks.h"
#include "review/suspect/suspect_select.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The samples that are still on the way; of each the frames down to the function. */
struct walk {
    const struct stacks *stacks;
    uint32_t function;
    uint32_t *samples;
    size_t sample_count;
    double *weight; /* by function: of the next frame */
};

static bool has_own(const struct stacks_side *side, uint32_t index, uint32_t function)
{
    const struct stacks_sample *sample = &side->samples[index];
    for (uint32_t i = 0; i < sample->own_count; i++)
        if (side->own[sample->first_own + i] == function)
            return true;
    return false;
}

static void collect(struct walk *walk)
{
    const struct stacks_side *side = &walk->stacks->spike;
    for (uint32_t i = 0; i < side->profile->sample_count; i++)
        if (has_own(side, i, walk->function))
            walk->samples[walk->sample_count++] = i;
}

/* The frame that most of the samples on the way have at this depth. */
static uint32_t next_frame(struct walk *walk, uint32_t depth)
{
    uint32_t frames[STACKS_FRAMES_MAX], heaviest = SUSPECT_NONE;
    memset(walk->weight, 0, walk->stacks->count * sizeof *walk->weight);
    for (size_t i = 0; i < walk->sample_count; i++) {
        if (stacks_frames(&walk->stacks->spike, walk->samples[i], frames) <= depth)
            continue;
        uint32_t frame = frames[depth];
        walk->weight[frame] += walk->stacks->spike.samples[walk->samples[i]].weight;
        if (heaviest == SUSPECT_NONE || walk->weight[frame] > walk->weight[heaviest])
            heaviest = frame;
    }
    return heaviest;
}

static void keep_those_with(struct walk *walk, uint32_t depth, uint32_t frame)
{
    uint32_t frames[STACKS_FRAMES_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < walk->sample_count; i++)
        if (stacks_frames(&walk->stacks->spike, walk->samples[i], frames) > depth &&
            frames[depth] == frame)
            walk->samples[kept++] = walk->samples[i];
    walk->sample_count = kept;
}

static size_t walk_down(struct walk *walk, uint32_t *path)
{
    size_t count = 0;
    for (uint32_t depth = 0; depth < STACKS_FRAMES_MAX; depth++) {
        uint32_t frame = next_frame(walk, depth);
        if (frame == SUSPECT_NONE)
            break;
        keep_those_with(walk, depth, frame);
        if (!count || path[count - 1] != frame)
            path[count++] = frame;
        if (frame == walk->function)
            break;
    }
    return count;
}

char **suspect_path(const struct stacks *stacks, uint32_t function, size_t *count)
{
    struct walk walk = {.stacks = stacks,
        .function = function,
        .samples = xcalloc((size_t)stacks->spike.profile->sample_count + 1, sizeof *walk.samples),
        .weight = xcalloc((size_t)stacks->count + 1, sizeof *walk.weight)};
    uint32_t *path = xcalloc(STACKS_FRAMES_MAX, sizeof *path);
    collect(&walk);
    size_t length = walk_down(&walk, path);
    size_t left_out = length > INCIDENT_PATH_MAX ? length - INCIDENT_PATH_MAX : 0;
    size_t head = left_out ? INCIDENT_PATH_MAX / 2 : length;
    char **names = xcalloc(length - left_out + 1, sizeof *names);
    *count = 0;
    for (size_t i = 0; i < length; i++)
        if (i < head || i >= head + left_out)
            names[(*count)++] = xstrdup(stacks->functions[path[i]].name);
    free(path);
    free(walk.samples);
    free(walk.weight);
    return names;
}

/* What the compiler and the scheduler put in: nobody calls it. */
static bool is_inserted(const char *name)
{
    static const char *const names[] = {
        "runtime.asyncPreempt", "runtime.morestack", "runtime.gcWriteBarrier"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The frame behind the innermost own one, when that is the function; else SUSPECT_NONE. */
static uint32_t callee_in(
    const struct stacks *stacks, const uint32_t *frames, uint32_t count, uint32_t function)
{
    for (uint32_t i = count; i-- > 0;) {
        if (stacks->functions[frames[i]].owner != OWNER_OWN)
            continue;
        bool calls = frames[i] == function && i + 1 < count &&
                     !is_inserted(stacks->functions[frames[i + 1]].name);
        return calls ? frames[i + 1] : SUSPECT_NONE;
    }
    return SUSPECT_NONE;
}

uint32_t suspect_path_callee(const struct stacks *stacks, uint32_t function, double *percent)
{
    const struct stacks_side *side = &stacks->spike;
    double *weight = xcalloc((size_t)stacks->count + 1, sizeof *weight), whole = 0;
    uint32_t frames[STACKS_FRAMES_MAX], heaviest = SUSPECT_NONE;
    for (uint32_t i = 0; i < side->profile->sample_count; i++) {
        if (!has_own(side, i, function))
            continue;
        whole += side->samples[i].weight;
        uint32_t callee = callee_in(stacks, frames, stacks_frames(side, i, frames), function);
        if (callee == SUSPECT_NONE)
            continue;
        weight[callee] += side->samples[i].weight;
        if (heaviest == SUSPECT_NONE || weight[callee] > weight[heaviest])
            heaviest = callee;
    }
    *percent = heaviest != SUSPECT_NONE && whole > 0 ? 100 * weight[heaviest] / whole : 0;
    free(weight);
    return heaviest;
}

struct line_weight {
    int64_t line;
    double weight;
};

/* Adds the sample's weight to the line at which it is in the function, the innermost time. */
static int64_t line_in(const struct stacks_side *side, uint32_t index, uint32_t function)
{
    const struct profile *profile = side->profile;
    const struct profile_sample *sample = &profile->samples[index];
    for (uint32_t i = 0; i < sample->location_count; i++) {
        const struct profile_location *location =
            &profile->locations[profile->stacks[sample->first_location + i]];
        for (uint32_t j = 0; j < location->line_count; j++) {
            const struct profile_line *line = &profile->lines[location->first_line + j];
            if (side->of_function[line->function] == function)
                return line->line;
        }
    }
    return 0;
}

static int compare_lines(const void *left, const void *right)
{
    const struct line_weight *a = left, *b = right;
    return (a->line > b->line) - (a->line < b->line);
}

static int64_t heaviest_line(struct line_weight *lines, size_t count)
{
    struct line_weight heaviest = {0, 0}, sum = {0, 0};
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (lines[i].line != sum.line)
            sum = (struct line_weight){lines[i].line, 0};
        sum.weight += lines[i].weight;
        if (sum.line > 0 && sum.weight > heaviest.weight)
            heaviest = sum;
    }
    return heaviest.line;
}

int64_t suspect_path_line(const struct stacks *stacks, uint32_t function)
{
    const struct stacks_side *side = &stacks->spike;
    struct line_weight *lines = xcalloc((size_t)side->profile->sample_count + 1, sizeof *lines);
    size_t count = 0;
    for (uint32_t i = 0; i < side->profile->sample_count; i++)
        if (has_own(side, i, function))
            lines[count++] = (struct line_weight){
                line_in(side, i, function), side->samples[i].weight};
    int64_t line = heaviest_line(lines, count);
    free(lines);
    return line;
}
