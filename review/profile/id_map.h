/* From the ids of a profile's mappings, functions or locations to indices. Most profilers count
 * their ids from 1; else a plain table does, if it is not much longer than there are ids; any
 * 64-bit ids work. */
#ifndef REVIEW_ID_MAP_H
#define REVIEW_ID_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct error;

#define ID_MAP_NONE UINT32_MAX

struct id_entry {
    uint64_t id;
    uint32_t index;
};

struct id_map {
    bool counted;    /* the ids are 1, 2, 3...: an id is its index + 1 */
    uint32_t *table; /* by id; NULL: look in sorted */
    uint64_t table_size;
    struct id_entry *sorted; /* rising by id */
    uint32_t count;
};

/* Index i has ids[i]. An id of 0 or one that is there twice is an error, which calls the things
 * what they are: "location". The caller frees the map, also after an error. */
int id_map_build(
    struct id_map *map, const uint64_t *ids, uint32_t count, const char *thing, struct error *err);
void id_map_free(struct id_map *map);

uint32_t id_map_search(const struct id_map *map, uint64_t id);

/* The index, or ID_MAP_NONE. */
static inline uint32_t id_map_find(const struct id_map *map, uint64_t id)
{
    if (map->counted)
        return id - 1 < map->count ? (uint32_t)(id - 1) : ID_MAP_NONE;
    if (id < map->table_size)
        return map->table[id];
    return map->sorted ? id_map_search(map, id) : ID_MAP_NONE;
}

#endif
