#include "review/profile/profile_decode.h"

#include "review/profile/array.h"

#include <inttypes.h>

static int add_line(struct decoder *decoder, struct protobuf_reader bytes, struct place place)
{
    struct profile *profile = decoder->profile;
    uint64_t values[LINE_LAST + 1];
    if (profile_decode_numbers(decoder, bytes, place, values, LINE_LAST) < 0)
        return -1;
    profile->lines = array_room(
        profile->lines, profile->line_count, 1, &decoder->line_capacity, sizeof *profile->lines);
    profile->lines[profile->line_count++] = (struct profile_line){
        .line = (int64_t)values[LINE_LINE],
        .column = (int64_t)values[LINE_COLUMN],
        .function = profile_decode_id(decoder, values[LINE_FUNCTION_ID])};
    return 0;
}

int profile_decode_location(struct decoder *decoder, struct protobuf_reader bytes)
{
    struct profile *profile = decoder->profile;
    uint32_t index = profile->location_count++;
    struct place place = {"location", index + 1};
    uint32_t first_line = profile->line_count;
    uint64_t values[LOCATION_LAST + 1] = {0};
    struct protobuf_field field;
    int code;
    while ((code = protobuf_next(&bytes, &field)) > 0) {
        if (field.number > LOCATION_LAST || field.number == 0)
            continue;
        if (field.wire != (field.number == LOCATION_LINE ? PROTOBUF_BYTES : PROTOBUF_VARINT))
            return profile_decode_wrong_kind(decoder, place, field.number);
        if (field.number != LOCATION_LINE)
            values[field.number] = field.value;
        else if (add_line(decoder, field.bytes, place) < 0)
            return -1;
    }
    if (code < 0)
        return profile_decode_damaged(decoder, place, protobuf_problem(code));
    decoder->location_ids[index] = values[LOCATION_ID];
    profile->locations[index] = (struct profile_location){.address = values[LOCATION_ADDRESS],
        .mapping = profile_decode_id(decoder, values[LOCATION_MAPPING_ID]),
        .first_line = first_line,
        .line_count = profile->line_count - first_line,
        .is_folded = values[LOCATION_IS_FOLDED] != 0};
    return 0;
}

/* A list has at most as many numbers as it has bytes: room for all is made before. */
static uint32_t most_numbers(const struct protobuf_reader *list)
{
    return (uint32_t)(list->end - list->at);
}

/* What a location's id is in a stack until profile_decode_resolve: one less, as nearly all profiles
 * count their ids from 1, and that is then the index. */
static inline uint32_t stack_entry(struct decoder *decoder, uint64_t id)
{
    return profile_decode_id(decoder, id) - 1;
}

/* Numbers of up to three bytes out of eight bytes, in which the bits `stops` are set above those
 * that end one. Returns where the next begins. Nothing here waits for the number before it. */
static inline unsigned read_short_ids(
    uint64_t bytes, uint64_t stops, uint32_t **to, uint32_t *largest)
{
    unsigned begin = 0;
    do {
        uint64_t own = (bytes & (stops ^ (stops - 1))) >> begin;
        uint32_t entry = (uint32_t)((own & 0x7f) | (own >> 1 & 0x3f80) | (own >> 2 & 0x1fc000)) - 1;
        *largest = entry > *largest ? entry : *largest;
        *(*to)++ = entry;
        begin = (unsigned)__builtin_ctzll(stops) + 1;
        stops &= stops - 1;
    } while (stops);
    return begin / 8;
}

/* Four numbers of two bytes each, as most are in large profiles. */
static inline void read_four_ids(uint64_t bytes, uint32_t *to, uint32_t *largest)
{
    static const uint64_t low = UINT64_C(0x007f007f007f007f), high = UINT64_C(0x3f803f803f803f80);
    uint64_t numbers = (bytes & low) | (bytes >> 1 & high);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t entry = (uint32_t)(numbers >> 16 * i & 0xffff) - 1;
        *largest = entry > *largest ? entry : *largest;
        to[i] = entry;
    }
}

/* This is where the time goes: eight bytes at once as long as numbers are short, and those behind
 * the list may be looked at. */
static int read_stack(struct decoder *decoder, struct place place, struct protobuf_reader ids)
{
    static const uint64_t high_bits = UINT64_C(0x8080808080808080);
    static const uint64_t two_bytes_each = UINT64_C(0x0080008000800080);
    struct profile *profile = decoder->profile;
    profile->stacks = array_room(profile->stacks, profile->stack_count, most_numbers(&ids),
        &decoder->stack_capacity, sizeof *profile->stacks);
    uint32_t *to = profile->stacks + profile->stack_count, largest = decoder->largest_entry;
    const unsigned char *last_eight = decoder->all.end - decoder->all.at >= 8 ? decoder->all.end - 8
                                                                              : decoder->all.at - 1;
    while (ids.at < ids.end) {
        if (ids.at <= last_eight) {
            size_t left = (size_t)(ids.end - ids.at);
            uint64_t here = left < 8 ? ((uint64_t)1 << 8 * left) - 1 : UINT64_MAX;
            uint64_t bytes = protobuf_eight_bytes(ids.at), more = bytes & high_bits;
            uint64_t stops = ~bytes & high_bits & here;
            if (more == two_bytes_each && left >= 8) {
                read_four_ids(bytes, to, &largest);
                to += 4;
                ids.at += 8;
                continue;
            }
            if (stops && (more & more >> 8 & more >> 16 & here) == 0) {
                ids.at += read_short_ids(bytes, stops, &to, &largest);
                continue;
            }
        }
        uint64_t id;
        int code = protobuf_number(&ids, &id);
        if (code < 0)
            return profile_decode_damaged(decoder, place, protobuf_problem(code));
        *to = stack_entry(decoder, id);
        largest = *to > largest ? *to : largest;
        to++;
    }
    decoder->largest_entry = largest;
    profile->stack_count = (uint32_t)(to - profile->stacks);
    return 0;
}

static int read_values(struct decoder *decoder, struct place place, struct protobuf_reader list)
{
    struct profile *profile = decoder->profile;
    profile->values = array_room(profile->values, decoder->value_count, most_numbers(&list),
        &decoder->value_capacity, sizeof *profile->values);
    int64_t *to = profile->values + decoder->value_count;
    while (list.at < list.end) {
        uint64_t value;
        int code = protobuf_number(&list, &value);
        if (code < 0)
            return profile_decode_damaged(decoder, place, protobuf_problem(code));
        *to++ = (int64_t)value;
    }
    decoder->value_count = (uint32_t)(to - profile->values);
    return 0;
}

/* A number that stands alone. */
static int read_one_location(struct decoder *decoder, uint64_t id)
{
    struct profile *profile = decoder->profile;
    profile->stacks = array_room(profile->stacks, profile->stack_count, 1, &decoder->stack_capacity,
        sizeof *profile->stacks);
    uint32_t entry = stack_entry(decoder, id);
    decoder->largest_entry = entry > decoder->largest_entry ? entry : decoder->largest_entry;
    profile->stacks[profile->stack_count++] = entry;
    return 0;
}

static int read_one_value(struct decoder *decoder, uint64_t value)
{
    struct profile *profile = decoder->profile;
    profile->values = array_room(profile->values, decoder->value_count, 1, &decoder->value_capacity,
        sizeof *profile->values);
    profile->values[decoder->value_count++] = (int64_t)value;
    return 0;
}

/* A label with neither text nor number nor unit says nothing and is left out, as pprof does. */
static int read_label(struct decoder *decoder, struct place place, struct protobuf_reader bytes)
{
    struct profile *profile = decoder->profile;
    struct profile_label label = {0};
    uint64_t values[LABEL_LAST + 1];
    if (profile_decode_numbers(decoder, bytes, place, values, LABEL_LAST) < 0 ||
        profile_decode_string(decoder, place, values[LABEL_KEY], &label.key) < 0 ||
        profile_decode_string(decoder, place, values[LABEL_STR], &label.text) < 0)
        return -1;
    if (label.text == 0) {
        label.number = (int64_t)values[LABEL_NUM];
        if (profile_decode_string(decoder, place, values[LABEL_NUM_UNIT], &label.unit) < 0)
            return -1;
        if (label.number == 0 && label.unit == 0)
            return 0;
    }
    /* Where one sample has a label, most have. */
    uint32_t more = profile->labels ? 1 : decoder->counts[PROFILE_SAMPLE];
    profile->labels = array_room(profile->labels, profile->label_count, more,
        &decoder->label_capacity, sizeof *profile->labels);
    profile->labels[profile->label_count++] = label;
    return 0;
}

static int read_sample_field(
    struct decoder *decoder, struct place place, const struct protobuf_field *field)
{
    bool packed = field->wire == PROTOBUF_BYTES;
    if (packed && field->number == SAMPLE_LOCATION_ID)
        return read_stack(decoder, place, field->bytes);
    if (packed && field->number == SAMPLE_VALUE)
        return read_values(decoder, place, field->bytes);
    if (packed && field->number == SAMPLE_LABEL)
        return read_label(decoder, place, field->bytes);
    if (field->number < SAMPLE_LOCATION_ID || field->number > SAMPLE_LABEL)
        return 0;
    if (field->wire == PROTOBUF_VARINT && field->number == SAMPLE_LOCATION_ID)
        return read_one_location(decoder, field->value);
    if (field->wire == PROTOBUF_VARINT && field->number == SAMPLE_VALUE)
        return read_one_value(decoder, field->value);
    return profile_decode_wrong_kind(decoder, place, field->number);
}

int profile_decode_sample(struct decoder *decoder, struct protobuf_reader bytes)
{
    struct profile *profile = decoder->profile;
    uint32_t index = profile->sample_count++;
    struct place place = {"sample", index + 1};
    uint32_t first_value = decoder->value_count;
    struct profile_sample *sample = &profile->samples[index];
    sample->first_location = profile->stack_count;
    sample->first_label = profile->label_count;
    struct protobuf_field field;
    int code;
    while ((code = protobuf_next(&bytes, &field)) > 0)
        if (read_sample_field(decoder, place, &field) < 0)
            return -1;
    if (code < 0)
        return profile_decode_damaged(decoder, place, protobuf_problem(code));
    sample->location_count = profile->stack_count - sample->first_location;
    sample->label_count = profile->label_count - sample->first_label;
    uint32_t value_count = decoder->value_count - first_value;
    uint32_t type_count = decoder->counts[PROFILE_SAMPLE_TYPE];
    if (value_count != type_count || value_count == 0)
        return damaged(decoder,
            "sample %" PRIu32 " has %" PRIu32 " value%s for %" PRIu32 " sample type%s",
            place.number, value_count, value_count == 1 ? "" : "s", profile->sample_type_count,
            profile->sample_type_count == 1 ? "" : "s");
    return 0;
}
