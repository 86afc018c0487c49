#include "review/profile/profile.h"

#include "core/error.h"
#include "review/profile/gzip.h"
#include "review/profile/profile_fields.h"
#include "review/profile/protobuf.h"

static void put_value_type(
    struct protobuf_writer *writer, unsigned field, struct profile_value_type type)
{
    protobuf_put_length(writer, field,
        protobuf_field_or_none_size(type.type) + protobuf_field_or_none_size(type.unit));
    protobuf_put_number_or_none(writer, VALUE_TYPE_TYPE, type.type);
    protobuf_put_number_or_none(writer, VALUE_TYPE_UNIT, type.unit);
}

static size_t label_size(const struct profile_label *label)
{
    return protobuf_field_or_none_size(label->key) + protobuf_field_or_none_size(label->text) +
           protobuf_field_or_none_size((uint64_t)label->number) +
           protobuf_field_or_none_size(label->unit);
}

/* The bytes of a list's numbers alone. */
static size_t stack_size(const uint32_t *stack, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += protobuf_size((uint64_t)stack[i] + 1);
    return size;
}

static size_t values_size(const int64_t *values, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += protobuf_size((uint64_t)values[i]);
    return size;
}

static size_t message_size(size_t size)
{
    return 1 + protobuf_size(size) + size;
}

static void put_sample(
    struct protobuf_writer *writer, const struct profile *profile, uint32_t index)
{
    const struct profile_sample *sample = &profile->samples[index];
    const uint32_t *stack = profile->stacks + sample->first_location;
    const struct profile_label *labels = profile->labels + sample->first_label;
    uint32_t types = profile->sample_type_count;
    const int64_t *values = profile->values + (size_t)index * types;
    size_t stack_bytes = stack_size(stack, sample->location_count);
    size_t value_bytes = values_size(values, types);
    size_t size = message_size(value_bytes) + (stack_bytes ? message_size(stack_bytes) : 0);
    for (uint32_t i = 0; i < sample->label_count; i++)
        size += message_size(label_size(&labels[i]));

    protobuf_put_length(writer, PROFILE_SAMPLE, size);
    if (stack_bytes)
        protobuf_put_length(writer, SAMPLE_LOCATION_ID, stack_bytes);
    for (uint32_t i = 0; i < sample->location_count; i++)
        protobuf_put_packed(writer, (uint64_t)stack[i] + 1);
    protobuf_put_length(writer, SAMPLE_VALUE, value_bytes);
    for (uint32_t i = 0; i < types; i++)
        protobuf_put_packed(writer, (uint64_t)values[i]);
    for (uint32_t i = 0; i < sample->label_count; i++) {
        protobuf_put_length(writer, SAMPLE_LABEL, label_size(&labels[i]));
        protobuf_put_number_or_none(writer, LABEL_KEY, labels[i].key);
        protobuf_put_number_or_none(writer, LABEL_STR, labels[i].text);
        protobuf_put_number_or_none(writer, LABEL_NUM, (uint64_t)labels[i].number);
        protobuf_put_number_or_none(writer, LABEL_NUM_UNIT, labels[i].unit);
    }
}

static void put_mapping(
    struct protobuf_writer *writer, const struct profile_mapping *mapping, uint64_t id)
{
    const uint64_t values[MAPPING_LAST + 1] = {[MAPPING_ID] = id,
        [MAPPING_START] = mapping->start,
        [MAPPING_LIMIT] = mapping->limit,
        [MAPPING_OFFSET] = mapping->offset,
        [MAPPING_FILE] = mapping->file,
        [MAPPING_BUILD_ID] = mapping->build_id,
        [MAPPING_HAS_FUNCTIONS] = mapping->has_functions,
        [MAPPING_HAS_FILENAMES] = mapping->has_filenames,
        [MAPPING_HAS_LINE_NUMBERS] = mapping->has_line_numbers,
        [MAPPING_HAS_INLINE_FRAMES] = mapping->has_inline_frames};
    size_t size = 0;
    for (unsigned field = 1; field <= MAPPING_LAST; field++)
        size += protobuf_field_or_none_size(values[field]);
    protobuf_put_length(writer, PROFILE_MAPPING, size);
    for (unsigned field = 1; field <= MAPPING_LAST; field++)
        protobuf_put_number_or_none(writer, field, values[field]);
}

static size_t line_size(const struct profile_line *line)
{
    return protobuf_field_size((uint64_t)line->function + 1) +
           protobuf_field_or_none_size((uint64_t)line->line) +
           protobuf_field_or_none_size((uint64_t)line->column);
}

static void put_location(
    struct protobuf_writer *writer, const struct profile *profile, uint32_t index)
{
    const struct profile_location *location = &profile->locations[index];
    const struct profile_line *lines = profile->lines + location->first_line;
    uint64_t id = (uint64_t)index + 1;
    uint64_t mapping_id = location->mapping == PROFILE_NO_MAPPING ? 0
                                                                  : (uint64_t)location->mapping + 1;
    size_t size = protobuf_field_size(id) + protobuf_field_or_none_size(mapping_id) +
                  protobuf_field_or_none_size(location->address) +
                  protobuf_field_or_none_size(location->is_folded);
    for (uint32_t i = 0; i < location->line_count; i++)
        size += message_size(line_size(&lines[i]));

    protobuf_put_length(writer, PROFILE_LOCATION, size);
    protobuf_put_number(writer, LOCATION_ID, id);
    protobuf_put_number_or_none(writer, LOCATION_MAPPING_ID, mapping_id);
    protobuf_put_number_or_none(writer, LOCATION_ADDRESS, location->address);
    for (uint32_t i = 0; i < location->line_count; i++) {
        protobuf_put_length(writer, LOCATION_LINE, line_size(&lines[i]));
        protobuf_put_number(writer, LINE_FUNCTION_ID, (uint64_t)lines[i].function + 1);
        protobuf_put_number_or_none(writer, LINE_LINE, (uint64_t)lines[i].line);
        protobuf_put_number_or_none(writer, LINE_COLUMN, (uint64_t)lines[i].column);
    }
    protobuf_put_number_or_none(writer, LOCATION_IS_FOLDED, location->is_folded);
}

static void put_function(
    struct protobuf_writer *writer, const struct profile_function *function, uint64_t id)
{
    protobuf_put_length(writer, PROFILE_FUNCTION,
        protobuf_field_size(id) + protobuf_field_or_none_size(function->name) +
            protobuf_field_or_none_size(function->system_name) +
            protobuf_field_or_none_size(function->file) +
            protobuf_field_or_none_size((uint64_t)function->start_line));
    protobuf_put_number(writer, FUNCTION_ID, id);
    protobuf_put_number_or_none(writer, FUNCTION_NAME, function->name);
    protobuf_put_number_or_none(writer, FUNCTION_SYSTEM_NAME, function->system_name);
    protobuf_put_number_or_none(writer, FUNCTION_FILENAME, function->file);
    protobuf_put_number_or_none(writer, FUNCTION_START_LINE, (uint64_t)function->start_line);
}

static void put_own_numbers(struct protobuf_writer *writer, const struct profile *profile)
{
    protobuf_put_number_or_none(writer, PROFILE_DROP_FRAMES, profile->drop_frames);
    protobuf_put_number_or_none(writer, PROFILE_KEEP_FRAMES, profile->keep_frames);
    protobuf_put_number_or_none(writer, PROFILE_TIME_NANOS, (uint64_t)profile->time_ns);
    protobuf_put_number_or_none(writer, PROFILE_DURATION_NANOS, (uint64_t)profile->duration_ns);
    if (profile->period_type.type || profile->period_type.unit)
        put_value_type(writer, PROFILE_PERIOD_TYPE, profile->period_type);
    protobuf_put_number_or_none(writer, PROFILE_PERIOD, (uint64_t)profile->period);
    for (uint32_t i = 0; i < profile->comment_count; i++)
        protobuf_put_number(writer, PROFILE_COMMENT, profile->comments[i]);
    protobuf_put_number_or_none(writer, PROFILE_DEFAULT_SAMPLE_TYPE, profile->default_sample_type);
    protobuf_put_number_or_none(writer, PROFILE_DOC_URL, profile->doc_url);
}

static void put_profile(struct protobuf_writer *writer, const struct profile *profile)
{
    for (uint32_t i = 0; i < profile->sample_type_count; i++)
        put_value_type(writer, PROFILE_SAMPLE_TYPE, profile->sample_types[i]);
    for (uint32_t i = 0; i < profile->sample_count; i++)
        put_sample(writer, profile, i);
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        put_mapping(writer, &profile->mappings[i], (uint64_t)i + 1);
    for (uint32_t i = 0; i < profile->location_count; i++)
        put_location(writer, profile, i);
    for (uint32_t i = 0; i < profile->function_count; i++)
        put_function(writer, &profile->functions[i], (uint64_t)i + 1);
    for (uint32_t i = 0; i < profile->string_count; i++)
        protobuf_put_bytes(
            writer, PROFILE_STRING_TABLE, profile->strings[i].text, profile->strings[i].size);
    put_own_numbers(writer, profile);
}

int profile_encode(const struct profile *profile, struct buf *out, struct error *err)
{
    struct gzip_writer gzip;
    struct protobuf_writer writer;
    gzip_writer_init(&gzip, out);
    protobuf_writer_init(&writer, gzip_writer_put, &gzip);
    put_profile(&writer, profile);
    protobuf_writer_finish(&writer);
    if (gzip_writer_finish(&gzip) < 0)
        return error_set(err, "the profile has more than %zu bytes even compressed", out->max);
    return 0;
}
