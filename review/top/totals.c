#include "review/top/totals.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_TEXT = sizeof "0x" + 16 };

/* While samples are counted; the sums have no sign, so that they may wrap. */
struct node {
    struct function_total told;
    uint64_t flat, cum;
    uint32_t last_sample; /* that is in cum, from 1 */
};

struct counting {
    const struct profile *profile;
    struct node *nodes;
    uint32_t count, capacity;
    struct hash_index index;
    char *addresses, *next_address;
    uint32_t *of_function; /* node of each function that has a name; HASH_INDEX_NONE: not yet */
    uint32_t *of_line;     /* node of each line */
    uint32_t *of_location; /* node of each location without lines */
};

static uint32_t hash_name(const char *name)
{
    return hash_finish(hash_bytes(0, name, strlen(name)));
}

struct wanted {
    const struct node *nodes;
    const char *name;
};

static bool same_node(const void *arg, uint32_t index)
{
    const struct wanted *wanted = arg;
    return !strcmp(wanted->nodes[index].told.name, wanted->name);
}

static uint32_t find_or_add(struct counting *counting, struct function_total told)
{
    uint32_t hash = hash_name(told.name);
    struct wanted wanted = {counting->nodes, told.name};
    uint32_t index = hash_index_find(&counting->index, hash, same_node, &wanted);
    if (index != HASH_INDEX_NONE)
        return index;
    index = counting->count++;
    counting->nodes = array_room(
        counting->nodes, index, 1, &counting->capacity, sizeof *counting->nodes);
    counting->nodes[index] = (struct node){.told = told};
    hash_index_add(&counting->index, hash, index);
    return index;
}

static const char *text(const struct profile *profile, uint32_t string)
{
    return profile->strings[string].text;
}

static bool has_name(const struct profile *profile, uint32_t line)
{
    return *text(profile, profile->functions[profile->lines[line].function].name);
}

static uint32_t node_of_address(
    struct counting *counting, uint64_t address, const char *file, int64_t line)
{
    char *name = counting->next_address;
    int size = snprintf(name, ADDRESS_TEXT, "0x%" PRIx64, address);
    uint32_t before = counting->count;
    uint32_t node = find_or_add(
        counting, (struct function_total){.name = name, .file = file, .line = line});
    if (counting->count > before)
        counting->next_address += size + 1;
    return node;
}

static uint32_t node_of_line(struct counting *counting, uint32_t line, uint64_t address)
{
    const struct profile *profile = counting->profile;
    uint32_t index = profile->lines[line].function;
    const struct profile_function *function = &profile->functions[index];
    const char *file = text(profile, function->file);
    if (!has_name(profile, line))
        return node_of_address(counting, address, file, function->start_line);
    uint32_t *known = &counting->of_function[index];
    if (*known == HASH_INDEX_NONE)
        *known = find_or_add(counting,
            (struct function_total){
                .name = text(profile, function->name), .file = file, .line = function->start_line});
    return *known;
}

/* Every line of a function without a name, and every location without lines, may be a text. */
static size_t count_addresses(const struct profile *profile)
{
    size_t count = 0;
    for (uint32_t i = 0; i < profile->location_count; i++)
        count += profile->locations[i].line_count == 0;
    for (uint32_t i = 0; i < profile->line_count; i++)
        count += !has_name(profile, i);
    return count;
}

static uint32_t *room(uint32_t count)
{
    return xrealloc(NULL, count ? count : 1, sizeof(uint32_t));
}

static void make_nodes(struct counting *counting)
{
    const struct profile *profile = counting->profile;
    counting->of_function = room(profile->function_count);
    counting->of_line = room(profile->line_count);
    counting->of_location = room(profile->location_count);
    counting->addresses = xrealloc(NULL, count_addresses(profile) + 1, ADDRESS_TEXT);
    counting->next_address = counting->addresses;
    for (uint32_t i = 0; i < profile->function_count; i++)
        counting->of_function[i] = HASH_INDEX_NONE;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        if (location->line_count == 0)
            counting->of_location[i] = node_of_address(counting, location->address, "", 0);
        for (uint32_t j = 0; j < location->line_count; j++) {
            uint32_t line = location->first_line + j;
            counting->of_line[line] = node_of_line(counting, line, location->address);
        }
    }
}

static void count_sample(struct counting *counting, uint32_t index, uint64_t value)
{
    const struct profile *profile = counting->profile;
    const struct profile_sample *sample = &profile->samples[index];
    for (uint32_t i = 0; i < sample->location_count; i++) {
        uint32_t at = profile->stacks[sample->first_location + i];
        const struct profile_location *location = &profile->locations[at];
        uint32_t lines = location->line_count;
        const uint32_t *nodes = lines ? &counting->of_line[location->first_line]
                                      : &counting->of_location[at];
        if (i == 0)
            counting->nodes[nodes[0]].flat += value;
        for (uint32_t j = 0; j < (lines ? lines : 1); j++) {
            struct node *node = &counting->nodes[nodes[j]];
            if (node->last_sample != index + 1)
                node->cum += value;
            node->last_sample = index + 1;
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct function_total *left = a, *right = b;
    if (left->cum != right->cum)
        return left->cum < right->cum ? 1 : -1;
    return strcmp(left->name, right->name);
}

static void tell(const struct counting *counting, struct totals *totals)
{
    totals->count = counting->count;
    totals->functions = xcalloc(totals->count ? totals->count : 1, sizeof *totals->functions);
    for (size_t i = 0; i < totals->count; i++) {
        const struct node *node = &counting->nodes[i];
        totals->functions[i] = node->told;
        totals->functions[i].flat = (int64_t)node->flat;
        totals->functions[i].cum = (int64_t)node->cum;
    }
    qsort(totals->functions, totals->count, sizeof *totals->functions, compare);
    for (uint32_t i = 0; i < totals->count; i++)
        hash_index_add(&totals->by_name, hash_name(totals->functions[i].name), i);
}

void totals_of(const struct profile *profile, uint32_t sample_type, struct totals *totals)
{
    struct counting counting = {.profile = profile};
    uint64_t total = 0;
    make_nodes(&counting);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        uint64_t value =
            (uint64_t)profile->values[(size_t)i * profile->sample_type_count + sample_type];
        total += value;
        count_sample(&counting, i, value);
    }
    *totals = (struct totals){.total = (int64_t)total, .addresses = counting.addresses};
    tell(&counting, totals);
    free(counting.nodes);
    hash_index_free(&counting.index);
    free(counting.of_function);
    free(counting.of_line);
    free(counting.of_location);
}

void totals_free(struct totals *totals)
{
    free(totals->functions);
    free(totals->addresses);
    hash_index_free(&totals->by_name);
    *totals = (struct totals){.functions = NULL};
}

struct sought {
    const struct totals *totals;
    const char *name;
};

static bool same_function(const void *arg, uint32_t index)
{
    const struct sought *sought = arg;
    return !strcmp(sought->totals->functions[index].name, sought->name);
}

const struct function_total *totals_find(const struct totals *totals, const char *name)
{
    struct sought sought = {totals, name};
    uint32_t index = hash_index_find(&totals->by_name, hash_name(name), same_function, &sought);
    return index == HASH_INDEX_NONE ? NULL : &totals->functions[index];
}

/* The one of that type, or -1. Old heap profiles have "space" for what is "inuse_space" today. */
static int find_type(const struct profile *profile, const char *type)
{
    static const char in_use[] = "inuse_";
    const char *old = strncmp(type, in_use, sizeof in_use - 1) ? type : type + sizeof in_use - 1;
    for (uint32_t i = 0; i < profile->sample_type_count; i++) {
        const char *candidate = text(profile, profile->sample_types[i].type);
        if (!strcmp(candidate, type) || !strcmp(candidate, old))
            return (int)i;
    }
    return -1;
}

static int default_type(const struct profile *profile)
{
    const char *name = text(profile, profile->default_sample_type);
    for (uint32_t i = 0; *name && i < profile->sample_type_count; i++)
        if (!strcmp(text(profile, profile->sample_types[i].type), name))
            return (int)i;
    return (int)profile->sample_type_count - 1;
}

static bool is_number(const char *name, long long *number)
{
    char *end;
    errno = 0;
    *number = strtoll(name, &end, 10);
    return errno == 0 && strspn(name, "+-0123456789") > 0 && end > name && *end == '\0';
}

int totals_sample_type(const struct profile *profile, const char *name)
{
    long long number;
    if (!name || !*name)
        return default_type(profile);
    if (is_number(name, &number))
        return number >= 0 && number < profile->sample_type_count ? (int)number : -1;
    return find_type(profile, name);
}
