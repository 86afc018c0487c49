/* Inside the decoder: what its two files share. */
#ifndef REVIEW_PROFILE_DECODE_H
#define REVIEW_PROFILE_DECODE_H

#include "core/error.h"
#include "review/id_map.h"
#include "review/profile.h"
#include "review/protobuf.h"

/* The bytes are walked three times, but their bulk, the samples, is read once: the first walk
 * counts, the second reads all that nothing else must come before, and then locations, which name
 * functions and mappings, and samples, which name locations, are read from the stretches where the
 * first walk saw them. Counts are those of what is really there, so that no number in the file
 * makes anything large. */
struct decoder {
    struct profile *profile;
    struct error *err;
    struct protobuf_reader all, locations, samples;
    uint32_t function_capacity, mapping_capacity, location_capacity, string_capacity;
    uint32_t sample_capacity;
    uint32_t value_count, value_capacity, stack_capacity, label_capacity, line_capacity;
    uint32_t type_capacity, comment_capacity;
    uint64_t *function_ids, *mapping_ids, *location_ids;
    struct id_map function_map, mapping_map, location_map;
};

/* What is being read, for messages: "sample", 12. */
struct place {
    const char *thing;
    uint32_t number; /* from 1; 0: there is only one */
};

#define damaged(decoder, ...) error_set((decoder)->err, "the profile is damaged: " __VA_ARGS__)

/* These return -1 with the sentence. */
int profile_decode_damaged(struct decoder *decoder, struct place place, const char *problem);
int profile_decode_wrong_kind(struct decoder *decoder, struct place place, uint64_t field);

/* Reads a message that has nothing but numbers: values[field] for fields 1 to last. */
int profile_decode_numbers(struct decoder *decoder, struct protobuf_reader bytes,
    struct place place, uint64_t *values, unsigned last);

/* Checks the index of a string. */
int profile_decode_string(
    struct decoder *decoder, struct place place, uint64_t value, uint32_t *string);

/* profile_decode_stacks.c: one more location, whose functions and mapping are known, and one more
 * sample, whose locations are. */
int profile_decode_location(struct decoder *decoder, struct protobuf_reader bytes);
int profile_decode_sample(struct decoder *decoder, struct protobuf_reader bytes);

#endif
