#include "review/suspect/stacks.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/hash_index.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks_marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Inlining is never this deep, and recursion is told by far less: these bound what hostile profiles
 * can cost. */
enum { LINES_MAX = 64, OWN_FRAMES_MAX = 1024 };
static const uint64_t own_frames_of_all_max = 1u << 25;

static const uint32_t not_there = UINT32_MAX;

struct builder {
    struct stacks *stacks;
    const struct owners *owners;
    struct hash_index index; /* by name */
    uint32_t capacity, address_capacity, own_capacity;
    double *passed; /* by function: what it passes on */
    double *cum;
    uint32_t *seen; /* by function: the number of the sample that had it */
};

struct name_key {
    const struct stacks *stacks;
    const char *name;
};

static bool is_named(const void *arg, uint32_t index)
{
    const struct name_key *key = arg;
    return !strcmp(key->stacks->functions[index].name, key->name);
}

static uint32_t add_function(
    struct builder *builder, const char *name, const char *file, unsigned marks)
{
    struct stacks *stacks = builder->stacks;
    uint32_t hash = hash_finish(hash_bytes(1, name, strlen(name)));
    struct name_key key = {stacks, name};
    uint32_t found = hash_index_find(&builder->index, hash, is_named, &key);
    if (found != HASH_INDEX_NONE)
        return found;
    stacks->functions = array_room(
        stacks->functions, stacks->count, 1, &builder->capacity, sizeof *stacks->functions);
    enum owner owner = owners_of(builder->owners, name, file);
    if (owner != OWNER_OWN)
        marks |= stacks_marks_of(name, owners_is_go(builder->owners));
    else if (stacks_marks_is_router(name))
        marks |= STACKS_PASSES_ON;
    stacks->functions[stacks->count] = (struct stacks_function){name, file, owner, marks, false};
    hash_index_add(&builder->index, hash, stacks->count);
    return stacks->count++;
}

static uint32_t add_address(struct builder *builder, uint64_t address)
{
    struct stacks *stacks = builder->stacks;
    uint32_t before = stacks->count;
    char *name = xasprintf("0x%016" PRIx64, address);
    uint32_t function = add_function(builder, name, "", STACKS_NAMELESS);
    if (function < before) {
        free(name);
        return function;
    }
    stacks->addresses = array_room(stacks->addresses, stacks->address_count, 1,
        &builder->address_capacity, sizeof *stacks->addresses);
    stacks->addresses[stacks->address_count++] = name;
    return function;
}

static bool has_name(const struct profile *profile, uint32_t function)
{
    return *profile->strings[profile->functions[function].name].text != '\0';
}

static void add_functions(struct builder *builder, struct stacks_side *side)
{
    const struct profile *profile = side->profile;
    side->of_function = xcalloc((size_t)profile->function_count + 1, sizeof *side->of_function);
    side->of_location = xcalloc((size_t)profile->location_count + 1, sizeof *side->of_location);
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct profile_function *function = &profile->functions[i];
        side->of_function[i] = has_name(profile, i)
                                   ? add_function(builder, profile->strings[function->name].text,
                                         profile->strings[function->file].text, 0)
                                   : not_there;
    }
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        bool named = false;
        for (uint32_t j = 0; j < location->line_count && j < LINES_MAX && !named; j++)
            named = has_name(profile, profile->lines[location->first_line + j].function);
        side->of_location[i] = named ? not_there : add_address(builder, location->address);
    }
}

uint32_t stacks_frames(const struct stacks_side *side, uint32_t index, uint32_t *frames)
{
    const struct profile *profile = side->profile;
    const struct profile_sample *sample = &profile->samples[index];
    uint32_t at = STACKS_FRAMES_MAX;
    for (uint32_t i = 0; i < sample->location_count && at > 0; i++) {
        uint32_t number = profile->stacks[sample->first_location + i];
        const struct profile_location *location = &profile->locations[number];
        if (side->of_location[number] != not_there)
            frames[--at] = side->of_location[number];
        for (uint32_t j = 0; j < location->line_count && j < LINES_MAX && at > 0; j++) {
            uint32_t line = location->first_line + j;
            uint32_t function = side->of_function[profile->lines[line].function];
            if (function != not_there)
                frames[--at] = function;
        }
    }
    memmove(frames, frames + at, (STACKS_FRAMES_MAX - at) * sizeof *frames);
    return STACKS_FRAMES_MAX - at;
}

/* What own code above a router has is passed on; counted once a sample. */
static void count_passing(struct builder *builder, const struct stacks_side *side,
    const struct stacks_sample *sample, uint32_t passing)
{
    for (uint32_t i = 0; i < sample->own_count; i++) {
        uint32_t function = side->own[sample->first_own + i];
        if (builder->seen[function])
            continue;
        builder->seen[function] = 1;
        builder->cum[function] += sample->weight;
        if (i < passing)
            builder->passed[function] += sample->weight;
    }
    for (uint32_t i = 0; i < sample->own_count; i++)
        builder->seen[side->own[sample->first_own + i]] = 0;
}

static void add_sample(
    struct builder *builder, struct stacks_side *side, uint32_t index, uint32_t *own_count)
{
    const struct profile *profile = side->profile;
    struct stacks_sample *sample = &side->samples[index];
    uint32_t frames[STACKS_FRAMES_MAX], count = stacks_frames(side, index, frames), passing = 0;
    sample->weight =
        (double)profile->values[(size_t)index * profile->sample_type_count + side->sample_type];
    sample->first_own = *own_count;
    side->total += sample->weight;
    side->own = array_room(
        side->own, *own_count, OWN_FRAMES_MAX, &builder->own_capacity, sizeof *side->own);
    for (uint32_t i = 0; i < count; i++) {
        const struct stacks_function *function = &builder->stacks->functions[frames[i]];
        sample->marks |= function->marks;
        if (function->marks & STACKS_PASSES_ON)
            passing = sample->own_count;
        if (function->owner != OWNER_OWN || sample->own_count == OWN_FRAMES_MAX ||
            *own_count + (uint64_t)sample->own_count >= own_frames_of_all_max ||
            (i > 0 && frames[i - 1] == frames[i]))
            continue;
        side->own[sample->first_own + sample->own_count++] = frames[i];
    }
    *own_count += sample->own_count;
    count_passing(builder, side, sample, passing);
}

static void add_samples(struct builder *builder, struct stacks_side *side)
{
    uint32_t own_count = 0;
    builder->own_capacity = 0;
    side->samples = xcalloc((size_t)side->profile->sample_count + 1, sizeof *side->samples);
    for (uint32_t i = 0; i < side->profile->sample_count; i++)
        add_sample(builder, side, i, &own_count);
}

/* What the spike shows of a function counts, and the baseline only for those that it alone has. */
static void add_side(struct builder *builder, struct stacks_side *side)
{
    uint32_t known = builder->stacks->count;
    if (!side->profile)
        return;
    add_functions(builder, side);
    builder->passed = xcalloc((size_t)builder->stacks->count + 1, sizeof *builder->passed);
    builder->cum = xcalloc((size_t)builder->stacks->count + 1, sizeof *builder->cum);
    builder->seen = xcalloc((size_t)builder->stacks->count + 1, sizeof *builder->seen);
    add_samples(builder, side);
    static const double most = 0.8;
    for (uint32_t i = known; i < builder->stacks->count; i++)
        if (builder->passed[i] > 0 && builder->passed[i] >= most * builder->cum[i])
            builder->stacks->functions[i].passes_on = true;
    free(builder->passed);
    free(builder->cum);
    free(builder->seen);
}

static void find_own(const struct stacks *stacks, struct stacks_side *side)
{
    for (uint32_t i = 0; side->profile && i < side->profile->sample_count; i++) {
        struct stacks_sample *sample = &side->samples[i];
        for (uint32_t j = 0; j < sample->own_count && !sample->has_own; j++)
            sample->has_own = !stacks->functions[side->own[sample->first_own + j]].passes_on;
    }
}

struct stacks *stacks_open(const struct owners *owners, const struct profile *spike,
    uint32_t spike_type, const struct profile *base, uint32_t base_type)
{
    struct stacks *stacks = xcalloc(1, sizeof *stacks);
    struct builder builder = {.stacks = stacks, .owners = owners};
    stacks->spike = (struct stacks_side){.profile = spike, .sample_type = spike_type};
    stacks->base = (struct stacks_side){.profile = base, .sample_type = base_type};
    add_side(&builder, &stacks->spike);
    add_side(&builder, &stacks->base);
    find_own(stacks, &stacks->spike);
    find_own(stacks, &stacks->base);
    hash_index_free(&builder.index);
    return stacks;
}

static void free_side(struct stacks_side *side)
{
    free(side->samples);
    free(side->own);
    free(side->of_function);
    free(side->of_location);
}

void stacks_close(struct stacks *stacks)
{
    free_side(&stacks->spike);
    free_side(&stacks->base);
    for (uint32_t i = 0; i < stacks->address_count; i++)
        free(stacks->addresses[i]);
    free(stacks->addresses);
    free(stacks->functions);
    free(stacks);
}
