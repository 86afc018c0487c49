#include "agent/capture/made_sets.h"

#include "config/config.h"
#include "core/alloc.h"

#include <stdlib.h>

static struct capture_set *new_set(const struct capture_set *of)
{
    struct capture_set *set = xcalloc(1, sizeof *set);
    *set = (struct capture_set){
        .name = of->name, .entries = xcalloc(of->count, sizeof *of->entries)};
    return set;
}

struct capture_set *made_set_of_cpu(const struct capture_set *set)
{
    struct capture_set *cpu = new_set(set);
    for (size_t i = 0; i < set->count; i++)
        if (config_entry_is_cpu(&set->entries[i]))
            cpu->entries[cpu->count++] = set->entries[i];
    if (cpu->count)
        return cpu;
    made_set_free(cpu);
    return NULL;
}

struct capture_set *made_set_shorter(const struct capture_set *set, int64_t max_s)
{
    struct capture_set *shorter = new_set(set);
    for (size_t i = 0; i < set->count; i++) {
        struct capture_entry *entry = &shorter->entries[shorter->count++];
        *entry = set->entries[i];
        entry->at = CAPTURE_AT_START;
        entry->seconds = entry->seconds > max_s ? max_s : entry->seconds;
    }
    return shorter;
}

void made_set_free(struct capture_set *set)
{
    if (set)
        free(set->entries);
    free(set);
}
