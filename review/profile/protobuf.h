/* The wire format of protocol buffers (protobuf.dev/programming-guides/encoding): a reader that
 * never leaves its bytes, and a writer that needs one block of memory however much is written.
 * Groups are refused; fields that nobody asked for are for the caller to skip. */
#ifndef REVIEW_PROTOBUF_H
#define REVIEW_PROTOBUF_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum protobuf_wire {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2,
    PROTOBUF_FIXED32 = 5
};

/* The bytes of a message, or of a packed list, that are still to be read. */
struct protobuf_reader {
    const unsigned char *at, *end;
};

struct protobuf_field {
    uint64_t number; /* may be 0, which no message has */
    enum protobuf_wire wire;
    uint64_t value;               /* PROTOBUF_BYTES: how many */
    struct protobuf_reader bytes; /* PROTOBUF_BYTES */
};

/* What protobuf_next returns below 0; protobuf_problem puts it into words. */
enum { PROTOBUF_CUT = -1, PROTOBUF_ENDLESS = -2, PROTOBUF_UNKNOWN_WIRE = -3 };

/* Any number, and any field: what the two below do not do at once. */
int protobuf_any_number(struct protobuf_reader *reader, uint64_t *value);
int protobuf_any_field(struct protobuf_reader *reader, struct protobuf_field *field);

/* The next number of what is not at its end: 0, or below 0. Bits above the 64th of a number of ten
 * bytes are dropped, as other readers do. Most numbers have one or two bytes, and which of them is
 * as good as random: there is no branch on it. The copies keep the caller's reader in registers. */
static inline int protobuf_number(struct protobuf_reader *reader, uint64_t *value)
{
    const unsigned char *at = reader->at;
    if (reader->end - at >= 2) {
        unsigned first = at[0], second = at[1], has_second = first >> 7;
        if (!(has_second & second >> 7)) {
            *value = (first & 0x7f) | (second << 7 & (0 - has_second));
            reader->at = at + 1 + has_second;
            return 0;
        }
    }
    struct protobuf_reader copy = *reader;
    uint64_t number = 0;
    int code = protobuf_any_number(&copy, &number);
    reader->at = copy.at;
    *value = number;
    return code;
}

/* Eight bytes as a number, the first the lowest. */
static inline uint64_t protobuf_eight_bytes(const unsigned char *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return le64toh(bytes);
}

/* The next field of a message: 1, 0 at its end, or below 0; the reader is then of no more use. */
static inline int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *field)
{
    if (reader->at == reader->end)
        return 0;
    unsigned tag = *reader->at;
    if (tag >= 0x80 || ((tag & 7) != PROTOBUF_VARINT && (tag & 7) != PROTOBUF_BYTES))
        return protobuf_any_field(reader, field);
    reader->at++;
    uint64_t value;
    int code = protobuf_number(reader, &value);
    if (code < 0)
        return code;
    field->number = tag >> 3;
    field->wire = tag & 7;
    field->value = value;
    if (field->wire == PROTOBUF_VARINT)
        return 1;
    if (value > (uint64_t)(reader->end - reader->at))
        return PROTOBUF_CUT;
    field->bytes = (struct protobuf_reader){reader->at, reader->at + value};
    reader->at += value;
    return 1;
}

/* "it ends in the middle of a field": completes a sentence. */
const char *protobuf_problem(int code);

/* Numbers are written as they come into a block, which goes to `flush` whenever it is full. */
struct protobuf_writer {
    void (*flush)(void *arg, const void *data, size_t size);
    void *arg;
    size_t used;
    unsigned char block[16384];
};

void protobuf_writer_init(struct protobuf_writer *writer,
    void (*flush)(void *arg, const void *data, size_t size), void *arg);

/* Hands over what is still in the block. */
void protobuf_writer_finish(struct protobuf_writer *writer);

/* A field with a number; the second leaves a 0 out, which is what a missing field means. */
void protobuf_put_number(struct protobuf_writer *writer, unsigned field, uint64_t value);
void protobuf_put_number_or_none(struct protobuf_writer *writer, unsigned field, uint64_t value);

void protobuf_put_bytes(
    struct protobuf_writer *writer, unsigned field, const void *data, size_t size);

/* Begins a message or a packed list, whose `size` bytes must follow. */
void protobuf_put_length(struct protobuf_writer *writer, unsigned field, size_t size);

/* A number without a field, as packed lists have them. */
void protobuf_put_packed(struct protobuf_writer *writer, uint64_t value);

/* How many bytes a number takes, and the field of a number (fields below 16), and this field if it
 * is not left out. */
static inline size_t protobuf_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static inline size_t protobuf_field_size(uint64_t value)
{
    return 1 + protobuf_size(value);
}

static inline size_t protobuf_field_or_none_size(uint64_t value)
{
    return value ? protobuf_field_size(value) : 0;
}

#endif
