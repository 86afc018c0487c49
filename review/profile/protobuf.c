#include "review/profile/protobuf.h"

#include <string.h>

/* A number has seven bits a byte, the lowest first: 64 bits end within ten bytes. */
enum { MAX_NUMBER_BYTES = 10 };

int protobuf_any_number(struct protobuf_reader *reader, uint64_t *value)
{
    uint64_t number = 0;
    const unsigned char *at = reader->at;
    for (unsigned i = 0; i < MAX_NUMBER_BYTES; i++) {
        if (at == reader->end)
            return PROTOBUF_CUT;
        unsigned char byte = *at++;
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = number;
            reader->at = at;
            return 0;
        }
    }
    return PROTOBUF_ENDLESS;
}

static int read_fixed(struct protobuf_reader *reader, size_t size, uint64_t *value)
{
    if ((size_t)(reader->end - reader->at) < size)
        return PROTOBUF_CUT;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += size;
    return 1;
}

/* A number, and for PROTOBUF_BYTES so many bytes behind it. */
static int read_number_or_bytes(struct protobuf_reader *reader, struct protobuf_field *field)
{
    int code = protobuf_number(reader, &field->value);
    if (code < 0)
        return code;
    if (field->wire == PROTOBUF_VARINT)
        return 1;
    if (field->value > (uint64_t)(reader->end - reader->at))
        return PROTOBUF_CUT;
    field->bytes = (struct protobuf_reader){reader->at, reader->at + field->value};
    reader->at += field->value;
    return 1;
}

int protobuf_any_field(struct protobuf_reader *reader, struct protobuf_field *field)
{
    uint64_t tag;
    int code = protobuf_number(reader, &tag);
    if (code < 0)
        return code;
    field->number = tag >> 3;
    field->wire = tag & 7;
    switch (field->wire) {
    case PROTOBUF_VARINT:
    case PROTOBUF_BYTES:
        return read_number_or_bytes(reader, field);
    case PROTOBUF_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case PROTOBUF_FIXED32:
        return read_fixed(reader, 4, &field->value);
    default:
        return PROTOBUF_UNKNOWN_WIRE;
    }
}

const char *protobuf_problem(int code)
{
    switch (code) {
    case PROTOBUF_CUT:
        return "it ends in the middle of a field";
    case PROTOBUF_ENDLESS:
        return "a number has more than 64 bits";
    default:
        return "a field is of no kind that a profile may have";
    }
}

void protobuf_writer_init(struct protobuf_writer *writer,
    void (*flush)(void *arg, const void *data, size_t size), void *arg)
{
    writer->flush = flush;
    writer->arg = arg;
    writer->used = 0;
}

void protobuf_writer_finish(struct protobuf_writer *writer)
{
    if (writer->used > 0)
        writer->flush(writer->arg, writer->block, writer->used);
    writer->used = 0;
}

void protobuf_put_packed(struct protobuf_writer *writer, uint64_t value)
{
    if (sizeof writer->block - writer->used < MAX_NUMBER_BYTES)
        protobuf_writer_finish(writer);
    unsigned char *at = writer->block + writer->used;
    for (; value >= 0x80; value >>= 7)
        *at++ = (unsigned char)(value | 0x80);
    *at++ = (unsigned char)value;
    writer->used = (size_t)(at - writer->block);
}

void protobuf_put_number(struct protobuf_writer *writer, unsigned field, uint64_t value)
{
    protobuf_put_packed(writer, field << 3 | PROTOBUF_VARINT);
    protobuf_put_packed(writer, value);
}

void protobuf_put_number_or_none(struct protobuf_writer *writer, unsigned field, uint64_t value)
{
    if (value)
        protobuf_put_number(writer, field, value);
}

void protobuf_put_length(struct protobuf_writer *writer, unsigned field, size_t size)
{
    protobuf_put_packed(writer, field << 3 | PROTOBUF_BYTES);
    protobuf_put_packed(writer, size);
}

void protobuf_put_bytes(
    struct protobuf_writer *writer, unsigned field, const void *data, size_t size)
{
    protobuf_put_length(writer, field, size);
    if (size > sizeof writer->block - writer->used) {
        protobuf_writer_finish(writer);
        if (size > sizeof writer->block) {
            writer->flush(writer->arg, data, size);
            return;
        }
    }
    if (size > 0)
        memcpy(writer->block + writer->used, data, size);
    writer->used += size;
}
