/* Inside the decoder: what its two files share. */
#ifndef REVIEW_PROFILE_DECODE_H
#define REVIEW_PROFILE_DECODE_H

#include "core/error.h"
#include "review/profile/id_map.h"
#include "review/profile/profile.h"
#include "review/profile/profile_fields.h"
#include "review/profile/protobuf.h"

/* The bytes are walked twice: once to count the fields, so that no number in the file makes
 * anything large, and once to read them. What refers to a location, a function or a mapping that
 * may come later gets its id first, and its index when all is read. */
struct decoder {
    struct profile *profile;
    struct error *err;
    struct protobuf_reader all;
    uint32_t counts[PROFILE_FIELDS];      /* of the profile's fields, by number; 0: all others */
    uint64_t sizes[PROFILE_FIELDS];       /* their bytes */
    uint32_t value_count, value_capacity; /* of the lists whose length is not counted before */
    uint32_t stack_capacity, label_capacity, line_capacity, comment_capacity;
    uint32_t largest_entry; /* of the stacks, which have ids less one until they are resolved */
    uint64_t *function_ids, *mapping_ids, *location_ids;
    uint64_t *wide_ids; /* see profile_decode_id */
    uint32_t wide_count, wide_capacity;
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

/* An id in 32 bits, until profile_decode_resolve: those of 31 bits are themselves, those that are
 * larger are counted. */
enum { WIDE_ID = 31 };
uint32_t profile_decode_wide_id(struct decoder *decoder, uint64_t id);

static inline uint32_t profile_decode_id(struct decoder *decoder, uint64_t id)
{
    return id >> WIDE_ID ? profile_decode_wide_id(decoder, id) : (uint32_t)id;
}

/* profile_decode_stacks.c: one more location, one more sample. */
int profile_decode_location(struct decoder *decoder, struct protobuf_reader bytes);
int profile_decode_sample(struct decoder *decoder, struct protobuf_reader bytes);

/* profile_decode_resolve.c: ids become indices. */
int profile_decode_resolve(struct decoder *decoder);

#endif
