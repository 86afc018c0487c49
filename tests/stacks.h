/* Makes profiles for tests from stacks as text:
 * "main.main;main.work|main.inlined@/src/app/main.go:12 10,300", a line a sample, the outermost
 * function first, then its values. After a | comes a function that is inlined into the one before.
 * "?" is a function without a name, "0x1f" an address without a function. */
#ifndef TESTS_STACKS_H
#define TESTS_STACKS_H

#include "core/alloc.h"
#include "core/error.h"
#include "profile_maker.h"

#include <stdio.h>

enum { STACKS_STRINGS = 2000, STACKS_LOCATIONS = 2000, STACKS_DEPTH = 1024 };

struct stacks {
    struct message profile;
    char *strings[STACKS_STRINGS], *locations[STACKS_LOCATIONS];
    uint64_t string_count, location_count, function_count;
    const char *default_file; /* in which functions are that say none */
};

static inline uint64_t stacks_string(struct stacks *stacks, const char *text)
{
    uint64_t i = 0;
    while (i < stacks->string_count && strcmp(stacks->strings[i], text) != 0)
        i++;
    if (i == STACKS_STRINGS)
        abort();
    if (i == stacks->string_count)
        stacks->strings[stacks->string_count++] = xstrdup(text);
    return i;
}

/* "cpu/nanoseconds" */
static inline void stacks_type(struct stacks *stacks, unsigned field, const char *text)
{
    struct message type = {.size = 0};
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "/"), text);
    put_number(&type, 1, stacks_string(stacks, name));
    put_number(&type, 2, stacks_string(stacks, strchr(text, '/') + 1));
    put_message(&stacks->profile, field, &type);
}

/* "main.work@/src/app/main.go:12". Functions of one name are as many, as they are in a profile of
 * several binaries. */
static inline void stacks_line(struct stacks *stacks, struct message *location, char *name)
{
    struct message function = {.size = 0}, line = {.size = 0};
    char *at = strchr(name, '@'), *colon = at ? strrchr(at, ':') : NULL;
    uint64_t number = colon ? strtoull(colon + 1, NULL, 10) : 1;
    if (colon)
        *colon = '\0';
    if (at)
        *at = '\0';
    uint64_t string = stacks_string(stacks, strcmp(name, "?") ? name : "");
    put_number(&function, 1, ++stacks->function_count);
    put_number(&function, 2, string);
    put_number(&function, 3, string);
    put_number(&function, 4, stacks_string(stacks, at ? at + 1 : stacks->default_file));
    put_message(&stacks->profile, 5, &function);
    put_number(&line, 1, stacks->function_count);
    put_number(&line, 2, number);
    put_message(location, 4, &line);
}

/* The id of a frame's location. Its lines are the innermost first. */
static inline uint64_t stacks_location(struct stacks *stacks, const char *text)
{
    struct message location = {.size = 0};
    bool named = strncmp(text, "0x", 2) != 0;
    for (uint64_t i = 0; i < stacks->location_count; i++)
        if (!strcmp(stacks->locations[i], text))
            return i + 1;
    if (stacks->location_count == STACKS_LOCATIONS)
        abort();
    stacks->locations[stacks->location_count++] = xstrdup(text);
    put_number(&location, 1, stacks->location_count);
    put_number(&location, 3, named ? 4096 + stacks->location_count : strtoull(text, NULL, 16));
    char *names = xstrdup(text), *bar;
    while (named && (bar = strrchr(names, '|'))) {
        stacks_line(stacks, &location, bar + 1);
        *bar = '\0';
    }
    if (named)
        stacks_line(stacks, &location, names);
    free(names);
    put_message(&stacks->profile, 4, &location);
    return stacks->location_count;
}

static inline void stacks_sample(struct stacks *stacks, const char *frames, const char *numbers)
{
    struct message ids = {.size = 0}, values = {.size = 0}, sample = {.size = 0};
    uint64_t found[STACKS_DEPTH];
    size_t depth = 0;
    char *copy = xstrdup(frames), *save = NULL, *end = (char *)(uintptr_t)numbers;
    for (char *frame = strtok_r(copy, ";", &save); frame; frame = strtok_r(NULL, ";", &save)) {
        if (depth == STACKS_DEPTH)
            abort();
        found[depth++] = stacks_location(stacks, frame);
    }
    while (depth > 0)
        put_raw(&ids, found[--depth]);
    do
        put_raw(&values, (uint64_t)strtoll(end, &end, 10));
    while (*end++ == ',');
    put_message(&sample, 1, &ids);
    put_message(&sample, 2, &values);
    put_message(&stacks->profile, 2, &sample);
    free(copy);
}

/* types: "samples/count cpu/nanoseconds"; the period is one of the last. */
static inline struct stacks *stacks_begin(const char *types, const char *default_file)
{
    struct stacks *stacks = xcalloc(1, sizeof *stacks);
    char copy[200], *save = NULL, *last = NULL;
    stacks->default_file = default_file;
    stacks_string(stacks, "");
    snprintf(copy, sizeof copy, "%s", types);
    for (char *type = strtok_r(copy, " ", &save); type; type = strtok_r(NULL, " ", &save))
        stacks_type(stacks, 1, last = type);
    if (last)
        stacks_type(stacks, 11, last);
    put_number(&stacks->profile, 12, 1);
    put_number(&stacks->profile, 10, 1000000000);
    return stacks;
}

static inline struct profile *stacks_end(struct stacks *stacks, const char *default_type)
{
    struct error err;
    if (default_type)
        put_number(&stacks->profile, 14, stacks_string(stacks, default_type));
    for (uint64_t i = 0; i < stacks->string_count; i++) {
        put_text(&stacks->profile, 6, stacks->strings[i]);
        free(stacks->strings[i]);
    }
    for (uint64_t i = 0; i < stacks->location_count; i++)
        free(stacks->locations[i]);
    struct profile *profile = profile_decode(
        stacks->profile.bytes, stacks->profile.size, (size_t)1 << 24, &err);
    if (!profile)
        fprintf(stderr, "%s\n", err.text);
    free(stacks);
    return profile;
}

/* A profile of lines of text, as above. */
static inline struct profile *stacks_profile(
    const char *types, const char *default_type, const char *text)
{
    struct stacks *stacks = stacks_begin(types, "");
    for (size_t size; *text; text += size + (text[size] == '\n')) {
        size = strcspn(text, "\n");
        char *line = xstrndup(text, size), *space = strrchr(line, ' ');
        const char *frames = space ? line : "";
        if (space)
            *space = '\0';
        stacks_sample(stacks, frames, space ? space + 1 : line);
        free(line);
    }
    return stacks_end(stacks, default_type);
}

/* A string that the profile did not have, by its index. */
static inline uint32_t stacks_add_string(struct profile *profile, const char *text)
{
    struct profile_block *block = xcalloc(1, sizeof *block);
    *block = (struct profile_block){profile->blocks, xstrdup(text)};
    profile->blocks = block;
    profile->strings = xrealloc(
        profile->strings, profile->string_count + 1, sizeof *profile->strings);
    profile->strings[profile->string_count] = (struct profile_string){
        block->bytes, (uint32_t)strlen(text)};
    return profile->string_count++;
}

/* A profile of one kind of value: a list that ends with a stack that is NULL. */
struct made_stack {
    const char *stack;
    int64_t value;
};

static inline struct profile *stacks_list(
    const char *types, const char *default_file, const struct made_stack *list)
{
    struct stacks *stacks = stacks_begin(types, default_file);
    for (; list->stack; list++) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, list->value);
        stacks_sample(stacks, list->stack, number);
    }
    return stacks_end(stacks, NULL);
}

#endif
