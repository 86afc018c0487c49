#include "review/profile/profile_decode.h"

#include "review/profile/array.h"

#include <inttypes.h>

uint32_t profile_decode_wide_id(struct decoder *decoder, uint64_t id)
{
    uint32_t index = decoder->wide_count++;
    decoder->wide_ids = array_room(
        decoder->wide_ids, index, 1, &decoder->wide_capacity, sizeof *decoder->wide_ids);
    decoder->wide_ids[index] = id;
    return (uint32_t)1 << WIDE_ID | index;
}

static uint64_t id_of(const struct decoder *decoder, uint32_t id)
{
    return id >> WIDE_ID ? decoder->wide_ids[id & (((uint32_t)1 << WIDE_ID) - 1)] : id;
}

static uint32_t find(const struct decoder *decoder, const struct id_map *map, uint32_t id)
{
    return id_map_find(map, id_of(decoder, id));
}

/* One that is not there is none: pprof takes it for that. */
static int resolve_mappings(struct decoder *decoder, const struct id_map *map)
{
    struct profile *profile = decoder->profile;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        uint32_t mapping = find(decoder, map, profile->locations[i].mapping);
        profile->locations[i].mapping = mapping == ID_MAP_NONE ? PROFILE_NO_MAPPING : mapping;
    }
    return 0;
}

static int resolve_functions(struct decoder *decoder, const struct id_map *map)
{
    struct profile *profile = decoder->profile;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct profile_location *location = &profile->locations[i];
        for (uint32_t j = 0; j < location->line_count; j++) {
            struct profile_line *line = &profile->lines[location->first_line + j];
            uint32_t function = find(decoder, map, line->function);
            if (function == ID_MAP_NONE)
                return damaged(decoder,
                    "location %" PRIu32 " names function %" PRIu64 ", which it does not have",
                    i + 1, id_of(decoder, line->function));
            line->function = function;
        }
    }
    return 0;
}

static int resolve_stacks(struct decoder *decoder, const struct id_map *map)
{
    struct profile *profile = decoder->profile;
    /* Nearly all profiles are of this kind: the entries are indices already. */
    if (map->counted && (profile->stack_count == 0 || decoder->largest_entry < map->count))
        return 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        uint32_t *stack = profile->stacks + profile->samples[i].first_location;
        for (uint32_t j = 0; j < profile->samples[i].location_count; j++) {
            uint32_t id = stack[j] + 1, location = find(decoder, map, id);
            if (location == ID_MAP_NONE)
                return damaged(decoder,
                    "sample %" PRIu32 " names location %" PRIu64 ", which it does not have", i + 1,
                    id_of(decoder, id));
            stack[j] = location;
        }
    }
    return 0;
}

static int resolve(struct decoder *decoder, const uint64_t *ids, uint32_t count, const char *thing,
    int (*use)(struct decoder *decoder, const struct id_map *map))
{
    struct id_map map;
    int status = id_map_build(&map, ids, count, thing, decoder->err);
    if (status == 0)
        status = use(decoder, &map);
    id_map_free(&map);
    return status;
}

int profile_decode_resolve(struct decoder *decoder)
{
    const struct profile *profile = decoder->profile;
    if (resolve(decoder, decoder->mapping_ids, profile->mapping_count, "mapping",
            resolve_mappings) < 0 ||
        resolve(decoder, decoder->function_ids, profile->function_count, "function",
            resolve_functions) < 0)
        return -1;
    return resolve(
        decoder, decoder->location_ids, profile->location_count, "location", resolve_stacks);
}
