#include "review/profile/gzip.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void compress_text(const char *text, size_t size, struct buf *out)
{
    struct gzip_writer writer;
    buf_init(out, 1 << 20);
    gzip_writer_init(&writer, out);
    gzip_writer_put(&writer, text, size);
    assert_int_equal(gzip_writer_finish(&writer), 0);
}

static void what_was_deflated_is_inflated(void **state)
{
    (void)state;
    static char text[300000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i >> 7);
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, sizeof text};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf gzip;
        compress_text(text, sizes[i], &gzip);
        char *bytes;
        size_t size;
        struct error err;
        assert_true(gzip_is(gzip.data, gzip.size));
        assert_int_equal(gzip_inflate(gzip.data, gzip.size, sizes[i], &bytes, &size, &err), 0);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(bytes, text, size);
        assert_int_equal(bytes[size], '\0');
        free(bytes);
        if (sizes[i] > 0) {
            assert_int_equal(
                gzip_inflate(gzip.data, gzip.size, sizes[i] - 1, &bytes, &size, &err), -1);
            assert_non_null(strstr(err.text, "more than"));
        }
        buf_free(&gzip);
    }
}

static void every_beginning_is_an_error(void **state)
{
    (void)state;
    struct buf gzip;
    compress_text("heap, heap, heap", 16, &gzip);
    for (size_t length = 2; length < gzip.size; length++) {
        char *copy = malloc(length), *bytes;
        memcpy(copy, gzip.data, length);
        size_t size;
        struct error err;
        assert_int_equal(gzip_inflate(copy, length, 1000, &bytes, &size, &err), -1);
        assert_non_null(strstr(err.text, "ends in the middle"));
        free(copy);
    }
    buf_free(&gzip);
}

/* Files that follow one another are one, as gzip has it; what is no gzip there is an error. */
static void what_follows_is_looked_at(void **state)
{
    (void)state;
    struct buf gzip;
    compress_text("heap", 4, &gzip);
    size_t one = gzip.size;
    buf_append(&gzip, gzip.data, one);
    char *bytes;
    size_t size;
    struct error err;
    assert_int_equal(gzip_inflate(gzip.data, gzip.size, 100, &bytes, &size, &err), 0);
    assert_int_equal(size, 8);
    assert_memory_equal(bytes, "heapheap", 8);
    free(bytes);
    gzip.data[one] = 'x';
    assert_int_equal(gzip_inflate(gzip.data, gzip.size, 100, &bytes, &size, &err), -1);
    assert_non_null(strstr(err.text, "behind the end"));
    gzip.data[one - 6] ^= 1; /* the checksum */
    assert_int_equal(gzip_inflate(gzip.data, gzip.size, 100, &bytes, &size, &err), -1);
    assert_non_null(strstr(err.text, "broken"));
    buf_free(&gzip);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    (void)state;
    static const char zeroes[1 << 16];
    struct buf gzip;
    buf_init(&gzip, 1 << 20);
    struct gzip_writer writer;
    gzip_writer_init(&writer, &gzip);
    for (int i = 0; i < 1024; i++)
        gzip_writer_put(&writer, zeroes, sizeof zeroes);
    assert_int_equal(gzip_writer_finish(&writer), 0);
    /* The trailer lies about the size, too. */
    memset(gzip.data + gzip.size - 4, 0xff, 4);
    char *bytes;
    size_t size;
    struct error err;
    assert_int_equal(gzip_inflate(gzip.data, gzip.size, 1 << 20, &bytes, &size, &err), -1);
    assert_non_null(strstr(err.text, "more than the 1048576 bytes"));
    buf_free(&gzip);
}

static void a_buffer_that_is_full_is_an_error(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 10);
    struct gzip_writer writer;
    gzip_writer_init(&writer, &out);
    gzip_writer_put(&writer, "goroutine", 9);
    assert_int_equal(gzip_writer_finish(&writer), -1);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_is_inflated),
        cmocka_unit_test(every_beginning_is_an_error),
        cmocka_unit_test(what_follows_is_looked_at),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(a_buffer_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
