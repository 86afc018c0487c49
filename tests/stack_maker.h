/* Makes profiles of stacks that are written as text: "main.main;main.work|main.inlined 10", the
 * root first, a line a sample. After a | comes a function that is inlined into the one before. A
 * name that begins with an @ is an address without a function: "@1f". */
#ifndef TESTS_STACK_MAKER_H
#define TESTS_STACK_MAKER_H

#include "core/alloc.h"
#include "review/profile/profile.h"

#include <stdlib.h>
#include <string.h>

enum { STACK_ITEMS_MAX = 20000 };

static inline uint32_t stack_string(struct profile *profile, const char *text, size_t size)
{
    for (uint32_t i = 0; i < profile->string_count; i++)
        if (profile->strings[i].size == size && !memcmp(profile->strings[i].text, text, size))
            return i;
    struct profile_block *block = xcalloc(1, sizeof *block);
    block->bytes = xstrndup(text, size);
    block->next = profile->blocks;
    profile->blocks = block;
    profile->strings[profile->string_count] = (struct profile_string){block->bytes, (uint32_t)size};
    return profile->string_count++;
}

static inline uint32_t stack_function(struct profile *profile, const char *name, size_t size)
{
    uint32_t string = stack_string(profile, name, size);
    for (uint32_t i = 0; i < profile->function_count; i++)
        if (profile->functions[i].name == string)
            return i;
    profile->functions[profile->function_count] = (struct profile_function){.name = string};
    return profile->function_count++;
}

/* One frame, with what is inlined into it: a location whose lines are the innermost first. */
static inline void stack_location(struct profile *profile, const char *text, size_t size)
{
    struct profile_location *location = &profile->locations[profile->location_count++];
    *location = (struct profile_location){
        .first_line = profile->line_count, .mapping = PROFILE_NO_MAPPING};
    if (*text == '@') {
        location->address = strtoull(text + 1, NULL, 16);
        return;
    }
    size_t end = size;
    while (end > 0) {
        size_t start = end;
        while (start > 0 && text[start - 1] != '|')
            start--;
        profile->lines[profile->line_count++] = (struct profile_line){
            .function = stack_function(profile, text + start, end - start)};
        location->line_count++;
        end = start > 0 ? start - 1 : 0;
    }
}

static inline void stack_sample(struct profile *profile, const char *line, size_t size)
{
    const char *space = memchr(line, ' ', size);
    struct profile_sample *sample = &profile->samples[profile->sample_count];
    *sample = (struct profile_sample){.first_location = profile->stack_count};
    profile->values[profile->sample_count++] = strtoll(space, NULL, 10);
    const char *end = space;
    while (end > line) {
        const char *start = end;
        while (start > line && start[-1] != ';')
            start--;
        profile->stacks[profile->stack_count++] = profile->location_count;
        sample->location_count++;
        stack_location(profile, start, (size_t)(end - start));
        end = start > line ? start - 1 : line;
    }
}

static inline struct profile *stack_profile(const char *type, const char *unit, const char *text)
{
    struct profile *profile = xcalloc(1, sizeof *profile);
    profile->strings = xcalloc(STACK_ITEMS_MAX, sizeof *profile->strings);
    profile->sample_types = xcalloc(1, sizeof *profile->sample_types);
    profile->samples = xcalloc(STACK_ITEMS_MAX, sizeof *profile->samples);
    profile->values = xcalloc(STACK_ITEMS_MAX, sizeof *profile->values);
    profile->stacks = xcalloc(STACK_ITEMS_MAX, sizeof *profile->stacks);
    profile->locations = xcalloc(STACK_ITEMS_MAX, sizeof *profile->locations);
    profile->lines = xcalloc(STACK_ITEMS_MAX, sizeof *profile->lines);
    profile->functions = xcalloc(STACK_ITEMS_MAX, sizeof *profile->functions);
    stack_string(profile, "", 0);
    profile->sample_types[profile->sample_type_count++] = (struct profile_value_type){
        stack_string(profile, type, strlen(type)), stack_string(profile, unit, strlen(unit))};
    for (size_t size; *text; text += size + (text[size] == '\n')) {
        size = strcspn(text, "\n");
        stack_sample(profile, text, size);
    }
    return profile;
}

#endif
