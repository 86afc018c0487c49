#include "review/compare/flame_names.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/profile.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct name_key {
    const struct flame_stacks *stacks;
    const char *text;
};

static bool same_name(const void *arg, uint32_t index)
{
    const struct name_key *key = arg;
    return !strcmp(key->stacks->names[index].text, key->text);
}

static uint32_t add(struct flame_stacks *stacks, const char *text, const char *file)
{
    stacks->names = array_room(
        stacks->names, stacks->name_count, 1, &stacks->name_capacity, sizeof *stacks->names);
    stacks->names[stacks->name_count] = (struct stack_name){text, file};
    return stacks->name_count++;
}

static uint32_t find(struct flame_stacks *stacks, struct hash_index *by_text, const char *text,
    const char *file, bool *is_new)
{
    struct name_key key = {stacks, text};
    uint32_t hash = hash_finish(hash_bytes(0, text, strlen(text)));
    uint32_t index = hash_index_find(by_text, hash, same_name, &key);
    *is_new = index == HASH_INDEX_NONE;
    if (*is_new) {
        index = add(stacks, text, file);
        hash_index_add(by_text, hash, index);
    }
    return index;
}

/* The name of what has none, as in the totals. */
static uint32_t find_address(
    struct flame_stacks *stacks, struct hash_index *by_text, uint64_t address)
{
    char *text = xasprintf("0x%" PRIx64, address);
    bool is_new;
    uint32_t index = find(stacks, by_text, text, "", &is_new);
    if (!is_new) {
        free(text);
        return index;
    }
    stacks->addresses = array_room(stacks->addresses, stacks->address_count, 1,
        &stacks->address_capacity, sizeof *stacks->addresses);
    stacks->addresses[stacks->address_count++] = text;
    return index;
}

void flame_names_init(struct flame_stacks *stacks)
{
    static const char *const ours[FLAME_NAMES_OF_OUR_OWN] = {"all", "(other)", "(deeper)"};
    for (size_t i = 0; i < FLAME_NAMES_OF_OUR_OWN; i++)
        add(stacks, ours[i], "");
}

void flame_names_add(struct flame_stacks *stacks, struct hash_index *by_text,
    const struct profile *profile, struct flame_frames *frames)
{
    uint32_t *functions = xcalloc(profile->function_count, sizeof *functions);
    bool is_new;
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct profile_function *function = &profile->functions[i];
        functions[i] = find(stacks, by_text, profile->strings[function->name].text,
            profile->strings[function->file].text, &is_new);
    }
    size_t count = 0;
    frames->first = xcalloc((size_t)profile->location_count + 1, sizeof *frames->first);
    frames->frames = xcalloc(
        (size_t)profile->line_count + profile->location_count, sizeof *frames->frames);
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        frames->first[i] = count;
        if (location->line_count == 0)
            frames->frames[count++] = find_address(stacks, by_text, location->address);
        for (uint32_t j = 0; j < location->line_count; j++) {
            uint32_t name = functions[profile->lines[location->first_line + j].function];
            frames->frames[count++] = stacks->names[name].text[0]
                                          ? name
                                          : find_address(stacks, by_text, location->address);
        }
    }
    frames->first[profile->location_count] = count;
    free(functions);
}

void flame_frames_free(struct flame_frames *frames)
{
    free(frames->frames);
    free(frames->first);
}
