#include "review/profile/profile_repair.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "review/profile/gzip.h"
#include "review/profile/profile.h"
#include "review/profile/profile_fields.h"
#include "review/profile/protobuf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that stand for lost ones; Go's profiles have some thousands. */
static const uint64_t most_names = 1 << 20;
static const size_t block_bytes = 65536;

struct id_set {
    uint64_t *ids; /* rising, once all are known */
    size_t count, capacity;
};

struct repairing {
    const unsigned char *begin;
    const unsigned char *end;           /* of the last whole field */
    uint64_t strings;                   /* that are there */
    uint64_t last_string;               /* the largest that is referred to */
    struct id_set functions, locations; /* the latter with all their functions */
};

/* As far as it goes. */
static int inflate_beginning(const void *data, size_t size, struct buf *bytes, struct error *err)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)data,
        .avail_in = size < UINT_MAX ? (unsigned)size : UINT_MAX};
    char *block = xcalloc(block_bytes, 1);
    int code = inflateInit2(&stream, 16 + MAX_WBITS), status = 0;
    while (code == Z_OK && status == 0) {
        stream.next_out = (unsigned char *)block;
        stream.avail_out = (unsigned)block_bytes;
        code = inflate(&stream, Z_NO_FLUSH);
        status = buf_append(bytes, block, block_bytes - stream.avail_out);
        if (stream.avail_out == block_bytes && stream.avail_in == 0)
            break;
    }
    inflateEnd(&stream);
    free(block);
    return status < 0 ? error_set(err, "the profile is too large to be repaired") : 0;
}

static void note_string(struct repairing *repairing, uint64_t index)
{
    repairing->last_string = index > repairing->last_string ? index : repairing->last_string;
}

/* The strings that a message refers to by its fields that are in the set; -1 when it is damaged. */
static int note_strings(
    struct repairing *repairing, struct protobuf_reader message, unsigned fields)
{
    struct protobuf_field field;
    int code;
    while ((code = protobuf_next(&message, &field)) > 0)
        if (field.wire == PROTOBUF_VARINT && field.number < 32 && (fields >> field.number & 1))
            note_string(repairing, field.value);
    return code;
}

static int note_labels(struct repairing *repairing, struct protobuf_reader sample)
{
    static const unsigned strings = 1u << LABEL_KEY | 1u << LABEL_STR | 1u << LABEL_NUM_UNIT;
    struct protobuf_field field;
    int code;
    while ((code = protobuf_next(&sample, &field)) > 0)
        if (field.number == SAMPLE_LABEL && field.wire == PROTOBUF_BYTES &&
            note_strings(repairing, field.bytes, strings) < 0)
            return -1;
    return code;
}

static void add_id(struct id_set *set, uint64_t id)
{
    if (set->count == set->capacity) {
        set->capacity = 2 * set->capacity + 64;
        set->ids = xrealloc(set->ids, set->capacity, sizeof *set->ids);
    }
    set->ids[set->count++] = id;
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void sort_ids(struct id_set *set)
{
    if (set->count)
        qsort(set->ids, set->count, sizeof *set->ids, by_value);
}

static bool has_id(const struct id_set *set, uint64_t id)
{
    return set->count && bsearch(&id, set->ids, set->count, sizeof *set->ids, by_value);
}

/* The last number of that field; 0: it has none. */
static uint64_t number_of(struct protobuf_reader message, uint64_t number)
{
    struct protobuf_field field;
    uint64_t value = 0;
    while (protobuf_next(&message, &field) > 0)
        if (field.number == number && field.wire == PROTOBUF_VARINT)
            value = field.value;
    return value;
}

static int note_field(struct repairing *repairing, const struct protobuf_field *field)
{
    static const unsigned of_types = 1u << VALUE_TYPE_TYPE | 1u << VALUE_TYPE_UNIT;
    static const unsigned of_mappings = 1u << MAPPING_FILE | 1u << MAPPING_BUILD_ID;
    static const unsigned of_functions = 1u << FUNCTION_NAME | 1u << FUNCTION_SYSTEM_NAME |
                                         1u << FUNCTION_FILENAME;
    if (field->wire == PROTOBUF_VARINT) {
        bool string = field->number == PROFILE_DROP_FRAMES ||
                      field->number == PROFILE_KEEP_FRAMES || field->number == PROFILE_COMMENT ||
                      field->number == PROFILE_DEFAULT_SAMPLE_TYPE ||
                      field->number == PROFILE_DOC_URL;
        if (string)
            note_string(repairing, field->value);
        return 0;
    }
    if (field->wire != PROTOBUF_BYTES)
        return 0;
    switch (field->number) {
    case PROFILE_SAMPLE_TYPE:
    case PROFILE_PERIOD_TYPE:
        return note_strings(repairing, field->bytes, of_types);
    case PROFILE_MAPPING:
        return note_strings(repairing, field->bytes, of_mappings);
    case PROFILE_FUNCTION:
        add_id(&repairing->functions, number_of(field->bytes, FUNCTION_ID));
        return note_strings(repairing, field->bytes, of_functions);
    case PROFILE_SAMPLE:
        return note_labels(repairing, field->bytes);
    case PROFILE_STRING_TABLE:
        repairing->strings++;
        return 0;
    default:
        return 0;
    }
}

/* Whether all its functions are there. */
static bool is_whole_location(const struct repairing *repairing, struct protobuf_reader location)
{
    struct protobuf_field field;
    while (protobuf_next(&location, &field) > 0) {
        if (field.number != LOCATION_LINE || field.wire != PROTOBUF_BYTES)
            continue;
        uint64_t function = number_of(field.bytes, LINE_FUNCTION_ID);
        if (function && !has_id(&repairing->functions, function))
            return false;
    }
    return true;
}

static void note_locations(struct repairing *repairing)
{
    struct protobuf_reader reader = {repairing->begin, repairing->end};
    struct protobuf_field field;
    while (protobuf_next(&reader, &field) > 0)
        if (field.number == PROFILE_LOCATION && field.wire == PROTOBUF_BYTES &&
            is_whole_location(repairing, field.bytes))
            add_id(&repairing->locations, number_of(field.bytes, LOCATION_ID));
    sort_ids(&repairing->locations);
}

/* Whether all its locations are there. */
static bool is_whole_sample(const struct repairing *repairing, struct protobuf_reader sample)
{
    struct protobuf_field field;
    while (protobuf_next(&sample, &field) > 0) {
        if (field.number != SAMPLE_LOCATION_ID)
            continue;
        if (field.wire == PROTOBUF_VARINT && !has_id(&repairing->locations, field.value))
            return false;
        uint64_t id;
        while (field.wire == PROTOBUF_BYTES && field.bytes.at < field.bytes.end)
            if (protobuf_number(&field.bytes, &id) < 0 || !has_id(&repairing->locations, id))
                return false;
    }
    return true;
}

/* What is in it; -1 when a whole field is damaged. */
static int look_through(struct repairing *repairing, size_t size)
{
    struct protobuf_reader reader = {repairing->begin, repairing->begin + size};
    struct protobuf_field field;
    repairing->end = reader.at;
    while (protobuf_next(&reader, &field) > 0) {
        if (field.number == 0 || field.number >= PROFILE_FIELDS ||
            note_field(repairing, &field) < 0)
            return -1;
        repairing->end = reader.at;
    }
    sort_ids(&repairing->functions);
    note_locations(repairing);
    return 0;
}

static void put_names(
    const struct repairing *repairing, struct gzip_writer *gzip, struct profile_repair *repair)
{
    struct protobuf_writer writer;
    protobuf_writer_init(&writer, gzip_writer_put, gzip);
    for (uint64_t i = repairing->strings; i <= repairing->last_string; i++) {
        char name[32] = "";
        if (i) /* the first is the empty one */
            snprintf(name, sizeof name, "lost %llu", (unsigned long long)i);
        protobuf_put_bytes(&writer, PROFILE_STRING_TABLE, name, strlen(name));
        repair->names_lost += i > 0;
    }
    protobuf_writer_finish(&writer);
}

static int write_whole(
    const struct repairing *repairing, struct buf *out, struct profile_repair *repair)
{
    struct gzip_writer gzip;
    struct protobuf_reader reader = {repairing->begin, repairing->end};
    struct protobuf_field field;
    gzip_writer_init(&gzip, out);
    for (const unsigned char *at = reader.at; protobuf_next(&reader, &field) > 0; at = reader.at) {
        bool message = field.wire == PROTOBUF_BYTES;
        bool sample = message && field.number == PROFILE_SAMPLE;
        bool location = message && field.number == PROFILE_LOCATION;
        if (location && !is_whole_location(repairing, field.bytes))
            continue;
        if (sample && !is_whole_sample(repairing, field.bytes)) {
            repair->samples_lost++;
            continue;
        }
        repair->samples += sample;
        gzip_writer_put(&gzip, at, (size_t)(reader.at - at));
    }
    put_names(repairing, &gzip, repair);
    return gzip_writer_finish(&gzip);
}

/* What is written is what others read: it has to be a profile. */
static int check(const struct buf *out, size_t before, size_t max_bytes, struct error *err)
{
    struct profile *profile = profile_decode(
        out->data + before, out->size - before, max_bytes, err);
    profile_free(profile);
    return profile ? 0 : -1;
}

static int repair_bytes(const struct buf *bytes, size_t max_bytes, struct buf *out,
    struct profile_repair *repair, struct error *err)
{
    struct repairing repairing = {.begin = (const unsigned char *)bytes->data};
    size_t before = out->size;
    int status = look_through(&repairing, bytes->size);
    if (status < 0)
        error_set(err, "the profile is damaged");
    else if (repairing.last_string >= most_names)
        status = error_set(err, "the profile refers to more names than it can have");
    else if (write_whole(&repairing, out, repair) < 0)
        status = error_set(err, "the profile is too large to be repaired");
    else if (!repair->samples)
        status = error_set(err, "the profile ends before its first sample");
    else
        status = check(out, before, 2 * max_bytes + 64 * most_names, err);
    free(repairing.functions.ids);
    free(repairing.locations.ids);
    return status;
}

int profile_repair(const void *data, size_t size, size_t max_bytes, struct buf *out,
    struct profile_repair *repair, struct error *err)
{
    struct buf bytes;
    buf_init(&bytes, max_bytes);
    *repair = (struct profile_repair){0};
    int status = 0;
    if (gzip_is(data, size))
        status = inflate_beginning(data, size, &bytes, err);
    else if (buf_append(&bytes, data, size) < 0)
        status = error_set(err, "the profile is too large to be repaired");
    if (status == 0)
        status = repair_bytes(&bytes, max_bytes, out, repair, err);
    buf_free(&bytes);
    return status;
}
