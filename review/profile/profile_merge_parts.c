#include "review/profile/profile_merge_parts.h"

#include "core/alloc.h"
#include "review/profile/array.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

/* Mappings whose sizes differ by less than a page are the same: some profilers round. */
enum { PAGE_BYTES = 4096 };

struct text_key {
    const struct merge_parts *parts;
    const char *text;
    size_t size;
};

static bool same_text(const void *arg, uint32_t index)
{
    const struct text_key *key = arg;
    const struct profile_string *string = &key->parts->sum->strings[index];
    return string->size == key->size && !memcmp(string->text, key->text, key->size);
}

static const char *keep_text(struct merge_parts *parts, const char *text, size_t size)
{
    if (parts->block_size - parts->block_used < size + 1) {
        struct profile_block *block = xcalloc(1, sizeof *block);
        parts->block_size = size + 1 > BLOCK_BYTES ? size + 1 : BLOCK_BYTES;
        parts->block_used = 0;
        block->bytes = xcalloc(parts->block_size, 1);
        block->next = parts->sum->blocks;
        parts->sum->blocks = block;
    }
    char *kept = parts->sum->blocks->bytes + parts->block_used;
    memcpy(kept, text, size);
    kept[size] = '\0';
    parts->block_used += size + 1;
    return kept;
}

static uint32_t intern(struct merge_parts *parts, const char *text, size_t size)
{
    struct profile *sum = parts->sum;
    uint32_t hash = hash_finish(hash_bytes(0, text, size));
    struct text_key key = {parts, text, size};
    uint32_t index = hash_index_find(&parts->strings, hash, same_text, &key);
    if (index != HASH_INDEX_NONE)
        return index;
    index = sum->string_count++;
    sum->strings = array_room(
        sum->strings, index, 1, &parts->string_capacity, sizeof *sum->strings);
    sum->strings[index] = (struct profile_string){keep_text(parts, text, size), (uint32_t)size};
    hash_index_add(&parts->strings, hash, index);
    return index;
}

void merge_parts_init(struct merge_parts *parts, struct profile *sum)
{
    *parts = (struct merge_parts){.sum = sum};
    intern(parts, "", 0);
}

void merge_parts_free(struct merge_parts *parts)
{
    hash_index_free(&parts->strings);
    hash_index_free(&parts->mappings);
    hash_index_free(&parts->functions);
    hash_index_free(&parts->locations);
}

static uint32_t *nothing_known(uint32_t count)
{
    uint32_t *known = xcalloc(count, sizeof *known);
    for (uint32_t i = 0; i < count; i++)
        known[i] = HASH_INDEX_NONE;
    return known;
}

void merge_source_init(struct merge_source *source, const struct profile *profile)
{
    source->profile = profile;
    source->strings = nothing_known(profile->string_count);
    source->mappings = nothing_known(profile->mapping_count);
    source->functions = nothing_known(profile->function_count);
    source->locations = nothing_known(profile->location_count);
}

void merge_source_free(struct merge_source *source)
{
    free(source->strings);
    free(source->mappings);
    free(source->functions);
    free(source->locations);
}

uint32_t merge_string(struct merge_parts *parts, struct merge_source *source, uint32_t index)
{
    if (source->strings[index] == HASH_INDEX_NONE) {
        const struct profile_string *string = &source->profile->strings[index];
        source->strings[index] = intern(parts, string->text, string->size);
    }
    return source->strings[index];
}

struct part_key {
    const struct profile *sum;
    const void *part;
};

/* By its build id, else by its file; neither is a mapping that stands for none. */
static uint32_t identity(const struct profile_mapping *mapping)
{
    return mapping->build_id ? mapping->build_id : mapping->file;
}

static uint64_t pages(const struct profile_mapping *mapping)
{
    return (mapping->limit - mapping->start + PAGE_BYTES - 1) / PAGE_BYTES;
}

static bool same_mapping(const void *arg, uint32_t index)
{
    const struct part_key *key = arg;
    const struct profile_mapping *a = key->part, *b = &key->sum->mappings[index];
    return identity(a) == identity(b) && a->offset == b->offset && pages(a) == pages(b);
}

uint32_t merge_mapping(struct merge_parts *parts, struct merge_source *source, uint32_t index)
{
    struct profile *sum = parts->sum;
    if (source->mappings[index] != HASH_INDEX_NONE)
        return source->mappings[index];
    struct profile_mapping mapping = source->profile->mappings[index];
    mapping.file = merge_string(parts, source, mapping.file);
    mapping.build_id = merge_string(parts, source, mapping.build_id);
    uint64_t hash = hash_number(hash_number(identity(&mapping), mapping.offset), pages(&mapping));
    struct part_key key = {sum, &mapping};
    uint32_t found = hash_index_find(&parts->mappings, hash_finish(hash), same_mapping, &key);
    if (found == HASH_INDEX_NONE) {
        found = sum->mapping_count++;
        sum->mappings = array_room(
            sum->mappings, found, 1, &parts->mapping_capacity, sizeof *sum->mappings);
        sum->mappings[found] = mapping;
        hash_index_add(&parts->mappings, hash_finish(hash), found);
    }
    source->mappings[index] = found;
    return found;
}

static bool same_function(const void *arg, uint32_t index)
{
    const struct part_key *key = arg;
    const struct profile_function *a = key->part, *b = &key->sum->functions[index];
    return a->name == b->name && a->system_name == b->system_name && a->file == b->file &&
           a->start_line == b->start_line;
}

static uint32_t merge_function(
    struct merge_parts *parts, struct merge_source *source, uint32_t index)
{
    struct profile *sum = parts->sum;
    if (source->functions[index] != HASH_INDEX_NONE)
        return source->functions[index];
    struct profile_function function = source->profile->functions[index];
    function.name = merge_string(parts, source, function.name);
    function.system_name = merge_string(parts, source, function.system_name);
    function.file = merge_string(parts, source, function.file);
    uint64_t hash = hash_number(hash_number(function.name, function.system_name), function.file);
    hash = hash_number(hash, (uint64_t)function.start_line);
    struct part_key key = {sum, &function};
    uint32_t found = hash_index_find(&parts->functions, hash_finish(hash), same_function, &key);
    if (found == HASH_INDEX_NONE) {
        found = sum->function_count++;
        sum->functions = array_room(
            sum->functions, found, 1, &parts->function_capacity, sizeof *sum->functions);
        sum->functions[found] = function;
        hash_index_add(&parts->functions, hash_finish(hash), found);
    }
    source->functions[index] = found;
    return found;
}

static bool same_location(const void *arg, uint32_t index)
{
    const struct part_key *key = arg;
    const struct profile_location *a = key->part, *b = &key->sum->locations[index];
    if (a->address != b->address || a->mapping != b->mapping || a->is_folded != b->is_folded ||
        a->line_count != b->line_count)
        return false;
    const struct profile_line *left = key->sum->lines + a->first_line;
    const struct profile_line *right = key->sum->lines + b->first_line;
    for (uint32_t i = 0; i < a->line_count; i++)
        if (left[i].function != right[i].function || left[i].line != right[i].line ||
            left[i].column != right[i].column)
            return false;
    return true;
}

/* Appends the lines of a location to those of the sum. */
static void add_lines(
    struct merge_parts *parts, struct merge_source *source, const struct profile_location *location)
{
    struct profile *sum = parts->sum;
    sum->lines = array_room(sum->lines, sum->line_count, location->line_count,
        &parts->line_capacity, sizeof *sum->lines);
    for (uint32_t i = 0; i < location->line_count; i++) {
        struct profile_line line = source->profile->lines[location->first_line + i];
        line.function = merge_function(parts, source, line.function);
        sum->lines[sum->line_count++] = line;
    }
}

static uint32_t location_hash(const struct profile *sum, const struct profile_location *location)
{
    uint64_t hash = hash_number(location->mapping, location->address);
    hash = hash_number(hash, location->is_folded);
    for (uint32_t i = 0; i < location->line_count; i++) {
        const struct profile_line *line = &sum->lines[location->first_line + i];
        hash = hash_number(hash_number(hash, line->function), (uint64_t)line->line);
    }
    return hash_finish(hash);
}

/* In the sum all addresses of a mapping are relative to where that lies in the sum, so that equal
 * addresses are equal places. */
static struct profile_location relocate(
    struct merge_parts *parts, struct merge_source *source, const struct profile_location *location)
{
    struct profile_location moved = *location;
    if (location->mapping != PROFILE_NO_MAPPING) {
        moved.mapping = merge_mapping(parts, source, location->mapping);
        moved.address += parts->sum->mappings[moved.mapping].start -
                         source->profile->mappings[location->mapping].start;
    }
    moved.first_line = parts->sum->line_count;
    return moved;
}

uint32_t merge_location(struct merge_parts *parts, struct merge_source *source, uint32_t index)
{
    struct profile *sum = parts->sum;
    if (source->locations[index] != HASH_INDEX_NONE)
        return source->locations[index];
    const struct profile_location *original = &source->profile->locations[index];
    struct profile_location location = relocate(parts, source, original);
    add_lines(parts, source, original);
    uint32_t hash = location_hash(sum, &location);
    struct part_key key = {sum, &location};
    uint32_t found = hash_index_find(&parts->locations, hash, same_location, &key);
    if (found == HASH_INDEX_NONE) {
        found = sum->location_count++;
        sum->locations = array_room(
            sum->locations, found, 1, &parts->location_capacity, sizeof *sum->locations);
        sum->locations[found] = location;
        hash_index_add(&parts->locations, hash, found);
    } else {
        sum->line_count = location.first_line;
    }
    source->locations[index] = found;
    return found;
}
