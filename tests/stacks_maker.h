/* Makes profiles of stacks that are written as text, for tests of the analysis. */
#ifndef TESTS_STACKS_MAKER_H
#define TESTS_STACKS_MAKER_H

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "core/series.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stack, the outermost function first: "main.main;main.work". A function may say its file and
 * line: "main.work@/src/app/main.go:12". One of the form 0x12 is an address without a name. */
struct made_stack {
    const char *stack;
    int64_t value;
};

struct stacks_maker {
    struct buf functions, locations, samples, strings;
    const char *names[512];
    uint32_t count, string_count;
    const char *default_file; /* in which functions are that say none */
};

static inline void maker_number(struct buf *out, unsigned field, uint64_t number)
{
    unsigned char bytes[24];
    size_t size = 0;
    uint64_t parts[2] = {(uint64_t)field << 3, number};
    for (int i = 0; i < 2; i++) {
        for (; parts[i] >= 0x80; parts[i] >>= 7)
            bytes[size++] = (unsigned char)(parts[i] | 0x80);
        bytes[size++] = (unsigned char)parts[i];
    }
    buf_append(out, bytes, size);
}

static inline void maker_bytes(struct buf *out, unsigned field, const void *data, size_t size)
{
    unsigned char bytes[12] = {(unsigned char)(field << 3 | 2)};
    size_t used = 1;
    uint64_t rest = size;
    for (; rest >= 0x80; rest >>= 7)
        bytes[used++] = (unsigned char)(rest | 0x80);
    bytes[used++] = (unsigned char)rest;
    buf_append(out, bytes, used);
    buf_append(out, data, size);
}

static inline uint32_t maker_string(struct stacks_maker *maker, const char *text)
{
    maker_bytes(&maker->strings, 6, text, strlen(text));
    return maker->string_count++;
}

/* The location (and function) of one frame, by its text; its id. */
static inline uint32_t maker_frame(struct stacks_maker *maker, const char *frame)
{
    for (uint32_t i = 0; i < maker->count; i++)
        if (!strcmp(maker->names[i], frame))
            return i + 1;
    maker->names[maker->count++] = xstrdup(frame);
    uint32_t id = maker->count;
    char *name = xstrdup(frame), *at = strchr(name, '@'), *colon = at ? strrchr(at, ':') : NULL;
    unsigned long line = colon ? strtoul(colon + 1, NULL, 10) : 1;
    if (colon)
        *colon = '\0';
    if (at)
        *at = '\0';
    struct buf location, inner, function;
    buf_init(&location, 1 << 16);
    buf_init(&inner, 1 << 16);
    buf_init(&function, 1 << 16);
    maker_number(&location, 1, id);
    maker_number(&location, 3, strncmp(name, "0x", 2) ? id : strtoul(name, NULL, 16));
    if (strncmp(name, "0x", 2) != 0) {
        maker_number(&inner, 1, id);
        maker_number(&inner, 2, line);
        maker_bytes(&location, 4, inner.data, inner.size);
        maker_number(&function, 1, id);
        maker_number(&function, 2, maker_string(maker, name));
        maker_number(&function, 4, maker_string(maker, at ? at + 1 : maker->default_file));
        maker_bytes(&maker->functions, 5, function.data, function.size);
    }
    maker_bytes(&maker->locations, 4, location.data, location.size);
    buf_free(&location);
    buf_free(&inner);
    buf_free(&function);
    free(name);
    return id;
}

static inline void maker_sample(struct stacks_maker *maker, const struct made_stack *made)
{
    uint32_t ids[1024], count = 0;
    char *stack = xstrdup(made->stack), *rest = NULL;
    for (char *frame = strtok_r(stack, ";", &rest); frame; frame = strtok_r(NULL, ";", &rest))
        ids[count++] = maker_frame(maker, frame);
    struct buf sample;
    buf_init(&sample, 1 << 16);
    while (count > 0)
        maker_number(&sample, 1, ids[--count]);
    maker_number(&sample, 2, (uint64_t)made->value);
    maker_bytes(&maker->samples, 2, sample.data, sample.size);
    buf_free(&sample);
    free(stack);
}

static inline void maker_value_type(
    struct stacks_maker *maker, struct buf *out, unsigned field, const char *type, const char *unit)
{
    struct buf inner;
    buf_init(&inner, 1 << 10);
    maker_number(&inner, 1, maker_string(maker, type));
    maker_number(&inner, 2, maker_string(maker, unit));
    maker_bytes(out, field, inner.data, inner.size);
    buf_free(&inner);
}

/* A profile of the stacks up to one without text; the period is 1, so that a value is a number of
 * observations. */
static inline struct profile *make_stacks(
    const char *type, const char *unit, const char *default_file, const struct made_stack *stacks)
{
    struct stacks_maker maker = {.string_count = 0, .default_file = default_file};
    struct buf all;
    struct buf *parts[] = {&maker.strings, &maker.functions, &maker.locations, &maker.samples};
    buf_init(&all, 1 << 22);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_init(parts[i], 1 << 20);
    maker_string(&maker, "");
    maker_value_type(&maker, &all, 1, type, unit);
    maker_value_type(&maker, &all, 11, type, unit);
    maker_number(&all, 12, 1);
    maker_number(&all, 10, 1000000000);
    for (; stacks->stack; stacks++)
        maker_sample(&maker, stacks);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_append(&all, parts[i]->data, parts[i]->size);
        buf_free(parts[i]);
    }
    for (uint32_t i = 0; i < maker.count; i++)
        free((char *)maker.names[i]);
    struct error err;
    struct profile *profile = profile_decode(all.data, all.size, (size_t)1 << 24, &err);
    if (!profile)
        fprintf(stderr, "%s\n", err.text);
    buf_free(&all);
    return profile;
}

/* Evidence of an incident of that metric without profiles; free_made frees it. */
static inline struct evidence *make_evidence(const char *metric)
{
    struct evidence *evidence = xcalloc(1, sizeof *evidence);
    evidence->incident = incident_new();
    evidence->incident->kind = xstrdup("spike");
    evidence->incident->trigger.metric = metric ? xstrdup(metric) : NULL;
    evidence->profiles = xcalloc(8, sizeof *evidence->profiles);
    series_set_init(&evidence->metrics, 1000);
    return evidence;
}

/* Adds a profile and that of the baseline (NULL: none), which it takes over. */
static inline struct incident_profile *add_made(
    struct evidence *evidence, const char *name, struct profile *profile, struct profile *base)
{
    struct incident_profile *listed = incident_add_profile(evidence->incident, name);
    struct evidence_profile *added = &evidence->profiles[evidence->profile_count];
    *added = (struct evidence_profile){
        .name = name, .profile = profile, .base = base, .listed = evidence->profile_count++};
    return listed;
}

static inline void free_made(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->profile_count; i++) {
        profile_free(evidence->profiles[i].profile);
        profile_free(evidence->profiles[i].base);
    }
    free(evidence->profiles);
    series_set_free(&evidence->metrics);
    incident_free(evidence->incident);
    free(evidence);
}

#endif
