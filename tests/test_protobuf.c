#include "review/profile/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One field of each kind, with the longest number that there is. */
static const unsigned char every_kind[] = {
    0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 1: 2^64 - 1 */
    0x11, 1, 2, 3, 4, 5, 6, 7, 8,                                     /* 2: fixed, 8 bytes */
    0x1a, 0x03, 'c', 'p', 'u',                                        /* 3: bytes */
    0x25, 1, 2, 3, 4,                                                 /* 4: fixed, 4 bytes */
    0xa0, 0x06, 0x07,                                                 /* 100: 7 */
};

static void every_kind_of_field_is_read(void **state)
{
    (void)state;
    static const struct {
        uint64_t number, value;
        enum protobuf_wire wire;
    } expected[] = {{1, UINT64_MAX, PROTOBUF_VARINT},
        {2, UINT64_C(0x0807060504030201), PROTOBUF_FIXED64}, {3, 0, PROTOBUF_BYTES},
        {4, 0x04030201, PROTOBUF_FIXED32}, {100, 7, PROTOBUF_VARINT}};
    struct protobuf_reader reader = {every_kind, every_kind + sizeof every_kind};
    struct protobuf_field field;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(protobuf_next(&reader, &field), 1);
        assert_int_equal(field.number, expected[i].number);
        assert_int_equal(field.wire, expected[i].wire);
        if (field.wire == PROTOBUF_BYTES)
            assert_memory_equal(field.bytes.at, "cpu", 3);
        else
            assert_true(field.value == expected[i].value);
    }
    assert_int_equal(protobuf_next(&reader, &field), 0);
    assert_int_equal(protobuf_next(&reader, &field), 0);
}

static void every_beginning_ends_between_fields_or_is_cut(void **state)
{
    (void)state;
    static const size_t ends[] = {0, 11, 20, 25, 30, 33};
    for (size_t size = 0; size < sizeof every_kind; size++) {
        /* Exactly so much memory, so that a step beyond it is seen. */
        unsigned char *bytes = malloc(size ? size : 1);
        memcpy(bytes, every_kind, size);
        struct protobuf_reader reader = {bytes, bytes + size};
        struct protobuf_field field;
        int code;
        while ((code = protobuf_next(&reader, &field)) > 0)
            continue;
        int expected = PROTOBUF_CUT;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            expected = ends[i] == size ? 0 : expected;
        assert_int_equal(code, expected);
        free(bytes);
    }
}

static void what_is_wrong_has_its_name(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[16];
        size_t size;
        int code;
    } cases[] = {
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 12,
            PROTOBUF_ENDLESS},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11, PROTOBUF_ENDLESS},
        {{0x0b}, 1, PROTOBUF_UNKNOWN_WIRE}, /* a group begins */
        {{0x0c}, 1, PROTOBUF_UNKNOWN_WIRE}, /* and ends */
        {{0x0e}, 1, PROTOBUF_UNKNOWN_WIRE},
        {{0x0f}, 1, PROTOBUF_UNKNOWN_WIRE},
        {{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'x'}, 12,
            PROTOBUF_CUT}, /* 2^64 - 1 bytes */
        {{0x0a, 0x02, 'x'}, 3, PROTOBUF_CUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct protobuf_reader reader = {cases[i].bytes, cases[i].bytes + cases[i].size};
        struct protobuf_field field;
        assert_int_equal(protobuf_next(&reader, &field), cases[i].code);
        assert_non_null(protobuf_problem(cases[i].code));
    }
}

struct collected {
    unsigned char bytes[65536];
    size_t size;
};

static void collect(void *arg, const void *data, size_t size)
{
    struct collected *collected = arg;
    memcpy(collected->bytes + collected->size, data, size);
    collected->size += size;
}

/* More than a block of the writer, in pieces of every size around it. */
static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static struct collected collected;
    static struct protobuf_writer writer;
    static unsigned char large[20000];
    memset(large, 'x', sizeof large);
    collected.size = 0;
    protobuf_writer_init(&writer, collect, &collected);
    for (unsigned i = 0; i < 64; i++)
        protobuf_put_number(&writer, 1, UINT64_C(1) << i);
    protobuf_put_number_or_none(&writer, 1, 0);
    for (size_t size = 0; size <= sizeof large; size += 5000)
        protobuf_put_bytes(&writer, 2, large, size);
    protobuf_writer_finish(&writer);

    struct protobuf_reader reader = {collected.bytes, collected.bytes + collected.size};
    struct protobuf_field field;
    for (unsigned i = 0; i < 64; i++) {
        const unsigned char *begin = reader.at;
        assert_int_equal(protobuf_next(&reader, &field), 1);
        assert_true(field.value == UINT64_C(1) << i);
        assert_int_equal(reader.at - begin, protobuf_field_size(field.value));
    }
    for (size_t size = 0; size <= sizeof large; size += 5000) {
        assert_int_equal(protobuf_next(&reader, &field), 1);
        assert_int_equal(field.bytes.end - field.bytes.at, size);
    }
    assert_int_equal(protobuf_next(&reader, &field), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_field_is_read),
        cmocka_unit_test(every_beginning_ends_between_fields_or_is_cut),
        cmocka_unit_test(what_is_wrong_has_its_name),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
