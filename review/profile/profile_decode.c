#include "review/profile/profile_decode.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/gzip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int profile_decode_damaged(struct decoder *decoder, struct place place, const char *problem)
{
    if (place.number == 0)
        return damaged(decoder, "its %s: %s", place.thing, problem);
    return damaged(decoder, "%s %" PRIu32 ": %s", place.thing, place.number, problem);
}

int profile_decode_wrong_kind(struct decoder *decoder, struct place place, uint64_t field)
{
    char problem[64];
    snprintf(problem, sizeof problem, "field %" PRIu64 " is of the wrong kind", field);
    return profile_decode_damaged(decoder, place, problem);
}

int profile_decode_numbers(struct decoder *decoder, struct protobuf_reader bytes,
    struct place place, uint64_t *values, unsigned last)
{
    struct protobuf_field field;
    int code;
    memset(values, 0, (last + 1) * sizeof *values);
    while ((code = protobuf_next(&bytes, &field)) > 0) {
        if (field.number > last || field.number == 0)
            continue;
        if (field.wire != PROTOBUF_VARINT)
            return profile_decode_wrong_kind(decoder, place, field.number);
        values[field.number] = field.value;
    }
    return code < 0 ? profile_decode_damaged(decoder, place, protobuf_problem(code)) : 0;
}

int profile_decode_string(
    struct decoder *decoder, struct place place, uint64_t value, uint32_t *string)
{
    if (value >= decoder->counts[PROFILE_STRING_TABLE]) {
        char problem[80];
        snprintf(problem, sizeof problem,
            "it names string %" PRId64 ", of which there are %" PRIu32, (int64_t)value,
            decoder->counts[PROFILE_STRING_TABLE]);
        return profile_decode_damaged(decoder, place, problem);
    }
    *string = (uint32_t)value;
    return 0;
}

static int read_value_type(struct decoder *decoder, struct protobuf_reader bytes,
    struct place place, struct profile_value_type *type)
{
    uint64_t values[VALUE_TYPE_LAST + 1];
    if (profile_decode_numbers(decoder, bytes, place, values, VALUE_TYPE_LAST) < 0 ||
        profile_decode_string(decoder, place, values[VALUE_TYPE_TYPE], &type->type) < 0)
        return -1;
    return profile_decode_string(decoder, place, values[VALUE_TYPE_UNIT], &type->unit);
}

static int read_sample_type(struct decoder *decoder, struct protobuf_reader bytes)
{
    struct profile *profile = decoder->profile;
    uint32_t index = profile->sample_type_count++;
    struct place place = {"sample type", index + 1};
    return read_value_type(decoder, bytes, place, &profile->sample_types[index]);
}

static int read_mapping(struct decoder *decoder, struct protobuf_reader bytes)
{
    uint32_t index = decoder->profile->mapping_count++;
    struct place place = {"mapping", index + 1};
    struct profile_mapping *mapping = &decoder->profile->mappings[index];
    uint64_t values[MAPPING_LAST + 1];
    if (profile_decode_numbers(decoder, bytes, place, values, MAPPING_LAST) < 0)
        return -1;
    decoder->mapping_ids[index] = values[MAPPING_ID];
    *mapping = (struct profile_mapping){.start = values[MAPPING_START],
        .limit = values[MAPPING_LIMIT],
        .offset = values[MAPPING_OFFSET],
        .has_functions = values[MAPPING_HAS_FUNCTIONS] != 0,
        .has_filenames = values[MAPPING_HAS_FILENAMES] != 0,
        .has_line_numbers = values[MAPPING_HAS_LINE_NUMBERS] != 0,
        .has_inline_frames = values[MAPPING_HAS_INLINE_FRAMES] != 0};
    if (profile_decode_string(decoder, place, values[MAPPING_FILE], &mapping->file) < 0)
        return -1;
    return profile_decode_string(decoder, place, values[MAPPING_BUILD_ID], &mapping->build_id);
}

static int read_function(struct decoder *decoder, struct protobuf_reader bytes)
{
    uint32_t index = decoder->profile->function_count++;
    struct place place = {"function", index + 1};
    struct profile_function *function = &decoder->profile->functions[index];
    uint64_t values[FUNCTION_LAST + 1];
    if (profile_decode_numbers(decoder, bytes, place, values, FUNCTION_LAST) < 0)
        return -1;
    decoder->function_ids[index] = values[FUNCTION_ID];
    *function = (struct profile_function){.start_line = (int64_t)values[FUNCTION_START_LINE]};
    if (profile_decode_string(decoder, place, values[FUNCTION_NAME], &function->name) < 0 ||
        profile_decode_string(
            decoder, place, values[FUNCTION_SYSTEM_NAME], &function->system_name) < 0)
        return -1;
    return profile_decode_string(decoder, place, values[FUNCTION_FILENAME], &function->file);
}

static int add_string(struct decoder *decoder, struct protobuf_reader bytes)
{
    struct profile *profile = decoder->profile;
    size_t size = (size_t)(bytes.end - bytes.at);
    if (profile->string_count == 0 && size > 0)
        return damaged(decoder, "its first string is not empty");
    profile->strings[profile->string_count++] = (struct profile_string){
        .text = (const char *)bytes.at, .size = (uint32_t)size};
    return 0;
}

static int add_comment(struct decoder *decoder, uint64_t value)
{
    struct profile *profile = decoder->profile;
    uint32_t index = profile->comment_count++;
    profile->comments = array_room(
        profile->comments, index, 1, &decoder->comment_capacity, sizeof *profile->comments);
    return profile_decode_string(
        decoder, (struct place){"comment", index + 1}, value, &profile->comments[index]);
}

static int read_comments(struct decoder *decoder, struct protobuf_field *field)
{
    if (field->wire == PROTOBUF_VARINT)
        return add_comment(decoder, field->value);
    while (field->bytes.at < field->bytes.end) {
        uint64_t value;
        int code = protobuf_number(&field->bytes, &value);
        if (code < 0)
            return damaged(decoder, "its comments: %s", protobuf_problem(code));
        if (add_comment(decoder, value) < 0)
            return -1;
    }
    return 0;
}

/* The profile's own numbers. */
static int read_own_number(struct decoder *decoder, uint64_t number, uint64_t value)
{
    struct profile *profile = decoder->profile;
    switch (number) {
    case PROFILE_DROP_FRAMES:
        return profile_decode_string(
            decoder, (struct place){"drop frames", 0}, value, &profile->drop_frames);
    case PROFILE_KEEP_FRAMES:
        return profile_decode_string(
            decoder, (struct place){"keep frames", 0}, value, &profile->keep_frames);
    case PROFILE_TIME_NANOS:
        if (profile->time_ns)
            return damaged(decoder, "it is two profiles, one after the other");
        profile->time_ns = (int64_t)value;
        return 0;
    case PROFILE_DURATION_NANOS:
        profile->duration_ns = (int64_t)value;
        return 0;
    case PROFILE_PERIOD:
        profile->period = (int64_t)value;
        return 0;
    case PROFILE_DEFAULT_SAMPLE_TYPE:
        return profile_decode_string(decoder, (struct place){"default sample type", 0}, value,
            &profile->default_sample_type);
    case PROFILE_DOC_URL:
        return profile_decode_string(
            decoder, (struct place){"link to documentation", 0}, value, &profile->doc_url);
    default:
        return 0;
    }
}

static int read_field(struct decoder *decoder, struct protobuf_field *field)
{
    switch (field->number) {
    case PROFILE_SAMPLE:
        return profile_decode_sample(decoder, field->bytes);
    case PROFILE_LOCATION:
        return profile_decode_location(decoder, field->bytes);
    case PROFILE_SAMPLE_TYPE:
        return read_sample_type(decoder, field->bytes);
    case PROFILE_MAPPING:
        return read_mapping(decoder, field->bytes);
    case PROFILE_FUNCTION:
        return read_function(decoder, field->bytes);
    case PROFILE_STRING_TABLE:
        return add_string(decoder, field->bytes);
    case PROFILE_PERIOD_TYPE:
        return read_value_type(decoder, field->bytes, (struct place){"period type", 0},
            &decoder->profile->period_type);
    case PROFILE_COMMENT:
        return read_comments(decoder, field);
    default:
        return read_own_number(decoder, field->number, field->value);
    }
}

enum { A_NUMBER = 1 << PROTOBUF_VARINT, A_MESSAGE = 1 << PROTOBUF_BYTES, ANYTHING = 0xff };

/* The wire types that each of the profile's fields may have. */
static const unsigned char kinds[PROFILE_FIELDS] = {ANYTHING, A_MESSAGE, A_MESSAGE, A_MESSAGE,
    A_MESSAGE, A_MESSAGE, A_MESSAGE, A_NUMBER, A_NUMBER, A_NUMBER, A_NUMBER, A_MESSAGE, A_NUMBER,
    A_NUMBER | A_MESSAGE, A_NUMBER, A_NUMBER};

/* Counts what there is, and sees to it that every field is of its kind. Kinds alternate as good as
 * randomly: there is no branch on them. */
static int count_fields(struct decoder *decoder)
{
    struct protobuf_reader reader = decoder->all;
    struct protobuf_field field;
    int code;
    while ((code = protobuf_next(&reader, &field)) > 0) {
        size_t number = field.number < PROFILE_FIELDS ? (size_t)field.number : 0;
        decoder->counts[number]++;
        decoder->sizes[number] += field.value;
        if (!(kinds[number] >> field.wire & 1))
            return error_set(decoder->err,
                "the profile is damaged, or not in pprof's format: field %zu is of the wrong kind",
                number);
    }
    if (code < 0)
        return error_set(decoder->err, "the profile is damaged, or not in pprof's format: %s",
            protobuf_problem(code));
    return decoder->counts[PROFILE_STRING_TABLE] ? 0 : damaged(decoder, "it has no strings");
}

/* Exactly as much as was counted; nothing of it is looked at before it is written. */
static void *room_for(uint32_t count, size_t size)
{
    return array_large_room(count, size);
}

static void allocate(struct decoder *decoder)
{
    struct profile *profile = decoder->profile;
    const uint32_t *counts = decoder->counts;
    profile->sample_types = room_for(counts[PROFILE_SAMPLE_TYPE], sizeof *profile->sample_types);
    profile->samples = room_for(counts[PROFILE_SAMPLE], sizeof *profile->samples);
    profile->mappings = room_for(counts[PROFILE_MAPPING], sizeof *profile->mappings);
    profile->locations = room_for(counts[PROFILE_LOCATION], sizeof *profile->locations);
    profile->functions = room_for(counts[PROFILE_FUNCTION], sizeof *profile->functions);
    profile->strings = room_for(counts[PROFILE_STRING_TABLE], sizeof *profile->strings);
    decoder->mapping_ids = room_for(counts[PROFILE_MAPPING], sizeof *decoder->mapping_ids);
    decoder->location_ids = room_for(counts[PROFILE_LOCATION], sizeof *decoder->location_ids);
    decoder->function_ids = room_for(counts[PROFILE_FUNCTION], sizeof *decoder->function_ids);
    /* Most locations have one line, most ids in stacks two bytes, and all values at least one. */
    uint64_t bytes = decoder->sizes[PROFILE_SAMPLE];
    uint64_t values = (uint64_t)counts[PROFILE_SAMPLE] * counts[PROFILE_SAMPLE_TYPE];
    profile->lines = array_room(
        NULL, 0, counts[PROFILE_LOCATION], &decoder->line_capacity, sizeof *profile->lines);
    profile->values = array_room(NULL, 0, (uint32_t)(values < bytes ? values : bytes),
        &decoder->value_capacity, sizeof *profile->values);
    profile->stacks = array_room(
        NULL, 0, (uint32_t)(bytes / 2), &decoder->stack_capacity, sizeof *profile->stacks);
}

static int read_fields(struct decoder *decoder)
{
    struct protobuf_reader reader = decoder->all;
    struct protobuf_field field = {.number = 0};
    while (protobuf_next(&reader, &field) > 0)
        if (read_field(decoder, &field) < 0)
            return -1;
    return profile_decode_resolve(decoder);
}

static void trim(struct decoder *decoder)
{
    struct profile *profile = decoder->profile;
    profile->values = xrealloc(profile->values, decoder->value_count, sizeof *profile->values);
    profile->stacks = xrealloc(profile->stacks, profile->stack_count, sizeof *profile->stacks);
    profile->lines = xrealloc(profile->lines, profile->line_count, sizeof *profile->lines);
    profile->labels = xrealloc(profile->labels, profile->label_count, sizeof *profile->labels);
}

/* Strings are left where they are. What follows one is the next field's first byte, which has been
 * read, or the one byte behind the end. */
static void terminate_strings(struct decoder *decoder, char *bytes)
{
    const struct profile *profile = decoder->profile;
    for (uint32_t i = 0; i < profile->string_count; i++) {
        const struct profile_string *string = &profile->strings[i];
        bytes[(string->text - bytes) + (ptrdiff_t)string->size] = '\0';
    }
}

static int decode_bytes(struct decoder *decoder, char *bytes, size_t size)
{
    const unsigned char *begin = (const unsigned char *)bytes;
    decoder->all = (struct protobuf_reader){begin, begin + size};
    if (size == 0)
        return error_set(decoder->err, "the profile is empty");
    if (count_fields(decoder) < 0)
        return -1;
    allocate(decoder);
    if (read_fields(decoder) < 0)
        return -1;
    trim(decoder);
    terminate_strings(decoder, bytes);
    return 0;
}

/* Bytes of our own, inflated, with one to spare behind them. */
static int own_bytes(const void *data, size_t size, size_t max_bytes, char **bytes,
    size_t *inflated, struct error *err)
{
    if (gzip_is(data, size))
        return gzip_inflate(data, size, max_bytes, bytes, inflated, err);
    if (size > max_bytes)
        return error_set(
            err, "the profile has more than the %zu bytes that are allowed", max_bytes);
    *bytes = xrealloc(NULL, size + 1, 1);
    if (size > 0)
        memcpy(*bytes, data, size);
    *inflated = size;
    return 0;
}

struct profile *profile_decode(const void *data, size_t size, size_t max_bytes, struct error *err)
{
    char *bytes;
    size_t inflated;
    /* so that every count and every index fits 32 bits */
    size_t most = max_bytes < UINT32_MAX ? max_bytes : UINT32_MAX - 1;
    if (own_bytes(data, size, most, &bytes, &inflated, err) < 0)
        return NULL;
    struct profile *profile = xcalloc(1, sizeof *profile);
    profile->blocks = xcalloc(1, sizeof *profile->blocks);
    profile->blocks->bytes = bytes;
    profile->inflated_bytes = inflated;
    struct decoder decoder = {.profile = profile, .err = err};
    int status = decode_bytes(&decoder, bytes, inflated);
    free(decoder.mapping_ids);
    free(decoder.function_ids);
    free(decoder.location_ids);
    free(decoder.wide_ids);
    if (status == 0)
        return profile;
    profile_free(profile);
    return NULL;
}
