/* Inside the merge: what samples refer to, each of which is there once in the sum. */
#ifndef REVIEW_PROFILE_MERGE_PARTS_H
#define REVIEW_PROFILE_MERGE_PARTS_H

#include "review/profile/hash_index.h"
#include "review/profile/profile.h"

struct merge_parts {
    struct profile *sum;
    uint32_t string_capacity, mapping_capacity, function_capacity, location_capacity, line_capacity;
    struct hash_index strings, mappings, functions, locations;
    size_t block_used, block_size; /* of sum->blocks, which strings are copied into */
};

/* A profile that is being added, and where its parts are in the sum; HASH_INDEX_NONE: not yet. */
struct merge_source {
    const struct profile *profile;
    uint32_t *strings, *mappings, *functions, *locations;
};

void merge_parts_init(struct merge_parts *parts, struct profile *sum);
void merge_parts_free(struct merge_parts *parts); /* not the sum */

void merge_source_init(struct merge_source *source, const struct profile *profile);
void merge_source_free(struct merge_source *source);

/* The index in the sum of what has this index in the profile. */
uint32_t merge_string(struct merge_parts *parts, struct merge_source *source, uint32_t index);
uint32_t merge_mapping(struct merge_parts *parts, struct merge_source *source, uint32_t index);
uint32_t merge_location(struct merge_parts *parts, struct merge_source *source, uint32_t index);

#endif
