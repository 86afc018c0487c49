#include "review/profile/id_map.h"

#include "core/alloc.h"
#include "core/error.h"

#include <inttypes.h>
#include <stdlib.h>

/* A table may be this many times as long as there are ids; what is sparser is sorted. */
enum { MAX_SPARSENESS = 4, ALWAYS_A_TABLE = 1024 };

static int id_is_twice(const char *thing, uint64_t id, struct error *err)
{
    return error_set(err, "the profile is damaged: it has two %ss with the id %" PRIu64, thing, id);
}

static int fill_table(
    struct id_map *map, const uint64_t *ids, const char *thing, uint64_t largest, struct error *err)
{
    map->table_size = largest + 1;
    map->table = xcalloc(map->table_size, sizeof *map->table);
    for (uint64_t id = 0; id <= largest; id++)
        map->table[id] = ID_MAP_NONE;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->table[ids[i]] != ID_MAP_NONE)
            return id_is_twice(thing, ids[i], err);
        map->table[ids[i]] = i;
    }
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    uint64_t left = ((const struct id_entry *)a)->id, right = ((const struct id_entry *)b)->id;
    return (left > right) - (left < right);
}

static int sort_entries(
    struct id_map *map, const uint64_t *ids, const char *thing, struct error *err)
{
    map->sorted = xcalloc(map->count, sizeof *map->sorted);
    for (uint32_t i = 0; i < map->count; i++)
        map->sorted[i] = (struct id_entry){ids[i], i};
    qsort(map->sorted, map->count, sizeof *map->sorted, compare_entries);
    for (uint32_t i = 1; i < map->count; i++)
        if (map->sorted[i].id == map->sorted[i - 1].id)
            return id_is_twice(thing, map->sorted[i].id, err);
    return 0;
}

int id_map_build(
    struct id_map *map, const uint64_t *ids, uint32_t count, const char *thing, struct error *err)
{
    *map = (struct id_map){.count = count, .counted = true};
    uint64_t largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] == 0)
            return error_set(err, "the profile is damaged: it has a %s without an id", thing);
        largest = ids[i] > largest ? ids[i] : largest;
        map->counted = map->counted && ids[i] == (uint64_t)i + 1;
    }
    if (map->counted)
        return 0;
    if (largest < (uint64_t)count * MAX_SPARSENESS || largest < ALWAYS_A_TABLE)
        return fill_table(map, ids, thing, largest, err);
    return sort_entries(map, ids, thing, err);
}

void id_map_free(struct id_map *map)
{
    free(map->table);
    free(map->sorted);
    *map = (struct id_map){.count = 0};
}

uint32_t id_map_search(const struct id_map *map, uint64_t id)
{
    uint32_t low = 0, high = map->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (map->sorted[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < map->count && map->sorted[low].id == id ? map->sorted[low].index : ID_MAP_NONE;
}
