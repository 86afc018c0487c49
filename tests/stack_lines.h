/* Makes profiles for tests from stacks as text. */
#ifndef TESTS_STACK_LINES_H
#define TESTS_STACK_LINES_H

#include "profile_maker.h"

#include <stdio.h>

enum { MADE_STRINGS = 200, MADE_LOCATIONS = 200 };

struct stack_maker {
    struct message profile;
    char strings[MADE_STRINGS][80], locations[MADE_LOCATIONS][80];
    uint64_t string_count, location_count, function_count;
};

static inline uint64_t made_string(struct stack_maker *maker, const char *text)
{
    uint64_t i = 0;
    while (i < maker->string_count && strcmp(maker->strings[i], text) != 0)
        i++;
    if (i == MADE_STRINGS)
        abort();
    if (i == maker->string_count)
        snprintf(maker->strings[maker->string_count++], sizeof *maker->strings, "%s", text);
    return i;
}

static inline void made_type(struct stack_maker *maker, const char *text)
{
    struct message type = {.size = 0};
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "/"), text);
    put_number(&type, 1, made_string(maker, name));
    put_number(&type, 2, made_string(maker, strchr(text, '/') + 1));
    put_message(&maker->profile, 1, &type);
}

/* Functions of one name are as many, as they are in a profile of several binaries. */
static inline void made_line(struct stack_maker *maker, struct message *location, const char *name)
{
    struct message function = {.size = 0}, line = {.size = 0};
    put_number(&function, 1, ++maker->function_count);
    put_number(&function, 2, made_string(maker, strcmp(name, "?") ? name : ""));
    put_number(&function, 3, made_string(maker, strcmp(name, "?") ? name : ""));
    put_number(&function, 4, made_string(maker, "main.go"));
    put_message(&maker->profile, 5, &function);
    put_number(&line, 1, maker->function_count);
    put_number(&line, 2, 7);
    put_message(location, 4, &line);
}

static inline uint64_t made_location(struct stack_maker *maker, const char *text)
{
    struct message location = {.size = 0};
    char names[80], *save = NULL;
    for (uint64_t i = 0; i < maker->location_count; i++)
        if (!strcmp(maker->locations[i], text))
            return i + 1;
    if (maker->location_count == MADE_LOCATIONS)
        abort();
    snprintf(maker->locations[maker->location_count++], sizeof names, "%s", text);
    put_number(&location, 1, maker->location_count);
    put_number(&location, 3,
        strncmp(text, "0x", 2) ? 4096 + maker->location_count : strtoull(text, NULL, 16));
    snprintf(names, sizeof names, "%s", strncmp(text, "0x", 2) ? text : "");
    for (char *name = strtok_r(names, "<", &save); name; name = strtok_r(NULL, "<", &save))
        made_line(maker, &location, name);
    put_message(&maker->profile, 4, &location);
    return maker->location_count;
}

static inline void made_sample(struct stack_maker *maker, const char *text)
{
    struct message ids = {.size = 0}, values = {.size = 0}, sample = {.size = 0};
    char copy[400], *save = NULL, *end = copy;
    snprintf(copy, sizeof copy, "%s", text);
    do
        put_raw(&values, (uint64_t)strtoll(end, &end, 10));
    while (*end++ == ',');
    for (char *frame = strtok_r(end, " ", &save); frame; frame = strtok_r(NULL, " ", &save))
        put_raw(&ids, made_location(maker, frame));
    put_message(&sample, 1, &ids);
    put_message(&sample, 2, &values);
    put_message(&maker->profile, 2, &sample);
}

/* types: "samples/count cpu/nanoseconds". stacks, up to a NULL: "3,300: leaf middle root", where
 * "inner<outer" is a location into which a call was inlined, "?" a function without a name and
 * "0x10" a location without functions. default_type may be NULL. */
static inline struct profile *make_stacks(
    const char *types, const char *default_type, const char *const *stacks)
{
    struct stack_maker *maker = calloc(1, sizeof *maker);
    char copy[200], *save = NULL;
    if (!maker)
        abort();
    made_string(maker, "");
    snprintf(copy, sizeof copy, "%s", types);
    for (char *type = strtok_r(copy, " ", &save); type; type = strtok_r(NULL, " ", &save))
        made_type(maker, type);
    for (; *stacks; stacks++)
        made_sample(maker, *stacks);
    if (default_type)
        put_number(&maker->profile, 14, made_string(maker, default_type));
    for (uint64_t i = 0; i < maker->string_count; i++)
        put_text(&maker->profile, 6, maker->strings[i]);
    struct profile *profile = profile_decode(
        maker->profile.bytes, maker->profile.size, (size_t)1 << 20, NULL);
    free(maker);
    return profile;
}

#endif
